"""A run that failed by cascade: one task fails, hundreds that need it never start. Told, stored, folded, kept."""

import msgspec

from coordination.envelope import Decoder
from coordination.manifest import Manifest
from coordination.projection import Rows, fold
from dashboard.ingest.summary import run_of, run_values
from dashboard.ingest.tables import FAN_OUTS, FOLD_PARTS, RUN_PARTS, TASKS, Table
from dashboard.models import FanOut, FoldPart, Run, RunPart, Task
from tests.dashboard.recordings import Recording

ERROR = {
    "type": "TimeoutError",
    "message": "tempo query exceeded 30 s\nafter 3 tries",
    "stack": "File fetch.py, line 9",
}
CAUSE = "fetch"


def cascade(blocked: int = 200, run_id: str = "run-1") -> Recording:
    """The records: a plan, a task that fails at its second attempt, and what waits for it for ever."""
    log = Recording(run_id)
    log.say("run.started", {"name": "Investigate INC-4409", "workflow": "incident"}, task_id="", id="r0")
    log.say("task.requested", {"task_type": "plan", "title": "plan"}, id="p0", task_id="plan", target_group="planner")
    log.say("task.started", id="p1", task_id="plan", causation="p0", attempt=1)
    log.say("task.completed", {"output": {"steps": 2}}, id="p2", task_id="plan", causation="p1", attempt=1)
    asked = {"task_type": "fetch", "title": "fetch_traces", "input": {"service": "cart", "minutes": 30}}
    about = {"task_id": CAUSE, "parent_task_id": "plan", "target_group": "prober"}
    log.say("task.requested", asked, id="c0", causation="p2", **about)
    log.say("task.started", {"input": {"service": "cart", "minutes": 30}}, id="c1", task_id=CAUSE, attempt=1)
    log.say("task.attempt.failed", {"error": ERROR}, id="c2", task_id=CAUSE, causation="c1", attempt=1)
    log.say("task.started", {"input": {"service": "cart", "minutes": 5}}, id="c3", task_id=CAUSE, attempt=2)
    call = {"tool_call_id": "t1", "tool_name": "tempo.query"}
    log.say("tool.call.started", call, id="c4", task_id=CAUSE, causation="c3", subject="toolcall/t1", attempt=2)
    failed = call | {"error": {"type": "TimeoutError", "message": "30 s"}}
    log.say("tool.call.failed", failed, id="c5", task_id=CAUSE, causation="c4", subject="toolcall/t1", attempt=2)
    log.say("task.failed", {"error": ERROR}, id="c6", task_id=CAUSE, causation="c3", attempt=2)
    for number in range(blocked):
        data = {"task_type": "probe", "title": f"probe {number}", "depends_on": [CAUSE]}
        log.say("task.requested", data, id=f"b{number}", task_id=f"probe-{number:03}", target_group="prober")
    log.say("run.failed", {"error": ERROR}, task_id="", id="r1")
    return log


def keep(log: Recording) -> Run:
    """Stores the records and writes the rows they fold into."""
    log.store()
    decoder, rows = Decoder(Manifest()), Rows()
    fold(rows, [decoder.decode(record) for record in log.records])
    for table, model, found in (
        (TASKS, Task, rows.tasks),
        (FOLD_PARTS, FoldPart, rows.fold_parts),
        (FAN_OUTS, FanOut, rows.fan_outs),
        (RUN_PARTS, RunPart, rows.run_parts),
    ):
        model.objects.bulk_create([_row(table, model, row) for row in found.values()])  # type: ignore[attr-defined]
    run = run_of(run_values([part for part in rows.run_parts.values() if part.run_id == log.run_id]))
    run.save(force_insert=True)
    return run


def _row(table: Table, model: type, row: object) -> object:  # type: ignore[type-arg]
    names = [name for name, _ in table.all_columns]
    values = (*table.values(row), row.revision, msgspec.json.encode(row).decode())  # type: ignore[attr-defined]
    return model(**dict(zip(names, values, strict=True)))
