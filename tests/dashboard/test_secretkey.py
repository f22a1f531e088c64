"""The key is made once, kept for its owner only, and must be given beyond this machine."""

from dashboard.environment import Environment
from dashboard.secretkey import secret_key

GOOD = "x" * 40


def test_it_is_made_once_and_readable_by_its_owner_only(tmp_path):
    state = tmp_path / "state"
    first = secret_key(Environment({}), state, local=True)
    assert len(first) >= 48
    assert secret_key(Environment({}), state, local=True) == first
    assert (state / "secret-key").stat().st_mode & 0o777 == 0o600
    assert state.stat().st_mode & 0o777 == 0o700


def test_two_installations_have_two_keys(tmp_path):
    one, two = (secret_key(Environment({}), tmp_path / name, local=True) for name in "ab")
    assert one != two


def test_a_given_key_is_used_and_none_is_written(tmp_path):
    assert secret_key(Environment({"LINESIDE_SECRET_KEY": GOOD}), tmp_path / "s", local=True) == GOOD
    assert not (tmp_path / "s").exists()


def test_beyond_this_machine_it_must_be_given(tmp_path):
    environment = Environment({})
    assert secret_key(environment, tmp_path, local=False)
    assert [problem.id for problem in environment.problems] == ["lineside.E004"]
    environment = Environment({"LINESIDE_SECRET_KEY": GOOD})
    secret_key(environment, tmp_path, local=False)
    assert environment.problems == []


def test_a_short_one_is_noted(tmp_path):
    environment = Environment({"LINESIDE_SECRET_KEY": "short"})
    assert secret_key(environment, tmp_path, local=True) == "short"
    assert [problem.id for problem in environment.problems] == ["lineside.E003"]


def test_a_folder_that_cannot_be_written_is_noted_and_stops_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    environment = Environment({})
    assert len(secret_key(environment, tmp_path / "file" / "state", local=True)) >= 48
    assert [problem.id for problem in environment.problems] == ["lineside.E005"]
