"""The alerts as Prometheus rules and a Grafana dashboard, made of one table, so that neither drifts from the other.

`manage.py monitoring rules` and `manage.py monitoring grafana` print them. A test holds that every figure they name
is among those of `/metrics`.
"""

import json
from typing import Any, Final

import msgspec

from coordination.lag import Limits

SECOND: Final = 1_000_000
LIMITS: Final = Limits()


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One alert: what is so (PromQL), for how long, how grave, and what to tell people."""

    name: str
    expression: str
    lasting: str
    severity: str
    summary: str
    what_to_do: str


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """One picture: title, (PromQL, legend) of its lines, unit in Grafana's words."""

    title: str
    lines: tuple[tuple[str, str], ...]
    unit: str = "short"


RULES: Final = (
    Rule(
        name="LinesideGroupStalled",
        expression='lineside_group_verdict{verdict=~"stuck|unassigned|lost|flapping|rewound"} == 1',
        lasting="1m",
        severity="critical",
        summary="{{ $labels.group }} is {{ $labels.verdict }}",
        what_to_do="Open the group's page: it names the facts, the record at the head and the runs that wait.",
    ),
    Rule(
        name="LinesideGroupSlow",
        expression='lineside_group_verdict{verdict="slow"} == 1',
        lasting="5m",
        severity="warning",
        summary="{{ $labels.group }} does not keep up",
        what_to_do="Start more instances, or look at the hot partition that the group's page names.",
    ),
    Rule(
        name="LinesideRetention",
        expression=f"lineside_group_retention_seconds < {LIMITS.retention // SECOND}",
        lasting="1m",
        severity="critical",
        summary="{{ $labels.group }} will lose waiting records in {{ $value | humanizeDuration }}",
        what_to_do="Keep the topic longer, or get the group going before then.",
    ),
    Rule(
        name="LinesideRunsFailed",
        expression="increase(lineside_runs_failed_total[15m]) > 0",
        lasting="0m",
        severity="warning",
        summary="{{ $value | humanize }} runs failed within 15 minutes",
        what_to_do="The board names the first cause of each.",
    ),
    Rule(
        name="LinesideApprovalsOverdue",
        expression="lineside_approvals_overdue > 0",
        lasting="1m",
        severity="warning",
        summary="{{ $value }} approvals are past their time",
        what_to_do="The queue shows them first.",
    ),
    Rule(
        name="LinesideIngestBehind",
        expression="lineside_ingest_behind_seconds > 30",
        lasting="1m",
        severity="critical",
        summary="Pages show what was so {{ $value | humanizeDuration }} ago",
        what_to_do="Start a worker, see to the log; doctor says which.",
    ),
    Rule(
        name="LinesideGaps",
        expression="lineside_gaps > 0",
        lasting="0m",
        severity="critical",
        summary="Records are lost; a shard stands still",
        what_to_do="manage.py gaps lists them; the run book says how to go on.",
    ),
    Rule(
        name="LinesideNoIngest",
        expression='absent(lineside_workers{role="ingest"})',
        lasting="1m",
        severity="critical",
        summary="Nobody reads the log",
        what_to_do="Start manage.py worker.",
    ),
)
PANELS: Final = (
    Panel(title="Waiting tasks", lines=(("topk(10, lineside_group_waiting_tasks)", "{{group}}"),)),
    Panel(title="Age of the oldest", lines=(("topk(10, lineside_group_age_seconds)", "{{group}}"),), unit="s"),
    Panel(
        title="Tasks a minute",
        lines=(
            ("sum(lineside_group_arrived_per_minute)", "asked for"),
            ("sum(lineside_group_started_per_minute)", "started"),
        ),
    ),
    Panel(title="Groups by verdict", lines=(("sum by (verdict) (lineside_group_verdict)", "{{verdict}}"),)),
    Panel(title="Time until retention", lines=(("lineside_group_retention_seconds", "{{group}}"),), unit="s"),
    Panel(title="Open alerts", lines=(("sum by (kind) (lineside_alerts_open)", "{{kind}}"),)),
    Panel(title="Ingest behind", lines=(("lineside_ingest_behind_seconds", "seconds"),), unit="s"),
    Panel(
        title="Decisions",
        lines=(("sum by (stage) (lineside_decisions)", "{{stage}}"), ("lineside_approvals_overdue", "overdue")),
    ),
    Panel(
        title="Time to publish and to apply a decision, p95",
        lines=(
            (
                "histogram_quantile(0.95, sum by (le, stage) (rate(lineside_decision_seconds_bucket[5m])))",
                "{{stage}}",
            ),
        ),
        unit="s",
    ),
    Panel(
        title="Lost and found",
        lines=(
            ("lineside_dead_letters", "dead letters"),
            ("lineside_rejected_records", "rejected"),
            ("lineside_foreign_decisions_total", "decided by others"),
        ),
    ),
)


def prometheus_rules() -> str:
    """A rule file for Prometheus, YAML."""
    lines = ["groups:", "- name: lineside", "  rules:"]
    for rule in RULES:
        lines += [
            f"  - alert: {rule.name}",
            f"    expr: {json.dumps(rule.expression)}",
            f"    for: {rule.lasting}",
            f"    labels: {{severity: {rule.severity}}}",
            "    annotations:",
            f"      summary: {json.dumps(rule.summary)}",
            f"      description: {json.dumps(rule.what_to_do)}",
        ]
    return "\n".join(lines) + "\n"


def grafana_dashboard() -> str:
    """A dashboard for Grafana, JSON to import."""
    source = {"type": "prometheus", "uid": "${source}"}
    variable = {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
    board: dict[str, Any] = {
        "title": "Lineside",
        "uid": "lineside",
        "schemaVersion": 39,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [variable]},
        "panels": [_panel(number, panel, source) for number, panel in enumerate(PANELS)],
    }
    return json.dumps(board, indent=2) + "\n"


def _panel(number: int, panel: Panel, source: dict[str, str]) -> dict[str, Any]:
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": source,
        "gridPos": {"h": 8, "w": 8, "x": number % 3 * 8, "y": number // 3 * 8},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(65 + place), "datasource": source, "expr": expression, "legendFormat": legend}
            for place, (expression, legend) in enumerate(panel.lines)
        ],
    }
