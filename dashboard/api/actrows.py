"""What people asked of a task's agents, and what became of it: saved, published, and the agents' answer."""

from typing import Any

from coordination.tasks import OPEN
from coordination.tasks import Task as TaskRow
from dashboard.api.addresses import record_address, short_position, task_address
from dashboard.api.signs import Sign, sign_of_state
from dashboard.api.taskbody import task_of
from dashboard.models import Decision, Task
from dashboard.steering import ACTS

WORDS = {"cancel": "Cancel", "retry": "Retry as new task", "compensate": "Compensate"}
SAVED: Sign = {"sign": "waiting", "label": "saved"}
PUBLISHED: Sign = {"sign": "running", "label": "published"}


def act_rows(task: TaskRow) -> list[dict[str, Any]]:
    """The acts on a task, the newest first: cancel and compensate are its own, a retry is a row of the new task."""
    own = Decision.objects.filter(run_id=task.run_id, task_id=task.task_id, kind__in=("cancel", "compensate"))
    made = Decision.objects.filter(run_id=task.run_id, kind="retry", provenance__task=task.task_id)
    acts = sorted([*_read(own), *_read(made)], key=lambda one: -one.saved_at)
    return [_row(one, task) for one in acts]


def _read(rows: Any) -> list[Decision]:
    return list(rows.select_related("person").defer("records")[:20])


def _row(act: Decision, task: TaskRow) -> dict[str, Any]:
    place = act.positions[0] if act.positions else None
    sign, answer, url = _answer(act, task)
    return {
        "act": act.kind,
        "word": WORDS.get(act.kind, act.kind),
        "by": act.person.get_username() if act.person else "",
        "reason": str(act.provenance.get("reason", "")),
        "saved_at": act.saved_at,
        "published": short_position(*place[:3]) if place else "",
        "published_url": record_address(*place[:3]) if place else None,
        "sign": sign,
        "answer": answer,
        "url": url,
    }


def _answer(act: Decision, task: TaskRow) -> tuple[Sign, str, str | None]:
    """How far it came, in words: never ahead of what the log says."""
    if act.state in ("undeliverable", "late"):
        return {"sign": "failed", "label": act.state}, act.error or "it was never sent", None
    if not act.positions:
        return SAVED, "waits to be sent" + (f": {act.error}" if act.error else ""), None
    return _ANSWERS[act.kind](act, task) if act.kind in ACTS else (PUBLISHED, "", None)


def _canceled(act: Decision, task: TaskRow) -> tuple[Sign, str, str | None]:
    if task.state == "canceled":
        return sign_of_state("canceled"), "the agents stopped it", None
    if task.cancel_declined_at is not None and task.cancel_declined_at >= act.saved_at:
        return {"sign": "failed", "label": "declined"}, "the agents declined: it cannot be stopped any more", None
    if task.state not in OPEN:
        return sign_of_state(task.state), f"it ended before: {task.state}", None
    return PUBLISHED, "the agents have not answered", None


def _compensated(act: Decision, task: TaskRow) -> tuple[Sign, str, str | None]:
    signs: dict[str, Sign] = {
        "compensated": {"sign": "done", "label": "compensated"},
        "running": {"sign": "running", "label": "compensating"},
        "failed": {"sign": "failed", "label": "compensation failed"},
    }
    words = {
        "compensated": "the agents undid it",
        "running": "the agents are undoing it",
        "failed": "the agents could not undo it",
    }
    state = task.compensation
    return signs.get(state, PUBLISHED), words.get(state, "the agents have not answered"), None


def _retried(act: Decision, task: TaskRow) -> tuple[Sign, str, str | None]:
    url = task_address(act.run_id, act.task_id)
    made = Task.objects.filter(run_id=act.run_id, task_id=act.task_id).first()
    if made is None:
        return PUBLISHED, "its command was not read yet", None
    row = task_of(made)
    sign = sign_of_state(row.state)
    return sign, f"the new task is {sign['label']}", url


_ANSWERS = {"cancel": _canceled, "compensate": _compensated, "retry": _retried}
