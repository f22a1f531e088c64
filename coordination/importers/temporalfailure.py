"""What a Temporal failure says, and when the attempts were made that a history only hints at."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from coordination.events import Failure
from coordination.importers.temporalhistory import number_of, seconds_of, text_in
from coordination.instants import MICROSECONDS

# Which info a failure carries -> the type to show for it; the path names the part that says more.
_INFOS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "applicationFailureInfo": ("ApplicationError", ("type",)),
    "timeoutFailureInfo": ("TimeoutError", ("timeoutType",)),
    "canceledFailureInfo": ("CanceledError", ()),
    "terminatedFailureInfo": ("TerminatedError", ()),
    "serverFailureInfo": ("ServerError", ()),
    "resetWorkflowFailureInfo": ("ResetWorkflowError", ()),
    "activityFailureInfo": ("ActivityError", ("activityType", "name")),
    "childWorkflowExecutionFailureInfo": ("ChildWorkflowError", ("workflowType", "name")),
}
MAX_CAUSES: Final = 10
MAX_TOLD: Final = 100
# A wait that grows faster than this is at its maximum at once; the 64th power still is a number.
STEEPEST: Final = 1000


class Attempt(NamedTuple):
    """An attempt that was made and never written down; instants in microseconds, all of them derived."""

    number: int
    started_at: int
    failed_at: int
    next_at: int


def failure_of(failure: Any) -> Failure | None:
    """The error a failure describes, its causes after it."""
    if not isinstance(failure, Mapping):
        return None
    messages: list[str] = []
    inner: Any = failure
    while isinstance(inner, Mapping) and len(messages) < MAX_CAUSES:
        messages.append(text_in(inner, "message"))
        inner = inner.get("cause")
    message = "\ncaused by: ".join(message for message in messages if message)
    return Failure(type=_type(failure), message=message, stack=text_in(failure, "stackTrace") or None)


def _type(failure: Mapping[str, Any]) -> str:
    for name, (kind, path) in _INFOS.items():
        info = failure.get(name)
        if isinstance(info, Mapping):
            told = text_in(info, *path) if path else ""
            if name == "applicationFailureInfo":
                return told or kind
            return f"{kind}({told})" if told else kind
    return text_in(failure, "source") or "Error"


def unwritten_attempts(scheduled_at: int, started_at: int, attempt: int, policy: Any) -> Iterator[Attempt]:
    """The attempts before `attempt`, which Temporal does not write into a history.

    The waits between them follow from the retry policy; what is left of the time from scheduling to the last
    start is shared evenly among the attempts. Where the policy's waits do not fit, they shrink in proportion.
    At most the last hundred are told.
    """
    missing = attempt - 1
    waits = [_wait(number, policy) for number in range(max(1, attempt - MAX_TOLD), attempt)]
    span, waiting = max(0, started_at - scheduled_at), sum(waits)
    scale = min(1.0, span / waiting) if waiting else 0.0
    each = (span - waiting * scale) / len(waits) if waits else 0.0
    cursor = float(scheduled_at)
    for number, wait in enumerate(waits, start=missing - len(waits) + 1):
        failed = cursor + each
        following = failed + wait * scale
        yield Attempt(number, round(cursor), round(failed), min(round(following), started_at))
        cursor = following


def _wait(number: int, policy: Any) -> float:
    """Back-off after the nth attempt, in microseconds; Temporal's defaults are 1 s, doubled, at most 100 times it."""
    given = policy if isinstance(policy, Mapping) else {}
    first = seconds_of(given.get("initialInterval"), 1.0)
    factor = _factor(given.get("backoffCoefficient"))
    most = seconds_of(given.get("maximumInterval"), 100 * first)
    return min(first * factor ** min(number - 1, 64), most) * MICROSECONDS


def _factor(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or value < 1:
        return 2.0
    return float(min(value, STEEPEST))


def attempt_of(value: Any) -> int:
    """The attempt an entry names; 1 where it names none."""
    return max(1, number_of(value))
