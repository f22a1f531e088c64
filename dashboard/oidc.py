"""Sign-in by the organisation's identity provider (OpenID Connect), where `LINESIDE_OIDC_ISSUER` names one.

The protocol is Authlib's affair: discovery, state, nonce, PKCE, the signature of the id token. Ours is who that is:
a person is known by issuer and subject, never by a mail address that somebody else may get tomorrow. Groups that the
provider names and that exist here are the person's groups from then on; it makes none, and it cannot make somebody
staff. Needs the extra `oidc`.
"""

import hashlib
import importlib
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction

from coordination.errors import CoordinationError

NAME: Final = "oidc"
GROUPS: Final = "groups"


class NotKnown(CoordinationError):
    """The provider's answer names nobody who may come in; the message says why."""

    code = "oidc_refused"


def configured() -> bool:
    """Whether this installation has an identity provider."""
    return bool(settings.LINESIDE_OIDC_ISSUER)


def client() -> Any:
    """Authlib's client of the provider. Raises NotKnown where the extra is not installed."""
    return _client(
        settings.LINESIDE_OIDC_ISSUER, settings.LINESIDE_OIDC_CLIENT_ID, settings.LINESIDE_OIDC_CLIENT_SECRET
    )


@cache
def _client(issuer: str, client_id: str, secret: str) -> Any:
    try:
        library = importlib.import_module("authlib.integrations.django_client")
    except ImportError:
        raise NotKnown("Sign-in by an identity provider needs the extra `oidc`.") from None
    return library.OAuth().register(
        NAME,
        client_id=client_id,
        client_secret=secret or None,
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
    )


def person_of(claims: Any) -> Any:
    """The user of an id token that was checked; made at the first sign-in. Raises NotKnown."""
    subject, issuer = str(claims.get("sub") or ""), str(claims.get("iss") or "")
    if not subject or issuer.rstrip("/") != settings.LINESIDE_OIDC_ISSUER.rstrip("/"):
        raise NotKnown("The identity provider's answer does not say who you are.")
    # One name for one (issuer, subject), whatever either may hold.
    name = f"oidc-{hashlib.sha256(f'{issuer}|{subject}'.encode()).hexdigest()[:24]}"
    with transaction.atomic():
        user, made = get_user_model()._default_manager.get_or_create(username=name)
        if made:
            user.set_unusable_password()
        if not user.is_active:
            raise NotKnown("This account is switched off. Ask whoever runs Lineside.")
        user.first_name = str(claims.get("name") or claims.get("preferred_username") or "")[:150]
        user.save()
        named = claims.get(GROUPS)
        if isinstance(named, list):
            user.groups.set(Group.objects.filter(name__in=[str(each) for each in named]))
    return user
