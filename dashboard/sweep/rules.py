"""Policy rules at work: each new request is held against the rules in force, once for each set of rules."""

from typing import Final

from coordination.policyrules import matches
from dashboard.api.queue import request_of
from dashboard.approvals.rules import apply, facts_of, in_force, terms_of
from dashboard.models import Approval, Request

AT_ONCE: Final = 200


class Rules:
    """Remembers which requests no rule of the set in force matches, so that each is looked at once."""

    def __init__(self) -> None:
        self._set: tuple[int, ...] = ()
        self._after: dict[str, int] = {}

    def apply(self, *, fresh: bool) -> int:
        """Decide what the rules decide; returns how many. Nothing while ingest is stale: a reason against it may
        be unread."""
        rules = in_force() if fresh else []
        if tuple(rule.pk for rule in rules) != self._set:
            self._set, self._after = tuple(rule.pk for rule in rules), {}
        if not rules:
            return 0
        decided = 0
        for approval in self._unseen():
            self._after[approval.approval_id] = approval.version
            row = Request.objects.filter(pk=approval.approval_id, version=approval.version).first()
            if row is None:
                continue
            facts = facts_of(request_of(row), approval.risk)
            rule = next((one for one in rules if matches(terms_of(one), facts)), None)
            decided += rule is not None and apply(approval.approval_id, approval.version, rule)
        return decided

    def _unseen(self) -> list[Approval]:
        pending = list(Approval.objects.filter(state=Approval.State.PENDING).order_by("due_at", "approval_id"))
        open_ = {approval.approval_id for approval in pending}
        self._after = {one: version for one, version in self._after.items() if one in open_}
        unseen = [one for one in pending if self._after.get(one.approval_id) != one.version]
        return unseen[:AT_ONCE]
