"""The policy of approvals: what a vote counts for, who wins, how risky it is, and what a timer does.

Pure functions of a request, its votes and *now*. Nothing here knows people by name: a voter is an opaque id with
groups. Instants are microseconds since 1970 UTC.

- A vote belongs to one (version, round). A higher request version voids all votes, an undo voids the round.
- Any reject ends the request at once (veto), whatever the quorum.
- Nobody in the `on_behalf_of` chain counts, nor a service, nor, where more than one vote is needed, whoever
  edited the arguments that would run: four eyes are not two.
- The first outcome under the row lock wins; everyone after it is told who won, when and with what.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from coordination.canonical import digest
from coordination.events.approval import Policy

NAMESPACE: Final = uuid.UUID("5f7c2f6e-6d9b-5d0e-9f55-3b1f6c1d4a10")
RISKS: Final = ("low", "medium", "high", "critical")
Decision = Literal["approve", "reject", "edit", "respond"]
AGREEING: Final = frozenset({"approve", "edit", "respond"})


class Ballot(msgspec.Struct, frozen=True, kw_only=True):
    """One vote as the policy sees it. `args_hash` is over the action that would run after this vote."""

    voter: str
    decision: str
    groups: frozenset[str] = frozenset()
    args_hash: str = ""
    edited_by: str = ""
    service: bool = False


class Standing(msgspec.Struct, frozen=True):
    """Where the votes stand: `granted`, `denied` or `pending`; `text` is the sentence the page shows.

    `have` of `need` votes count; `missing` are required groups without a vote; `ignored` maps a voter whose vote
    does not count to the reason.
    """

    state: Literal["pending", "granted", "denied"]
    have: int
    need: int
    missing: tuple[str, ...] = ()
    ignored: dict[str, str] = {}
    text: str = ""


def content_hash(action: Any) -> str:
    """SHA-256 (64 hex digits) over the RFC 8785 form of the whole action. Raises NotCanonical."""
    return digest(action)


def with_args(action: Mapping[str, Any], args: Any) -> dict[str, Any]:
    """The action with its arguments replaced as a whole: an edit is never a merge."""
    return {**action, "args": args}


def decision_id(approval_id: str, version: int, round_: int) -> str:
    """The id of the one decision of a round, the same however often it is made: UUIDv5 of the three."""
    return str(uuid.uuid5(NAMESPACE, f"{approval_id}\x1f{version}\x1f{round_}"))


def may_vote(voter: str, *, on_behalf_of: Iterable[str], service: bool, editor: str = "") -> str:
    """Why this voter's agreement does not count; empty if it does. A reject always counts."""
    if service:
        return "service accounts never vote"
    if voter in set(on_behalf_of):
        return "the task runs on behalf of this person"
    if editor and voter == editor:
        return "edited the arguments"
    return ""


def needed(policy: Policy) -> int:
    """How many agreeing votes the policy asks for."""
    if policy.rule == "quorum":
        several = len(policy.required_groups)
        # One of many is what `any` says; here it is a number that was left out, and asks for all of them.
        return policy.quorum if 1 < policy.quorum < several else max(policy.quorum, several, 1)
    if policy.rule == "all":
        return max(len(policy.required_groups), 1)
    return 1


def standing(policy: Policy, ballots: Sequence[Ballot], *, on_behalf_of: Iterable[str] = ()) -> Standing:
    """Evaluate the votes of one round, oldest first, as it is done under the row lock.

    With `any`, one vote is enough and, where groups are required, it must come from one of them. With `all`, each
    required group gives one. With `quorum`, n distinct people agree and every required group is among them; an n
    below the number of groups means any n of them. Nobody stands for two groups at once.
    Votes for other arguments than the last edit's do not count together with it.
    """
    chain = frozenset(on_behalf_of)
    need = needed(policy)
    if any(ballot.decision == "reject" and not ballot.service for ballot in ballots):
        return Standing("denied", 0, need, text="Rejected: one reject ends it.")
    valid_hash = next((b.args_hash for b in reversed(ballots) if b.decision == "edit"), None)
    editor = next((b.voter for b in reversed(ballots) if b.decision == "edit"), "")
    ignored: dict[str, str] = {}
    counting: dict[str, frozenset[str]] = {}
    for ballot in ballots:
        barred = editor if need > 1 else ""
        reason = may_vote(ballot.voter, on_behalf_of=chain, service=ballot.service, editor=barred)
        if not reason and valid_hash is not None and ballot.args_hash != valid_hash:
            reason = "agreed to the arguments before they were edited"
        if reason:
            ignored[ballot.voter] = reason
        else:
            counting[ballot.voter] = ballot.groups
    missing, enough = _shortfall(policy, counting, need)
    return Standing(
        "granted" if enough else "pending",
        len(counting),
        need,
        missing,
        ignored,
        _sentence(policy, len(counting), need, missing, enough),
    )


def _shortfall(policy: Policy, counting: Mapping[str, frozenset[str]], need: int) -> tuple[tuple[str, ...], bool]:
    required = policy.required_groups
    if policy.rule == "any":
        enough = any(not required or groups & set(required) for groups in counting.values())
        return (() if enough else tuple(required)), enough
    stood_for = _stood_for(required, counting)
    missing = tuple(group for group in required if group not in stood_for)
    enough = len(stood_for) >= min(need, len(required)) and len(counting) >= need
    return (() if enough else missing), enough


