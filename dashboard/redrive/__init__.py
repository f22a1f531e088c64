"""Redrive: put dead letters back where they came from, once, and follow each to its result.

`plan` says what would happen and changes nothing. `order` saves exactly that plan: one row of the outbox a letter,
in one transaction with the audit trail, sent by the relay like every decision. `following` watches what becomes of
them. A late or double order changes nothing: the same redrive id is the same redrive, and a letter is in one only.
"""

from dashboard.redrive.order import discard, redrive
from dashboard.redrive.plan import Plan, plan_discard, plan_redrive

__all__ = ["Plan", "discard", "plan_discard", "plan_redrive", "redrive"]
