"""Rules and dashboard are made of figures that there are, and are files their tools can read."""

import json
import re
from io import StringIO

import pytest
from django.core.management import call_command

from dashboard.alerts.definitions import PANELS, RULES, prometheus_rules
from tests.dashboard.scenes import group, viewer

FIGURE = re.compile(r"lineside_[a-z_]+")


@pytest.mark.django_db
def test_every_figure_they_name_is_among_the_metrics() -> None:
    group("payer", retention={"left_seconds": 60})
    told = set(FIGURE.findall(viewer().get("/metrics").content.decode()))
    named = {name for rule in RULES for name in FIGURE.findall(rule.expression)}
    named |= {name for panel in PANELS for line, _ in panel.lines for name in FIGURE.findall(line)}
    assert named <= told


def test_the_rule_file_has_every_rule_with_words_and_a_duration() -> None:
    text = prometheus_rules()
    assert text.startswith("groups:\n- name: lineside\n  rules:\n")
    for rule in RULES:
        assert f"  - alert: {rule.name}\n" in text
        assert re.fullmatch(r"\d+[smh]", rule.lasting)
    assert "\t" not in text


def test_the_commands_print_them() -> None:
    rules, board = StringIO(), StringIO()
    call_command("monitoring", "rules", stdout=rules)
    call_command("monitoring", "grafana", stdout=board)
    assert rules.getvalue() == prometheus_rules()
    panels = json.loads(board.getvalue())["panels"]
    assert [panel["title"] for panel in panels] == [panel.title for panel in PANELS]
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) == len(panels)
