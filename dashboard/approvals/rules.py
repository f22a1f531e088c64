"""Policy rules: written as drafts, tried on history, switched on with an end, stopped at once (approvals.md, 12, 17).

Every act is in the audit trail. A rule that decides does it as a person would: under the row lock, if the request is
still pending, with the same records; the decision names rule and version. While ingest is stale, or the kill switch
is thrown, rules decide nothing.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from django.db import transaction

from coordination.approvals import decision_id
from coordination.errors import CoordinationError
from coordination.events.approval import Policy
from coordination.policyrules import DryRun, Facts, Terms, dry_run, matches, wrong
from coordination.requests import Request as RequestRow
from coordination.visible import warnings
from dashboard.approvals.announcement import announce
from dashboard.approvals.decisions import end, validity
from dashboard.approvals.persons import voter_of
from dashboard.approvals.records import Verdict
from dashboard.approvals.review import Review, locked
from dashboard.approvals.riskrules import risk_of
from dashboard.audit import enter
from dashboard.clock import database_now
from dashboard.models import Approval, ApprovalRule, Decision, KillSwitch, Request

HISTORY: Final = 1_000
DAY: Final = 86_400_000_000
LONGEST: Final = 90 * DAY
State = ApprovalRule.State
_REQUEST: Final = msgspec.json.Decoder(RequestRow)


class RuleRefused(CoordinationError):
    """A rule may not be written or switched on like this; the message says why."""

    code = "rule_refused"


def draft(name: str, terms: Terms, expires_at: int, user: Any) -> ApprovalRule:
    """A new version of a rule, which does nothing yet; its dry run is kept with it. Raises RuleRefused."""
    now = database_now()
    faults = wrong(terms)
    if not name.strip():
        faults.append("Give the rule a name.")
    if not now < expires_at <= now + LONGEST:
        faults.append("A rule ends within 90 days; choose a date before that.")
    if faults:
        raise RuleRefused(" ".join(faults))
    tried = try_out(terms)
    with transaction.atomic():
        _hold(name)
        last = ApprovalRule.objects.filter(name=name).order_by("-version").first()
        made = ApprovalRule.objects.create(
            name=name,
            version=last.version + 1 if last else 1,
            terms=msgspec.to_builtins(terms),
            expires_at=expires_at,
            created_at=now,
            created_by=user.get_username(),
            dry_run={"of": tried.of, "matched": tried.matched, "by_people": dict(tried.by_people), "text": tried.text},
        )
        _enter(user, "rule.drafted", made, {"terms": made.terms, "dry_run": tried.text})
        return made


def activate(name: str, version: int, user: Any) -> ApprovalRule:
    """Switch a draft on; the version that was active until now is replaced. Raises RuleRefused."""
    with transaction.atomic():
        now = _hold(name)
        rule = ApprovalRule.objects.select_for_update().filter(name=name, version=version, state=State.DRAFT).first()
        if rule is None:
            raise RuleRefused("Only a draft can be switched on; write a new version.")
        if rule.expires_at <= now:
            raise RuleRefused("This draft has expired; write a new version.")
        ended = {"state": State.REPLACED, "ended_at": now, "ended_by": user.get_username()}
        ApprovalRule.objects.filter(name=name, state=State.ACTIVE).update(**ended)
        rule.state, rule.activated_at, rule.activated_by = State.ACTIVE, now, user.get_username()
        rule.save()
        _enter(user, "rule.activated", rule, {"expires_at": rule.expires_at})
        return rule


def stop(name: str, user: Any) -> None:
    """Stop the active version of a rule, at once."""
    with transaction.atomic():
        now = _hold(name)
        for rule in ApprovalRule.objects.select_for_update().filter(name=name, state=State.ACTIVE):
            rule.state, rule.ended_at, rule.ended_by = State.STOPPED, now, user.get_username()
            rule.save()
            _enter(user, "rule.stopped", rule, {})


def throw(thrown: bool, user: Any, reason: str = "") -> KillSwitch:
    """Stop all automatic decisions, or let them go on."""
    with transaction.atomic():
        switch, _ = KillSwitch.objects.select_for_update().get_or_create(name="approvals")
        switch.thrown, switch.by, switch.at, switch.reason = thrown, user.get_username(), database_now(), reason
        switch.save()
        enter(voter_of(user), "rules.stopped" if thrown else "rules.resumed", "rules", {"reason": reason})
        return switch


def switch() -> KillSwitch:
    """The kill switch as it stands."""
    return KillSwitch.objects.filter(pk="approvals").first() or KillSwitch()


def in_force() -> list[ApprovalRule]:
    """The rules that decide now, oldest first: the first that matches decides; none while the switch is thrown."""
    if switch().thrown:
        return []
    now = database_now()
    return list(ApprovalRule.objects.filter(state=State.ACTIVE, expires_at__gt=now).order_by("activated_at", "name"))


def apply(approval_id: str, version: int, rule: ApprovalRule) -> bool:
    """Let a rule decide a request; False when it does not match, or was stopped, or somebody was first."""
    with transaction.atomic():
        review = locked(approval_id)
        if not review.open or review.approval.version != version or review.votes or not review.proven:
            return False
        # Whoever stops a rule waits for this, or this finds it stopped: after "stopped" nothing is decided.
        held = ApprovalRule.objects.select_for_update().filter(pk=rule.pk, state=State.ACTIVE).first()
        killed = KillSwitch.objects.select_for_update().filter(pk="approvals").first()
        stopped = killed is not None and killed.thrown
        expires_at = review.approval.expires_at
        over = expires_at is not None and expires_at <= review.now
        if held is None or held.expires_at <= review.now or stopped or over or not _matches(held, review):
            return False
        _decide(review, held)
        announce(approval_id)
        return True


def _matches(rule: ApprovalRule, review: Review) -> bool:
    return matches(terms_of(rule), facts_of(review.request, risk_of(review.request)[0]))


def _decide(review: Review, rule: ApprovalRule) -> None:
    approval, terms = review.approval, terms_of(rule)
    verdict = Verdict(
        decision_id=decision_id(approval.approval_id, approval.version, approval.round),
        decision=terms.decision,
        by="policy",
        at=review.now,
        valid_until=validity(review),
        feedback=f"By rule {rule.name}, version {rule.version}.",
        rule=rule.name,
        rule_version=rule.version,
    )
    end(review, verdict, decided_by=f"rule {rule.name}, version {rule.version}")
    detail = {"version": approval.version, "rule": rule.name, "rule_version": rule.version}
    about = f"approval/{approval.approval_id}"
    enter(
        "policy", "approval.decided", about, detail | {"decision": terms.decision, "decision_id": verdict.decision_id}
    )


def terms_of(rule: ApprovalRule) -> Terms:
    """What a version matches."""
    return msgspec.convert(rule.terms, Terms)


def facts_of(request: RequestRow, risk: str) -> Facts:
    """A request as a rule sees it."""
    action = request.action if isinstance(request.action, dict) else {}
    try:
        policy = msgspec.convert(request.policy or {}, Policy)
    except msgspec.ValidationError:
        policy = Policy(rule="all", required_groups=("nobody",))
    return Facts(
        action=str(action.get("name") or ""),
        target=str(action.get("target") or ""),
        args=action.get("args"),
        agent_group=request.agent_group,
        risk=risk,
        reversibility=request.reversibility,
        kind=request.kind,
        allowed=request.allowed,
        policy=policy,
        disguised=bool(warnings(action)),
    )


def try_out(terms: Terms) -> DryRun:
    """What a rule with these terms would have done to the last thousand requests that ended."""
    return dry_run(terms, ((facts, verdict) for facts, verdict, _ in history()))


def disagreed(terms: Terms, limit: int = 20) -> list[Approval]:
    """The requests among those that the rule would have decided otherwise than people did, newest first."""
    other = "reject" if terms.decision == "approve" else "approve"
    found = [approval for facts, verdict, approval in history() if verdict == other and matches(terms, facts)]
    return found[:limit]


def history() -> Iterator[tuple[Facts, str, Approval]]:
    """The last thousand requests that ended, each with what a person decided (empty: none did), newest first."""
    ended = Approval.objects.exclude(state__in=(Approval.State.PENDING, Approval.State.WITHDRAWN))
    approvals = list(ended.order_by("-decided_at")[:HISTORY])
    ids = [each.approval_id for each in approvals]
    requests = dict(Request.objects.filter(approval_id__in=ids).values_list("approval_id", "body"))
    decided = Decision.objects.filter(kind="decision", person__isnull=False, approval_id__in=ids).exclude(
        state="undone"
    )
    verdicts = {(one, version): word for one, version, word in decided.values_list("approval_id", "version", "verdict")}
    for approval in approvals:
        if approval.approval_id in requests:
            facts = facts_of(_REQUEST.decode(requests[approval.approval_id]), approval.risk)
            yield facts, verdicts.get((approval.approval_id, approval.version), ""), approval


def _hold(name: str) -> int:
    """Acts on one rule come one after the other: behind the lock on its versions. Returns the database's clock."""
    list(ApprovalRule.objects.select_for_update().filter(name=name).values_list("pk"))
    return database_now()


def _enter(user: Any, act: str, rule: ApprovalRule, detail: dict[str, Any]) -> None:
    enter(voter_of(user), act, f"rule/{rule.name}", {"version": rule.version, **detail})
