"""Rules raise the risk, and a rule that is not understood lowers nothing."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from dashboard.models import Approval
from dashboard.sweep.adoption import adopt_new
from tests.dashboard.cast import PAY, ask
from tests.dashboard.sweep.sweeping import the_approval

pytestmark = pytest.mark.django_db


def test_a_rule_raises_the_risk_but_never_lowers_it(settings: Any) -> None:
    rules = [{"name": "payments", "version": 3, "at_least": "high", "action": "pay"}]
    (Path(settings.LINESIDE_STATE) / "risk-rules.json").write_bytes(msgspec.json.encode(rules))
    ask("ask-1", risk="low")
    ask("ask-2", risk="critical")
    ask("ask-3", risk="low", action=PAY | {"name": "note"})
    adopt_new()
    assert dict(Approval.objects.values_list("approval_id", "risk")) == {
        "ask-1": "high",
        "ask-2": "critical",
        "ask-3": "low",
    }


def test_rules_that_cannot_be_read_make_everything_high(settings: Any) -> None:
    (Path(settings.LINESIDE_STATE) / "risk-rules.json").write_text("{")
    ask(risk="low")
    adopt_new()
    assert the_approval().risk == "high"
