"""What intents about a task do to its row."""

from coordination.foldkeys import fallback_key
from coordination.projection import Rows, fold
from coordination.taskcommands import small
from coordination.tasks import Task
from tests.coordination.stories import START, Story


def folded(story: Story) -> Task:
    rows = Rows()
    fold(rows, story.events())
    return rows.tasks["run-1", "t"]


def test_a_command_says_what_is_to_be_done_by_whom_and_where_it_stands() -> None:
    story = Story()
    said = story.say(
        "task.requested",
        task="t",
        target_group="coder",
        parent_task_id="p",
        fold_key="aa",
        fanout_id="f",
        fanout_index=2,
        fanout_count=3,
        idempotency_key="k",
        expiry_at=START + 5,
        agent_id="planner-1",
        data={
            "task_type": "write",
            "title": "write it",
            "depends_on": ["a", "b"],
            "input": {"n": 1},
            "deadline": "2023-11-14T22:13:20Z",
            "retry_of": "old",
            "compensates": "done",
        },
    )
    task = folded(story)
    assert (task.state, task.task_type, task.title, task.agent_group) == ("requested", "write", "write it", "coder")
    assert (task.depends_on, task.parent_task_id, task.retry_of, task.compensates) == (("a", "b"), "p", "old", "done")
    assert (task.fold_key, task.stamped, task.fanout_id, task.fanout_index, task.fanout_count) == (
        "aa",
        True,
        "f",
        2,
        3,
    )
    assert (task.input, task.deadline, task.expires_at, task.idempotency_key) == ({"n": 1}, START, START + 5, "k")
    assert (task.requested_at, task.requested_by, task.request_id) == (said.at, "planner-1", said.id)
    assert (task.command_topic, task.command_partition, task.command_offset) == (said.topic, said.partition, 0)


def test_a_task_nobody_stamped_folds_by_type_and_group() -> None:
    story = Story()
    story.request("t", group="coder", task_type="write")
    task = folded(story)
    assert (task.fold_key, task.stamped) == (fallback_key("write", "coder"), False)


def test_asked_twice_the_first_position_holds() -> None:
    story = Story()
    story.request("t", title="first")
    story.request("t", title="second")
    task = folded(story)
    assert (task.title, [(one.name, one.offset) for one in task.anomalies]) == ("first", [("requested_again", 1)])


def test_the_smallest_position_holds_also_when_it_is_read_last() -> None:
    story = Story()
    story.request("t", title="here", partition=2)
    story.request("t", title="there", partition=9)
    rows = Rows()
    fold(rows, reversed(story.events()))
    task = rows.tasks["run-1", "t"]
    assert (task.title, task.shard) == ("here", "12-2")
    assert [(one.name, one.partition) for one in task.anomalies] == [("requested_again", 9)]


def test_asks_to_cancel_and_to_compensate_change_no_state() -> None:
    story = Story()
    story.request("t")
    canceled = story.say("task.cancel.requested", task="t").at
    story.say("task.cancel.requested", task="t")
    undone = story.say("task.compensation.requested", task="t").at
    task = folded(story)
    assert (task.state, task.cancel_requested_at, task.compensation_requested_at) == ("requested", canceled, undone)


def test_a_decision_sent_again_keeps_its_first_instant() -> None:
    story = Story()
    first = story.say("task.resume.requested", task="t", data={"decision_id": "d"}).at
    story.say("task.resume.requested", task="t", data={"decision_id": "d"})
    second = story.say("task.resume.requested", task="t", data={"decision_id": "e"}).at
    task = folded(story)
    assert [(one.at, one.decision_id) for one in task.sent] == [(first, "d"), (second, "e")]
    assert task.decision_sent_at == second
    assert task.state == "unknown"


def test_only_small_values_stay_in_rows() -> None:
    assert small({"a": 1}) == {"a": 1}
    assert small("x" * 2046) == "x" * 2046
    assert small("x" * 2047) is None
    assert small(None) is None
