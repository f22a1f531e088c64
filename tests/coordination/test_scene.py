"""The order of folds in a picture."""

from coordination.scene import Fold, first_seen


def test_folds_stand_in_the_order_they_were_asked_for_and_what_never_was_comes_last() -> None:
    def one(key: str, first_at: int | None) -> Fold:
        return Fold(fold_key=key, task_type="t", agent_group="g", counts={}, total=1, first_at=first_at)

    folds = [one("never", None), one("late", 9), one("b", 3), one("a", 3)]
    assert [fold.fold_key for fold in sorted(folds, key=first_seen)] == ["a", "b", "late", "never"]
