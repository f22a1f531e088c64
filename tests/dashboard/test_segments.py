"""Records come out of segments byte for byte."""

from types import SimpleNamespace

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from coordination.eventlog import StoredRecord
from dashboard.models import Dictionary
from dashboard.segments import (
    Packer,
    dictionary_content,
    dictionary_id,
    pack_one,
    task_bit,
    unpack,
    unpack_one,
)

RECORDS = st.builds(
    StoredRecord,
    st.text(max_size=9),
    st.integers(0, 99),
    st.integers(0, 2**63 - 1),
    st.integers(-1, 2**53),
    st.sampled_from([None, 0, 1]),
    st.none() | st.binary(max_size=40),
    st.none() | st.binary(max_size=400),
    st.lists(st.tuples(st.text(max_size=9), st.binary(max_size=40)), max_size=5).map(tuple),
)
ONE = StoredRecord("t", 1, 2, 3, 1, b"k", b"v", (("h", b"1"), ("h", b"\xff")))


@pytest.fixture
def packer(db) -> Packer:
    packer = Packer()
    packer.keep_dictionary()
    return packer


@given(st.lists(RECORDS, max_size=8))
def test_what_is_packed_comes_out_unchanged(records):
    Dictionary.objects.get_or_create(id=Packer().dictionary_id, defaults={"content": dictionary_content()})
    packer = Packer()
    blob = packer.pack(records)
    assert unpack(packer.dictionary_id, blob) == records
    assert packer.pack_packed([pack_one(record) for record in records]) == blob


test_what_is_packed_comes_out_unchanged = pytest.mark.django_db(test_what_is_packed_comes_out_unchanged)


def test_a_single_small_record_is_smaller_for_the_dictionary(packer):
    record = StoredRecord(
        "coord.run.task.events",
        3,
        9,
        1_790_000_000_000,
        1,
        b"task-1",
        b"{}",
        (("content-type", b"application/json"), ("ce_specversion", b"1.0"), ("ce_type", b"coordination.task.started")),
    )
    alone = zstandard.ZstdCompressor(level=1).compress(pack_one(record))
    assert len(packer.pack([record])) < len(alone) * 0.6


def test_the_dictionary_of_a_segment_is_found_by_its_content(packer):
    assert Dictionary.objects.get().id == dictionary_id(bytes(Dictionary.objects.get().content))
    packer.keep_dictionary()
    assert Dictionary.objects.count() == 1


def test_a_record_of_another_client_is_kept_as_ours():
    fields = {name: getattr(ONE, name) for name in ONE.__struct_fields__}
    foreign = SimpleNamespace(**fields | {"headers": list(ONE.headers)})
    assert unpack_one(pack_one(foreign)) == ONE


def test_a_task_has_one_bit_and_no_task_none():
    assert task_bit("") == 0
    assert {bin(task_bit(f"task-{number}")).count("1") for number in range(500)} == {1}
    assert all(task_bit(f"task-{number}") < 2**63 for number in range(500))
