"""One line when Kafka stops answering and one when it answers again, instead of aiokafka's hundred a second.

A filter hangs on aiokafka's loggers. Which log a line belongs to is known by a context variable: tasks inherit
the context they were started in, and all of aiokafka's background tasks start inside `Outage.watching()`. Lines of
aiokafka clients that others use in the same process pass untouched.
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from coordination.kafkalog.client import kafka_errors

logger = logging.getLogger("coordination.kafkalog")

# Trouble that is over within a second is none: a coordinator moves, a new topic has no leader yet.
PATIENCE_SECONDS = 1.0
QUIET_SECONDS = 5.0
REPEAT_SECONDS = 60.0
_MOST_REPEATS = 200
# Lines that name no error, and are said of a broker that is away or has only just come back.
_TROUBLE_LINES = ("Marking the coordinator dead", "No broker metadata found")
_TROUBLE = (
    OSError,
    asyncio.TimeoutError,
    kafka_errors.KafkaConnectionError,
    kafka_errors.NodeNotReadyError,
    kafka_errors.StaleMetadata,
    kafka_errors.RequestTimedOutError,
    kafka_errors.CoordinatorNotAvailableError,
)
_LOGGERS = (
    "aiokafka",
    "aiokafka.cluster",
    "aiokafka.conn",
    "aiokafka.consumer.consumer",
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
    "aiokafka.consumer.subscription_state",
    "aiokafka.producer.producer",
    "aiokafka.producer.sender",
)


class Outage:
    """Whether the client of one log has trouble with its connection, since when, and how much it complained."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.cause = ""
        self._since = 0.0
        self._last = -QUIET_SECONDS
        self._held_back = 0
        self._repeats: dict[str, float] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Tasks that start inside belong to this log, for as long as they live."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    def answered(self) -> None:
        """Kafka has answered: ends the outage, unless lines of trouble still come in (one broker of several)."""
        now = time.monotonic()
        if self.cause and now - self._last >= QUIET_SECONDS:
            logger.warning(
                "Kafka at %s answers again after %.0f s of trouble; %d lines of the client were held back.",
                *(self.address, now - self._since, self._held_back),
            )
            self.cause = ""

    def passes(self, record: logging.LogRecord) -> bool:
        """Whether a warning or error of aiokafka is shown; the first line of trouble is replaced by ours."""
        now = time.monotonic()
        if _is_trouble(record):
            self._trouble(record, now)
        elif record.exc_info or (not self.cause and now - self._last >= QUIET_SECONDS):
            return self._is_news(record, now)
        self._held_back += 1
        return False

    def _trouble(self, record: logging.LogRecord, now: float) -> None:
        if not self.cause and now - self._last >= QUIET_SECONDS:
            self._since, self._held_back = now, 0
        self._last = now
        if not self.cause and now - self._since >= PATIENCE_SECONDS:
            self.cause = record.getMessage()
            logger.warning(
                "Trouble with Kafka at %s: %s. It is tried again without end; "
                "further lines of the client are held back until it answers.",
                *(self.address, self.cause),
            )

    def _is_news(self, record: logging.LogRecord, now: float) -> bool:
        text = record.getMessage()
        known = now - self._repeats.get(text, -REPEAT_SECONDS) < REPEAT_SECONDS
        if len(self._repeats) >= _MOST_REPEATS:
            self._repeats.clear()
        if not known:
            self._repeats[text] = now
        return not known


_CURRENT: ContextVar[Outage | None] = ContextVar("kafkalog_outage", default=None)


def _is_trouble(record: logging.LogRecord) -> bool:
    if str(record.msg).startswith(_TROUBLE_LINES):
        return True
    return isinstance(record.args, tuple) and any(isinstance(value, _TROUBLE) for value in record.args)


def _shows_secret(record: logging.LogRecord) -> bool:
    # aiokafka logs whole requests at level DEBUG, and this one holds the password.
    return isinstance(record.args, tuple) and any("SaslAuthenticate" in type(arg).__name__ for arg in record.args)


class _Filter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if _shows_secret(record):
            return False
        outage = _CURRENT.get()
        return outage is None or record.levelno < logging.WARNING or outage.passes(record)


_FILTER = _Filter()
for _name in _LOGGERS:
    logging.getLogger(_name).addFilter(_FILTER)
