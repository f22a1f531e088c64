"""Addresses of pages and positions as people read them."""

from urllib.parse import quote


def address(*parts: str | int) -> str:
    """The path of a page below `/`; every part is quoted, also its slashes."""
    return "/" + "".join(f"{quote(str(part), safe='')}/" for part in parts)


def task_address(run_id: str, task_id: str) -> str:
    """The page of a task."""
    return address("runs", run_id, "tasks", task_id)


def record_address(topic: str, partition: int | None, offset: int | None) -> str | None:
    """The page of a record, None where its position is not known."""
    return (
        address("records", topic, partition, offset) if topic and partition is not None and offset is not None else None
    )


def short_position(topic: str, partition: int, offset: int) -> str:
    """A position as people read it: the last words of the topic, partition@offset."""
    words = topic.split(".")
    name = topic if words[0] == "dlq" else ".".join(words[-2:])
    return f"{name}-{partition}@{offset}"
