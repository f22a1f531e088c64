"""Ways in besides a password, and what people keep: API tokens, one-time links, saved views."""

import hashlib
import secrets
from typing import Any

from django.conf import settings
from django.db import models

# What a token begins with, so that scanners find leaked ones: no secret.
TOKEN_PREFIX = "lineside_"  # noqa: S105  # nosec B105


def digest_of(secret: str) -> str:
    """SHA-256 in hex: the only form in which a secret is stored. They are random, so no salt is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


class ApiTokens(models.Manager["ApiToken"]):
    """Makes and finds tokens."""

    def issue(self, user: Any, name: str, scope: list[str], expires_at: int | None) -> tuple["ApiToken", str]:
        """A new token and its secret, which is shown once and cannot be had again."""
        secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
        token = self.create(user=user, name=name, digest=digest_of(secret), scope=scope, expires_at=expires_at)
        return token, secret

    def find(self, secret: str, *, now: int) -> "ApiToken | None":
        """The token of this secret if it is valid at `now` (µs) and its user is active."""
        token = self.select_related("user").filter(digest=digest_of(secret), user__is_active=True).first()
        if token is None or (token.expires_at is not None and token.expires_at <= now):
            return None
        return token


class ApiToken(models.Model):
    """A bearer token: the hash of its secret, what it may do (`scope`: words or `log:<topic pattern>`)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    name = models.TextField()
    digest = models.CharField(max_length=64, unique=True)
    scope = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.BigIntegerField(null=True, blank=True)

    objects = ApiTokens()

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"


class SignInLink(models.Model):
    """A link that signs in once, made by a command on this machine; only its hash is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.BigIntegerField()
    used_at = models.BigIntegerField(null=True)


class SavedView(models.Model):
    """A query line somebody kept for a page; `shared` ones are seen by all."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    page = models.TextField()
    name = models.TextField()
    query = models.TextField(default="")
    shared = models.BooleanField(default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["owner", "page", "name"], name="one_view_a_name"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.page})"


class SignInTry(models.Model):
    """A try to sign in that has not succeeded: `key` is a digest of who was tried, from where, or both; at in µs."""

    key = models.CharField(max_length=64)
    at = models.BigIntegerField()

    class Meta:
        indexes = (models.Index(fields=["key", "at"], name="try_by_key"),)
