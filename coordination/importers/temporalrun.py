"""One Temporal history told as events: a table of entry types, a function for each."""

from collections.abc import Callable, Mapping
from typing import Final

from coordination.eventlog import NewRecord
from coordination.importers.recording import Scribe, fitting
from coordination.importers.temporalfailure import attempt_of, failure_of
from coordination.importers.temporalhistory import Native, payloads
from coordination.importers.temporaltasks import ENDS, Tasks
from coordination.importers.temporalupdates import Updates
from coordination.importers.temporalwriter import Writer

RECOGNISED: Final = "io.temporal.history."
UNKNOWN: Final = "io.temporal.unknown."


class Telling:
    """Goes through a history once, oldest entry first, and collects the records it becomes."""

    def __init__(self, natives: list[Native], scribe: Scribe) -> None:
        self._natives = natives
        self._writer = Writer(scribe)
        self._tasks = Tasks(self._writer, natives)
        self._updates = Updates(self._writer, natives[0].text("workflowType", "name"))

    def records(self) -> list[NewRecord]:
        """The records in the order of time; at one instant in the order of the history."""
        if not any(native.type == "WorkflowExecutionStarted" for native in self._natives):
            first = self._natives[0]
            self._writer.write("run.started", first, derived=True, data={"trigger": "unknown"})
        for native in self._natives:
            self._tell(native)
        return self._writer.in_order()

    def _tell(self, native: Native) -> None:
        if native.type in ENDS:
            self._tasks.ended(native, *ENDS[native.type])
            return
        told = TOLD.get(native.type)
        if told is None:
            self._other(native)
        else:
            told(self, native)

    def _other(self, native: Native) -> None:
        """An entry without a counterpart: shown as it is. Decisions and timers carry causes, so they are followed."""
        self._tasks.follow(native)
        prefix = RECOGNISED if native.known else UNKNOWN
        self._writer.write_foreign(prefix + native.type[:64], native)

    def _started(self, native: Native) -> None:
        name = native.text("workflowType", "name")
        parent = native.text("parentWorkflowExecution", "workflowId")
        cron = native.text("cronSchedule")
        self._writer.write(
            "run.started",
            native,
            data={
                "name": name,
                "workflow": name,
                "trigger": f"child of {parent}" if parent else f"cron {cron}" if cron else "",
                "input": fitting(payloads(native.attributes.get("input"))),
            },
        )

    def _completed(self, native: Native) -> None:
        self._close(native, "completed")
        self._writer.write("run.completed", native, data={"output": fitting(payloads(native.attributes.get("result")))})

    def _continued(self, native: Native) -> None:
        self._close(native, "continued as a new run")
        self._writer.write("run.completed", native, data={"output": {"continued_as": native.text("newExecutionRunId")}})

    def _failed(self, native: Native) -> None:
        self._close(native, "failed")
        self._writer.write("run.failed", native, data={"error": failure_of(native.attributes.get("failure"))})

    def _timed_out(self, native: Native) -> None:
        self._close(native, "timed out")
        limit = self._natives[0].text("workflowRunTimeout")
        error = {"type": "TimeoutError", "message": f"the workflow timed out after {limit}".removesuffix(" after ")}
        self._writer.write("run.failed", native, data={"error": error, "reason": "timed out"})

    def _canceled(self, native: Native) -> None:
        self._close(native, "was canceled")
        self._writer.write("run.canceled", native, data={"reason": "canceled"})

    def _terminated(self, native: Native) -> None:
        self._close(native, "was terminated")
        reason = native.text("reason")
        self._writer.write("run.canceled", native, data={"reason": reason, "terminated": True})

    def _close(self, native: Native, how: str) -> None:
        # The server drops what is still open when an execution closes, without an entry in the history.
        self._tasks.close(native, f"the run {how} before this task ended")
        self._updates.close(native, f"the run {how} before an answer came")

    def _activity(self, native: Native) -> None:
        self._tasks.requested(native, native.text("activityType", "name"), native.text("activityId"))

    def _child(self, native: Native) -> None:
        self._tasks.requested(native, native.text("workflowType", "name"), f"child-{native.number}")

    def _attempt(self, native: Native) -> None:
        self._tasks.started(native, attempt_of(native.attributes.get("attempt")))

    def _cancel(self, native: Native) -> None:
        self._tasks.cancel_requested(native)

    def _accepted(self, native: Native) -> None:
        self._updates.accepted(native)

    def _answered(self, native: Native) -> None:
        self._updates.completed(native)

    def _refused(self, native: Native) -> None:
        self._updates.rejected(native)


TOLD: Final[Mapping[str, Callable[[Telling, Native], None]]] = {
    "WorkflowExecutionStarted": Telling._started,
    "WorkflowExecutionCompleted": Telling._completed,
    "WorkflowExecutionContinuedAsNew": Telling._continued,
    "WorkflowExecutionFailed": Telling._failed,
    "WorkflowExecutionTimedOut": Telling._timed_out,
    "WorkflowExecutionCanceled": Telling._canceled,
    "WorkflowExecutionTerminated": Telling._terminated,
    "ActivityTaskScheduled": Telling._activity,
    "ActivityTaskStarted": Telling._attempt,
    "ActivityTaskCancelRequested": Telling._cancel,
    "StartChildWorkflowExecutionInitiated": Telling._child,
    "ChildWorkflowExecutionStarted": Telling._attempt,
    "WorkflowExecutionUpdateAccepted": Telling._accepted,
    "WorkflowExecutionUpdateCompleted": Telling._answered,
    "WorkflowExecutionUpdateRejected": Telling._refused,
}
