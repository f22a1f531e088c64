"""Addresses of logs."""

from pathlib import Path

import pytest

from coordination.agent.openlog import LOG_VARIABLE, open_log
from coordination.errors import CoordinationError


async def test_an_address_says_which_log(tmp_path: Path) -> None:
    for address, kind in (
        (f"sqlite://{tmp_path}/log%201.sqlite3", "sqlite"),
        ("memory:", "memory"),
        ("https://lineside.example/?token=secret", "http"),
        ("kafka://127.0.0.1:1", "kafka"),
    ):
        log = open_log(address)
        assert log.kind == kind
        await log.close()
    assert (tmp_path / "log 1.sqlite3").exists()


async def test_without_an_address_the_environment_says_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LOG_VARIABLE, f"sqlite://{tmp_path}/log.sqlite3")
    log = open_log()
    assert log.kind == "sqlite"
    await log.close()


@pytest.mark.parametrize("address", ["", "redis://:secret@host/", "nonsense"])
def test_an_address_nobody_understands_is_refused_without_repeating_secrets(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(LOG_VARIABLE, raising=False)
    with pytest.raises(CoordinationError, match="kafka:") as refused:
        open_log(address)
    assert "secret" not in str(refused.value)
