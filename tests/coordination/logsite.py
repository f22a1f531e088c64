"""A site that serves nothing but the log's HTTP face, with the scopes that the tests need."""

import os
from fnmatch import fnmatchcase
from functools import cache

from django.core.asgi import get_asgi_application
from django.http import HttpRequest
from django.urls import path
from ninja import NinjaAPI
from ninja.security import HttpBearer

from coordination.eventlog import EventLog
from coordination.sqlitelog import SqliteLog
from dashboard.api.logrouter import log_router


class Scope:
    """A pattern of topics a token may read, one of those it may write to, and whether it manages topics."""

    def __init__(self, reads: str, writes: str, manages_topics: bool = False) -> None:
        self._reads, self._writes = reads, writes
        self.manages_topics = manages_topics

    def allows_topic(self, name: str, write: bool) -> bool:
        """See `TopicScope`."""
        return fnmatchcase(name, self._writes if write else self._reads)


SCOPES = {
    "everything": Scope("*", "*", manages_topics=True),
    "agent": Scope("coord.run.*", "coord.run.task.*"),
    "observer": Scope("coord.run.*", ""),
}


class TableAuth(HttpBearer):
    """Bearer tokens out of SCOPES."""

    def authenticate(self, request: HttpRequest, token: str) -> Scope | None:
        """The scope of a known token."""
        return SCOPES.get(token)


@cache
def open_log() -> EventLog:
    """The log of this process."""
    return SqliteLog(os.environ["LOG_FILE"])


api = NinjaAPI(auth=TableAuth(), docs_url=None)
api.add_router("/log", log_router(open_log))
urlpatterns = [path("api/v1/", api.urls)]
application = get_asgi_application()
