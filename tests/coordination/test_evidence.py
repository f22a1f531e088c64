"""Evidence that nobody gave is unknown, never good news."""

from coordination.evidence import Evidence, Queue


def test_what_was_not_read_is_none() -> None:
    queue = Queue(group="coder")
    assert (queue.commit, queue.ahead, queue.members, queue.assigned) == (None, None, None, None)
    assert (Evidence().queue, Evidence().heartbeat_at, Evidence().join, Evidence().ask) == (None, None, None, None)
