"""The dry run: nothing is changed, and everything that would happen is said."""

import pytest

from dashboard.models import DeadLetter, Decision
from dashboard.redrive import plan_discard, plan_redrive
from tests.dashboard.redrive.letters import AT, COMMANDS, command, given_up, keep, letter
from tests.dashboard.scenes import group, partition

pytestmark = pytest.mark.django_db


def all_letters():  # type: ignore[no-untyped-def]
    return DeadLetter.objects.all()


def test_it_names_target_partition_and_letters_and_changes_nothing() -> None:
    letter("task-1", 1)
    letter("task-2", 2, partition=5)
    row = plan_redrive(all_letters(), AT).row()
    assert row["letters"] == 2
    assert row["targets"] == [
        {"topic": COMMANDS, "partition": 3, "letters": 1},
        {"topic": COMMANDS, "partition": 5, "letters": 1},
    ]
    assert not Decision.objects.exists()
    assert DeadLetter.objects.filter(state="open").count() == 2


def test_it_names_the_groups_that_will_act_and_those_that_will_skip() -> None:
    letter()
    group("payer", partitions=[partition(3, waiting=0, commit=9)])
    group("coder", partitions=[partition(3, waiting=0, commit=9)])
    group("other", partitions=[partition(3, waiting=0, commit=9) | {"topic": "coord.ops.events"}])
    assert plan_redrive(all_letters(), AT).row()["groups"] == [
        {"group": "payer", "acts_on": 1, "skips": 0},
        {"group": "coder", "acts_on": 0, "skips": 1},
    ]


def test_what_was_settled_or_may_not_go_back_is_left_out_with_its_reason() -> None:
    letter("task-1", 1)
    DeadLetter.objects.filter(pk=letter("task-2", 2).pk).update(state="redriven")
    DeadLetter.objects.filter(pk=letter("task-3", 3).pk).update(state="discarded")
    DeadLetter.objects.filter(pk=letter("task-4", 4).pk).update(origin_topic="coord.review.approval.events")
    row = plan_redrive(all_letters(), AT).row()
    assert row["letters"] == 1
    reasons = {each["reason"]: each["letters"] for each in row["left_out"]}
    assert reasons == {
        "it was redriven already": 1,
        "it was discarded": 1,
        "coord.review.approval.events is of another class than dlq.coord.run": 1,
    }
    assert plan_discard(all_letters()).row()["letters"] == 2


def test_it_warns_of_records_that_will_do_nothing() -> None:
    keep(given_up(command("task-1", expiry_at=AT + 1), 1))
    assert plan_redrive(all_letters(), AT).row()["warnings"] == []
    assert "ran out" in plan_redrive(all_letters(), AT + 2).row()["warnings"][0]["reason"]


def test_a_partition_that_the_topic_does_not_have_gives_way_to_that_of_the_key() -> None:
    letter(partition=40)
    (target,) = plan_redrive(all_letters(), AT).targets
    assert 0 <= target.partition < 12


def test_another_choice_is_another_plan() -> None:
    letter("task-1", 1)
    before = plan_redrive(all_letters(), AT).digest
    letter("task-2", 2)
    assert plan_redrive(all_letters(), AT).digest != before
