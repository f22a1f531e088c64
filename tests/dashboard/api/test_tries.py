"""Attempts side by side: newest first, what each was given and made beside the one before, who else waited then."""

import pytest

from coordination.tasks import Attempt
from coordination.tasks import Task as TaskRow
from dashboard.api.tries import lag_at, tries
from dashboard.models import ConsumerGroup, GroupSnapshot
from tests.dashboard.recordings import Recording
from tests.dashboard.scenes import MINUTE, NOW, SECOND, failed_task

pytestmark = pytest.mark.django_db


def test_attempts_are_newest_first_with_their_ends() -> None:
    found = tries(failed_task(), [], True)
    assert [(each["number"], each["outcome"], each["took"]) for each in found] == [
        (2, "failed", "30 s"),
        (1, "failed", "30 s"),
    ]
    assert found[0]["sign"]["sign"] == "failed"


def test_each_shows_what_it_was_given_beside_the_one_before() -> None:
    log = Recording()
    first = log.say("task.started", {"input": {"minutes": 30, "service": "cart"}}, id="s1", attempt=1)
    made = log.say("task.artifact.produced", {"name": "notes.md"}, id="a1", attempt=1)
    second = log.say("task.started", {"input": {"minutes": 5, "service": "cart"}}, id="s2", attempt=2)
    call = {"tool_call_id": "c1", "tool_name": "search"}
    called = log.say("tool.call.started", call, id="t1", subject="toolcall/c1", attempt=2)
    task = TaskRow(
        run_id="run-1",
        task_id="task-1",
        attempts=(
            Attempt(number=1, event_id="s1", started_at=first.at, ended_at=second.at - 1, outcome="failed"),
            Attempt(number=2, event_id="s2", started_at=second.at),
        ),
    )
    newest, oldest = tries(task, [first, made, second, called], True)
    assert [(one.sign, one.path, one.old, one.new) for one in newest["input"]["changes"]] == [
        ("~", "minutes", "30", "5")
    ]
    assert newest["input"]["same"] == ("service",)
    assert [(one.sign, one.path) for one in newest["output"]["changes"]] == [("−", "artifacts")]
    assert ([one["name"] for one in newest["calls"]], oldest["calls"]) == (["search"], [])
    assert {one.path for one in oldest["input"]["changes"]} == {"minutes", "service"}


def test_who_may_not_see_payloads_sees_none() -> None:
    assert [(each["input"], each["output"]) for each in tries(failed_task(input={"a": 1}), [], False)] == [
        (None, None),
        (None, None),
    ]


def test_lag_is_that_of_the_last_poll_before_and_none_where_no_poll_was_near() -> None:
    ConsumerGroup.objects.create(group="agent.coder", agent_group="coder", taken_at=NOW, body="{}")
    for at, waiting in ((NOW - MINUTE, 38), (NOW + SECOND, 99)):
        GroupSnapshot.objects.create(group="agent.coder", taken_at=at, waiting=waiting, age_ms=252_000, members=3)
    found = lag_at("coder", NOW)
    assert found is not None
    assert found["text"] == "38 tasks waited before coder, the oldest for 4 m 12 s; 3 members"
    assert lag_at("coder", NOW + 120 * MINUTE) is None
    assert lag_at("coder", None) is lag_at("", NOW) is None
