"""The admin's part of the audit trail: who was given which right, token or address by whom, before and after.

Entered in the transaction of the change, as every act is. Secrets are none of the fields that are told.
"""

from typing import Any, Final, cast

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import Model, QuerySet
from django.forms import URLField
from django.http import HttpRequest, HttpResponse

from dashboard.approvals.persons import voter_of
from dashboard.audit import enter

SECRETS: Final = ("password", "password1", "password2", "secret", "digest", "usable_password")


class Audited(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Enters what is made, changed and deleted."""

    # What somebody types without a scheme is meant to be reached by TLS.
    formfield_overrides = {models.URLField: {"form_class": URLField, "assume_scheme": "https"}}  # noqa: RUF012

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Called inside the admin's transaction, after the row itself was saved."""
        super().save_related(request, form, formsets, change)
        told = [name for name in form.changed_data if name not in SECRETS]
        detail: dict[str, Any] = {"after": {name: _words(form.cleaned_data.get(name)) for name in told}}
        if change:
            detail["before"] = {name: _words(form.initial.get(name)) for name in told}
        self._enter(request, "changed" if change else "made", form.instance, detail)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """One row."""
        with transaction.atomic():
            self._enter(request, "deleted", obj, {})
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Some rows that were ticked."""
        with transaction.atomic():
            for one in queryset:
                self._enter(request, "deleted", one, {})
            super().delete_queryset(request, queryset)

    def _enter(self, request: HttpRequest, what: str, obj: Model, detail: dict[str, Any]) -> None:
        name = str(obj._meta.model_name)
        enter(voter_of(cast("User", request.user)), f"{name}.{what}", f"{name}/{obj.pk}", {"name": str(obj), **detail})


def _words(value: Any) -> Any:
    """A field's value for the trail: rows by name, everything else as text."""
    if isinstance(value, list | tuple | set | QuerySet):
        return sorted(str(each) for each in value)
    return value if isinstance(value, bool | str | None) else str(value)


class PersonAdmin(Audited, UserAdmin):  # type: ignore[type-arg]
    """People and their rights."""

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """A password set by somebody else, in one transaction with its entry."""
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Django calls this for a changed password too, which passes by `save_related`."""
        if request.resolver_match and request.resolver_match.url_name == "auth_user_password_change":
            self._enter(request, "password", obj, {})
        return super().log_change(request, obj, message)


class RoleAdmin(Audited, GroupAdmin):
    """Roles, tenants and approval groups: all are groups."""
