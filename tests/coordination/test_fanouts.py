"""Fan-outs: each fact counts once, the one with the smallest position; what is late is kept."""

import pytest

from coordination.fanouts import Branch, FanOut
from coordination.instants import micros, moment
from coordination.projection import Rows, fold
from tests.coordination.stories import START, Story


def folded(story: Story) -> FanOut:
    rows = Rows()
    fold(rows, story.events())
    (row,) = rows.fan_outs.values()
    return row


def test_opening_fixes_the_rule_the_deadline_and_who_opened_it() -> None:
    story = Story()
    data = {
        "join": "quorum(2)",
        "on_failure": "continue",
        "deadline": moment(START).isoformat(),
        "title": "evidence",
        "branches": [{"index": 0, "task_id": "b0"}],
    }
    opened = story.say("fanout.opened", task="planner", fanout_id="f", data=data)
    row = folded(story)
    assert (row.join, row.quorum, row.on_failure, row.title) == ("quorum", 2, "continue", "evidence")
    assert (row.deadline, row.parent_task_id, row.opened_at) == (START, "planner", opened.at)
    assert row.branches == (Branch(0, "b0"),)
    assert micros(moment(START)) == START


def test_the_subject_names_a_fan_out_whose_attribute_is_missing() -> None:
    story = Story()
    story.say("fanout.opened", subject="fanout/f")
    assert folded(story).fanout_id == "f"


def test_a_fact_that_names_no_fan_out_is_flagged_on_the_run() -> None:
    story = Story()
    story.say("fanout.opened")
    rows = Rows()
    fold(rows, story.events())
    assert not rows.fan_outs
    assert [one.name for part in rows.run_parts.values() for one in part.anomalies] == ["no_subject"]


def test_the_first_opening_holds() -> None:
    story = Story()
    story.say("fanout.opened", fanout_id="f", data={"join": "any"})
    story.say("fanout.opened", fanout_id="f", data={"join": "all"})
    row = folded(story)
    assert (row.join, [one.name for one in row.anomalies]) == ("any", ["opened_again"])


def test_the_seal_fixes_the_number_from_its_data_or_its_envelope() -> None:
    story = Story()
    story.say("fanout.sealed", fanout_id="f", data={"count": 4}, fanout_count=9)
    assert folded(story).expected == 4
    story = Story()
    story.say("fanout.sealed", fanout_id="f", fanout_count=9)
    story.say("fanout.sealed", fanout_id="f", fanout_count=2)
    row = folded(story)
    assert (row.expected, [one.name for one in row.anomalies]) == (9, ["sealed_again"])


@pytest.mark.parametrize(
    ("name", "verdict"), [("fanin.satisfied", "satisfied"), ("fanin.failed", "failed"), ("fanin.expired", "expired")]
)
def test_the_first_verdict_holds_with_its_causes(name: str, verdict: str) -> None:
    story = Story()
    causes = [{"index": 1, "task_id": "b1", "event_id": "e", "outcome": "completed"}]
    at = story.say(name, fanout_id="f", data={"causes": causes}).at
    story.say("fanin.satisfied", fanout_id="f")
    row = folded(story)
    assert (row.verdict, row.verdict_at, row.causes) == (verdict, at, (Branch(1, "b1", "completed", "e"),))
    assert [(one.name, one.event) for one in row.anomalies] == [("decided_again", "fanin.satisfied")]


def test_a_failed_join_says_why() -> None:
    story = Story()
    story.say("fanin.failed", fanout_id="f", data={"error": {"message": "two of three failed"}})
    assert folded(story).verdict_reason == "two of three failed"


def test_late_branches_are_kept_once_each() -> None:
    story = Story()
    for _ in range(2):
        story.say("fanin.branch.late", fanout_id="f", data={"index": 3, "task_id": "b3", "event_id": "e"})
    assert folded(story).late == (Branch(3, "b3", "", "e"),)