def _stood_for(required: Sequence[str], counting: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """As many of the groups as can be, each with a person of its own: a largest matching, by augmenting paths."""
    chosen: dict[str, str] = {}

    def place(group: str, tried: set[str]) -> bool:
        for person, groups in counting.items():
            if group not in groups or person in tried:
                continue
            tried.add(person)
            held = next((other for other, of in chosen.items() if of == person), None)
            if held is None or place(held, tried):
                chosen[group] = person
                return True
        return False

    for group in required:
        place(group, set())
    return chosen


def _sentence(policy: Policy, have: int, need: int, missing: tuple[str, ...], enough: bool) -> str:
    if enough:
        return f"{have} of {need}."
    if need < len(policy.required_groups):
        stand = len(policy.required_groups) - len(missing)
        return f"{stand} of {need}. Needs {_number(need - stand)} from {_listed(missing)}."
    if missing and policy.rule == "any":
        return f"{have} of {need}. Needs one from {' or one from '.join(missing)}."
    wanted = f" Needs one from {' and one from '.join(missing)}." if missing else f" Needs {_number(need - have)} more."
    return f"{have} of {need}.{wanted}"


def _number(count: int) -> str:
    return "one" if count == 1 else str(count)


def _listed(groups: Sequence[str]) -> str:
    return groups[0] if len(groups) == 1 else f"{', '.join(groups[:-1])} or {groups[-1]}"


class RiskRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule over facts that the agent cannot write: if it matches, the risk is at least `at_least`."""

    name: str
    version: int
    at_least: str
    action: str = ""
    agent_group: str = ""
    irreversible: bool | None = None
    without_preview: bool | None = None


def known_risk(word: str) -> str:
    """A risk word of the scale; an unknown word counts as high, because a guess downwards costs money."""
    return word if word in RISKS else "high"


def effective_risk(
    claimed: str,
    rules: Iterable[RiskRule],
    *,
    action: str,
    agent_group: str,
    reversibility: str,
    complete_preview: bool,
) -> tuple[str, tuple[str, ...]]:
    """(risk, reasons): the maximum of the agent's claim and every matching rule; never below the claim."""
    level, reasons = known_risk(claimed), [f"claimed {known_risk(claimed)} by the agent"]
    for rule in rules:
        matches = (
            (not rule.action or rule.action == action)
            and (not rule.agent_group or rule.agent_group == agent_group)
            and (rule.irreversible is None or rule.irreversible == (reversibility == "no"))
            and (rule.without_preview is None or rule.without_preview != complete_preview)
        )
        if matches:
            reasons.append(f"at least {rule.at_least} by rule {rule.name}, version {rule.version}")
            level = max(level, known_risk(rule.at_least), key=RISKS.index)
    return level, tuple(reasons)


class Step(msgspec.Struct, frozen=True):
    """One step of the timer: `name` is warn, escalate or expire, `at` when it is due (µs)."""

    name: str
    at: int


def steps(*, requested_at: int, due_at: int | None, expires_at: int | None) -> tuple[Step, ...]:
    """The timer's steps in order: warn at 80 % of the time to due, escalate when due, expire at expiry."""
    planned = []
    if due_at is not None:
        planned.append(Step("warn", requested_at + (due_at - requested_at) * 4 // 5))
        planned.append(Step("escalate", due_at))
    if expires_at is not None:
        planned.append(Step("expire", expires_at))
    return tuple(sorted(planned, key=lambda step: step.at))


def on_expiry(asked: str, *, risk: str, reversibility: str, ingest_fresh: bool) -> str:
    """What expiry really does: reject, escalate, wait or approve.

    To approve by silence is allowed for low risk and reversible actions alone, and not while ingest is stale;
    otherwise the safe answer, reject.
    """
    if asked in ("escalate", "wait"):
        return asked
    if asked == "approve" and risk == "low" and reversibility == "yes":
        return "approve" if ingest_fresh else "wait"
    return "reject"


def valid_until(expires_at: int | None, decided_at: int, validity: int | None) -> int | None:
    """Until when an agent may apply the decision (µs): the earlier of expiry and decision plus validity."""
    ends = [end for end in (expires_at, None if validity is None else decided_at + validity) if end is not None]
    return min(ends) if ends else None


def bulk_allowed(risk: str, count: int, *, same_action: bool, same_policy: bool) -> str:
    """Why these may not be decided together; empty if they may."""
    if not (same_action and same_policy):
        return "Only requests of the same action and policy can be decided together."
    if RISKS.index(known_risk(risk)) > RISKS.index("medium"):
        return "High risk is decided one by one."
    return "At most 50 at once." if count > 50 else ""


def queue_key(*, now: int, risk: str, due_at: int | None, requested_at: int | None) -> tuple[int, int, float, float]:
    """Order of the queue: overdue first, then risk (highest first), then due, then age."""
    overdue = due_at is not None and due_at < now
    return (
        0 if overdue else 1,
        -RISKS.index(known_risk(risk)),
        float("inf") if due_at is None else due_at,
        float("inf") if requested_at is None else requested_at,
    )
