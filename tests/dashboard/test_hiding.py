"""A secret in every field that is declared masked is on no page, in no answer, no export, no search, on no socket."""

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client
from msgspec import inspect

from coordination.encoding import new_event
from coordination.eventlog import NewRecord
from coordination.events import CATALOGUE
from coordination.requests import Request as RequestRow
from dashboard import live
from dashboard.hiding import WORDS
from dashboard.models import Audit, Request, Task
from dashboard.permissions import ensure_roles, may_unmask
from dashboard.policies import change
from dashboard.rebuild import rebuild
from dashboard.routes import Route, routes
from tests.dashboard import scenes
from tests.dashboard.ingest.conftest import append, drain, log
from tests.dashboard.ingest.picture import rows_in_tables
from tests.dashboard.test_rights import _person, address, query

__all__ = ["append", "drain", "log"]
SECRET = "tr0ub4dor-and-3"
START = 1_790_000_000_000_000
HEADERS = ("authorization", "*errors.message")
RULES: dict[str, Any] = {
    "whole": {"paths": ["**"], "headers": HEADERS},
    "words": {"paths": [f"**.{word}" for word in sorted({*WORDS, "name"} - {"facts"})], "headers": HEADERS},
    "classes": {"classes": ["Personal"], "headers": HEADERS},
}
STORY = ("run.started", "task.requested", "task.accepted", "task.started", "task.progressed", "tool.call.requested",
         "tool.call.completed", "model.call.completed", "task.artifact.produced", "task.checkpointed", "task.paused",
         "approval.requested", "approval.vote.recorded", "task.attempt.failed", "fanout.opened",
         "task.failed")  # fmt: skip
VARIANTS = ("", "format=csv", f"query={quote(SECRET)}", "until=2099-01-01T00:00:00Z")


def filled(kind: Any, name: str) -> Any:
    """A value of a schema's field: the secret wherever there are words, something plain elsewhere."""
    match kind:
        case inspect.Metadata():
            return filled(kind.type, name)
        case inspect.StructType():
            return {one.encode_name: filled(one.type, one.encode_name) for one in kind.fields}
        case inspect.UnionType():
            return filled(next(one for one in kind.types if not isinstance(one, inspect.NoneType)), name)
        case inspect.ListType() | inspect.VarTupleType():
            return [filled(kind.item_type, name)] if name in WORDS else []
        case inspect.DictType():
            return {}
        case inspect.AnyType():
            return {"deep": [f"{SECRET} in {name}"]} if name in WORDS else None
        case inspect.LiteralType():
            return kind.values[0]
        case inspect.IntType():
            return max(1, kind.ge or 0)
        case inspect.BoolType():
            return False
        case inspect.FloatType():
            return 0.5
        case inspect.DateTimeType():
            return "2026-09-21T14:13:20Z"
    if kind.pattern:
        return next(text for text in ("0" * 64, "12.50", "all", "x") if re.search(kind.pattern, text))
    return f"{SECRET} in {name}" if name in WORDS | {"name"} and kind.max_length is None else f"plain-{name}"[:30]


def record(kind: str, number: int, **extensions: str) -> NewRecord:
    """An event of the story with the secret in all its words."""
    data = filled(inspect.type_info(CATALOGUE[kind].schema), "")
    data |= {name: value for name, value in {"approval_id": "ask-1", "task_type": "research"}.items() if name in data}
    if kind == "approval.requested":
        data["policy"]["name"], data["action"]["name"] = "two", "mail.send"
        data["expires_at"] = data["due_at"] = "2099-01-01T00:00:00Z"
    made = new_event(
        kind, source="/agents/a", time=START + number * 1_000_000, id=f"e{number}", run_id="run-1", task_id="task-1",
        agent_id="payer-1", agent_group="payer", target_group="payer", attempt=1, fanout_id="fan-1", data=data,
        extensions=extensions,
    )  # fmt: skip
    return msgspec.structs.replace(made, headers=(*made.headers, ("authorization", SECRET.encode())))


def story(**extensions: str) -> list[NewRecord]:
    records = [record(kind, number, **extensions) for number, kind in enumerate(STORY)]
    letter = [
        ("__dlq.errors.message", f"{SECRET} in message".encode()),
        ("__dlq.errors.topic", b"coord.run.task.commands"),
    ]
    return [*records, NewRecord("dlq.coord.run", b"task-1", records[1].value, (*records[1].headers, *letter))]


@pytest.fixture
def told() -> list[Any]:
    """What was published to browsers: (about, rows)."""
    return []


