"""What a handler of facts works with."""

from typing import Any

from coordination.agent.instance import Instance
from coordination.agent.keys import child_id
from coordination.agent.subtasks import Request, Subtasks
from coordination.agent.voice import Said
from coordination.agent.work import Work
from coordination.event import Event


class FactContext:
    """One execution of a handler for one fact.

    What it asks for goes out with the memory that the fact was handled, in one transaction: a fact makes others
    act once, however often it is delivered and whatever crashes. A handler that changes something outside the log
    must itself be safe to repeat.
    """

    def __init__(self, instance: Instance, work: Work) -> None:
        self._instance, self._work = instance, work
        self._subtasks = Subtasks(instance, work)
        self.said: list[Said] = []

    @property
    def event(self) -> Event:
        """The fact."""
        return self._work.event

    def request(
        self,
        task_type: str,
        group: str,
        *,
        title: str = "",
        input: Any = None,  # noqa: A002 - the protocol's own word
        depends_on: tuple[str, ...] = (),
        expires_in: float | None = None,
    ) -> str:
        """Ask a group for a task in the same run, without waiting for it. Returns the task id."""
        request = Request(
            task_type=task_type,
            group=group,
            title=title,
            input=input,
            depends_on=depends_on,
            expires_in=expires_in,
        )
        step = f"fact:{self.event.source}:{self.event.id}"
        task_id = child_id(self._work.memory.key, step, task_type, len(self.said))
        self.said.append(self._subtasks.command(request, task_id, step))
        return task_id
