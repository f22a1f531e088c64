"""Puts the log's HTTP face into the API, at /api/v1/log/<call>: append, fetch, join, poll, commit and the others.

Agents on machines that cannot reach the log use it through `coordination.httplog.HttpLog`.
"""

from dashboard.api.logrouter import log_router
from dashboard.api.root import api
from dashboard.eventlog import open_eventlog

api.add_router("/log", log_router(open_eventlog))
