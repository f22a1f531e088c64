"""How long decisions took, as a histogram that Prometheus can read."""

import pytest

from dashboard.decisionfigures import SECOND, decision_figures
from dashboard.models import Decision, Step

pytestmark = pytest.mark.django_db
START = 1_790_000_000_000_000


def decided(name: str, published: float | None, applied: float | None = None, kind: str = "decision") -> None:
    """A decision that reached these stages so many seconds after it was saved."""
    at = {
        f"{stage}_at": START + round(after * SECOND)
        for stage, after in (("published", published), ("applied", applied))
        if after is not None
    }
    Decision.objects.create(decision_id=name, kind=kind, records=b"", saved_at=START, approval_id=name, **at)


def samples() -> dict[tuple[str, str, str], float]:
    return {
        (sample.name, sample.labels.get("stage", ""), sample.labels.get("le", "")): sample.value
        for family in decision_figures()
        for sample in family.samples
    }


def test_each_stage_is_counted_by_how_long_it_took_since_the_one_before() -> None:
    decided("quick", 0.1, 0.3)
    decided("slow", 45.0, 46.0)
    decided("waits", None)
    decided("no decision", 0.2, kind="undo")
    found = samples()
    name = "lineside_decision_seconds_bucket"
    assert [found[name, "published", bound] for bound in ("0.1", "30.0", "60.0", "+Inf")] == [1, 1, 2, 2]
    assert [found[name, "applied", bound] for bound in ("0.1", "0.25", "1.0", "+Inf")] == [0, 1, 2, 2]
    assert found["lineside_decision_seconds_sum", "published", ""] == pytest.approx(45.1)


def test_a_clock_that_is_behind_makes_no_time_negative() -> None:
    decided("skewed", 5.0, 2.0)
    found = samples()
    assert found["lineside_decision_seconds_bucket", "applied", "0.1"] == 1
    assert found["lineside_decision_seconds_sum", "applied", ""] == 0


def test_what_nobody_made_here_is_counted() -> None:
    Step.objects.create(approval_id="a", version=1, step="foreign:t/0/7", at=START)
    assert samples()["lineside_foreign_decisions_total", "", ""] == 1
