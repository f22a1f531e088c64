"""Errors as RFC 9457 problem documents: what failed and what to do, one shape for every call."""

from http import HTTPStatus
from typing import Any, Final

import msgspec
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from coordination.errors import (
    CoordinationError,
    LogDenied,
    LogUnreachable,
    MalformedRecord,
    RecordTooLarge,
    UnknownTopic,
)
from coordination.replay import BadPosition

MEDIA_TYPE: Final = "application/problem+json"


class Problem(Exception):
    """An answer that is an error: HTTP status, a stable word, a sentence, and members of its own."""

    def __init__(self, status: int, code: str, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.members = members


def answer(request: HttpRequest, status: int, code: str, detail: str, **members: Any) -> HttpResponse:
    """The problem document. `code` stays the same for ever; `detail` is for people and may change."""
    body = {
        "type": f"urn:lineside:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "code": code,
        **members,
    }
    response = HttpResponse(msgspec.json.encode(body), status=status, content_type=MEDIA_TYPE)
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="lineside"'
    return response


STATUS: Final[dict[type[CoordinationError], int]] = {
    MalformedRecord: 422,
    RecordTooLarge: 413,
    LogUnreachable: 503,
    # The topic should be there: whoever runs the log must make it, and then the same call succeeds.
    UnknownTopic: 503,
    LogDenied: 502,
    BadPosition: 400,
}


def _status(error: CoordinationError) -> int:
    if isinstance(error, MalformedRecord) and error.stage != "data":
        return 413 if error.stage == "size" else 400
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 409)


def _refused(request: HttpRequest, error: CoordinationError) -> HttpResponse:
    members = {"attribute": error.attribute, "stage": error.stage} if isinstance(error, MalformedRecord) else {}
    return answer(request, _status(error), error.code, str(error), **members)


def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    wrong = [
        {"field": ".".join(str(part) for part in each.get("loc", ())[1:]), "reason": each.get("msg", "")}
        for each in error.errors
    ]
    detail = "; ".join(f"{each['field']}: {each['reason']}" for each in wrong)
    return answer(request, 422, "invalid", detail or "The request is not valid.", errors=wrong)


def attach(api: NinjaAPI) -> None:
    """Every error of every call becomes a problem document."""

    @api.exception_handler(Problem)
    def problem(request: HttpRequest, error: Problem) -> HttpResponse:
        return answer(request, error.status, error.code, error.detail, **error.members)

    @api.exception_handler(CoordinationError)
    def refused(request: HttpRequest, error: CoordinationError) -> HttpResponse:
        return _refused(request, error)

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        return _invalid(request, error)

    @api.exception_handler(AuthenticationError)
    def unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return answer(request, 401, "not_signed_in", "Sign in, or send a valid token: Authorization: Bearer <token>.")

    @api.exception_handler(PermissionDenied)
    def forbidden(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
        return answer(request, 403, "no_right", str(error) or "You have no right to this.")

    @api.exception_handler(HttpError)
    def http(request: HttpRequest, error: HttpError) -> HttpResponse:
        return answer(request, error.status_code, "refused", str(error))

    @api.exception_handler(Http404)
    def missing(request: HttpRequest, error: Http404) -> HttpResponse:
        return answer(request, 404, "not_found", str(error) or "There is nothing at this address.")
