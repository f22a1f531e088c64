"""The admin: API tokens, saved views, and what people did, to look at. Rows that follow from the log are not edited."""

import secrets
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.http import HttpRequest

from dashboard.auditedadmin import Audited, PersonAdmin, RoleAdmin
from dashboard.models import ApiToken, Audit, Decision, Gap, SavedView, Webhook

for _model, _by in ((User, PersonAdmin), (Group, RoleAdmin)):
    admin.site.unregister(_model)
    admin.site.register(_model, _by)


@admin.register(ApiToken)
class ApiTokenAdmin(Audited):
    """Makes tokens: the secret is shown once, right after."""

    list_display = ("name", "user", "scope", "created_at", "expires_at")
    fields = ("user", "name", "scope", "expires_at")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A new token gets its secret here; an old one keeps it."""
        if change:
            super().save_model(request, obj, form, change)
            return
        token, secret = ApiToken.objects.issue(obj.user, obj.name, obj.scope, obj.expires_at)
        obj.pk, obj.digest = token.pk, token.digest
        messages.success(request, f"The token, shown this once: {secret}")


@admin.register(SavedView)
class SavedViewAdmin(Audited):
    """Views people saved."""

    list_display = ("name", "page", "owner", "shared")


@admin.register(Webhook)
class WebhookAdmin(Audited):
    """Addresses that are told of requests, of alerts or of both; the secret is made here and shown once."""

    list_display = ("name", "url", "active", "requests", "alerts")
    fields = ("name", "url", "active", "requests", "alerts")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A new webhook gets its secret; an old one keeps it."""
        if not change:
            obj.secret = secrets.token_urlsafe(32)
            messages.success(request, f"The secret, shown this once: {obj.secret}")
        super().save_model(request, obj, form, change)


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """To look at only: these rows are written in transactions that also write what they stand for."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """No."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """No."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """No."""
        return False


@admin.register(Audit)
class AuditAdmin(ReadOnly):
    """The audit trail."""

    list_display = ("number", "at", "actor", "act", "subject")
    ordering: ClassVar = ["-number"]


@admin.register(Decision)
class DecisionAdmin(ReadOnly):
    """The outbox."""

    list_display = ("decision_id", "kind", "approval_id", "state", "saved_at", "published_at")
    exclude = ("records",)


@admin.register(Gap)
class GapAdmin(ReadOnly):
    """Gaps, open and accepted."""

    list_display = ("topic", "partition", "kind", "expected_offset", "message", "accepted_by")
