"""Joins as the graph draws them: how many branches arrived, which ports are filled, what the verdict is.

Of small fan-outs the members are read, all in one query, and judged as the joins' page judges them. Of large ones
the folds of their branches have the counts already, so that a join of 100,000 branches costs what one of ten does.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from coordination.fanouts import FanOut
from coordination.joins import JoinProgress, progress
from coordination.runs import merged_counts
from coordination.scene import Fold, Node
from coordination.tasks import TERMINAL
from coordination.tasks import Task as TaskRow
from coordination.verdicts import Standing, verdict
from dashboard.api.joincounts import branches
from dashboard.api.joinlist import ports, rule_words, total_words
from dashboard.api.joinstands import smallest
from dashboard.api.taskbody import DECODER

SIGNS: Final = {
    "satisfied": "done",
    "met": "done",
    "failed": "failed",
    "expired": "failed",
    "cannot complete": "failed",
}
LABELS: Final = {"done": "satisfied", "failed": "failed", "waiting": "waiting"}


class JoinFacts(msgspec.Struct, frozen=True):
    """How the joins of one picture stand, by fan-out id."""

    known: Mapping[str, JoinProgress]

    def parts(self, node: Node) -> dict[str, Any]:
        """What the node of one join, or of several alike ones, shows."""
        rows = [self.known[one] for one in node.fan_out_ids if one in self.known]
        if node.members == 1 and rows:
            return _one(rows[0])
        return _several(node)


def join_facts(run_id: str, folds: Sequence[Fold], fan_outs: Mapping[str, FanOut], dead: set[str]) -> JoinFacts:
    """The joins of a run's picture; one query."""
    sizes: dict[str, list[Fold]] = defaultdict(list)
    for fold in folds:
        for one in fold.fanouts:
            sizes[one].append(fold)
    small = smallest({name: sum(fold.total for fold in sizes[name]) for name in fan_outs})
    members: dict[str, list[TaskRow]] = defaultdict(list)
    rows = branches(run_id, sorted(small))
    for name, body in rows.values_list("fanout_id", "body"):
        members[name].append(DECODER.decode(body))
    return JoinFacts(
        {
            name: progress(row, members[name], dead=dead) if name in small else _counted(row, sizes[name])
            for name, row in fan_outs.items()
        }
    )


def _counted(fan_out: FanOut, folds: Sequence[Fold]) -> JoinProgress:
    """How a large join stands, by the counts of its branches' folds; who is missing is not told."""
    counts = merged_counts(fold.counts for fold in folds)
    known = sum(counts.values())
    expected = fan_out.expected
    arrived = sum(count for state, count in counts.items() if state in TERMINAL)
    done = counts.get("completed", 0)
    stands = Standing(expected=expected, known=known, arrived=arrived, completed=done, bad=arrived - done)
    word, reason = verdict(fan_out, stands)
    return msgspec.structs.replace(
        progress(msgspec.structs.replace(fan_out, expected=None, branches=()), ()),
        known=known,
        expected=expected,
        arrived=min(arrived, expected or arrived),
        completed=done,
        counts=counts,
        missing=(),
        missing_count=max(0, (expected or known) - arrived),
        verdict=word,
        reason=reason,
    )


def _one(stands: JoinProgress) -> dict[str, Any]:
    name = SIGNS.get(stands.verdict, "waiting")
    return {
        "sign": {"sign": name, "label": stands.verdict},
        "tally": f"{stands.arrived:,} of {total_words(stands)}",
        "rule": rule_words(stands),
        "time": "met" if name == "done" else "",
        "ports": ports(stands),
    }


def _several(node: Node) -> dict[str, Any]:
    signs = {SIGNS.get(verdict, "waiting") for verdict in node.counts}
    name = next(each for each in ("failed", "waiting", "done") if each in signs or each == "done")
    met = node.counts.get("satisfied", 0)
    return {
        "sign": {"sign": name, "label": LABELS[name]},
        "tally": f"≥ {node.members} joins" if node.more else f"{met} of {node.members}",
        "rule": "",
        "time": "" if node.more or name != "done" else "met",
        "ports": [""] if name == "done" else ["", "missing"],
    }
