"""Incidents: the same for the same chance, with fan-outs of 3 to 60."""

import random

from coordination.samples.incidents import incident, status_update


def test_an_incident_is_the_same_for_the_same_chance() -> None:
    assert incident(random.Random(5), 4400) == incident(random.Random(5), 4400)


def test_fan_outs_are_of_demo_size() -> None:
    some = [incident(random.Random(number), 4400 + number) for number in range(60)]
    assert all(6 <= one.metrics <= 12 and 3 <= one.shards <= 8 for one in some)
    assert min(one.topics for one in some) == 10
    assert max(one.topics for one in some) == 60


def test_a_title_names_the_incident() -> None:
    one = incident(random.Random(1), 4407)
    assert one.title.startswith("Investigate INC-4407, ")
    assert one.region in one.title


def test_a_status_update_says_where_and_until_when() -> None:
    text = status_update("cart-api", "eu-west", 30)["text"]
    assert "cart-api" in text
    assert "30 minutes" in text
