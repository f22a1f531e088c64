"""One rule: whatever bytes lie on the log, reading them ends in an event or in a MalformedRecord."""

import contextlib
import json

from hypothesis import given
from hypothesis import strategies as st

from coordination.decoding import decode
from coordination.errors import MalformedRecord
from tests.coordination.wire import PLAIN, headers, record, structured

attribute = st.one_of(
    st.sampled_from([*PLAIN, "note", "timebasis", "traceparent", "fanoutcount", "expirytime"]),
    st.text(max_size=8),
)


header = st.tuples(
    st.one_of(attribute.map("ce_{}".format), st.sampled_from(["content-type", "other"]), st.text(max_size=8)),
    st.one_of(
        st.binary(max_size=300),
        st.sampled_from([b"1.0", b"application/cloudevents+json", b"coordination.task.requested", b"1"]),
        st.none(),
    ),
)  # fmt: skip


value = st.one_of(
    st.none(),
    st.binary(max_size=200),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
        max_leaves=8,
    ).map(lambda tree: json.dumps(tree).encode()),
)


@given(st.lists(header, max_size=12), value, st.one_of(st.none(), st.binary(max_size=20)), st.booleans())
def test_no_bytes_raise_anything_but_malformed_record(
    pairs: list[tuple[str, bytes]], body: bytes | None, key: bytes | None, whole: bool
) -> None:
    candidates = [record(pairs, body, key=key), structured(body or b"", key=key)]
    if whole:
        candidates.append(record((*headers(), *pairs), body, key=key))
    for candidate in candidates:
        with contextlib.suppress(MalformedRecord):
            assert decode(candidate).id
