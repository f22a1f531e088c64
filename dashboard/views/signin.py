"""Sign-in by password, sign-in by a link that works once, sign-out.

The link survives everything that only looks at it (HEAD, previews, mail scanners): GET shows a page, and the
page posts. The first POST wins; the row is taken by one conditional update.
"""

import logging
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from dashboard import entry, oidc
from dashboard.clock import database_now
from dashboard.forms import SignInForm
from dashboard.models import SignInLink
from dashboard.models.access import digest_of

log = logging.getLogger(__name__)


@method_decorator(login_not_required, name="dispatch")
class SignIn(LoginView):
    """User name and password; goes on to where the person wanted to be."""

    template_name = "sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True
    extra_context = {"local": settings.LINESIDE_LOCAL, "provider": oidc.configured}  # noqa: RUF012  (as Django's)

    def form_valid(self, form: Any) -> HttpResponse:
        """The session and the entry of it in the audit trail, or neither."""
        with transaction.atomic():
            entry.signed_in(form.get_user(), "password")
            return super().form_valid(form)

    def form_invalid(self, form: Any) -> HttpResponse:
        """429 to whoever tried too often."""
        answer = super().form_invalid(form)
        if form.wait:
            answer.status_code = 429
            answer.headers["Retry-After"] = str(form.wait)
        return answer


class SignOut(LogoutView):
    """Ends the session by POST."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The end of the session and its entry in the audit trail, or neither."""
        with transaction.atomic():
            if request.user.is_authenticated:
                entry.signed_out(request.user)
            return super().post(request, *args, **kwargs)


@login_not_required
@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows whom the link signs in, POST does it once."""
    now = database_now()
    link = (
        SignInLink.objects.select_related("user")
        .filter(digest=digest_of(token), used_at=None, expires_at__gt=now, user__is_active=True)
        .first()
    )
    if request.method == "POST" and link is not None:
        with transaction.atomic():
            if SignInLink.objects.filter(pk=link.pk, used_at=None).update(used_at=now):
                entry.signed_in(link.user, "link")
                login(request, link.user, backend="django.contrib.auth.backends.ModelBackend")
                return redirect("board")
        link = None
    if link is None and request.user.is_authenticated:
        return redirect("board")
    context = {"usable": link is not None, "username": link.user.get_username() if link else "", "token": token}
    return render(request, "sign_in_link.html", context, status=200 if link else 410)


@login_not_required
@never_cache
@require_safe
def oidc_begin(request: HttpRequest) -> HttpResponse:
    """On to the identity provider."""
    if not oidc.configured():
        raise Http404("No identity provider is set (LINESIDE_OIDC_ISSUER).")
    try:
        answer: HttpResponse = oidc.client().authorize_redirect(
            request, request.build_absolute_uri(reverse("oidc-return"))
        )
    except Exception as error:  # the library raises its own, its HTTP client's and JSON's
        return _not_signed_in(request, error)
    return answer


@login_not_required
@never_cache
@require_safe
def oidc_return(request: HttpRequest) -> HttpResponse:
    """Back from the identity provider, with the proof of who somebody is."""
    if not oidc.configured():
        raise Http404("No identity provider is set (LINESIDE_OIDC_ISSUER).")
    try:
        user = oidc.person_of(oidc.client().authorize_access_token(request).get("userinfo") or {})
    except Exception as error:  # whatever is wrong with the answer, nobody comes in by it
        return _not_signed_in(request, error)
    with transaction.atomic():
        entry.signed_in(user, "identity provider")
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("board")


def _not_signed_in(request: HttpRequest, error: Exception) -> HttpResponse:
    log.warning("Sign-in by the identity provider failed: %s", type(error).__name__)
    words = str(error) if isinstance(error, oidc.NotKnown) else "The identity provider's answer cannot be used."
    messages.error(request, f"{words} Try again, or sign in another way.")
    return redirect("sign-in")
