"""Policies: each change is in the trail with before and after, in one transaction; nonsense changes nothing."""

from io import StringIO
from typing import Any

import msgspec
import pytest
from django.core.management import CommandError, call_command

from dashboard import policies
from dashboard.models import Audit, Policy

pytestmark = pytest.mark.django_db


def test_a_change_is_in_the_trail_with_before_and_after() -> None:
    policies.change("retention", {"runs": 30}, "user-1")
    policies.change("retention", {"runs": 90, "failed": 365}, "user-2")
    last = Audit.objects.order_by("-number")[0]
    assert (last.act, last.actor, last.subject) == ("policy.changed", "user-2", "policy/retention")
    detail = msgspec.json.decode(last.detail)
    assert detail["before"]["runs"] == 30
    assert {name: days for name, days in detail["after"].items() if days} == {"runs": 90, "failed": 365}
    assert policies.keep_days() == 90


def test_without_a_policy_nothing_is_masked_and_everything_kept() -> None:
    assert len(policies.rules()) == 0
    assert policies.keep_days() is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("retention", {"runs": -1}), ("retention", {"runs": "x"}), ("masking", {"paths": 1}), ("other", {})],
)
def test_nonsense_is_refused_and_changes_nothing(name: str, value: Any) -> None:
    with pytest.raises(policies.BadPolicy):
        policies.change(name, value, "user-1")
    assert not Policy.objects.exists()
    assert not Audit.objects.exists()


def test_no_change_without_its_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(policies, "enter", broken)
    with pytest.raises(RuntimeError):
        policies.change("retention", {"runs": 1}, "user-1")
    assert not Policy.objects.exists()


def test_the_command_shows_and_changes() -> None:
    with pytest.raises(CommandError, match="--by"):
        call_command("policy", "masking", '{"paths": ["**.password"]}')
    call_command("policy", "masking", '{"paths": ["**.password"]}', by="ana", stdout=StringIO())
    out = StringIO()
    call_command("policy", "masking", stdout=out)
    assert "**.password" in out.getvalue()
    with pytest.raises(CommandError, match="masking makes no sense"):
        call_command("policy", "masking", '{"paths": 7}', by="ana")
