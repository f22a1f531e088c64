"""One line when something breaks, one when it works again."""

import logging

from dashboard.outages import Outage


def test_it_is_said_once_however_often_it_fails(caplog):
    caplog.set_level(logging.INFO)
    outage = Outage(logging.getLogger("test"), "The log")
    for _ in range(50):
        outage.failed(OSError("no route"))
    outage.worked()
    outage.worked()
    assert [record.getMessage() for record in caplog.records] == [
        "The log is out of reach: no route",
        "The log is back after 50 failed tries.",
    ]


def test_the_next_outage_is_said_again(caplog):
    outage = Outage(logging.getLogger("test"), "The log")
    for _ in range(2):
        outage.failed(OSError())
        outage.worked()
    assert sum("out of reach" in record.getMessage() for record in caplog.records) == 2


def test_waiting_grows_to_five_seconds_and_begins_anew():
    outage = Outage(logging.getLogger("test"), "The log")
    waits = [outage.failed(OSError()) for _ in range(8)]
    assert waits[:4] == [0.25, 0.5, 1.0, 2.0]
    assert waits[-1] == 5.0
    outage.worked()
    assert outage.failed(OSError()) == 0.25
