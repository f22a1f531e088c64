"""Where the time went: parts and ranked rows sum to the wall time, shares to 100, what-if is walked again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.runs import Sample
from coordination.tasks import Attempt
from dashboard.api.delaypage import MOST, delay_page, task_delays
from dashboard.api.phases import part_rows, shares
from dashboard.models import Run
from tests.dashboard.scenes import NOW, SECOND, fold, run, task

END = NOW + 30 * SECOND


def chain() -> Run:
    """Two tasks, the second behind the first; each waits two seconds for its agent."""
    found = run(ended_at=END, state="completed")
    for name, begin, end, needs in (("a", 2, 10, ()), ("b", 12, 30, ("a",))):
        attempt = Attempt(number=1, started_at=NOW + begin * SECOND, ended_at=NOW + end * SECOND, outcome="completed")
        task(
            name,
            fold_key=f"f-{name}",
            state="completed",
            agent_group=f"group-{name}",
            depends_on=needs,
            requested_at=NOW + (begin - 2) * SECOND,
            started_at=attempt.started_at,
            ended_at=attempt.ended_at,
            attempts=(attempt,),
        )
        fold(f"f-{name}", {"completed": 1}, sample=Sample(name, name, f"group-{name}"))
    return found


@pytest.mark.django_db
def test_parts_and_ranked_rows_sum_to_the_wall_time() -> None:
    found = delay_page(chain(), END)
    assert found["wall_ms"] == 30_000
    assert sum(found["parts"].values()) == 30_000
    assert sum(row["ms"] for row in found["ranked"]) == 30_000
    assert found["unattributed_ms"] == 0


@pytest.mark.django_db
def test_the_longest_wait_comes_first_and_says_where() -> None:
    ranked = delay_page(chain(), END)["ranked"]
    assert [(row["part"], row["group"], row["share"]) for row in ranked] == [
        ("execution", "in group-b", "60.0 %"),
        ("execution", "in group-a", "26.7 %"),
        ("in_broker", "before group-a", "6.7 %"),
        ("in_broker", "before group-b", "6.6 %"),
    ]


@pytest.mark.django_db
def test_what_if_is_walked_again() -> None:
    found = {row["part"]: row for row in delay_page(chain(), END)["whatif"]}
    assert (found["in_broker"]["saved_ms"], found["in_broker"]["wall_ms"]) == (4_000, 26_000)


@pytest.mark.django_db
def test_of_a_run_that_is_too_large_nothing_is_said_but_why() -> None:
    found = delay_page(run(total=MOST + 1), END)
    assert (found["wall_ms"], found["rows"]) == (None, [])
    assert "20,001" in found["reason"]


@pytest.mark.django_db
def test_the_phases_of_one_task_sum_to_its_time() -> None:
    row = task("a", requested_at=NOW, started_at=NOW + SECOND, attempts=(Attempt(number=1, started_at=NOW + SECOND),))
    found = task_delays(row, NOW + 5 * SECOND)
    assert found["parts"] == {"in_broker": 1_000, "execution": 4_000}
    assert found["wall_ms"] == 5_000


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 10**12), min_size=1, max_size=9))
def test_shares_sum_to_a_hundred(lengths: dict[str, int]) -> None:
    total = sum(lengths.values())
    assert round(sum(shares(lengths).values()), 6) == (100 if total else 0)


def test_parts_are_told_the_longest_first() -> None:
    rows = part_rows({"in_broker": 1_000_000, "execution": 3_000_000})
    assert [(row["part"], row["text"], row["share"]) for row in rows] == [
        ("execution", "3.0 s", "75.0 %"),
        ("in_broker", "1.0 s", "25.0 %"),
    ]
