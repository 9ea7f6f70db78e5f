"""`teal rollback --direct` at the terminal: what it says before, meanwhile and afterwards, and its exit codes."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from click.testing import Result

from api.cli.commands import rollback_direct as command
from orchestrator import bootstrap
from orchestrator.core.domain.phases import Phase
from orchestrator.ports.break_glass import Direct
from sandbox.world.kernel.faults import Fault
from tests.cli.schemas import hold_to_schema
from tests.cli.terminal import Terminal
from tests.support.rehearsal import Rehearsal


class Desk:
    """A terminal of somebody who has AWS credentials and nothing else, in virtual time."""

    def __init__(self, stage: Rehearsal, terminal: Terminal) -> None:
        self.stage, self._terminal = stage, terminal

    def teal(self, *args: str, typed: str | None = None) -> Result:
        """`teal rollback … --direct`; whatever would look at a store or a server fails."""
        nowhere = {"TEAL_STORE": "postgresql://nowhere.invalid/", "TEAL_SERVER": "http://127.0.0.1:9"}
        return self._terminal.teal("rollback", *args, "--direct", typed=typed, **nowhere)

    def shifting(self) -> None:
        """A rollout that gives green 10 %, and whose engine is dead."""
        rollout = self.stage.start(self.stage.spec(self.stage.revision()))
        self.stage.until(rollout, Phase.SHIFTING)
        while self.stage.row(rollout).green_weight != 100:
            self.stage.let_run(self.stage.world.minute / 10)

    def green(self) -> list[int]:
        """What each rule gives to whoever is not blue."""
        found = self.stage.world.call("elbv2", "DescribeRules", {"RuleArns": list(self.stage.scenery.rules)})
        return [
            group["Weight"]
            for rule in found["Rules"]
            for group in rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
            if group["TargetGroupArn"] != self.stage.scenery.target_group
        ]

    def interrupt_after(self, seconds: float) -> None:
        """Ctrl-C, so many seconds later."""

        def pressed() -> None:
            raise KeyboardInterrupt

        self.stage.loop.call_later(seconds, pressed)


@pytest.fixture
def desk(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401 - an iterator of Desk
    with Rehearsal(requests_per_second=2) as stage:

        @asynccontextmanager
        async def opened(account: str = "") -> AsyncIterator[Direct]:
            yield stage.cloud.of(account).direct()

        def run(main: Coroutine[Any, Any, object]) -> object:
            return stage.run(main)

        monkeypatch.setattr(bootstrap, "open_direct", opened)
        monkeypatch.setattr(bootstrap, "SystemClock", lambda: stage.clock)
        monkeypatch.setattr(asyncio, "run", run)
        yield Desk(stage, terminal)


def test_traffic_comes_home_and_what_is_left_is_said(desk: Desk) -> None:
    desk.shifting()
    result = desk.teal("checkout", "--reason", "the server is away")
    assert result.exit_code == 0, result.output
    assert desk.green() == [0]
    said = result.stdout
    assert "rule 1000 of load balancer prod-lb: green has 10 %, blue 90 %" in said
    assert "1. write rule 1000 of load balancer prod-lb: green 0 %" in said
    assert "all traffic is on blue, which runs checkout:1" in said
    assert "takes this for a person's rollback and cleans up" in said
    assert "aws ecs delete-service --cluster prod --service checkout-" in said


def test_dry_run_says_what_would_be_done_and_only_reads(desk: Desk) -> None:
    desk.shifting()
    calls = len(desk.stage.world.log)
    result = desk.teal("prod/checkout", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "Dry run: nothing was touched." in result.stdout
    assert "1. write rule 1000" in result.stdout
    made = {call.operation for call in list(desk.stage.world.log)[calls:]}
    assert all(operation.startswith(("Describe", "List")) for operation in made)


def test_without_a_green_it_says_so_and_is_done(desk: Desk) -> None:
    result = desk.teal("checkout")
    assert result.exit_code == 0
    assert "carries a green of Teal beside blue" in result.stdout


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_line_of_json_is_as_documented(desk: Desk, more: tuple[str, ...]) -> None:
    desk.shifting()
    result = desk.teal("checkout", "--json", *more)
    (line,) = result.stdout.splitlines()
    told = json.loads(line)
    hold_to_schema("rollback --direct", told)
    assert (told["is_dry_run"], told["has_acted"], told["is_tagged"]) == (bool(more), not more, not more)
    assert [rule["green_percent"] for rule in told["rules"]] == [10.0 if more else 0.0]


def test_line_of_json_without_a_green_is_as_documented_too(desk: Desk) -> None:
    hold_to_schema("rollback --direct", json.loads(desk.teal("checkout", "--json").stdout))


@pytest.mark.parametrize(("typed", "code", "green"), [("n\n", 130, [100]), ("y\n", 0, [0])])
def test_in_a_terminal_it_asks(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, typed: str, code: int, green: list[int]
) -> None:
    desk.shifting()
    monkeypatch.setattr(command, "_is_terminal", lambda: True)
    result = desk.teal("checkout", typed=typed)
    assert result.exit_code == code, result.output
    assert "Do it?" in result.output
    assert [bool(weight) for weight in desk.green()] == [bool(weight) for weight in green]


def test_yes_does_not_ask(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.shifting()
    monkeypatch.setattr(command, "_is_terminal", lambda: True)
    assert desk.teal("checkout", "--yes").exit_code == 0
    assert desk.green() == [0]


def test_interrupt_says_where_it_stands_and_how_to_go_on(desk: Desk) -> None:
    desk.shifting()
    desk.stage.world.faults.add(Fault(operation="ModifyRule", kind="throttle", times=1000))
    desk.interrupt_after(20)
    result = desk.teal("checkout")
    assert result.exit_code == 130
    assert "Interrupted. When last looked at:" in result.stderr
    assert "green has 10 %, blue 90 %" in result.stderr
    assert "give the command again to go on" in result.stderr


def test_interrupt_before_anything_was_read_touched_nothing(desk: Desk) -> None:
    desk.shifting()
    desk.stage.world.faults.outage("all")
    desk.interrupt_after(20)
    result = desk.teal("prod/checkout")
    assert result.exit_code == 130
    assert "Nothing was touched" in result.stderr


def test_missing_permission_is_an_error_that_names_it(desk: Desk) -> None:
    desk.shifting()
    desk.stage.world.faults.add(Fault(operation="ModifyRule", kind="denied", times=1000))
    result = desk.teal("checkout")
    assert result.exit_code == 1
    assert "llow the action elasticloadbalancing:ModifyRule" in result.stderr
    assert "Stopped. When last looked at:" in result.stderr


@pytest.mark.parametrize("name", ["nobody", "stage/checkout", "prod/nobody"])
def test_name_that_nothing_has_is_an_error(desk: Desk, name: str) -> None:
    result = desk.teal(name)
    assert result.exit_code == 1
    assert "heck the name" in result.stderr


@pytest.mark.parametrize("name", ["", "a/b/c", "prod/", "check out"])
def test_name_that_is_none_is_a_usage_error(desk: Desk, name: str) -> None:
    result = desk.teal(name)
    assert result.exit_code == 2
    assert "CLUSTER/SERVICE" in result.stderr


def test_arn_of_the_service_is_its_name_too(desk: Desk) -> None:
    assert desk.teal(desk.stage.scenery.service_arn, "--dry-run").exit_code == 0


@pytest.mark.parametrize(
    "words", [("--dry-run",), ("--yes",), ("--direct", "--step", "1")], ids=["dry-run", "yes", "step"]
)
def test_options_that_do_not_fit_together_are_a_usage_error(
    terminal: Terminal, words: tuple[str, ...]
) -> None:
    assert terminal.teal("rollback", "checkout", *words).exit_code == 2
