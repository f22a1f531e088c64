"""One address makes the database, with what each engine needs."""

import pytest
from django.db import connection

from dashboard import databases
from dashboard.databases import database
from dashboard.environment import Environment


def of(url: str, tmp_path) -> tuple[dict, Environment]:
    environment = Environment({"LINESIDE_DATABASE_URL": url})
    return database(environment, tmp_path), environment


def test_the_default_is_a_file_in_the_state_folder(tmp_path):
    settings, environment = of("", tmp_path / "with space")
    assert settings["ENGINE"] == "django.db.backends.sqlite3"
    assert settings["NAME"] == str(tmp_path / "with space" / "lineside.sqlite3")
    assert settings["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in settings["OPTIONS"]["init_command"]
    assert environment.problems == []


@pytest.mark.django_db
def test_the_pragmas_are_in_force(db):
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone() == ("wal",)
        cursor.execute("PRAGMA synchronous")
        assert cursor.fetchone() == (1,)
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone() == (20_000,)


def test_postgresql_is_taken_with_a_bound_on_its_connections(tmp_path):
    settings, environment = of("postgres://u:p%40ss@h:6543/d?sslmode=require", tmp_path)
    assert (settings["USER"], settings["PASSWORD"], settings["HOST"], settings["PORT"]) == ("u", "p@ss", "h", 6543)
    assert settings["CONN_MAX_AGE"] == 0
    assert settings["OPTIONS"]["sslmode"] == "require"
    assert settings["OPTIONS"]["pool"]["max_size"] >= 2
    assert environment.problems == []


def test_without_the_pool_package_connections_end_with_their_request(tmp_path, monkeypatch):
    monkeypatch.setattr(databases, "find_spec", lambda name: None)
    settings, _ = of("postgres://h/d", tmp_path)
    assert "pool" not in settings["OPTIONS"]
    assert settings["CONN_MAX_AGE"] == 0


@pytest.mark.parametrize("wrong", ["mysql://h/d", "postgres://h:port/d", "nothing"])
def test_a_wrong_address_is_noted_and_the_default_taken(wrong, tmp_path):
    settings, environment = of(wrong, tmp_path)
    assert settings["ENGINE"] == "django.db.backends.sqlite3"
    assert len(environment.problems) == 1
