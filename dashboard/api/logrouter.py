"""The log's HTTP face, /api/v1/log/<call>: what agents on other machines use in place of the log itself.

Questions and answers are msgpack, described in `coordination.logmessages`; refusals are problem documents. It
needs one process with one event loop (ASGI), since members of consumer groups are held in it: that is the
embedded shape. Who may do what is in `logscope`, the calls are in `logcalls`.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from weakref import WeakKeyDictionary

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import Router

from coordination.errors import CoordinationError, LogDenied, LogUnreachable, RecordTooLarge, UnknownTopic
from coordination.eventlog import EventLog
from coordination.logmessages import MEDIA_TYPE
from dashboard.api.logcalls import CALLS, Call, Face
from dashboard.api.logscope import Caller
from dashboard.api.problems import answer as problem

STATUS: Final[dict[type[CoordinationError], int]] = {
    LogDenied: HTTPStatus.FORBIDDEN,
    UnknownTopic: HTTPStatus.NOT_FOUND,
    RecordTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    LogUnreachable: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""What is not here is a conflict with the state of the log: 409."""

_encode = msgspec.msgpack.Encoder().encode


def log_router(open_log: Callable[[], EventLog]) -> Router:
    """The router of all calls. `open_log` gives the log of this process; `request.auth` must be a TopicScope."""
    router = Router(tags=["log"])
    faces: WeakKeyDictionary[EventLog, Face] = WeakKeyDictionary()

    def face() -> Face:
        log = open_log()
        return faces.setdefault(log, Face(log))

    for name, call in CALLS.items():
        router.add_api_operation(
            f"/{name}",
            ["POST"],
            _view(face, call),
            operation_id="log_" + name.replace("-", "_"),
            summary=(call.answer.__doc__ or name).strip(),
            openapi_extra=_described(call),
        )
    return router


def _view(face: Callable[[], Face], call: Call) -> Callable[[HttpRequest], Any]:
    async def view(request: HttpRequest) -> HttpResponse:
        try:
            asked = msgspec.msgpack.decode(request.body, type=call.question)
            caller = Caller(request.auth)  # type: ignore[attr-defined]
            answered = await call.answer(face(), caller, asked)
        except CoordinationError as error:
            return _refused(request, error)
        except RequestDataTooBig as error:
            return _refused(request, RecordTooLarge(f"{error} Send smaller batches."))
        except (msgspec.MsgspecError, TypeError) as error:
            return problem(request, HTTPStatus.BAD_REQUEST, "malformed_question", f"{error}.")
        return HttpResponse(_encode(answered), content_type=MEDIA_TYPE)

    return view


def _refused(request: HttpRequest, error: CoordinationError) -> HttpResponse:
    status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), HTTPStatus.CONFLICT)
    return problem(request, status, error.code, str(error), error=type(error).code)


def _described(call: Call) -> dict[str, Any]:
    """The body for OpenAPI, which cannot tell more of msgpack than its media type and the fields' names."""
    fields = ", ".join(field.name for field in msgspec.structs.fields(call.question)) or "none"
    schema = {"type": "string", "format": "binary", "description": f"A msgpack map; fields: {fields}."}
    return {"requestBody": {"required": True, "content": {MEDIA_TYPE: {"schema": schema}}}}
