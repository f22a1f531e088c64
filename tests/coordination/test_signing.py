"""Signatures under decisions: what is accepted, what never is."""

import stat
from pathlib import Path
from typing import Any

import pytest

from coordination.canonical import NotCanonical
from coordination.signing import KEYS_VARIABLE, BadKey, BadSignature, Keyring, SigningKey

DECISION: dict[str, Any] = {
    "decision_id": "5a1c",
    "fence": 2,
    "args": {"amount": "18240.50", "items": ["re_1", "re_2"]},
}


def test_a_signed_decision_verifies_whatever_the_order_of_its_members() -> None:
    key = SigningKey.generate()
    signed = key.sign(DECISION)
    Keyring.of(key).verify(dict(reversed(signed.items())))


@pytest.mark.parametrize(
    ("member", "value"),
    [("decision_id", "other"), ("fence", 3), ("args", {"amount": "99999.00", "items": []}), ("extra", 1)],
)
def test_any_change_to_a_signed_decision_is_refused(member: str, value: object) -> None:
    key = SigningKey.generate()
    with pytest.raises(BadSignature):
        Keyring.of(key).verify(key.sign(DECISION) | {member: value})


def test_a_member_taken_away_is_refused() -> None:
    key = SigningKey.generate()
    signed = key.sign(DECISION)
    del signed["fence"]
    with pytest.raises(BadSignature):
        Keyring.of(key).verify(signed)


@pytest.mark.parametrize("signature", ["", "not base64!", "AAAA", None])
def test_a_missing_or_broken_signature_is_refused(signature: object) -> None:
    key = SigningKey.generate()
    with pytest.raises(BadSignature):
        Keyring.of(key).verify(key.sign(DECISION) | {"signature": signature})


def test_a_key_that_is_not_in_the_ring_is_refused() -> None:
    with pytest.raises(BadSignature, match="not among the 1 known keys"):
        Keyring.of(SigningKey.generate()).verify(SigningKey.generate().sign(DECISION))


@pytest.mark.parametrize("key_id", [None, 7, ["a"], {}])
def test_a_decision_that_names_no_key_is_refused(key_id: object) -> None:
    key = SigningKey.generate()
    with pytest.raises(BadSignature, match="names no key"):
        Keyring.of(key).verify(key.sign(DECISION) | {"key_id": key_id})


def test_a_signature_cannot_be_moved_to_another_known_key() -> None:
    mine, other = SigningKey.generate(), SigningKey.generate()
    with pytest.raises(BadSignature):
        Keyring.of(mine, other).verify(mine.sign(DECISION) | {"key_id": other.key_id})


def test_an_empty_ring_refuses_everything() -> None:
    with pytest.raises(BadSignature):
        Keyring().verify(SigningKey.generate().sign(DECISION))


def test_signing_again_replaces_the_former_signature() -> None:
    old, new = SigningKey.generate(), SigningKey.generate()
    Keyring.of(new).verify(new.sign(old.sign(DECISION)))


@pytest.mark.parametrize("value", [2**53, -(2**53), float("nan"), float("inf"), {1: "key"}])
def test_what_has_no_canonical_form_is_refused_when_signing(value: object) -> None:
    with pytest.raises(NotCanonical):
        SigningKey.generate().sign({"value": value})


def test_what_has_no_canonical_form_is_a_bad_signature_when_verifying() -> None:
    key = SigningKey.generate()
    with pytest.raises(BadSignature):
        Keyring.of(key).verify(key.sign(DECISION) | {"value": 2**60})


def test_a_key_file_is_made_once_and_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "state" / "decision.key"
    first, second = SigningKey.load_or_create(path), SigningKey.load_or_create(path)
    assert first.key_id == second.key_id
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    Keyring.of(first).verify(second.sign(DECISION))


def test_a_broken_key_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "decision.key"
    path.write_text("nonsense")
    with pytest.raises(BadKey, match=r"decision\.key"):
        SigningKey.load(path)


def test_public_keys_come_from_the_environment_as_text_or_as_file(tmp_path: Path) -> None:
    key = SigningKey.generate()
    text = Keyring.of(key).text()
    path = tmp_path / "keys.json"
    path.write_text(text)
    for value in (text, str(path)):
        Keyring.from_environment({KEYS_VARIABLE: value}).verify(key.sign(DECISION))
    assert len(Keyring.from_environment({})) == 0


@pytest.mark.parametrize("text", ["[]", "{", '{"a": 1}', '{"a": "AAAA"}', '{"a": "%%"}'])
def test_a_list_of_keys_that_cannot_be_read_is_refused_with_words(text: str) -> None:
    with pytest.raises(BadKey, match="Public keys must be"):
        Keyring.from_text(text)


def test_a_key_added_to_the_file_is_found_without_a_restart(tmp_path: Path) -> None:
    old, new = SigningKey.generate(), SigningKey.generate()
    path = tmp_path / "keys.json"
    path.write_text(Keyring.of(old).text())
    ring = Keyring.from_file(path)
    with pytest.raises(BadSignature):
        ring.verify(new.sign(DECISION))
    path.write_text(Keyring.of(old, new).text())
    ring.verify(new.sign(DECISION))
