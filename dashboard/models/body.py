"""The body of a task: JSON, compressed to a fifth, because tasks are most of what the tables hold.

A body begins with a version byte; text written by other means than ingest begins with `{` and is not compressed.
The dictionary of a version never changes: bodies that were written with it must stay readable.
"""

import threading
from typing import Any, Final

import zstandard
from django.db import models

VERSION: Final = b"\x01"
LEVEL: Final = 1
_EXAMPLE: Final = (
    b'{"sample":{"task_id":"","depends_on":[],"others":[{"topic":"coord.run.task.events","partition":0,'
    b'"endings":[["failed",1790000000000000,1790000000000000,"task.reopened"]],"receipts":[[1790000000000000,'
    b'"coord.run.task.events",0,0,"","applied","",""],[0,"","","refused"]],"sent":[[1790000000000000,""]],'
    b'"anomalies":[["coord.run.task.events",0,0,"late","task.completed",1790000000000000],["wrong_topic"]],'
    b'"anomaly_count":1,"pauses":[{"at":1790000000000000,"reason":"approval","approval_id":"","resumed_at":'
    b'1790000000000000}],"error":{"type":"Error","message":"","stack":""},"progress":1.0,"progress_text":"",'
    b'"compensated":"compensated","cancel_requested_at":1790000000000000,"compensation_requested_at":'
    b'"cancel_declined_at":1790000000000000,"dead_lettered":true,"retry_of":"","compensates":"","input_ref":"",'
    b'"deadline":1790000000000000,"expires_at":1790000000000000,"derived_times":true,"fanout_id":"",'
    b'"fanout_index":0,"fanout_count":10,"received_at":1790000000000000,"failed_at":1790000000000000,'
    b'"fact_state":"failed","canceled","rejected","expired","outcome":"failed","error_type":"","error_message":"",'
    b'"next_attempt_at":1790000000000000,"stamped":true,"tool_failures":1,'
    b'{"topic":"coord.run.task.events","partition":0,"fact_state":"completed","facts":4,"heard_at":'
    b'1790000000000000,"attempt":1,"attempts":[{"number":1,"agent_id":"agent-1","event_id":'
    b'"019a0000-0000-7000-8000-000000000000","accepted_at":1790000000000000,"started_at":1790000000000000,'
    b'"heard_at":1790000000000000,"ended_at":1790000000000000,"outcome":"completed"}],"agent_id":"agent-1",'
    b'"ended_at":1790000000000000,"ended_event":"019a0000-0000-7000-8000-000000000000","output":{"text":""},'
    b'"run_id":"019a0000-0000-7000-8000-000000000000","task_id":"019a0000-0000-7000-8000-000000000000",'
    b'"shard":"12-0","tenant":"default","state":"completed","task_type":"","title":"","agent_group":"",'
    b'"parent_task_id":"019a0000-0000-7000-8000-000000000000","fold_key":"0123456789abcdef","stamped":true,'
    b'"input":{"text":""},"requested_at":1790000000000000,"requested_by":"agent-1","request_id":'
    b'"019a0000-0000-7000-8000-000000000000","causation_id":"019a0000-0000-7000-8000-000000000000",'
    b'"command_topic":"coord.run.task.commands","command_partition":0,"command_offset":0,"idempotency_key":'
    b'"019a0000-0000-7000-8000-000000000000","accepted_at":1790000000000000,"started_at":1790000000000000,'
    b'"seen_at":1790000000000000,"tool_calls":1,"model_calls":1,"tokens_in":900,"tokens_out":100,"cost":1000,'
    b'"called":[1234567890123456789,1234567890123456789],"revision":2}'
)
_thread = threading.local()


def pack_body(content: bytes) -> bytes:
    """The JSON of a row as it is stored."""
    return VERSION + _compressor().compress(content)


def unpack_body(stored: bytes) -> bytes:
    """The JSON that `pack_body` was given."""
    return _decompressor().decompress(stored[1:]) if stored[:1] == VERSION else stored


class BodyField(models.BinaryField):  # type: ignore[type-arg]  # generic in the stubs only
    """JSON text that is stored as `pack_body` says; Python sees the text."""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str | None:
        """The text of a stored body."""
        return None if value is None else unpack_body(bytes(value)).decode()

    def get_prep_value(self, value: Any) -> Any:
        """Text is stored as it is, uncompressed."""
        return value.encode() if isinstance(value, str) else value


def _dictionary() -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(_EXAMPLE, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


# One of each per thread: neither may be used by two threads at once.
def _compressor() -> zstandard.ZstdCompressor:
    found: zstandard.ZstdCompressor | None = getattr(_thread, "compressor", None)
    if found is None:
        dictionary = _dictionary()
        dictionary.precompute_compress(level=LEVEL)
        found = _thread.compressor = zstandard.ZstdCompressor(level=LEVEL, dict_data=dictionary, write_dict_id=False)
    return found


def _decompressor() -> zstandard.ZstdDecompressor:
    found: zstandard.ZstdDecompressor | None = getattr(_thread, "decompressor", None)
    if found is None:
        found = _thread.decompressor = zstandard.ZstdDecompressor(dict_data=_dictionary())
    return found
