"""Records that mean harm, deterministic by seed: nothing of them may stop a reader or do anything in a browser.

Every text of the catalogue's schemas and every attribute that is text carries something a careless page would run
or a careless terminal would obey; numbers are too large, structures too deep, headers and bodies broken in every
way that bytes can be.
"""

import json
import random
import re
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import inspect

from coordination.attributes import MAX_RECORD_BYTES
from coordination.eventlog import NewRecord
from coordination.eventlog import record_bytes as size_of
from coordination.events import CATALOGUE, EventType
from coordination.instants import rfc3339
from coordination.manifest import TOPICS, Manifest
from tests.benchmarks.workload import START

# What runs sets this in the page that shows it, or brings an element that `PLANTED` finds.
RAN: Final = "window.__ran = (window.__ran || 0) + 1"
PLANTED: Final = "[data-planted], img[src='x'], iframe, object, embed, a[href^='javascript' i]"
SCRIPTS: Final = (
    f"<script>{RAN}</script>",
    f'"><script data-planted>{RAN}</script>',
    f"<img src=x data-planted onerror='{RAN}'>",
    f"</script><script>{RAN}</script><script>",
    f"<svg data-planted onload='{RAN}'></svg>",
    f"' onmouseover='{RAN}' data-planted='",
    f"javascript:{RAN}//",
    f"<iframe srcdoc='<script>parent.{RAN}</script>'></iframe>",
    f"<!--<script>--><style>*{{}}</style></title></textarea></template><script>{RAN}</script>",
    "{{ 7*7 }}{% debug %}${7*7}#{7*7}",
    f"<a href='javascript:{RAN}' data-planted>here</a>",
    "]]>&lt;b&gt;&#60;i data-planted&#62;\\u003cb data-planted\\u003e",
)
BIDIRECTIONAL: Final = (
    *("safe\u202egnp.exe", "\u2066a\u2069\u2067b\u2069", "\u200fright\u200e", "\u061cx", "a\u200bb\ufeffc"),
)
CONTROL: Final = ("bell\x07", "\x1b[31mred\x1b[0m", "nul\x00here", "a\x08b", "\x9bc1", "line\u2028sep\u2029", "\x7f")
ODD: Final = ("", " ", "x" * 4_000, "Z\u0341\u0342" * 200, "\U0001f9d1\u200d\U0001f4bb" * 20, "..", "../../etc/passwd",
              "__proto__", "constructor", "toString", "%2e%2e%2f", "a/b?c=d#e", "null", "NaN", "-1",
              "'; DROP TABLE x;--", "\\", "\ufdfd" * 30, "\ud7ff\ue000\uffff")  # fmt: skip
# Ids that attributes may hold: printable, or at least not control characters.
IDS: Final = (
    "<img src=x data-planted onerror=alert(1)>",
    "\"><script>window.__ran=1</script>",
    "../../../secret",
    "run with blanks and ünïcödé",
    "__proto__",
    "a/b/tasks/c",
    "tasks",
    "?query=state:failed#top",
    "%2e%2e/%00",
    "safe\u202eexe.nur",
    "x" * 128,
    "javascript:alert(1)",
)  # fmt: skip
NUMBERS: Final = (0, 1, -1, 2**31 - 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 10**30, -(10**30))
TIMES: Final = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-02-30T00:00:00Z", "1969-12-31T23:59:60Z",
                "2026-01-01", "now", "2026-01-01T00:00:00+14:00", "9999-12-31T23:59:59-23:59", "",
                "٢٠٢٦-٠١-٠١T٠٠:٠٠:٠٠Z")  # fmt: skip
NAMES: Final = ("ce_id", "ce_source", "ce_type", "ce_specversion", "ce_time", "ce_taskid", "ce_correlationid",
                "ce_agentid", "ce_attempt", "ce_fanoutindex", "ce_fanoutcount", "ce_expirytime", "ce_foldkey",
                "ce_tenant", "ce_partitionkey", "ce_subject", "content-type", "ce_", "ce_" + "n" * 80, "ce_<b>",
                "__dlq.errors.offset", "ce_traceparent", "ce_dataref", "ce_dataschema")  # fmt: skip

# What pages show the most of.
SHOWN: Final = (
    *("run.started", "task.requested", "task.requested", "task.started", "task.failed", "task.completed"),
    *("fanout.opened", "approval.requested", "approval.requested", "tool.call.completed", "model.call.completed"),
    *("agent.registered", "task.paused", "approval.denied", "decision.refused", "task.attempt.failed"),
)


