"""The rules of approvals, sweeper, steering and audit, and what the relay locks, hold on PostgreSQL as on SQLite."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RULES = (
    *("approvals", "sweep", "test_steering.py", "test_outbox.py", "test_audit.py", "test_clock.py"),
    "relay/test_relay.py::test_every_decision_is_one_fact_and_one_command_and_its_receipt_is_true[memory]",
    "relay/test_session.py::test_an_unknown_outcome_is_found_out_before_anything_is_sent_again",
    "relay/test_lease.py::test_a_relay_that_sleeps_past_its_lease_writes_nothing[memory]",
    "relay/test_lease.py::test_two_relays_share_the_shards_and_double_nothing[memory]",
    "relay/test_relay.py::test_past_its_validity_a_decision_is_not_sent_and_says_so[memory]",
)


def test_every_rule_holds_on_postgresql_too(database_url: str, tmp_path: Path) -> None:
    files = [str(ROOT / "tests" / "dashboard" / name) for name in RULES]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files],
        cwd=ROOT,
        env=os.environ | {"LINESIDE_DATABASE_URL": database_url, "LINESIDE_STATE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout
