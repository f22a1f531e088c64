"""Signs: which of the few glyphs and fills a state has, and the order of the segments in a state bar.

Colour is never the only sign, so each goes with its glyph and its word.
"""

from collections.abc import Mapping
from typing import Final, TypedDict


class Sign(TypedDict):
    """`sign` names glyph and fill (waiting, running, human, done, retrying, failed, dead, blocked, canceled,
    unready, unknown, idle, slow …), `label` is the word beside it."""

    sign: str
    label: str


# The order of segments in every state bar.
ORDER: Final = (
    "done",
    "running",
    "waiting",
    "human",
    "retrying",
    "failed",
    "dead",
    "blocked",
    "canceled",
    "unready",
    "unknown",
)
# From worst to best: a group of tasks is never greener than its worst member.
WORST: Final = ("dead", "failed", "human", "retrying", "running", "waiting", "unready", "unknown", "canceled", "done")

TASK: Final[dict[str, Sign]] = {
    "unknown": {"sign": "unknown", "label": "not seen yet"},
    "requested": {"sign": "waiting", "label": "requested"},
    "submitted": {"sign": "waiting", "label": "accepted"},
    "working": {"sign": "running", "label": "running"},
    "retry_wait": {"sign": "retrying", "label": "retrying"},
    "input_required": {"sign": "human", "label": "needs human"},
    "auth_required": {"sign": "human", "label": "needs credentials"},
    "completed": {"sign": "done", "label": "done"},
    "failed": {"sign": "failed", "label": "failed"},
    "canceled": {"sign": "canceled", "label": "canceled"},
    "rejected": {"sign": "failed", "label": "rejected"},
    "expired": {"sign": "failed", "label": "expired"},
}
UNKNOWN: Final[Sign] = {"sign": "unknown", "label": "unknown"}
DEAD: Final[Sign] = {"sign": "dead", "label": "dead-lettered"}

VERDICT: Final[dict[str, Sign]] = {
    "idle": {"sign": "idle", "label": "idle"},
    "working": {"sign": "running", "label": "working"},
    "slow": {"sign": "slow", "label": "slow"},
    "stuck": {"sign": "failed", "label": "stuck"},
    "unassigned": {"sign": "none", "label": "unassigned"},
    "flapping": {"sign": "flapping", "label": "flapping"},
    "rewound": {"sign": "rewound", "label": "rewound"},
    "lost": {"sign": "dead", "label": "lost"},
    "unknown": {"sign": "unknown", "label": "unknown"},
}
# The fill behind a verdict, where it is not the glyph's own.
VERDICT_TONE: Final[dict[str, str]] = {
    "idle": "none",
    "slow": "retrying",
    "unassigned": "failed",
    "flapping": "retrying",
    "rewound": "retrying",
}
VERDICT_ORDER: Final = ("stuck", "lost", "unassigned", "rewound", "flapping", "slow", "unknown", "working", "idle")


class Chip(TypedDict):
    """A verdict as the chip draws it: fill, glyph, word."""

    sign: str
    glyph: str
    label: str
    verdict: str


def sign_of_state(state: str, *, dead: bool = False) -> Sign:
    """The sign of a task state; `dead`: its command lies in a dead letter topic."""
    return DEAD if dead else TASK.get(state, UNKNOWN)


def bar(counts: Mapping[str, int], *, dead: int = 0, blocked: int = 0) -> list[tuple[str, int]]:
    """The segments of a state bar: (sign, tasks), in the one order, none empty.

    `dead` of the failed tasks are dead-lettered; `blocked` of the waiting ones can never start.
    """
    sums: dict[str, int] = {}
    for state, count in counts.items():
        name = sign_of_state(state)["sign"]
        sums[name] = sums.get(name, 0) + count
    _move(sums, "failed", "dead", dead)
    _move(sums, "waiting", "blocked", blocked)
    return [(name, sums[name]) for name in ORDER if sums.get(name, 0) > 0]


def _move(sums: dict[str, int], source: str, target: str, count: int) -> None:
    moved = min(count, sums.get(source, 0))
    sums[source] = sums.get(source, 0) - moved
    sums[target] = sums.get(target, 0) + moved


def worst(segments: list[tuple[str, int]]) -> str:
    """The sign of the worst member among the segments; `unknown` where there is none."""
    there = {name for name, _ in segments}
    return next((name for name in WORST if name in there), "unknown")


def verdict_chip(state: str) -> Chip:
    """The chip of a group's verdict."""
    known = state if state in VERDICT else "unknown"
    sign = VERDICT[known]
    tone = VERDICT_TONE.get(known, sign["sign"])
    return {"sign": tone, "glyph": sign["sign"], "label": sign["label"], "verdict": known}


def verdict_rank(state: str) -> int:
    """Place of a verdict in lists: worst first."""
    return VERDICT_ORDER.index(state) if state in VERDICT_ORDER else VERDICT_ORDER.index("unknown")