class Hostile:
    """`records(count)` gives that many, of all kinds. They fit onto a log: at most 1 MiB each."""

    def __init__(self, seed: int, *, namespace: str = "coord") -> None:
        self._random = random.Random(seed)
        self._manifest = Manifest(namespace)
        self._number = 0
        self._topics = tuple(self._manifest.topic_named(family) for family in TOPICS)

    def records(self, count: int) -> list[NewRecord]:
        """The next `count` records."""
        kinds: tuple[Callable[[], NewRecord], ...] = (
            *(self._poisoned,) * 10,
            *(self._fuzzed_headers, self._truncated, self._wrong_types, self._anything, self._structured) * 2,
            *(self._deep, self._misplaced, self._dead_letter, self._tombstone, self._extremes),
        )
        return [self._large() if self._random.random() < 0.004 else self._one_of(kinds)() for _ in range(count)]

    def _one_of(self, some: Any) -> Any:
        return some[self._random.randrange(len(some))]

    def _poisoned(self) -> NewRecord:
        """An event as its schema says, with harm in every text."""
        names = SHOWN if self._random.random() < 0.4 else tuple(CATALOGUE)
        entry = CATALOGUE[self._one_of(names)]
        return self._event(entry, _Filled(self._random, entry).data())

    def _event(self, entry: EventType, data: Any, **attributes: str) -> NewRecord:
        self._number += 1
        run, task = self._one_of(IDS), f"{self._one_of(IDS)[:100]}{self._random.randrange(8)}"
        given = {
            "specversion": "1.0",
            "id": f"{self._number}{self._one_of(IDS)}"[:128],
            "source": f"/x/{self._one_of(IDS)}",
            "type": entry.type,
            "time": rfc3339(START + self._number * 1_000),
            "subject": f"{entry.subject}/{task}",
            "correlationid": run,
            "taskid": task,
            "agentid": f"agent-{self._one_of(IDS)[:60]}",
            "agentgroup": self._one_of(IDS)[:60],
            "targetgroup": self._one_of(IDS)[:60],
            "attempt": str(self._random.choice((1, 2, 3, 2**31 - 1))),
            "fanoutid": self._one_of(IDS[:3]),
            "fanoutindex": str(self._random.choice((0, 1, 2, 2**31 - 1))),
            "foldkey": self._one_of(("", "__proto__", "<b>", "aa")),
            "parenttaskid": self._one_of(IDS),
            "partitionkey": task,
        } | attributes
        headers = tuple((f"ce_{name}", value.encode()) for name, value in given.items() if value)
        value = json.dumps(data).encode()
        return NewRecord(self._manifest.topic_named(entry.topic), task.encode(), value, headers)

    def _fuzzed_headers(self) -> NewRecord:
        headers = list(self._poisoned().headers)
        for _ in range(self._random.randrange(1, 4)):
            place = self._random.randrange(len(headers) + 1)
            headers.insert(place, (self._one_of(NAMES), self._bytes(self._random.choice((0, 3, 20, 300, 9_000)))))
        if self._random.random() < 0.2:
            headers += [(f"ce_x{number}", b"1") for number in range(45)]
        if self._random.random() < 0.3:
            self._random.shuffle(headers)
            headers = headers[: self._random.randrange(len(headers))]
        return NewRecord(self._one_of(self._topics), self._bytes(8), b"{}", tuple(headers))

    def _truncated(self) -> NewRecord:
        record = self._poisoned()
        value = record.value or b"{}"
        return msgspec.structs.replace(record, value=value[: self._random.randrange(len(value))])

    def _wrong_types(self) -> NewRecord:
        entry = self._one_of(tuple(CATALOGUE.values()))
        data = _Filled(self._random, entry).data()
        for field in data:
            if self._random.random() < 0.4:
                data[field] = self._one_of(([], {}, 7, True, None, [[]], {"$ref": "#"}, "text", [None], -(2**70)))
        return self._event(entry, self._one_of((data, data, data, [data], "text", 7, None)))

    def _anything(self) -> NewRecord:
        length = self._random.choice((0, 1, 5, 200, 3_000))
        headers = tuple((self._one_of(NAMES), self._bytes(5)) for _ in range(self._random.randrange(4)))
        return NewRecord(self._one_of(self._topics), self._bytes(4) or None, self._bytes(length), headers)

    def _structured(self) -> NewRecord:
        record = self._poisoned()
        envelope = {name[3:]: value.decode() for name, value in record.headers}
        envelope |= self._one_of(({}, {"id": 7}, {"data_base64": "%%%"}, {"time": None}, {"type": ["x"]}))
        body = json.dumps({**envelope, "data": self._one_of(({}, "x", None, 7))}).encode()
        framed, marked = b"\x00\x00\x00\x00\x01" + body, b"\xef\xbb\xbf" + body
        body = self._one_of((body, body[:-5], b"[" + body + b"]", marked, framed))
        kind = self._one_of(("application/cloudevents+json", "application/cloudevents+json; charset=x", "text/html"))
        return msgspec.structs.replace(record, value=body, headers=(("content-type", kind.encode()),))

    def _deep(self) -> NewRecord:
        record, depth = self._poisoned(), self._random.choice((50, 500, 20_000))
        value = self._one_of((b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth, b"[" * depth))
        return msgspec.structs.replace(record, value=value)

    def _large(self) -> NewRecord:
        """As large as a record may be, to the byte."""
        record = self._poisoned()
        data = {"title": self._one_of(SCRIPTS), "note": "", "task_type": "large", "input": {"text": ""}}
        empty = json.dumps(data).encode()
        left = MAX_RECORD_BYTES - size_of(msgspec.structs.replace(record, value=empty))
        room = left - self._random.choice((0, 1, 40))
        return msgspec.structs.replace(record, value=empty[:-3] + b"y" * room + empty[-3:])

    def _misplaced(self) -> NewRecord:
        return msgspec.structs.replace(self._poisoned(), topic=self._one_of(self._topics))

    def _dead_letter(self) -> NewRecord:
        family = self._one_of([name for name, spec in TOPICS.items() if spec.dead_letters])
        said = (("topic", self._text()), ("partition", "-7"), ("offset", "9" * 40), ("message", self._text()))
        headers = tuple((f"__dlq.errors.{name}", text.encode(errors="replace")) for name, text in said)
        record = self._one_of((self._poisoned, self._anything, self._truncated))()
        ours = ("coordination.errors.exception", self._text().encode(errors="replace"))
        headers = (*record.headers, *headers, ours, ("kafka_dlt-original-offset", b"\xff" * 8))
        return msgspec.structs.replace(record, topic=self._manifest.topic_named(family), headers=headers)

    def _tombstone(self) -> NewRecord:
        return msgspec.structs.replace(self._poisoned(), value=None, topic=self._one_of(self._topics))

    def _extremes(self) -> NewRecord:
        entry = self._one_of(tuple(CATALOGUE.values()))
        attributes = {
            "time": self._one_of(TIMES),
            "expirytime": self._one_of(TIMES),
            "attempt": self._one_of(("0", "-1", "2147483648", "1e9", "٣", "9" * 16)),
            "sequence": self._one_of(("9" * 64, "-1", "x")),
            "traceparent": self._text()[:100].replace("\x00", ""),
        }
        kept = {name: text for name, text in attributes.items() if self._random.random() < 0.5}
        return self._event(entry, _Filled(self._random, entry).data(), **kept)

    def _text(self) -> str:
        return str(self._one_of(self._one_of((SCRIPTS, BIDIRECTIONAL, CONTROL, ODD))))

    def _bytes(self, length: int) -> bytes:
        return self._random.randbytes(length)


