"""What holds a run, in one bold reason and its evidence: the column of the board that nobody has to open.

Out of the run's own summary and the approvals open in it; sentences about single tasks are `coordination.waiting`.
"""

from collections.abc import Mapping
from typing import Any, TypedDict

from coordination.instants import rfc3339
from coordination.tasks import FAILING, HUMAN
from dashboard.api.addresses import task_address
from dashboard.api.errorline import error_line
from dashboard.api.signs import Sign
from dashboard.models import Run

WAITING = ("requested", "submitted")


class Hold(TypedDict, total=False):
    """`lead` is bold, `rest` follows it; `more` is the second line. `cause`: the lead names a failure and links
    to it by `url`. Behind the lead stands the age of the instant `since`, or the time of the instant `at`."""

    lead: str
    rest: str
    more: str
    cause: bool
    url: str | None
    since: str | None
    at: str | None


def _count(run: Run, states: Any) -> int:
    return sum(run.counts.get(state, 0) for state in states)


def blocked_tasks(run: Run) -> int:
    """Tasks that can never start because of a failure: asked for and not begun when the run ended in it."""
    ended_badly = bool(run.first_cause) and run.ended_at is not None and run.state != "completed"
    return _count(run, WAITING) if ended_badly else 0


def run_sign(run: Run) -> Sign:
    """The sign of a run: its end if it has one, else the worst of what its tasks wait for."""
    if run.state == "completed":
        return {"sign": "done", "label": "done"}
    if run.state in ("failed", "expired"):
        return {"sign": "failed", "label": "failed"}
    if run.state == "canceled":
        return {"sign": "canceled", "label": "canceled"}
    if _count(run, HUMAN):
        return {"sign": "human", "label": "needs human"}
    working, failed, open_tasks = _count(run, ("working",)), _count(run, FAILING), _open(run)
    if failed and not open_tasks:
        return {"sign": "failed", "label": "failed"}
    if working:
        return {"sign": "running", "label": "running"}
    if _count(run, ("retry_wait",)):
        return {"sign": "retrying", "label": "retrying"}
    if open_tasks:
        return {"sign": "waiting", "label": "waiting"}
    return {"sign": "running", "label": "running"} if run.total else {"sign": "waiting", "label": "no tasks yet"}


def _open(run: Run) -> int:
    return _count(run, ("unknown", "requested", "submitted", "working", "retry_wait", *HUMAN))


def hold(run: Run, asks: Mapping[str, Any] | None = None, cause: Mapping[str, Any] | None = None) -> Hold:
    """What holds the run: its end, its first cause (that of its summary, if none is given), a person, a timer, a
    queue, or nothing."""
    cause = run.first_cause or {} if cause is None else cause
    sign = run_sign(run)["sign"]
    if cause and sign == "failed":
        return _failed(run, cause)
    if sign in ("done", "canceled"):
        return _ended(run, cause)
    if sign == "human":
        return _person(run, asks or {})
    return _going(run, cause, sign)


def _failed(run: Run, cause: Mapping[str, Any]) -> Hold:
    name = str(cause.get("title") or cause.get("task_id") or "a task")
    attempts = int(cause.get("attempts") or 0)
    where = f"on {cause['agent_group']}" if cause.get("agent_group") else ""
    tries = f"attempt {attempts}" if attempts > 1 else ""
    return {
        "lead": name,
        "rest": ", ".join(part for part in (where, tries) if part),
        "more": _error_of(cause),
        "cause": True,
        "url": task_address(run.run_id, str(cause.get("task_id") or "")),
    }


def _error_of(cause: Mapping[str, Any]) -> str:
    line = error_line(str(cause.get("error_type") or ""), str(cause.get("error_message") or ""))
    return line or "no error text was sent"


def _ended(run: Run, cause: Mapping[str, Any]) -> Hold:
    word = "Finished" if run.state == "completed" else "Canceled"
    failures = _count(run, FAILING)
    left = _open(run)
    more = ", ".join(
        part
        for part in (
            f"{failures:,} failed on the way" if failures else "",
            f"{left:,} tasks without an end" if left else "",
        )
        if part
    )
    ended = None if run.ended_at is None else rfc3339(run.ended_at)
    return {"lead": word, "rest": "", "more": more or f"{run.events:,} records", "cause": False, "at": ended}


def _person(run: Run, asks: Mapping[str, Any]) -> Hold:
    waiting = _count(run, HUMAN)
    title = str(asks.get("title") or "")
    lead = "Waits for a person" if waiting == 1 else f"{waiting:,} tasks wait for a person"
    working = _count(run, ("working",))
    more = title or (f"{working:,} others run meanwhile" if working else "nothing else runs")
    return {"lead": lead, "rest": "", "more": more, "cause": False, "url": asks.get("url"), "since": asks.get("since")}


def _going(run: Run, cause: Mapping[str, Any], sign: str) -> Hold:
    working, waiting = _count(run, ("working",)), _count(run, WAITING)
    retrying, failed = _count(run, ("retry_wait",)), _count(run, FAILING)
    after = f"{failed:,} failed so far: {_error_of(cause)}" if failed and cause else ""
    if sign == "running":
        rest = f"{working:,} running" + (f", {waiting:,} waiting" if waiting else "")
        return {"lead": "Not held.", "rest": rest, "more": after or _tail(retrying), "cause": False}
    if sign == "retrying":
        return {
            "lead": "Retry timer",
            "rest": _many(retrying),
            "more": after or f"{waiting:,} more wait",
            "cause": False,
        }
    if sign == "waiting" and waiting:
        return {"lead": "Nothing runs.", "rest": f"{_many(waiting)} wait", "more": after, "cause": False}
    return {"lead": "No tasks yet" if not run.total else "Between tasks", "rest": "", "more": after, "cause": False}


def _tail(retrying: int) -> str:
    return f"{_many(retrying)} between attempts" if retrying else ""


def _many(count: int) -> str:
    return "1 task" if count == 1 else f"{count:,} tasks"
