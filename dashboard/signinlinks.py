"""Links that sign in once: made by commands on this machine, kept as hashes, never logged."""

import secrets
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from dashboard.clock import database_now
from dashboard.models import SignInLink
from dashboard.models.access import digest_of
from dashboard.permissions import ensure_roles

LIFETIME: Final = 24 * 3600 * 1_000_000


def new_link(username: str, *, port: int, host: str = "127.0.0.1") -> str:
    """The address of a new link for a user; its secret stands nowhere else. Raises User.DoesNotExist."""
    user = get_user_model()._default_manager.get_by_natural_key(username)
    secret = secrets.token_urlsafe(24)
    SignInLink.objects.create(user=user, digest=digest_of(secret), expires_at=database_now() + LIFETIME)
    return f"http://{host}:{port}/sign-in/{secret}"


def ensure_user(username: str) -> Any:
    """The user of the demo: every role, administrator of this installation, and no password."""
    ensure_roles()
    user, made = get_user_model()._default_manager.get_or_create(username=username)
    if made:
        user.is_staff = user.is_superuser = True
        user.set_unusable_password()
        user.save()
    user.groups.set(Group.objects.all())
    return user
