"""PostgreSQL for tests: durable, killed and restarted at will, a fresh database for each test."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.services.postgres import PostgresServer


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_committed_rows_are_there_after_the_server_ended_badly(
    postgres: PostgresServer, database_url: str, end: str
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE kept (number integer)")
        connection.execute("INSERT INTO kept VALUES (7)")
    with psycopg.connect(database_url) as open_session:
        open_session.execute("INSERT INTO kept VALUES (8)")
        postgres.kill() if end == "kill" else postgres.stop(immediate=True)
        with pytest.raises(psycopg.OperationalError):
            open_session.execute("SELECT 1")
    postgres.restart()
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchall() == [(7,)]


def test_commits_reach_the_disk_before_they_are_acknowledged(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"SHOW {setting}").fetchone() == ("on",), setting


def test_a_paused_server_answers_after_it_resumes(postgres: PostgresServer, database_url: str) -> None:
    with psycopg.connect(database_url) as connection, ThreadPoolExecutor(1) as thread:
        postgres.pause()
        answer = thread.submit(lambda: connection.execute("SELECT 1").fetchone())
        with pytest.raises(TimeoutError):
            answer.result(0.3)
        postgres.resume()
        assert answer.result(10) == (1,)


def test_a_dropped_database_is_gone_though_someone_was_connected(postgres: PostgresServer) -> None:
    url = postgres.create_database("dropped")
    with psycopg.connect(url) as connection:
        postgres.drop_database("dropped")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(url)


def test_each_test_has_an_empty_database(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        tables = connection.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables == []
