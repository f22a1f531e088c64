"""Sending what is due: one mail a person, however much waits; one signed POST a webhook and notice.

What cannot be sent is tried again after ever longer pauses and is dead after the last one, with the reason on the
request's page. What was decided meanwhile is not sent any more. A try that was interrupted is made again, so a
listener may hear of a notice twice: its number tells.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec
from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse

from coordination.instants import rfc3339
from coordination.visible import visible
from dashboard import webhooks
from dashboard.api.queue import rows_of
from dashboard.approvals.announcement import tell
from dashboard.approvals.review import touch
from dashboard.clock import database_now
from dashboard.models import Approval, Notice, Request

AT_ONCE: Final = 200
SAID: Final = (
    *("approval_id", "request_version", "state", "title", "risk"),
    *("due_at", "expires_at", "agent_group", "run_id"),
)
"""What a webhook is told: no arguments, they are behind the right to see them."""
State = Notice.State


def send_due() -> int:
    """Send what is due; returns how many notices were settled or tried."""
    now = database_now()
    due = list(
        Notice.objects.filter(state=State.WAITING, due_at__lte=now)
        .select_related("person", "webhook")
        .order_by("due_at", "pk")[:AT_ONCE]
    )
    wanted = _without_moot(due)
    by_person: dict[int, list[Notice]] = {}
    for notice in wanted:
        if notice.person_id is not None:
            by_person.setdefault(notice.person_id, []).append(notice)
        else:
            _try([notice], lambda notice=notice: call(notice))  # type: ignore[misc]
    for notices in by_person.values():
        _try(notices, lambda notices=notices: mail(notices))  # type: ignore[misc]
    changed = sorted({notice.approval_id for notice in due})
    for approval_id in changed:
        touch(approval_id)
    if changed:
        tell(changed)
    return len(due)


def _without_moot(due: Sequence[Notice]) -> list[Notice]:
    """Without what nobody needs to hear any more: people are told of what waits, webhooks of all."""
    ids = {notice.approval_id for notice in due}
    pending = dict(
        Approval.objects.filter(pk__in=ids, state=Approval.State.PENDING).values_list("approval_id", "version")
    )
    moot = [one for one in due if one.person_id is not None and pending.get(one.approval_id) != one.version]
    Notice.objects.filter(pk__in=[one.pk for one in moot]).update(state=State.MOOT)
    return [one for one in due if one not in moot]


def _try(notices: Sequence[Notice], act: Callable[[], None]) -> None:
    try:
        act()
    except Exception as error:  # whatever a mail server or a listener does, the others must be told
        _failed(notices, error)
    else:
        Notice.objects.filter(pk__in=[one.pk for one in notices]).update(
            state=State.SENT, sent_at=database_now(), error=""
        )


def _failed(notices: Iterable[Notice], error: Exception) -> None:
    words = str(error) if isinstance(error, webhooks.NotTaken) else f"{type(error).__name__}: {error}"[:500]
    for notice in notices:
        Notice.objects.filter(pk=notice.pk).update(**webhooks.failed(notice.tries + 1, words, database_now()))


def mail(notices: Sequence[Notice]) -> None:
    """One mail about all of these; its links open pages, and only a person on the page decides."""
    rows = _rows(notices)
    lines = [_line(notice, rows[notice.approval_id]) for notice in notices if notice.approval_id in rows]
    first = rows.get(notices[0].approval_id, {}).get("title", "a request")
    subject = f"Needs a decision: {first}" if len(lines) == 1 else f"{len(lines)} requests need a decision"
    foot = f"How you are told: {webhooks.address(reverse('notifications'))}"
    body = "\n\n".join([*lines, f"Opening a link decides nothing.\n{foot}"])
    person = notices[0].person
    assert person is not None
    EmailMessage(" ".join(subject.split())[:200], body, settings.DEFAULT_FROM_EMAIL, [person.email]).send()


def _line(notice: Notice, row: dict[str, Any]) -> str:
    due = f"due {row['due_at'][:16].replace('T', ' ')} UTC" if row["due_at"] else "no date"
    return f"{row['title']} ({notice.kind})\n{row['risk_label']}, {due}, asked by {row['asked_by']}\n{_link(notice)}"


def _link(notice: Notice) -> str:
    return webhooks.address(reverse("review", kwargs={"approval_id": notice.approval_id}))


def _rows(notices: Sequence[Notice]) -> dict[str, dict[str, Any]]:
    found = Request.objects.filter(approval_id__in=[one.approval_id for one in notices])
    return {row["id"]: row for row in rows_of(found, database_now())}


def call(notice: Notice) -> None:
    """POST a notice to its webhook. Raises NotTaken."""
    assert notice.webhook is not None
    row = _rows([notice]).get(notice.approval_id, {})
    said = {name: row.get(name) for name in SAID}
    body = msgspec.json.encode({"notice": notice.pk, "event": notice.kind, "url": _link(notice), **said})
    webhooks.post(notice.webhook, body, database_now())


def told_of(approval_id: str, version: int) -> list[str]:
    """What was told of a request to whom, a sentence each, for its page."""
    found = Notice.objects.filter(approval_id=approval_id, version=version).select_related("person", "webhook")
    return [_told(notice) for notice in found.exclude(state=State.MOOT).order_by("made_at", "pk")[:20]]


def _told(notice: Notice) -> str:
    to = f"e-mail to {notice.person.get_username()}" if notice.person else f"webhook {notice.webhook}"
    if notice.state == State.SENT:
        return f"{to} ({notice.kind}) sent {rfc3339(notice.sent_at or 0)[:19]}Z"
    if notice.state == State.DEAD:
        return f"{to} ({notice.kind}) given up after {notice.tries} tries: {visible(notice.error)}"
    again = f"{rfc3339(notice.due_at)[:19]}Z"
    if notice.tries:
        times = f"{notice.tries} of {webhooks.TRIES} times"
        return f"{to} ({notice.kind}) failed {times}, again {again}: {visible(notice.error)}"
    return f"{to} ({notice.kind}) goes out {again}"


def try_again(pk: int) -> bool:
    """Bring a dead notice back; False if it is not dead."""
    dead = Notice.objects.filter(pk=pk, state=State.DEAD)
    return bool(dead.update(state=State.WAITING, tries=0, due_at=database_now()))
