"""Each letter that was put back is followed to its result, whatever that is."""

from typing import Any

import pytest

from dashboard.clock import database_now
from dashboard.models import ConsumerGroup, DeadLetter, Decision, RedriveItem, Task
from dashboard.redrive.following import GRACE, Following
from tests.dashboard.redrive.letters import COMMANDS, command, given_up, keep, letter
from tests.dashboard.redrive.test_order import order
from tests.dashboard.scenes import group, partition, task

pytestmark = pytest.mark.django_db


def ordered(**fields: Any) -> RedriveItem:
    letter()
    order()
    published = {"state": "published", "positions": [[COMMANDS, 3, 900, database_now()], ["coord.ops.events", 0, 1, 0]]}
    Decision.objects.update(**(published | fields))
    return RedriveItem.objects.get()


def followed(turns: int = 2) -> RedriveItem:
    following = Following(lambda now: True)
    for _ in range(turns):
        following.look()
    return RedriveItem.objects.get()


def polled(commit: int) -> None:
    ConsumerGroup.objects.all().delete()
    group("payer", taken_at=database_now() + 1, partitions=[partition(3, waiting=0, commit=commit)])


def test_it_waits_until_the_relay_has_read_it_back() -> None:
    ordered(state="saved", positions=[])
    assert followed().state == "saved"


def test_published_it_says_where_it_stands_and_who_is_to_read_it() -> None:
    ordered()
    polled(850)
    item = followed()
    assert (item.state, item.offset, item.result) == ("published", 900, "waits for payer: its commit is 850")


def test_a_task_that_was_done_before_is_not_taken_for_the_result() -> None:
    ordered()
    task("task-1", state="failed", ended_at=database_now() - 10_000_000)
    polled(850)
    assert followed().state == "published"


@pytest.mark.parametrize(
    ("state", "result"), [("completed", "done"), ("failed", "failed"), ("canceled", "failed"), ("working", "running")]
)
def test_its_task_tells_the_result(state: str, result: str) -> None:
    ordered()
    task("task-1", state=state, ended_at=None if state == "working" else database_now() + 5)
    assert followed().state == result


def test_a_newer_letter_from_exactly_there_is_dead_again() -> None:
    ordered()
    again = keep(given_up(command("task-1"), 2, partition=3, offset=900))
    DeadLetter.objects.filter(pk=again.pk).update(redrives=1)
    item = followed()
    assert (item.state, item.again_id) == ("dead again", again.pk)
    assert "HTTPError" in item.result


def test_read_without_result_is_believed_only_after_a_while_and_never_over_unread_facts() -> None:
    ordered()
    polled(901)
    stale = Following(lambda now: False)
    fresh = Following(lambda now: True)
    for following in (stale, fresh):
        following.look()
        following.look()
        following._passed = {pk: at - GRACE for pk, at in following._passed.items()}
    stale.look()
    assert RedriveItem.objects.get().state == "published"
    fresh.look()
    assert RedriveItem.objects.get().state == "passed"


def test_what_is_too_late_to_send_is_open_again() -> None:
    ordered(state="late", positions=[])
    item = followed()
    assert item.state == "undeliverable"
    assert DeadLetter.objects.get().state == "open"
    order("order-2")
    assert RedriveItem.objects.count() == 2


def test_a_refusal_is_told_while_the_relay_tries_again() -> None:
    ordered(state="undeliverable", positions=[], error="no right to write")
    item = followed()
    assert (item.state, item.result) == ("saved", "no right to write")


def test_an_end_is_final() -> None:
    ordered()
    task("task-1", state="completed", ended_at=database_now() + 5)
    followed()
    Task.objects.update(state="failed")
    assert followed().state == "done"
