"""Stored records lead to the heads in the trail, on both databases; what was changed behind our back does not."""

import msgspec
import pytest

from coordination.manifest import Manifest
from dashboard.anchoring import ACT, Anchoring, anchor_record, unpublished_head
from dashboard.audit import enter, verify
from dashboard.models import Audit, DeadLetter, Position, Rejected, Segment
from dashboard.packing import Packing
from dashboard.recordchain import verify_records
from dashboard.segments import Packer, unpack
from tests.traffic import Traffic

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def anchored(tables: str, append, drain) -> Anchoring:
    """Traffic with everything that happens, read by three workers one after the other, with two heads in the trail."""
    traffic, anchoring = Traffic(11, odd=0.4), Anchoring()
    for _ in range(2):
        append(traffic.records(300))
        assert drain()
        anchoring.enter_heads(every=-1)
    append(traffic.records(100))
    assert drain()
    return anchoring


def broken() -> list[str]:
    return [each.words for each in verify_records()]


def test_what_was_read_leads_to_the_heads_whatever_became_of_it(anchored: Anchoring) -> None:
    assert Rejected.objects.exists()
    assert DeadLetter.objects.exists()
    assert Audit.chain.filter(act=ACT).count() == 2
    assert broken() == []
    assert verify() is None
    Packing().pack(seconds=30, settled=-1_000_000)
    assert broken() == [], "packing moves records between batches and changes none"


def test_a_changed_record_is_named_by_partition_and_offsets(anchored: Anchoring) -> None:
    segment = Segment.objects.exclude(run_id="").order_by("id")[3]
    records = unpack(segment.dictionary_id, bytes(segment.blob))
    victim = records[0]
    records[0] = msgspec.structs.replace(victim, value=(victim.value or b"") + b" ")
    Segment.objects.filter(pk=segment.pk).update(blob=Packer().pack(records))
    (words,) = broken()
    assert words.startswith(f"{victim.topic}-{victim.partition}, offsets ")
    first, _, last = words.partition(", offsets ")[2].partition(":")[0].partition(" to ")
    assert int(first) <= victim.offset <= int(last)


def test_a_removed_record_and_a_removed_segment_are_named(anchored: Anchoring) -> None:
    segment = Segment.objects.exclude(run_id="").order_by("id")[2]
    records = unpack(segment.dictionary_id, bytes(segment.blob))
    gone = records.pop()
    Segment.objects.filter(pk=segment.pk).update(blob=Packer().pack(records))
    assert [words.partition(",")[0] for words in broken()] == [f"{gone.topic}-{gone.partition}"]
    Segment.objects.filter(pk=segment.pk).delete()
    places = {f"{record.topic}-{record.partition}" for record in (*records, gone)}
    assert {words.partition(",")[0] for words in broken()} == places


def test_what_was_kept_aside_counts_too(anchored: Anchoring) -> None:
    letter = DeadLetter.objects.order_by("offset")[0]
    DeadLetter.objects.filter(pk=letter.pk).delete()
    assert [words.partition(",")[0] for words in broken()] == [f"{letter.topic}-{letter.partition}"]


def test_a_segment_that_cannot_be_read_is_named(anchored: Anchoring) -> None:
    segment = Segment.objects.order_by("id")[1]
    Segment.objects.filter(pk=segment.pk).update(blob=b"\x28\xb5\x2f\xfd" + bytes(20))
    assert any("cannot be read" in words for words in broken())


def test_a_chain_that_was_begun_anew_needs_an_accepted_gap(anchored: Anchoring) -> None:
    row = Position.objects.exclude(head="").order_by("topic")[0]
    Position.objects.filter(topic=row.topic, partition=row.partition).update(chain_batch=row.chain_batch + 1)
    assert any("begun anew" in words for words in broken())
    Position.objects.filter(topic=row.topic, partition=row.partition).update(chain_batch=10**6, head="")
    place = f"{row.topic}-{row.partition}"
    enter("command/ana", "gap.accepted", "gap/1", {"place": place})
    assert broken() == []


def test_heads_are_entered_once_in_their_time_and_only_if_something_moved(anchored: Anchoring) -> None:
    assert anchored.enter_heads() is None, "somebody did a moment ago"
    assert anchored.enter_heads(every=-1) is not None
    assert anchored.enter_heads(every=-1) is None, "nothing moved"


def test_the_head_on_the_log_is_no_reason_for_another(tables: str, append, drain) -> None:
    enter("user-1", "act", "x")
    anchoring = Anchoring()
    head = unpublished_head()
    assert head is not None
    append([anchor_record(head)])
    assert drain()
    assert Position.objects.get(topic=Manifest().topic_for("audit.anchored"), records=1).head
    assert anchoring.enter_heads(every=-1) is None