@pytest.fixture(params=list(RULES))
def planted(
    request: Any,
    monkeypatch: Any,
    told: list[Any],
    transactional_db: None,
    append: Callable[..., None],
    drain: Callable[[], bool],
) -> str:
    """The story in the tables, read while the rules held."""
    ensure_roles()
    change("masking", RULES[request.param], "test")
    monkeypatch.setattr(live, "publish", lambda about, rows, *rest, **more: told.append((about, list(rows))))
    monkeypatch.setattr(live, "wanted", lambda about: True)
    append(story(dataclassification="personal"))
    assert drain()
    scenes.group()
    assert Request.objects.get().version > 0
    assert Task.objects.count() == 1
    return str(request.param)


def onlookers() -> Iterator[Client]:
    """A viewer, and somebody with every right but to decide and to look behind the mask."""
    curious = scenes.member("curious", "all")
    curious.user_permissions.remove(*Permission.objects.filter(codename__in=("decide_approval", "unmask_segment")))
    for person in (_person("viewer", None), User.objects.get(pk=curious.pk)):
        assert not may_unmask(person)
        client = Client(raise_request_exception=False)
        client.force_login(person)
        yield client


def asked(client: Client, route: Route) -> Iterator[tuple[str, bytes]]:
    """What a route answers: as it is, as a file, for a search, of the past."""
    path = address(route) + query(route)
    for extra in VARIANTS:
        where = f"{path}{'&' if '?' in path else '?'}{extra}" if extra else path
        answer = client.get(where)
        body = async_to_sync(whole)(answer) if answer.streaming else answer.content
        assert answer.status_code < 500, where
        yield where, body


async def whole(answer: Any) -> bytes:
    """What an answer streams."""
    return b"".join([part async for part in aiter(answer)])


def leaked(body: bytes) -> list[bytes]:
    """Where the secret stands in an answer; what was asked for is said again, which is no leak."""
    return re.findall(SECRET.encode() + rb" in \w+", body)


def test_no_route_export_or_search_shows_it(planted: str) -> None:
    assert_all_quiet(
        (where, body)
        for client in onlookers()
        for route in routes()
        if route.method == "GET" and route.capability is not None
        for where, body in asked(client, route)
    )


def test_no_search_finds_by_it(planted: str) -> None:
    for client in onlookers():
        for path in ("/api/v1/runs", "/api/v1/runs/run-1/tasks", "/api/v1/runs/run-1/events", "/api/v1/rejected"):
            answer = client.get(path, {"query": f'"{SECRET}"'})
            assert answer.status_code != 200 or answer.json()["items"] == [], path


def assert_all_quiet(answers: Any) -> None:
    count, found = 0, []
    for where, body in answers:
        count += 1
        found += [f"{where}: {set(words)}" for words in [leaked(body)] if words]
    assert count
    assert not found, "\n".join(found)


def test_nothing_that_is_told_to_browsers_holds_it(planted: str, told: list[Any]) -> None:
    assert {about.partition(":")[0] for about, _ in told} >= {"board", "run", "approvals"}
    assert leaked(msgspec.json.encode(told)) == []


def test_no_command_prints_or_writes_it(planted: str, tmp_path: Path) -> None:
    for form in ("csv", "json", "parquet"):
        path = tmp_path / f"events.{form}"
        call_command("export_events", str(path), "--by", "test", verbosity=0)
        assert path.stat().st_size > 500
        assert leaked(path.read_bytes()) == []
    out = io.StringIO()
    call_command("replay", "run-1", stdout=out)
    assert leaked(out.getvalue().encode()) == []


def test_rebuilt_rows_and_the_past_are_without_it_too(planted: str) -> None:
    rows = rows_in_tables()
    rebuild(lambda records, seconds: None)
    assert rows_in_tables() == rows
    shown = [row for row in rows.values() if not isinstance(row, RequestRow)]
    assert leaked(msgspec.json.encode(shown)) == []


def test_rows_of_before_a_rule_follow_by_a_rebuild(
    transactional_db: None,
    append: Callable[..., None],
    drain: Callable[[], bool],
) -> None:
    append(story())
    assert drain()
    assert SECRET in Task.objects.get().body
    change("masking", RULES["words"], "test")
    rebuild(lambda records, seconds: None)
    assert SECRET not in Task.objects.get().body


def test_who_decides_sees_all_that_is_decided(planted: str) -> None:
    client = Client()
    client.force_login(_person("reviewer", None))
    body = client.get("/api/v1/approvals/ask-1").content
    assert {b"in args", b"in question"} <= {words.partition(b" ")[2] for words in leaked(body)}


def test_a_record_can_be_looked_at_behind_the_mask_and_that_is_noted(planted: str) -> None:
    client = Client()
    client.force_login(scenes.member("officer", "all"))
    one = Task.objects.get()
    path = f"/records/{quote(one.command_topic)}/{one.command_partition}/{one.command_offset}/"
    assert leaked(client.get(path).content) == []
    assert leaked(client.post(path, {}).content)
    assert Audit.objects.filter(act="payload.unmasked").count() == 1
