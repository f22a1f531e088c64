"""The scenarios that a judge of consumer groups must tell apart: two healthy ones, and all that goes wrong.

Durations are seconds as people know them; tests run them at a scale, so that two minutes take a few seconds.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from coordination.lag import Limits

ALARMS: Final = ("stuck", "unassigned", "lost", "flapping", "rewound", "slow")
POISON: Final = 7.0
"""How long the poisonous task takes to kill whoever began it."""


class Scenario(NamedTuple):
    """A group by its name, what goes on in it, the alarms that are right (none: it is healthy), and the time (s) from
    the beginning of the trouble within which one must be given. `says`: a word of its reason or facts."""

    group: str
    what: str
    right: Sequence[str] = ()
    within: float = 0.0
    says: str = ""


SCENARIOS: Final = (
    Scenario("thinking", "tasks of 180 s on one agent, up to 19 behind"),
    Scenario("deep", "12 tasks of 2 s, then one of 300 s, 5 behind"),
    Scenario("killed", "its only consumer is killed", ("unassigned", "stuck"), 120),
    Scenario("deaf", "alive, heartbeats, takes nothing", ("stuck",), 120, "although its heartbeat is fresh"),
    Scenario("hanging", "alive, heartbeats, its task never ends", ("stuck",), 900),
    Scenario("poisoned", "a task that kills whoever starts it", ("stuck",), 900, "times without a result"),
    Scenario("hot", "one key gets more than its agent can do", ("slow",), 1200, "key hot"),
    Scenario("stormy", "members come and go", ("flapping",), 600, "generations in"),
    Scenario("missing", "nobody ever joins it", ("unassigned",), 30, "no member"),
)


class Ask(NamedTuple):
    """Tasks of so many seconds each, one after the other to a group, under one record key (none: the group's name);
    `poison`: it kills whoever starts it."""

    group: str
    seconds: Sequence[float]
    key: str = ""
    poison: bool = False


AT_ONCE: Final = (
    Ask("deep", [*[2.0] * 12, 300.0, *[2.0] * 5]),
    Ask("killed", [60.0] * 30),
    Ask("deaf", [10.0] * 6),
    Ask("hanging", [1e9, *[10.0] * 5]),
    Ask("poisoned", [POISON], poison=True),
    Ask("poisoned", [10.0] * 8),
    Ask("stormy", [20.0] * 60),
    Ask("missing", [10.0] * 6),
)
HOT: Final = (Ask("hot", [60.0] * 3, "hot"), Ask("hot", [2.0], "cold"), Ask("hot", [2.0], "cool"))
"""Asked every minute."""


def limits(scale: float) -> Limits:
    """The limits, all durations that scenarios touch at this scale; how old a poll may be stays as it is."""
    usual = Limits()
    names = ("start", "run", "heartbeat", "flap_window")
    return msgspec.structs.replace(usual, **{name: round(getattr(usual, name) * scale) for name in names})


def said(row: dict[str, Any]) -> str:
    """All words of a verdict."""
    verdict = row["verdict"]
    return "; ".join([verdict["reason"], *(f"{fact['name']}: {fact['value']}" for fact in verdict["facts"])])
