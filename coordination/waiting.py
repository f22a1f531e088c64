"""Why is this waiting? One sentence with evidence for every open task, by numbered rules; the first that speaks.

Pages and API give the same answer because both ask here. Evidence that nobody could read is None and never
taken for good news; where nothing speaks, the answer is *unknown*, and it is counted as such.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from coordination.evidence import Ask, Evidence, Input, Queue
from coordination.lag import words
from coordination.receipts import Sent
from coordination.tasks import FAILING, HUMAN, TERMINAL, Pause, Task

__all__ = ["REASONS", "Ask", "Evidence", "Input", "Link", "Queue", "Waiting", "why"]


class Link(msgspec.Struct, frozen=True):
    """Where the evidence stands: `kind` is task, approval, join, group or record, `id` names it (a record as
    topic/partition/offset)."""

    kind: str
    id: str


class Waiting(msgspec.Struct, frozen=True):
    """Why a task is not done: one of `REASONS`, a sentence, and where to look."""

    reason: str
    text: str
    link: Link | None = None


REASONS: Final = (
    "needs_approval",
    "needs_answer",
    "needs_credentials",
    "needs_person",
    "decision_returning",
    "waits_for_dependencies",
    "waits_for_branches",
    "blocked_by_failure",
    "retry_timer",
    "out_of_time",
    "no_worker",
    "queue",
    "running",
    "silent",
    "unknown",
)


Rule = Callable[[Task, Evidence, int], Waiting | None]


def why(task: Task, evidence: Evidence, now: int) -> Waiting | None:
    """Why an open task is not done, at `now` (µs); None for a task that has ended."""
    if task.state in TERMINAL:
        return None
    for rule in RULES:
        waiting = rule(task, evidence, now)
        if waiting is not None:
            return waiting
    return Waiting("unknown", f"{_since(task, now)}: nothing that was read says why", _task(task))


def _returning(task: Task, evidence: Evidence, now: int) -> Waiting | None:
    # Decided already: what waits now is the agent, not a person.
    pause = _pause(task)
    sent = _answer(task, pause) if pause else None
    if sent is None:
        return None
    where = f"{sent.topic}-{sent.partition}@{sent.offset}"
    text = f"decided; the decision was sent {words(now - sent.at)} ago ({where}), the agent has not resumed"
    return Waiting("decision_returning", text + _members(evidence.queue, now), _record(sent))


def _person(task: Task, evidence: Evidence, now: int) -> Waiting | None:
    # A person has to act; no agent is late.
    pause = _pause(task)
    if task.state not in HUMAN:
        return None
    since = f"waits {words(now - pause.at)} for a person" if pause else "waits for a person"
    if task.state == "auth_required":
        return Waiting("needs_credentials", f"{since} to give it credentials", _task(task))
    if evidence.ask is not None:
        return _asked(since, evidence.ask, now, "needs_answer" if pause and pause.reason == "question" else "")
    reason = pause.reason if pause else ""
    approval = Link("approval", pause.approval_id) if pause and pause.approval_id else _task(task)
    if reason == "approval":
        return Waiting("needs_approval", f"{since}; its request was not read", approval)
    if reason == "question":
        return Waiting("needs_answer", f"{since} to answer a question", approval)
    return Waiting("needs_person", f"{since}: it was handed up", _task(task))


def _asked(since: str, ask: Ask, now: int, reason: str) -> Waiting:
    title = f": {ask.title}" if ask.title else ""
    votes = f" has {ask.votes} of {ask.needed} votes" if ask.needed > 1 else ""
    groups = f" and needs one from {', '.join(ask.groups)}" if ask.groups else ""
    text = f"{since}{title}{votes}{groups}"
    if ask.expires_at is not None:
        left = ask.expires_at - now
        then = f", then: {ask.on_expiry}" if ask.on_expiry else ""
        text += f"; expires in {words(left)}{then}" if left > 0 else f"; expired {words(-left)} ago{then}"
    return Waiting(reason or "needs_approval", text, Link("approval", ask.approval_id))


def _retry(task: Task, evidence: Evidence, now: int) -> Waiting | None:
    # The next attempt has a time; when it is past, the agent's queue is to blame, or the agent.
    if task.state != "retry_wait":
        return None
    last = task.attempts[-1] if task.attempts else None
    what = (last.error_type or last.error_message) if last else ""
    error = f" after {what}" if what else ""
    number = task.attempt + 1
    if last is None or last.next_attempt_at is None:
        return Waiting("retry_timer", f"attempt {number} follows{error}; its time was not told", _task(task))
    left = last.next_attempt_at - now
    if left > 0:
        return Waiting("retry_timer", f"attempt {number} in {words(left)}{error}", _task(task))
    text = f"attempt {number} was due {words(-left)} ago{error} and has not started"
    return Waiting("queue", text + _members(evidence.queue, now), _group(task))


def _silent(task: Task, evidence: Evidence, now: int) -> Waiting | None:
    # Started, and the one who started it gives no sign of life any more.
    if task.state != "working":
        return None
    signs = [at for at in (evidence.heartbeat_at, task.seen_at) if at is not None]
    quiet = now - max(signs, default=now)
    if quiet <= evidence.silence or evidence.heartbeat_at is None:
        return None
    who = task.agent_id or "its agent"
    return Waiting("silent", f"{who} started it and was last heard of {words(quiet)} ago", _group(task))


def _branches(task: Task, evidence: Evidence, now: int) -> Waiting | None:
    # It has asked others for something and waits for them.
    if task.state != "working":
        return None
    join = evidence.join
    if join is not None and join.verdict in ("can complete", "cannot complete", "unknown", "met"):
        of = f"{join.expected}" if join.expected is not None else f"≥ {join.known}"
        text = f"waits for its branches: {join.arrived} of {of} arrived; {join.reason}"
        stuck = join.verdict == "cannot complete"
        return Waiting("blocked_by_failure" if stuck else "waits_for_branches", text, Link("join", join.fanout_id))
    return _inputs("waits_for_branches", "what it asked for", evidence.children)


def _running(task: Task, evidence: Evidence, now: int) -> Waiting | None:
    # Somebody works on it, as far as anybody can tell.
    if task.state != "working":
        return None
    running = task.running
    began = running.started_at if running and running.started_at is not None else task.started_at
    since = f"running for {words(now - began)}" if began is not None else "running"
    who = f" on {task.agent_id}" if task.agent_id else ""
    step = f": {task.progress_text}" if task.progress_text else ""
    return Waiting("running", f"{since}{who}{step}", _task(task))


def _timed_out(task: Task, evidence: Evidence, now: int) -> Waiting | None:
    # Nobody starts work after its expiry; the fact that says so has not come.
    if task.expires_at is None or task.expires_at > now:
        return None
    text = f"its time ran out {words(now - task.expires_at)} ago; nobody may start it any more"
    return Waiting("out_of_time", text, _task(task))


def _dependencies(task: Task, evidence: Evidence, now: int) -> Waiting | None:
    # What it needs is not there, or will never be.
    return _inputs("waits_for_dependencies", "what it needs", evidence.needs)


def _unassigned(task: Task, evidence: Evidence, now: int) -> Waiting | None:
    # No patience helps: somebody must start a worker.
    queue = evidence.queue
    if queue is None or (queue.members != 0 and queue.assigned is not False):
        return None
    if queue.members == 0:
        text = f"{_since(task, now)}: group {queue.group} has no member"
    else:
        text = f"{_since(task, now)}: no member of group {queue.group} has partition {_partition(task)}"
    return Waiting("no_worker", text, Link("group", queue.group))


def _accepted(task: Task, evidence: Evidence, now: int) -> Waiting | None:
    # An agent has it in hand and works on something else.
    if task.state != "submitted":
        return None
    since = task.received_at if task.received_at is not None else task.accepted_at
    ago = f" {words(now - since)} ago" if since is not None else ""
    text = f"accepted{ago} by {task.agent_id or 'its agent'}, not started"
    return Waiting("queue", text + _members(evidence.queue, now), _group(task))


def _queued(task: Task, evidence: Evidence, now: int) -> Waiting | None:
    # Its command stands in the topic, behind others or already passed.
    queue, offset = evidence.queue, task.command_offset
    if queue is None or queue.commit is None or offset is None:
        return None
    if queue.commit > offset:
        text = f"{_since(task, now)}: group {queue.group} read it (its commit is {queue.commit}) and nothing was heard"
        return Waiting("queue", text + _members(queue, now), Link("group", queue.group))
    ahead = offset - queue.commit if queue.ahead is None else queue.ahead
    place = f"{ahead:,} record{'' if ahead == 1 else 's'} ahead" if ahead else "next"
    text = f"{_since(task, now)}: {place} on {_partition(task)}@{offset}"
    return Waiting("queue", text + _members(queue, now), _command(task))


RULES: Final[tuple[Rule, ...]] = (
    _returning,
    _person,
    _retry,
    _silent,
    _branches,
    _running,
    _timed_out,
    _dependencies,
    _unassigned,
    _accepted,
    _queued,
)


def _inputs(reason: str, what: str, inputs: Sequence[Input]) -> Waiting | None:
    missing = [one for one in inputs if one.state != "completed"]
    if not missing:
        return None
    bad = next((one for one in missing if one.state in FAILING or one.state == "canceled"), None)
    if bad is not None:
        text = f"blocked: {bad.title or bad.task_id} is {bad.state}"
        return Waiting("blocked_by_failure", text, Link("task", bad.task_id))
    done = len(inputs) - len(missing)
    first = missing[0]
    text = f"waits for {what}: {done} of {len(inputs)} done; {first.title or first.task_id} is {first.state}"
    return Waiting(reason, text, Link("task", first.task_id))


def _pause(task: Task) -> Pause | None:
    last = task.pauses[-1] if task.pauses else None
    return last if last is not None and last.resumed_at is None and task.state in HUMAN else None


def _answer(task: Task, pause: Pause) -> Sent | None:
    return next((sent for sent in task.sent if sent.at >= pause.at), None)


def _since(task: Task, now: int) -> str:
    return "waits" if task.requested_at is None else f"waits {words(now - task.requested_at)}"


def _members(queue: Queue | None, now: int) -> str:
    if queue is None or queue.members is None:
        return ""
    commit = "" if queue.last_commit_at is None else f", last commit {words(now - queue.last_commit_at)} ago"
    return f"; group {queue.group} has {queue.members} member{'' if queue.members == 1 else 's'}{commit}"


def _partition(task: Task) -> str:
    return f"{task.command_topic}-{task.command_partition}"


def _task(task: Task) -> Link:
    return Link("task", task.task_id)


def _group(task: Task) -> Link:
    return Link("group", task.agent_group) if task.agent_group else _task(task)


def _record(sent: Sent) -> Link:
    return Link("record", f"{sent.topic}/{sent.partition}/{sent.offset}")


def _command(task: Task) -> Link:
    return Link("record", f"{task.command_topic}/{task.command_partition}/{task.command_offset}")
