"""Rules of `topics`: a plan changes nothing, `--apply` does what is safe, and the exit code says what is left."""

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.core.management import CommandError, call_command

from coordination.eventlog import TopicSpec
from coordination.kafkalog import KafkaLog, open_kafkalog
from coordination.manifest import Manifest
from coordination.sqlitelog import SqliteLog
from tests.services.kafka import KafkaBroker

T = TypeVar("T")


@pytest.fixture
def log_file(tmp_path: Path, settings: Any) -> Path:
    path = tmp_path / "log.sqlite3"
    settings.LINESIDE_LOG = f"sqlite://{path}"
    return path


def told(*arguments: str) -> list[str]:
    """The lines of a command that succeeds."""
    out = io.StringIO()
    call_command("topics", *arguments, stdout=out)
    return out.getvalue().splitlines()


def failed(*arguments: str) -> tuple[list[str], str]:
    """The lines of a command that fails, and its last word."""
    out = io.StringIO()
    with pytest.raises(CommandError) as error:
        call_command("topics", *arguments, stdout=out)
    return out.getvalue().splitlines(), str(error.value)


def on_the_log(path: Path, act: Callable[[SqliteLog], Any]) -> Any:
    async def acted() -> Any:
        log = SqliteLog(path)
        try:
            return await act(log)
        finally:
            await log.close()

    return asyncio.run(acted())


def test_a_plan_names_what_is_missing_and_changes_nothing(log_file: Path) -> None:
    lines, word = failed()
    assert len(lines) == len(Manifest().topics)
    assert {line.split()[0] for line in lines} == {"missing"}
    assert word.startswith("18 topics are missing, 0 differ.")
    assert on_the_log(log_file, lambda log: log.topics()) == {}


def test_apply_makes_what_is_missing_and_then_all_stands(log_file: Path) -> None:
    lines = told("--apply")
    assert sum(line.startswith("created") for line in lines) == 18
    assert lines[-1] == "All 18 topics stand."
    again = told("--apply")
    assert not any(line.startswith("created") for line in again)
    assert told()[-1] == "All 18 topics stand."
    assert set(on_the_log(log_file, lambda log: log.topics())) == set(Manifest().topics)


def test_what_is_there_is_left_alone_and_named(log_file: Path) -> None:
    specs = [TopicSpec("coord.run.task.events", 3, config={"cleanup.policy": "compact"}), TopicSpec("coord.mine", 1)]
    on_the_log(log_file, lambda log: log.create_topics(specs))
    lines, word = failed("--apply")
    (line,) = [line for line in lines if line.startswith("differs")]
    assert "cleanup.policy is compact, declared delete" in line
    assert any(line.startswith("unknown") and "coord.mine" in line for line in lines)
    assert "What is left is for a person." in word
    assert on_the_log(log_file, lambda log: log.topics())["coord.run.task.events"].partitions == 3


def test_quiet_says_nothing_but_the_exit_code(log_file: Path) -> None:
    lines, _ = failed("--verbosity", "0")
    assert lines == []
    assert told("--apply", "--verbosity", "0") == []


def test_a_log_out_of_reach_is_told_in_words(settings: Any) -> None:
    settings.LINESIDE_LOG = "kafka://127.0.0.1:1?timeout=1"
    _, word = failed()
    assert "127.0.0.1:1" in word


def test_a_replication_below_one_is_refused(log_file: Path) -> None:
    assert failed("--replication", "0")[1] == "--replication must be at least 1."


@pytest.fixture
def on_kafka(kafka: KafkaBroker, namespace: str, settings: Any) -> Callable[[Callable[[KafkaLog], Any]], Any]:
    settings.LINESIDE_LOG = f"kafka://{kafka.bootstrap}"
    settings.LINESIDE_NAMESPACE = namespace

    def act(doing: Callable[[KafkaLog], Any]) -> Any:
        async def acted() -> Any:
            log = open_kafkalog(f"kafka://{kafka.bootstrap}")
            try:
                return await doing(log)
            finally:
                await log.close()

        return asyncio.run(acted())

    return act


def test_on_kafka_safe_settings_are_set_and_shrinking_is_refused(on_kafka: Any, namespace: str) -> None:
    assert told("--apply")[-1].startswith("All 18 topics stand")
    events = f"{namespace}.run.task.events"
    changes = {"retention.ms": "60000", "message.timestamp.type": "CreateTime", "max.message.bytes": "70000"}
    on_kafka(lambda log: log.configure_topic(events, changes))
    lines, word = failed()
    assert "0 are missing" not in word
    assert any(line.startswith("differs") and "retention.ms is 60000" in line for line in lines)
    assert any(line.startswith("set ") and events in line for line in told("--apply"))
    config = on_kafka(lambda log: log.topics())[events].config
    assert (config["retention.ms"], config["max.message.bytes"]) == ("2592000000", "70000")
    assert config["message.timestamp.type"] == "LogAppendTime"


def test_on_kafka_a_topic_with_more_partitions_stays_as_it_is(on_kafka: Any, namespace: str) -> None:
    told("--apply")
    tools = f"{namespace}.run.tool.events"
    on_kafka(lambda log: log.delete_topic(tools))
    on_kafka(lambda log: log.create_topics([TopicSpec(tools, 24)]))
    lines, _ = failed("--apply")
    (line,) = [line for line in lines if line.startswith("differs")]
    assert "partitions is 24, declared 12" in line
    assert on_kafka(lambda log: log.topics())[tools].partitions == 24


def test_on_kafka_three_copies_on_one_broker_are_refused_in_its_words(on_kafka: Any) -> None:
    assert "replication factor" in failed("--apply", "--replication", "3")[1].lower()
