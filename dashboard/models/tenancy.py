"""Whose rows are seen: every query of a request goes through these managers, so that no page can forget it.

A run belongs to one tenant, and everything of the run goes with it. Outside a request (ingest, relay, sweeper,
commands) nobody is limited. The scope is a context variable: it follows a request into threads and tasks, and never
leaks into another one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from django.apps import apps
from django.db import models
from django.db.models import QuerySet

Tenants = frozenset[str] | None
"""The tenants whose rows may be seen; None: all of them."""
Row = TypeVar("Row", bound=models.Model, covariant=True)

_scope: Final[ContextVar[Callable[[], Tenants] | None]] = ContextVar("lineside_tenants", default=None)


def visible_tenants() -> Tenants:
    """The tenants that whoever asks may see; None outside of requests, and for those who may see all."""
    ask = _scope.get()
    return None if ask is None else ask()


@contextmanager
def limited_to(ask: Callable[[], Tenants]) -> Iterator[None]:
    """Inside, queries see the rows of these tenants only. `ask` is called when a query is made, not before."""
    token = _scope.set(ask)
    try:
        yield
    finally:
        _scope.reset(token)


class OfTenant(models.Manager[Row]):
    """Rows that name their tenant."""

    def get_queryset(self) -> QuerySet[Row]:
        """All rows, or those of the visible tenants."""
        found, tenants = super().get_queryset(), visible_tenants()
        return found if tenants is None else found.filter(tenant__in=tenants)


class OfRun(models.Manager[Row]):
    """Rows that name a run: they belong to whom the run belongs to."""

    def get_queryset(self) -> QuerySet[Row]:
        """All rows, or those of runs of the visible tenants; rows of no run belong to no tenant."""
        found = super().get_queryset()
        return found if visible_tenants() is None else found.filter(run_id__in=_runs())


class OfApproval(models.Manager[Row]):
    """Rows that name an approval: they belong to whom its run belongs to."""

    def get_queryset(self) -> QuerySet[Row]:
        """All rows, or those of approvals in runs of the visible tenants."""
        found = super().get_queryset()
        if visible_tenants() is None:
            return found
        requests: Any = _model("Request")
        return found.filter(approval_id__in=requests.objects.values("approval_id"))


class OfLetter(models.Manager[Row]):
    """Rows that name a dead letter: they belong to whom its run belongs to."""

    def get_queryset(self) -> QuerySet[Row]:
        """All rows, or those of letters in runs of the visible tenants."""
        found = super().get_queryset()
        return found if visible_tenants() is None else found.filter(letter__run_id__in=_runs())


class OfAll(models.Manager[Row]):
    """Rows that cannot be told apart by tenant: only for those who may see all of them."""

    def get_queryset(self) -> QuerySet[Row]:
        """All rows, or none."""
        found = super().get_queryset()
        return found if visible_tenants() is None else found.none()


def _runs() -> Any:
    runs: Any = _model("Run")
    return runs.objects.values("run_id")


def _model(name: str) -> Any:
    return apps.get_model("dashboard", name)
