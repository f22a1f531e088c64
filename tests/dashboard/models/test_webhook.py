"""Alert hooks and webhooks of former times become one list, with every row and every call that was planned."""

import json
from pathlib import Path

import pytest

from tests.installation import Installation

BEFORE = """
from django.db import connection
with connection.cursor() as do:
    for table in ("webhook", "alerthook"):
        for name, port in ((("ops", 1), ("both", 2)) if table == "webhook" else (("ops", 3), ("pager", 2))):
            do.execute(f"INSERT INTO dashboard_{table} (name, url, secret, active) VALUES (%s, %s, %s, %s)",
                       [name, f"http://127.0.0.1:{port}/", f"secret-{port}", True])
    do.execute("INSERT INTO dashboard_alert (incident_id, kind, subject, severity, title, cause, link, tenant, "
               "opened_at, seen_at, silenced) VALUES ('i', 'run', 'r', 'warning', 't', '', '', '', 1, 1, %s)", [False])
    do.execute("INSERT INTO dashboard_alertcall (event, state, due_at, tries, error, alert_id, hook_id) "
               "SELECT 'opened', 'waiting', 1, 2, 'answered 503', 'i', id FROM dashboard_alerthook")
"""
AFTER = """
import json
from dashboard.models import AlertCall, Webhook
print(json.dumps({
    "hooks": sorted(Webhook.objects.values_list("name", "url", "secret", "requests", "alerts")),
    "calls": sorted(AlertCall.objects.values_list("webhook__url", "alert_id", "tries", "error")),
}))
"""


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_every_row_is_kept(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    database = "" if kind == "sqlite" else request.getfixturevalue("database_url")
    with Installation(tmp_path, database=database) as old:
        old.manage("migrate", "dashboard", "0007", "-v", "0", "--skip-checks")
        old.manage("shell", "-v", "0", "-c", BEFORE)
        old.manage("migrate", "-v", "0", "--skip-checks")
        told = json.loads(old.manage("shell", "-v", "0", "-c", AFTER).splitlines()[-1])
    one, two, three = (f"http://127.0.0.1:{port}/" for port in (1, 2, 3))
    assert told["hooks"] == [
        ["both", two, "secret-2", True, True],
        ["ops", one, "secret-1", True, False],
        ["ops 2", three, "secret-3", False, True],
    ]
    assert told["calls"] == [[two, "i", 2, "answered 503"], [three, "i", 2, "answered 503"]]
