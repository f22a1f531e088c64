"""Does a runtime keep the agent contract of approvals? Rules that any runtime can be examined by, over the log.

The group under examination must handle the task type `conformance.ask` like this: ask for approval of the action
`conformance.act` with the task's input as `args`, the schema `ARGS_SCHEMA`, an empty target, and approve, edit and
reject allowed; when granted, call the tool `conformance.act` with effects once, with the arguments that were
approved, and show them as the call's result; then complete. At most `SLOTS` tasks at a time.

`python -m coordination.agent.conformance --log URL --key FILE --group NAME` examines a group that runs elsewhere;
FILE holds the private key whose public half the group trusts. Exit code 1 when a rule is not kept.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from coordination.agent.examination import ACTION, TASK_TYPE, Examination, Failed
from coordination.agent.openlog import open_log
from coordination.signing import SigningKey

ARGS_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"amount": {"type": "string", "pattern": "^[0-9]+[.][0-9]{2}$"}},
    "required": ["amount"],
}
SLOTS: Final = 2
PARKED: Final = 8
Rule = Callable[[Examination], Awaitable[None]]
RULES: Final[dict[str, Rule]] = {}


def rule(check: Rule) -> Rule:
    """Add a rule, under the name of its function."""
    RULES[check.__name__] = check
    return check


def expect(held: bool, seen: object) -> None:
    """Raise Failed with what was seen unless the statement held."""
    if not held:
        raise Failed(f"seen: {seen}")


@rule
async def a_task_that_asks_is_paused_and_says_what_it_would_execute(exam: Examination) -> None:
    """approval.requested carries action, hash, version and fence, and the task is paused for that approval."""
    request = await exam.ask({"amount": "1.00"})
    paused = await exam.see("task.paused", request.task_id)
    expect(paused.data.approval_id == request.data.approval_id, paused.data)
    expect(request.data.action.name == ACTION and request.data.fence == 1, request.data)
    expect(exam.same(request.data.action.args, {"amount": "1.00"}), request.data.action)


@rule
async def a_waiting_task_holds_neither_a_slot_nor_its_position(exam: Examination) -> None:
    """More tasks wait than there are slots, and the group's positions are past their commands."""
    tasks = [await exam.request() for _ in range(PARKED)]
    for task_id in tasks:
        await exam.see("task.paused", task_id)
    commands = {task_id: await exam.see("task.requested", task_id) for task_id in tasks}
    async with asyncio.timeout(exam.patience):
        while True:
            commits = await exam.log.commits(f"agent.{exam.group}")
            places = [(command.topic, command.partition) for command in commands.values()]
            if all(commits.get(place, 0) > c.offset for place, c in zip(places, commands.values(), strict=True)):  # type: ignore[call-overload]
                return
            await asyncio.sleep(0.1)


@rule
async def an_approved_action_is_executed_once_and_receipted(exam: Examination) -> None:
    """Approve: resumed, applied, executed once with what was approved, completed."""
    request = await exam.ask({"amount": "2.00"})
    decision = exam.decision(request)
    await exam.send(request, decision)
    applied = await exam.see("decision.applied", request.task_id)
    expect(applied.data.decision_id == decision["decision_id"], applied.data)
    await exam.see("task.resumed", request.task_id)
    await exam.see("task.completed", request.task_id)
    expect(exam.same(exam.executed(request.task_id), [{"amount": "2.00"}]), exam.executed(request.task_id))


@rule
async def a_rejected_action_is_not_executed(exam: Examination) -> None:
    """Reject: applied, not executed, and the task ends."""
    request = await exam.ask()
    await exam.send(request, exam.decision(request, "reject"))
    await exam.see("decision.applied", request.task_id)
    await exam.see("task.completed", request.task_id)
    expect(exam.executed(request.task_id) == [], exam.executed(request.task_id))


@rule
async def edited_arguments_are_executed_instead(exam: Examination) -> None:
    """Edit is a full replacement of the arguments."""
    request = await exam.ask({"amount": "3.00"})
    await exam.send(request, exam.edit(request, {"amount": "2.50"}))
    await exam.see("task.completed", request.task_id)
    expect(exam.same(exam.executed(request.task_id), [{"amount": "2.50"}]), exam.executed(request.task_id))


@rule
async def a_forged_decision_is_refused_and_the_right_one_still_counts(exam: Examination) -> None:
    """Another key, a changed byte, no signature."""
    request = await exam.ask()
    right = exam.decision(request)
    forged = SigningKey.generate().sign(exam.decision(request))
    changed = exam.decision(request) | {"feedback": "and buy me a boat"}
    unsigned = {name: value for name, value in exam.decision(request).items() if name != "signature"}
    for document in (forged, changed, unsigned):
        expect(await exam.refusal(request, document) == "bad_signature", document)
    expect(exam.executed(request.task_id) == [], exam.executed(request.task_id))
    await exam.send(request, right)
    await exam.see("decision.applied", request.task_id)


@rule
async def a_decision_past_its_validity_is_refused(exam: Examination) -> None:
    """valid_until lies behind, or is missing."""
    request = await exam.ask()
    late = exam.decision(request, valid_until="2020-01-01T00:00:00Z")
    expect(await exam.refusal(request, late) == "late", late)
    without = exam.decision(request, valid_until=None)
    expect(await exam.refusal(request, without) == "late", without)


