"""The log over HTTP, for agents on machines that cannot reach the log itself; see `coordination.logmessages`."""

from coordination.httplog.log import HttpLog

__all__ = ["HttpLog"]
