"""The seven phases in words, and which glyph and pattern each has; where time went, as rows that sum exactly."""

from collections.abc import Mapping
from typing import Any, Final

from coordination.delays import PHASES
from coordination.lag import words

LABELS: Final = {
    "in_broker": "In broker",
    "agent_queue": "Agent queue",
    "execution": "Execution",
    "retry_backoff": "Retry back-off",
    "human_review": "Human review",
    "decision_returning": "Decision on its way back",
    "unattributed": "Not attributed",
}
SIGNS: Final = {
    "in_broker": "waiting",
    "agent_queue": "queue",
    "execution": "done",
    "retry_backoff": "retrying",
    "human_review": "human",
    "decision_returning": "returning",
    "unattributed": "unready",
}


def millis(microseconds: int) -> float:
    """Milliseconds, exact to the microsecond."""
    return round(microseconds / 1000, 3)


def shares(lengths: Mapping[Any, int]) -> dict[Any, float]:
    """Percentages with one decimal that sum to 100.0 exactly: the largest remainders are rounded up."""
    total = sum(lengths.values())
    if total <= 0:
        return dict.fromkeys(lengths, 0.0)
    tenths = {key: divmod(1000 * length, total) for key, length in lengths.items()}
    left = 1000 - sum(whole for whole, _ in tenths.values())
    up = sorted(tenths, key=lambda key: -tenths[key][1])[:left]
    return {key: (whole + (key in up)) / 10 for key, (whole, _) in tenths.items()}


def part_rows(parts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Phases with their time (µs in, words and ms out), the longest first; shares sum to 100."""
    share = shares(parts)
    order = sorted(parts, key=lambda phase: (-parts[phase], PHASES.index(phase)))
    return [
        {
            "part": phase,
            "label": LABELS[phase],
            "sign": SIGNS[phase],
            "ms": millis(parts[phase]),
            "text": words(parts[phase]),
            "share": f"{share[phase]:.1f} %",
        }
        for phase in order
    ]
