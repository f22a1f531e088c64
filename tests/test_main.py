"""`python -m tests`: what it runs and how it ends."""

import sys

import pytest

from tests.__main__ import Stage, run, stages

PASSES = Stage("passes", [sys.executable, "-c", "pass"])
FAILS = Stage("fails", [sys.executable, "-c", "raise SystemExit(3)"])


def test_all_stages_run_after_one_has_failed(capfd: pytest.CaptureFixture[str]) -> None:
    says = Stage("says", [sys.executable, "-c", "print('I ran')"])
    assert run([FAILS, says]) == 1
    printed = capfd.readouterr().out
    assert "I ran" in printed
    assert "FAILED: fails\n" in printed


def test_exit_code_is_zero_when_every_stage_passed(capfd: pytest.CaptureFixture[str]) -> None:
    assert run([PASSES, PASSES]) == 0
    assert "all checks passed" in capfd.readouterr().out


def test_a_program_that_is_not_there_is_a_failed_stage(capfd: pytest.CaptureFixture[str]) -> None:
    assert run([Stage("absent", ["/no/such/program"])]) == 1
    assert "/no/such/program could not be started" in capfd.readouterr().out


def test_arguments_go_to_pytest_alone() -> None:
    commands = {stage.name: list(stage.command) for stage in stages(["--long", "-x"])}
    assert commands["pytest"][-2:] == ["--long", "-x"]
    assert [name for name, command in commands.items() if "--long" in command] == ["pytest"]


def test_faults_are_tried_while_nothing_else_runs() -> None:
    commands = {stage.name: list(stage.command) for stage in stages(["--long"])}
    assert "-n" not in commands["faults"]
    assert "tests/faults" in commands["faults"]
    assert commands["pytest"][-3:] == ["--ignore", "tests/faults", "--long"]
