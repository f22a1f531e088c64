"""Does coordination need a first-class log here? Six dimensions from 1 to 5, and never a score without a reason.

What log and broker can prove is a rule over facts; each rule says from which figure on it gives which score. What
only people know is asked. Where facts set a floor under an answer, the floor counts and says so.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

Basis = Literal["computed", "answered", "floor", "none"]
ALL: Final = 6


class Dimension(msgspec.Struct, frozen=True):
    """One dimension: what 1 and 5 mean, the steps between, and the question where people are asked.

    `asked` is empty where facts alone decide.
    """

    key: str
    name: str
    least: str
    most: str
    steps: tuple[str, str, str, str, str]
    asked: str = ""


class Finding(msgspec.Struct, frozen=True):
    """What facts say of a dimension: a score (None: they cannot), the sentence it rests on, single facts."""

    score: int | None
    because: str
    facts: tuple[tuple[str, str], ...] = ()


class Answer(msgspec.Struct, frozen=True):
    """What a person answered; `at` in µs."""

    score: int
    reason: str
    by: str
    at: int


class Score(msgspec.Struct, frozen=True):
    """The score in force, what it rests on, and the sentence that says so; None while there is neither."""

    dimension: Dimension
    score: int | None
    basis: Basis
    because: str
    facts: tuple[tuple[str, str], ...] = ()
    answer: Answer | None = None


DIMENSIONS: Final[tuple[Dimension, ...]] = (
    Dimension(
        "criticality",
        "Coordination criticality",
        "logs are diagnostic",
        "logs are the workflow journal",
        (
            "The log tells what happened elsewhere",
            "Some work is handed over on the log",
            "Half of all work is handed over on the log",
            "Nearly all work is handed over on the log",
            "Work, joins and decisions exist on the log alone",
        ),
    ),
    Dimension(
        "replay",
        "Replay depth",
        "rare and shallow",
        "a normal path",
        ("Never", "Less than once a week", "Weekly", "Daily", "Many times a day"),
    ),
    Dimension(
        "variance",
        "Traffic variance",
        "steady",
        "frequent unpredictable bursts",
        (
            "Peaks below twice the usual",
            "Peaks of 2 to 4 times",
            "Peaks of 4 to 8 times",
            "Peaks of 8 to 16 times",
            "Peaks above 16 times the usual",
        ),
    ),
    Dimension(
        "retention",
        "Retention pressure",
        "short-lived traces",
        "long audit history",
        ("Up to a week", "Up to a month", "Up to a quarter", "Up to a year", "Longer than a year"),
        "How long must it be possible to show what agents did and who allowed it?",
    ),
    Dimension(
        "governance",
        "Governance pressure",
        "low-sensitivity metadata",
        "regulated prompts, tool outputs and approvals",
        (
            "Metadata nobody minds",
            "Internal content",
            "Confidential content",
            "Personal data",
            "Regulated prompts, tool outputs or approvals",
        ),
        "What is the most sensitive thing that prompts, tool outputs and approvals carry here?",
    ),
    Dimension(
        "migration",
        "Migration tolerance",
        "rewrites are acceptable",
        "client and connector compatibility is required",
        (
            "All agents can be rewritten",
            "Most can be rewritten",
            "Some clients must stay",
            "Most clients and topics must stay",
            "Clients, connectors and topics must stay as they are",
        ),
        "If the log had to be replaced, what would have to stay as it is?",
    ),
)


def stepped(value: float, bounds: Sequence[float]) -> int:
    """1 below the first bound, 5 from the fourth on."""
    return 1 + sum(value >= bound for bound in bounds)


def criticality(tasks: int, commanded: int, joins: int, decisions: int) -> Finding:
    """Share of tasks whose command lies on the log: 1 none, 2 some, 3 half, 4 nine of ten, 5 and joins, decisions."""
    facts = (
        ("Tasks seen", f"{tasks:,}"),
        ("Handed over by a command on the log", f"{commanded:,}"),
        ("Joins kept on the log", f"{joins:,}"),
        ("Decisions sent over the log", f"{decisions:,}"),
    )
    if not tasks:
        return Finding(None, "No task has been read yet.", facts)
    share = commanded / tasks
    score = 1 if not commanded else stepped(share, (0.0, 0.5, 0.9)) if share < 0.9 else 4 + bool(joins and decisions)
    return Finding(score, f"{share:.0%} of tasks are handed over by a command on the log.", facts)


def replay(acts: int, days: float, depth_days: float | None) -> Finding:
    """Replays, rebuilds and redrives a week: 1 none, 2 less than one, 3 from 1, 4 from 7, 5 from 50."""
    depth = "nothing stored" if depth_days is None else f"{depth_days:.1f} days"
    facts = (
        ("Replays, rebuilds and redrives", f"{acts:,} in {days:.0f} days"),
        ("How far back records are stored", depth),
    )
    if days < 1:
        return Finding(None, "Less than a day has been watched; a week's habit cannot be told from it.", facts)
    weekly = acts / days * 7
    score = 1 if not acts else 2 if weekly < 1 else stepped(weekly, (0, 1, 7, 50))
    return Finding(score, f"{weekly:.1f} replays, rebuilds and redrives a week.", facts)


def variance(minutes: Sequence[int]) -> Finding:
    """Busiest minute (99th percentile) over the median of minutes with traffic: bounds 2, 4, 8, 16."""
    busy = sorted(minute for minute in minutes if minute)
    facts: tuple[tuple[str, str], ...] = (("Minutes with new tasks", f"{len(busy):,} of {len(minutes):,}"),)
    if len(minutes) < 60 or len(busy) < 10:
        return Finding(None, "An hour with ten busy minutes is needed to tell bursts from chance.", facts)
    usual, peak = busy[len(busy) // 2], busy[int(len(busy) * 0.99)] if len(busy) > 1 else busy[0]
    ratio = max(busy[-1] if len(busy) < 100 else peak, usual) / usual
    facts += (("Usual minute", f"{usual:,} new tasks"), ("Busiest minutes", f"{peak:,} new tasks"))
    return Finding(stepped(ratio, (2, 4, 8, 16)), f"Busy minutes bring {ratio:.1f} times the usual.", facts)


def retention(kept_days: float | None, oldest_days: float | None, approvals_days: float | None) -> Finding:
    """The floor under the answer: how old the oldest stored record is by now. Bounds 7, 30, 90 and 365 days."""
    facts = (
        ("Policy for ended runs", "for ever" if kept_days is None else f"{kept_days:.0f} days"),
        ("Oldest stored record", "none" if oldest_days is None else f"{oldest_days:.1f} days old"),
        (
            "Approvals on the log are declared for",
            "for ever" if approvals_days is None else f"{approvals_days:.0f} days",
        ),
    )
    if oldest_days is None:
        return Finding(None, "Nothing is stored yet.", facts)
    return Finding(stepped(oldest_days, (7, 30, 90, 365)), f"Records are {oldest_days:.1f} days old already.", facts)


SENSITIVE: Final[Mapping[str, int]] = {"public": 1, "internal": 2, "confidential": 3, "personal": 4, "pii": 4}
REGULATED: Final = ("restricted", "regulated", "phi", "pci", "secret")


def governance(classes: Mapping[str, int], approvals: int, masked: int) -> Finding:
    """The floor under the answer: the most sensitive class that records declare of themselves."""
    declared = ", ".join(f"{name} {count:,}" for name, count in sorted(classes.items())) or "none"
    facts = (
        ("Classes records declare", declared),
        ("Approvals asked for", f"{approvals:,}"),
        ("Masking rules in force", f"{masked:,}"),
    )
    scores = [5 if name.lower() in REGULATED else SENSITIVE.get(name.lower(), 0) for name in classes]
    floor = max(scores, default=0)
    if not floor:
        return Finding(None, "No record declares how sensitive it is (attribute dataclassification).", facts)
    return Finding(floor, "Records declare it themselves.", facts)


def migration(mapped: int, foreign_groups: int, unknown_types: int) -> Finding:
    """The floor under the answer: topics that were there before us, and consumers that are none of ours."""
    facts = (
        ("Topics mapped by LINESIDE_TOPICS", f"{mapped:,}"),
        ("Consumer groups that are no agents", f"{foreign_groups:,}"),
        ("Event types outside the catalogue", f"{unknown_types:,}"),
    )
    floor = 3 if mapped or foreign_groups else 0
    if not floor:
        return Finding(None, "Nothing on the log belongs to others, as far as can be seen.", facts)
    return Finding(floor, "Others read or wrote here before.", facts)


def judged(dimension: Dimension, finding: Finding, answer: Answer | None) -> Score:
    """The score in force. Facts decide where nobody is asked; else the answer does, unless facts say more."""
    if not dimension.asked:
        basis: Basis = "none" if finding.score is None else "computed"
        return Score(dimension, finding.score, basis, finding.because, finding.facts)
    floor = finding.score or 0
    if answer is not None and answer.score >= floor:
        words = f"{dimension.steps[answer.score - 1]}, says {answer.by}."
        return Score(dimension, answer.score, "answered", words, finding.facts, answer)
    if answer is not None:
        words = f"{answer.by} says {answer.score}, but facts say at least {floor}. {finding.because}"
        return Score(dimension, floor, "floor", words, finding.facts, answer)
    words = "Nobody has answered yet." + (f" Facts say at least {floor}: {finding.because}" if floor else "")
    return Score(dimension, None, "none", words, finding.facts)


def verdict(scores: Sequence[Score]) -> str:
    """What the six say together, in one sentence; nothing is added up while one is missing."""
    known = [score.score for score in scores if score.score is not None]
    if len(known) < ALL:
        missing = [score.dimension.name.lower() for score in scores if score.score is None]
        return f"{len(known)} of {ALL} dimensions are known. Missing: {', '.join(missing)}."
    mean = sum(known) / ALL
    if mean >= 3.5 or sum(score >= 4 for score in known) >= 4:
        return f"Mean {mean:.1f}: coordination needs a first-class log."
    if mean >= 2.5:
        return f"Mean {mean:.1f}: a first-class log pays where the high dimensions are; keep the rest simple."
    return f"Mean {mean:.1f}: a database with an events table does; keep the way to a log open."
