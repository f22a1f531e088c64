"""Fold keys: the signature that makes ten thousand alike tasks one node of the graph.

A task's fold is decided by its type, its agent group and the set of folds of what it depends on (parent and
`depends_on`). The requester stamps it, because the requester knows its own inputs, and a reader would have to
wait for other partitions. The key never moves while a run grows.
"""

import hashlib
from collections.abc import Iterable

UNSTAMPED = "~"


def fold_key(task_type: str, agent_group: str, predecessors: Iterable[str] = ()) -> str:
    """The key of a task: 16 hex digits over (type, group, set of the predecessors' fold keys)."""
    return _hash((task_type, agent_group, *sorted(set(predecessors))))


def fallback_key(task_type: str, agent_group: str) -> str:
    """The key of a task nobody stamped: (type, group) alone, marked with a leading `~`."""
    return UNSTAMPED + _hash((task_type, agent_group))


class FoldKeys:
    """Stamps the tasks of one run for their requester, remembering the keys it stamped before.

    A predecessor whose key is not known here (it was requested by someone else) is given with `learn`;
    one that stays unknown makes the task fall back to (type, group), because a key that depends on what
    one requester happens to know would part tasks that belong together.
    """

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def learn(self, task_id: str, key: str) -> None:
        """Remember the key of a task requested elsewhere (from `foldkey` of the command being handled)."""
        self._known[task_id] = key

    def stamp(self, task_id: str, task_type: str, agent_group: str, inputs: Iterable[str] = ()) -> str:
        """The key of a new task; `inputs` are the task ids of its parent and of what it depends on."""
        keys = [self._known.get(one, "") for one in inputs]
        key = fold_key(task_type, agent_group, keys) if all(keys) else fallback_key(task_type, agent_group)
        self._known[task_id] = key
        return key


def _hash(parts: Iterable[str]) -> str:
    # The unit separator cannot occur in an attribute, so no two lists of parts read the same.
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]
