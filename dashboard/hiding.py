"""Events as rows, lists and pictures are made of them: without the words that masking hides.

Rows are searched, sent to every browser and told to others, so what is hidden must never come into them. Stored
records keep every byte; whoever may look behind the mask does so there. What tells things apart (ids, types, groups,
states, figures) is no word in this sense and stays, whatever a rule says: without it there is no picture. What a
decision is about stays in the request's own row, because who decides sees all of it (`api/reviewmask.py`).
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from coordination.envelope import Decoder
from coordination.event import Event
from coordination.eventlog import Record
from coordination.manifest import Manifest
from dashboard.masking import CLASSIFICATION, MASK, Rules, masked_data

WORDS: Final = frozenset(
    (
        *("title", "message", "stack", "note", "reason", "question", "comment", "feedback", "step", "detail", "cause"),
        *("input", "output", "args", "arguments", "result", "response", "before", "after", "risk_reasons", "facts"),
    )
)
NAMED: Final = frozenset(("run.started", "task.artifact.produced", "run.summary.updated"))
"""Types whose `name` is what people call a thing; elsewhere it tells actions and policies apart."""
DECIDED: Final = ("approval.", "decision.", "task.resume.")
LISTED: Final = frozenset(("title", "question"))


class HidingDecoder(Decoder):
    """A decoder whose events are hidden as for rows. For one thread."""

    def __init__(self, manifest: Manifest, rules: Rules) -> None:
        super().__init__(manifest)
        self._rules = rules

    def decode(self, record: Record, *, now: int | None = None) -> Event:
        """The event of a record. Raises MalformedRecord."""
        return hidden(super().decode(record, now=now), self._rules)


def hidden(event: Event, rules: Rules, *, whole: bool = False) -> Event:
    """The event without the words that the rules hide; with `whole` also of what is decided."""
    if event.data is None or not (rules.paths or rules.classes):
        return event
    data = event.data if not event.known else msgspec.to_builtins(event.data)
    shown = MASK if _classified(event, rules) else masked_data(data, event.name, rules).value
    if shown == data:
        return event
    if not event.known:
        return msgspec.structs.replace(event, data=shown)
    words = WORDS | {"name"} if event.name in NAMED else WORDS
    if event.name.startswith(DECIDED) and not whole:
        words = LISTED
    value = msgspec.convert(_merged("", data, shown, words), type(event.data))
    return msgspec.structs.replace(event, data=value)


def _classified(event: Event, rules: Rules) -> bool:
    declared = event.extensions.get(CLASSIFICATION.removeprefix("ce_"), "").strip().lower()
    return bool(declared) and declared in {name.lower() for name in rules.classes}


def _merged(name: str, data: Any, shown: Any, words: frozenset[str]) -> Any:
    """`shown` where words stand, `data` elsewhere; what is hidden altogether hides the words in it."""
    if name in words:
        return _alike(data, shown)
    if isinstance(data, Mapping):
        return {key: _merged(str(key), one, _below(shown, key), words) for key, one in data.items()}
    if isinstance(data, list | tuple):
        return [_merged(name, one, _below(shown, place), words) for place, one in enumerate(data)]
    return data


def _below(shown: Any, key: Any) -> Any:
    return MASK if shown == MASK else shown[key]


def _alike(data: Any, shown: Any) -> Any:
    # A list of words stays one.
    return [MASK for _ in data] if shown == MASK and isinstance(data, list | tuple) else shown
