"""Addresses quote whatever ids hold; positions are short where they can be."""

from dashboard.api.addresses import address, record_address, short_position, task_address


def test_every_part_of_an_address_is_quoted() -> None:
    assert address("runs", "a/b c") == "/runs/a%2Fb%20c/"
    assert task_address("r", "research/17") == "/runs/r/tasks/research%2F17/"


def test_a_position_that_is_not_known_has_no_address() -> None:
    assert record_address("", None, None) is None
    assert record_address("t", 0, None) is None
    assert record_address("t", 0, 0) == "/records/t/0/0/"


def test_positions_leave_the_namespace_out_but_never_of_dead_letters() -> None:
    assert short_position("coord.run.task.events", 4, 20_388) == "task.events-4@20388"
    assert short_position("dlq.coord.run", 0, 7) == "dlq.coord.run-0@7"
