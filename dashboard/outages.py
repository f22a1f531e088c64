"""One log line when something breaks, one when it works again, none in between."""

import logging


class Outage:
    """The state of one thing others depend on, `what` as a noun with its article ("The log")."""

    def __init__(self, logger: logging.Logger, what: str) -> None:
        self._logger = logger
        self._what = what
        self.failures = 0

    def failed(self, error: BaseException) -> float:
        """Note a failure. Returns the seconds to wait before the next try: 0.25 to 5."""
        self.failures += 1
        if self.failures == 1:
            self._logger.warning("%s is out of reach: %s", self._what, error)
        return min(5.0, 0.25 * 2.0 ** min(self.failures - 1, 6))

    def worked(self) -> None:
        """Note that it works."""
        if self.failures:
            self._logger.info("%s is back after %d failed tries.", self._what, self.failures)
        self.failures = 0
