"""The key of decisions: private stays private, public keys are collected for agents."""

import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest

from coordination.signing import BadKey, Keyring, SigningKey
from dashboard import decisionkey
from dashboard.decisionkey import PRIVATE, PUBLIC, decision_key, decision_keyring


@pytest.fixture(autouse=True)
def state(settings: Any, tmp_path: Path) -> Path:
    settings.LINESIDE_STATE = tmp_path
    return tmp_path


def test_the_key_is_made_once_and_is_for_its_owner_only(state: Path) -> None:
    assert decision_key() is decision_key()
    assert stat.S_IMODE((state / PRIVATE).stat().st_mode) == 0o600
    decisionkey._keys.clear()
    assert decision_key().key_id == SigningKey.load(state / PRIVATE).key_id


def test_agents_are_given_the_public_key_and_nothing_else(state: Path) -> None:
    signed = decision_key().sign({"decision_id": "x"})
    Keyring.from_file(decision_keyring()).verify(signed)
    assert list(msgspec.json.decode((state / PUBLIC).read_bytes())) == [decision_key().key_id]


def test_public_keys_of_before_stay_in_the_ring(state: Path) -> None:
    old = SigningKey.generate()
    (state / PUBLIC).write_text(Keyring.of(old).text())
    signed = decision_key().sign({"decision_id": "x"})
    ring = Keyring.from_file(decision_keyring())
    ring.verify(signed)
    ring.verify(old.sign({"decision_id": "y"}))


def test_a_key_that_cannot_be_read_is_an_error_with_its_name(state: Path) -> None:
    (state / PRIVATE).write_text("nonsense")
    with pytest.raises(BadKey, match=PRIVATE):
        decision_key()