class _Filled:
    """Data of one schema, with harm in every text."""

    def __init__(self, rng: random.Random, entry: EventType) -> None:
        self._random = rng
        self._entry = entry

    def data(self) -> dict[str, Any]:
        """The fields; optional ones are left out now and then."""
        return self._struct(inspect.type_info(self._entry.schema), 0)

    def _struct(self, kind: Any, depth: int) -> dict[str, Any]:
        return {
            field.encode_name: self._value(field.type, field.encode_name, depth + 1)
            for field in kind.fields
            if field.required or self._random.random() < 0.8
        }

    def _value(self, kind: Any, name: str, depth: int) -> Any:
        if name.endswith(("_at", "until")) or name == "deadline":
            return self._random.choice(("2026-05-01T12:00:00Z",) * 30 + TIMES)
        match kind:
            case inspect.Metadata():
                return self._value(kind.type, name, depth)
            case inspect.StrType():
                return self._text(kind, name)
            case inspect.IntType():
                least = kind.ge if kind.ge is not None else -(10**31)
                return self._random.choice([one for one in NUMBERS if one >= least])
            case inspect.FloatType():
                return self._random.choice((0.0, 0.5, 1e308, 5e-324))
            case inspect.BoolType():
                return self._random.random() < 0.5
            case inspect.LiteralType():
                return self._random.choice(kind.values)
            case inspect.StructType():
                return self._struct(kind, depth)
            case inspect.UnionType():
                return self._value(self._random.choice(kind.types), name, depth)
            case inspect.ListType() | inspect.VarTupleType() | inspect.SetType():
                return [self._value(kind.item_type, name, depth) for _ in range(self._random.randrange(3))]
            case inspect.DictType():
                return {self._harm(): self._value(kind.value_type, name, depth) for _ in range(2)}
            case inspect.NoneType():
                return None
        return self._random.choice((self._harm(), {self._harm(): [self._harm()]}, [2**70], {"__proto__": {}}))

    def _text(self, kind: inspect.StrType, name: str) -> str:
        if kind.pattern:
            return next(text for text in ("0" * 64, "12.50", "all", "x") if re.search(kind.pattern, text))
        if name.endswith("_id") or kind.max_length is not None:
            return str(self._random.choice(IDS))[: kind.max_length or 128] or "x"
        return self._harm()

    def _harm(self) -> str:
        return str(self._random.choice(self._random.choice((SCRIPTS, BIDIRECTIONAL, CONTROL, ODD))))
