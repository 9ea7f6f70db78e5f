"""`watch` and `wait`: how far a rollout has come, as output and as exit code."""

from dataclasses import replace
from datetime import timedelta

import pytest

from api.client.goals import has_reached
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL
from orchestrator.core.rollout.changes import changed
from orchestrator.engine.views.rollout import view
from orchestrator.ports.rollouts import Stored
from tests.cli.terminal import Terminal, played
from tests.client.examples import rollout
from tests.client.scripted import Line, scripted


def test_watch_of_a_rollout_that_was_taken_back_tells_the_story_and_exits_3(
    terminal: Terminal, rolled_back: str
) -> None:
    result = terminal.teal("watch", rolled_back)
    assert result.exit_code == 3
    lines = result.stdout.splitlines()
    assert "author starts prod/checkout" in lines[0]
    assert "rolled_back: rollback by operator: looks odd; nothing of green is left" in lines[-1]
    assert sum("rolled_back" in line for line in lines) == 1, "one line for the end"
    assert not any("arn:aws:elasticloadbalancing" in line for line in lines)
    assert "\x1b" not in result.stdout


def test_watch_of_a_rollout_that_went_well_exits_0(terminal: Terminal, succeeded: str) -> None:
    assert terminal.teal("watch", succeeded).exit_code == 0


def test_watch_as_json_prints_one_line_and_the_story_beside_it(terminal: Terminal, rolled_back: str) -> None:
    result = terminal.teal("watch", rolled_back, "--json")
    assert len(result.stdout.splitlines()) == 1
    assert "rolling back" in result.stderr


def test_watch_gives_up_at_its_timeout_with_exit_4(terminal: Terminal, shifting: str) -> None:
    result = terminal.teal("watch", shifting, "--timeout", "0.01s")
    assert result.exit_code == 4
    assert "has not ended within" in result.stdout


def test_wait_gives_up_at_its_timeout_with_exit_4(terminal: Terminal, shifting: str) -> None:
    result = terminal.teal("wait", shifting, "--timeout", "0.01s")
    assert result.exit_code == 4
    assert "has not come to done within" in result.stderr


def test_wait_for_the_end_exits_as_the_rollout_ended(terminal: Terminal, rolled_back: str) -> None:
    assert terminal.teal("wait", rolled_back).exit_code == 3


@pytest.mark.parametrize("until", ["step:1", "approval"])
def test_wait_for_what_cannot_come_any_more_says_so(terminal: Terminal, rolled_back: str, until: str) -> None:
    result = terminal.teal("wait", rolled_back, "--until", until)
    assert result.exit_code == 3
    assert f"will not come to {until}: rolled_back" in result.stderr


def test_wait_for_an_approval_that_never_came_exits_1_after_success(
    terminal: Terminal, succeeded: str
) -> None:
    assert terminal.teal("wait", succeeded, "--until", "step:2").exit_code == 0
    assert terminal.teal("wait", succeeded, "--until", "approval").exit_code == 1


def test_wait_for_a_step_beyond_the_plan_is_a_usage_error(terminal: Terminal, shifting: str) -> None:
    result = terminal.teal("wait", shifting, "--until", "step:3")
    assert result.exit_code == 2
    assert "has 2 steps" in result.stderr


@pytest.mark.parametrize("until", ["step", "step:0", "step:x", "end", "done:1"])
def test_condition_that_is_none_is_a_usage_error(terminal: Terminal, until: str) -> None:
    result = terminal.teal("wait", "checkout", "--until", until)
    assert result.exit_code == 2
    assert "write step:2, approval or done" in " ".join(result.stderr.split())


def test_step_is_reached_once_its_weight_was_read_back_on_every_rule() -> None:
    stage, rollout = played(Phase.SHIFTING)
    with stage:
        stage.let_run(timedelta(seconds=1))
        row = stage.row(rollout)
    shown = view(Stored(rollout=row, version=1, wake_at=None))
    assert has_reached(shown, 1)
    assert not has_reached(shown, 2)
    unread = replace(row, rules=tuple(replace(rule, verified=None) for rule in row.rules))
    assert not has_reached(view(Stored(rollout=unread, version=1, wake_at=None)), 1)
    later = changed(row, step=1, rules=tuple(replace(rule, wanted=ALL) for rule in row.rules))
    shown = view(Stored(rollout=later, version=1, wake_at=None))
    assert has_reached(shown, 1)
    assert not has_reached(shown, 2)


@pytest.mark.machine
def test_wait_outlives_an_outage_at_its_very_beginning_when_it_was_given_time(terminal: Terminal) -> None:
    lines = (Line(cut=True), Line(status=503, body={"detail": "the server starts"}), Line(body=rollout()))
    with scripted(*lines) as script:
        result = terminal.teal("wait", "r1", "--until", "step:1", "--timeout", "1s", TEAL_SERVER=script.url)
        assert result.exit_code in (0, 4)
        assert len(script.asked) >= 3
    assert "Connection lost" in result.stderr
    assert "Connected again" in result.stderr


@pytest.mark.machine
@pytest.mark.parametrize("command", ["watch", "wait"])
def test_server_that_never_answered_within_the_time_is_said_so(terminal: Terminal, command: str) -> None:
    result = terminal.teal(command, "r1", "--timeout", "0.4s", TEAL_SERVER="http://127.0.0.1:1")
    assert result.exit_code == 1
    assert "gave up looking" in result.stderr
    at_once = terminal.teal(command, "r1", TEAL_SERVER="http://127.0.0.1:1")
    assert (at_once.exit_code, "gave up" in at_once.stderr) == (1, False)