@rule
async def a_decision_for_another_version_fence_or_request_is_refused(exam: Examination) -> None:
    """What was decided is not what waits now."""
    request = await exam.ask()
    for changes in ({"request_version": 2}, {"fence": 2}, {"approval_id": "another"}):
        document = exam.decision(request, **changes)
        expect(await exam.refusal(request, document) == "superseded", document)


@rule
async def a_decision_for_other_content_is_refused(exam: Examination) -> None:
    """The hash is not that of what would be executed, or edited arguments break the schema."""
    request = await exam.ask()
    other = exam.decision(request, content_hash="0" * 64)
    expect(await exam.refusal(request, other) == "hash_mismatch", other)
    broken = exam.edit(request, {"amount": 7})
    expect(await exam.refusal(request, broken) == "hash_mismatch", broken)
    expect(exam.executed(request.task_id) == [], exam.executed(request.task_id))


@rule
async def an_early_decision_is_refused_and_never_kept_for_the_wait(exam: Examination) -> None:
    """A decision that comes before its request does not decide the request."""
    former = await exam.ask()
    task_id = f"early-{former.task_id}"
    early = exam.decision(former)
    ahead = type(former)(**{f: getattr(former, f) for f in former.__struct_fields__} | {"task_id": task_id})
    expect(await exam.refusal(ahead, early) in ("superseded", "withdrawn"), early)
    request = await exam.ask(task_id=task_id)
    await exam.settle()
    expect(exam.of(request.task_id, "decision.applied") == [], "an early decision was applied")


@rule
async def a_decision_is_applied_once_however_often_it_comes(exam: Examination) -> None:
    """The same event twice is one; the same decision in another event is a duplicate."""
    request = await exam.ask({"amount": "4.00"})
    decision = exam.decision(request)
    await exam.send_twice(request, decision)
    await exam.see("task.completed", request.task_id)
    reason = await exam.refusal(request, decision)
    expect(reason in ("duplicate", "withdrawn"), reason)
    await exam.settle()
    expect(len(exam.of(request.task_id, "decision.applied")) == 1, exam.of(request.task_id, "decision.applied"))
    expect(len(exam.executed(request.task_id)) == 1, exam.executed(request.task_id))


@rule
async def a_second_decision_after_the_end_is_refused(exam: Examination) -> None:
    """The task has ended: nothing is executed any more."""
    request = await exam.ask()
    await exam.send(request, exam.decision(request, "reject"))
    await exam.see("task.completed", request.task_id)
    expect(await exam.refusal(request, exam.decision(request)) == "withdrawn", "a decision after the end")
    expect(exam.executed(request.task_id) == [], exam.executed(request.task_id))


@rule
async def a_revoked_decision_is_not_applied_and_an_applied_one_cannot_be_revoked(exam: Examination) -> None:
    """decision.revoke.requested is answered by decision.revoked, or refused as too late."""
    request = await exam.ask()
    decision = exam.decision(request)
    await exam.revoke(request, decision["decision_id"])
    await exam.see("decision.revoked", request.task_id)
    expect(await exam.refusal(request, decision) == "withdrawn", "a revoked decision")
    second = exam.decision(request)
    await exam.send(request, second)
    await exam.see("decision.applied", request.task_id)
    await exam.revoke(request, second["decision_id"])
    refused = await exam.see("decision.refused", request.task_id, lambda event: event.data.of == "revoke")
    expect(refused.data.reason == "too_late", refused.data)


@rule
async def of_many_decisions_in_any_order_only_the_right_one_counts(exam: Examination) -> None:
    """Replayed, reordered, forged and stale ones around the right one: executed once."""
    requests = [await exam.ask({"amount": f"{number}.00"}) for number in range(5)]
    for request in requests:
        right = exam.decision(request)
        wrong = [
            SigningKey.generate().sign(right),
            exam.decision(request, request_version=9),
            exam.decision(request, valid_until="2020-01-01T00:00:00Z"),
            exam.decision(request, content_hash="f" * 64),
            exam.decision(requests[0] if request is not requests[0] else requests[1]),
        ]
        await exam.send(request, *wrong, right, right, *reversed(wrong))
    for number, request in enumerate(requests):
        await exam.see("task.completed", request.task_id)
        expect(exam.same(exam.executed(request.task_id), [{"amount": f"{number}.00"}]), exam.executed(request.task_id))


async def examine(log: Any, key: SigningKey, group: str) -> dict[str, str]:
    """Every rule in turn; a rule that was kept maps to "", another to what was seen instead."""
    results = {}
    for name, check in RULES.items():
        exam = Examination(log, key, group)
        await exam.open()
        try:
            await check(exam)
            results[name] = ""
        except (Failed, TimeoutError) as failure:
            results[name] = str(failure) or "it took too long"
        finally:
            await exam.close()
    return results


async def _main(arguments: argparse.Namespace) -> int:
    log = open_log(arguments.log)
    try:
        results = await examine(log, SigningKey.load(Path(arguments.key)), arguments.group)
    finally:
        await log.close()
    for name, seen in results.items():
        sys.stdout.write(f"{'FAILED' if seen else 'kept  '} {name.replace('_', ' ')}{': ' + seen if seen else ''}\n")
    return 1 if any(results.values()) else 0


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Examine an agent group by the contract of approvals.")
    parser.add_argument("--log", default="", help="address of the log; LINESIDE_LOG when missing")
    parser.add_argument("--key", required=True, help="file with the private key the group trusts")
    parser.add_argument("--group", required=True, help=f"agent group that handles {TASK_TYPE}")
    sys.exit(asyncio.run(_main(parser.parse_args())))


if __name__ == "__main__":
    main()
