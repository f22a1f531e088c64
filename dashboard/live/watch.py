"""One thing that is watched (`board`, `run:<id>`, …): the rows that changed and were not sent yet.

Rows are whole and carry a revision, so only the newest of each is kept, however often it changed. A frame takes
what the byte budget allows, counts and summaries before single tasks; what did not fit waits for the next frame.
If too much waits, nothing is sent but a hole in the chain of revisions, at which browsers ask the API again.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

BYTES_A_SECOND: Final = 50_000
BURST_BYTES: Final = 100_000
MAX_WAITING: Final = 5_000
RANK: Final = {"health": 0, "run": 1, "join": 2, "approval": 2, "group": 2, "fold": 3, "task": 4}

Row = Mapping[str, Any]
_encode = msgspec.json.Encoder().encode


class Frame(msgspec.Struct, frozen=True):
    """A message to send as it is; `to` is the revision to acknowledge."""

    text: str
    to: int


class Watch:
    """The rows of one `about` that wait to be sent. `revision` is that of the last frame.

    `tenants` limits them to rows that name one of these tenants (None: all rows).
    """

    def __init__(self, about: str, revision: int, now: float, tenants: frozenset[str] | None = None) -> None:
        self.about = about
        self.tenants = tenants
        self.revision = revision
        self._rows: dict[tuple[str, str], Row] = {}
        self._gone: dict[str, None] = {}
        self._broken = False
        self._budget = float(BURST_BYTES)
        self._refilled = now

    @property
    def waiting(self) -> bool:
        """Whether there is anything to send."""
        return bool(self._rows or self._gone or self._broken)

    def offer(self, rows: Iterable[Row], gone: Iterable[str] = ()) -> None:
        """Rows that changed and ids that are gone; a row that is older than the one that waits is ignored."""
        if self.tenants is not None:
            rows = [seen for row in rows if (seen := visible(row, self.tenants)) is not None]
            if gone:
                # An id does not say whose it was: who may not see all asks the API instead.
                self.break_chain()
                gone = ()
        for row in rows:
            key = (row["kind"], row["id"])
            held = self._rows.pop(key, None)
            self._rows[key] = row if held is None or row["revision"] >= held["revision"] else held
            self._gone.pop(row["id"], None)
        for name in gone:
            self._gone[name] = None
            for key in [key for key in self._rows if key[1] == name]:
                del self._rows[key]
        if len(self._rows) > MAX_WAITING:
            self.break_chain()

    def break_chain(self) -> None:
        """Something was lost: the next frame makes browsers ask the API for the whole picture."""
        self._rows.clear()
        self._gone.clear()
        self._broken = True

    def frame(self, revision: int, at: str, now: float) -> Frame:
        """The next message, with `revision` as its own; `at` is the instant as text, `now` in seconds."""
        held = self.revision if not self._broken else revision
        rows = self._affordable(now)
        gone, self._gone, self._broken = list(self._gone), {}, False
        self.revision = revision
        message = {"about": self.about, "from": held, "to": revision, "at": at, "rows": rows, "gone": gone}
        return Frame(_encode(message).decode(), revision)

    def hole(self, at: str) -> Frame:
        """A message to one browser that missed some: what it holds can be no longer right."""
        message = {
            "about": self.about,
            "from": self.revision,
            "to": self.revision,
            "at": at,
            "rows": [],
            "gone": [],
        }
        return Frame(_encode(message).decode(), self.revision)

    def _affordable(self, now: float) -> Sequence[msgspec.Raw]:
        self._budget = min(BURST_BYTES, self._budget + (now - self._refilled) * BYTES_A_SECOND)
        self._refilled = now
        rows: list[msgspec.Raw] = []
        # Sorting is stable: within a kind the row that has waited longest goes first.
        for key in sorted(self._rows, key=lambda key: RANK.get(key[0], 4)):
            if rows and self._budget <= 0:
                break
            raw = _encode(self._rows.pop(key))
            self._budget -= len(raw)
            rows.append(msgspec.Raw(raw))
        return rows


def visible(row: Row, tenants: frozenset[str]) -> Row | None:
    """What people of these tenants may see of a row; the sums in the row of health are over all tenants."""
    if row["kind"] == "health":
        return {name: value for name, value in row.items() if name != "counts"}
    return row if row.get("tenant") in tenants else None
