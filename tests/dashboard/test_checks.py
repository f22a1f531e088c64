"""Wrong settings are named by `manage.py check`, each with an id and a hint."""

import pytest
from django.core.checks import run_checks
from django.test import override_settings

from dashboard.environment import Problem


def found(**settings) -> dict[str, str]:
    with override_settings(**settings):
        return {check.id: check.hint for check in run_checks(tags=["lineside"], include_deployment_checks=True)}


def test_the_defaults_are_right():
    assert found() == {}


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"LINESIDE_PROBLEMS": (Problem("lineside.E003", "m", "h"),)}, "lineside.E003"),
        ({"LINESIDE_LOG": "kafka://h:9092?nonsense=1"}, "lineside.E010"),
        ({"LINESIDE_TOPICS": "/nowhere/topics.toml"}, "lineside.E011"),
        ({"LINESIDE_CHANNELS": "memcached://h"}, "lineside.E012"),
        ({"LINESIDE_NAMESPACE": "Coord"}, "lineside.E013"),
        ({"LINESIDE_TENANT": "a b"}, "lineside.E014"),
        ({"LINESIDE_LOCAL": False, "LINESIDE_CHANNELS": "redis://h"}, "lineside.W001"),
        (
            {"LINESIDE_LOCAL": False, "DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql"}}},
            "lineside.W002",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_what_is_wrong_is_named_with_what_to_do(wrong, expected):
    checks = found(**wrong)
    assert set(checks) == {expected}
    assert checks[expected]


@pytest.mark.parametrize("good", ["kafka://a:9092,b:9092", "sqlite:///x", "memory://"])
def test_good_addresses_pass(good):
    assert found(LINESIDE_LOG=good) == {}
