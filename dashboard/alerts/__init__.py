"""Alerts: what somebody should look at, one incident at a time, with its cause and where to look.

`conditions` says what is so now, `incidents` opens and closes rows by it, `calling` tells webhooks. `definitions` are
the same rules for Prometheus and Grafana.
"""

from dashboard.alerts.calling import call_due
from dashboard.alerts.incidents import look, silence

__all__ = ["call_due", "look", "silence"]
