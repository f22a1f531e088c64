"""Figures of one worker since it started, for Prometheus: sums only, so that none is lost between two looks."""

from dashboard.ingest.writing import Written


class Figures:
    """Counted by the ingest thread, stored with its lease, shown at /metrics by any web process."""

    def __init__(self) -> None:
        self._sums = dict.fromkeys(
            ("records", "events", "duplicates", "letters", "rejections", "batches", "batch_seconds"), 0.0
        )

    def wrote(self, records: int, written: Written) -> None:
        """A batch was committed."""
        sums = self._sums
        sums["records"] += records
        sums["events"] += written.events
        sums["duplicates"] += written.duplicates
        sums["letters"] += written.letters
        sums["rejections"] += written.rejections

    def batch(self, seconds: float) -> None:
        """What was read was taken in, in this many seconds."""
        self._sums["batches"] += 1
        self._sums["batch_seconds"] += seconds

    def told(self) -> dict[str, float]:
        """The sums as they are now."""
        return dict(self._sums)
