"""`teal verify-account` at the terminal: what it says before, what it refuses, and a run in virtual time."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from api.cli.commands import verify_account as command
from api.cli.commands import verify_account_cleaning as cleaning
from orchestrator import bootstrap
from orchestrator.verify.journal import Journal, held
from orchestrator.verify.means import Means
from orchestrator.verify.run import Outcome, verify
from orchestrator.verify.wanted import Wanted
from sandbox.world.kernel.errors import AwsRefusal, Json
from tests.cli.schemas import hold_to_schema
from tests.cli.terminal import Terminal
from tests.verify.stage import RUN, WANTED, Call, Stage, honest

PLACE = ("--subnets", ",".join(WANTED.subnets), "--security-group", "sg-0123")
REGION = {"AWS_REGION": "eu-west-1"}


class Desk:
    """A terminal whose AWS is a World in virtual time."""

    def __init__(self, stage: Stage, terminal: Terminal, folder: Path) -> None:
        self.stage, self._terminal, self.folder = stage, terminal, folder

    def teal(self, *args: str) -> Result:
        return self._terminal.teal("verify-account", *args, XDG_STATE_HOME=str(self.folder), **REGION)

    def run(self, *args: str) -> Result:
        return self.teal(*PLACE, "--minute", "10s", "--yes", "--output", str(self.folder / "out"), *args)

    @property
    def report(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "out" / "report.json").read_text()))


@pytest.fixture
def desk(tmp_path: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    stage = Stage(tmp_path)

    @asynccontextmanager
    async def opened(_database: Path, *, role: str = "") -> AsyncIterator[Means]:
        yield stage.means

    # The World's loop jumps over its waits and hears no signals; a run's id is known beforehand.
    monkeypatch.setattr(bootstrap, "open_verification", opened)
    monkeypatch.setattr(f"{command.__name__}.asyncio.run", stage.run)
    monkeypatch.setattr(f"{cleaning.__name__}.asyncio.run", stage.run)
    monkeypatch.setattr(f"{command.__name__}.secrets.token_hex", lambda _: RUN)
    monkeypatch.setattr(command, "_interrupts", _unheard)
    yield Desk(stage, terminal, tmp_path)
    stage.close()


def _unheard(*_: object) -> Any:  # noqa: ANN401 - a context manager
    return nullcontext()


def test_without_yes_it_says_what_it_would_do_and_calls_nothing(desk: Desk) -> None:
    for more in ((), ("--dry-run",), ("--dry-run", "--yes")):
        result = desk.teal(*PLACE, *more)
        assert result.exit_code == 0, result.output
        assert f"Run {RUN} will make:" in result.stdout
        assert "US dollars" in result.stdout
        assert '"Sid": "Balancing"' in result.stdout
        assert "Nothing was called." in result.stdout
    assert not desk.stage.log.calls
    assert not (desk.folder / "teal" / "verify").exists()


def test_a_dry_run_prints_one_line_of_json(desk: Desk) -> None:
    result = desk.teal(*PLACE, "--json")
    assert len(result.stdout.splitlines()) == 1
    hold_to_schema("verify-account --dry-run", json.loads(result.stdout))


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ((), "two subnets are needed"),
        (("--subnets", "subnet-0aaa,subnet-0bbb"), "a security group is needed"),
        ((*PLACE, "--service", "prod/checkout"), "name one of them"),
        ((*PLACE, "--only", "godo"), "there is no part godo"),
    ],
)
def test_what_a_run_cannot_be_made_of_exits_2(desk: Desk, args: tuple[str, ...], says: str) -> None:
    result = desk.teal(*args)
    assert result.exit_code == 2
    assert says in result.stderr


def test_a_run_that_saw_what_teal_believes_exits_0_and_its_report_names_nobody(desk: Desk) -> None:
    result = desk.run("--only", "bad,written-back", "--json")
    assert result.exit_code == 0, result.output
    hold_to_schema("verify-account", json.loads(result.stdout))
    assert json.loads(result.stdout) == desk.report
    assert desk.report["ok"] is True
    text = (desk.folder / "out" / "report.md").read_text()
    assert text.startswith("# What Teal saw in an AWS account")
    for name in (RUN, "123456789012", "subnet-0aaa"):
        assert name not in text + json.dumps(desk.report)


def test_a_belief_that_is_wrong_exits_1_and_says_what_teal_does_then(desk: Desk) -> None:
    def refuse(call: Call, service: str, operation: str, params: Json) -> Json:
        if operation == "UpdateService" and "deploymentConfiguration" in params:
            raise AwsRefusal("InvalidParameterException", "bakeTimeInMinutes must be positive", 400)
        return call(service, operation, params)

    desk.stage.ways.lie = refuse
    result = desk.run("--only", "written-back")
    assert result.exit_code == 1
    assert "wrong        written-back: ECS refused it: InvalidParameterException" in result.stdout
    assert "**What Teal does then:**" in (desk.folder / "out" / "report.md").read_text()


def test_what_could_not_be_removed_is_told_and_clean_finishes_it(desk: Desk) -> None:
    def refuse(call: Call, service: str, operation: str, params: Json) -> Json:
        if operation == "DeleteTargetGroup":
            raise AwsRefusal("ResourceInUse", "somebody uses it", 400)
        return call(service, operation, params)

    desk.stage.ways.lie = refuse
    result = desk.run("--only", "preflight")
    assert result.exit_code == 1
    assert f"target group {WANTED.name}: ResourceInUse: somebody uses it" in result.stdout
    assert f"`teal verify-account --clean --id {RUN}`" in result.stdout
    assert "  aws elbv2 delete-target-group --target-group-arn arn:" in result.stdout
    desk.stage.ways.lie = honest
    again = desk.teal("--clean", "--json")
    assert again.exit_code == 0, again.output
    hold_to_schema("verify-account --clean", json.loads(again.stdout))
    assert desk.stage.letter() == desk.stage.before
    assert "No run has left anything." in desk.teal("--clean").stdout


def test_an_interrupted_run_exits_130_with_its_report(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(*args: Any, **more: Any) -> Outcome:  # noqa: ANN401 - as verify's
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        loop.call_later(20, task.cancel)
        return await verify(*args, **more)

    monkeypatch.setattr(command, "verify", interrupted)
    result = desk.run("--only", "good")
    assert result.exit_code == 130, result.output
    assert desk.report["interrupted"] is True
    assert desk.stage.letter() == desk.stage.before


def test_a_run_that_there_is_not_is_not_found(desk: Desk) -> None:
    result = desk.teal("--clean", "--id", "ffffffff")
    assert result.exit_code == 1
    assert "no run in" in result.stderr


def left_behind(desk: Desk) -> None:
    """A run that left a target group."""

    def refuse(call: Call, service: str, operation: str, params: Json) -> Json:
        if operation == "DeleteTargetGroup":
            raise AwsRefusal("ResourceInUse", "somebody uses it", 400)
        return call(service, operation, params)

    desk.stage.ways.lie = refuse
    assert desk.run("--only", "preflight").exit_code == 1
    desk.stage.ways.lie = honest


@pytest.mark.parametrize("more", [(), ("--id", RUN)])
def test_clean_beside_a_run_under_way_is_refused_and_removes_nothing(
    desk: Desk, more: tuple[str, ...]
) -> None:
    left_behind(desk)
    before = desk.stage.letter()
    with held(desk.folder / "teal" / "verify" / RUN):
        result = desk.teal("--clean", *more)
    assert result.exit_code == (5 if more else 1)
    assert f"run {RUN} is under way" in result.stderr
    assert desk.stage.letter() == before
    assert desk.teal("--clean", *more).exit_code == 0


@pytest.mark.parametrize("more", [(), ("--id", RUN)])
def test_clean_in_another_region_is_refused_and_names_both(desk: Desk, more: tuple[str, ...]) -> None:
    left_behind(desk)
    means = desk.stage.means
    desk.stage.means = replace(means, region="us-east-1")
    result = desk.teal("--clean", *more)
    assert result.exit_code == (5 if more else 1)
    assert "account 123456789012 in eu-west-1" in result.stderr
    assert "account 123456789012 in us-east-1" in result.stderr
    desk.stage.means = means
    assert desk.teal("--clean", *more).exit_code == 0
    assert desk.stage.letter() == desk.stage.before


def test_a_second_run_on_a_service_whose_first_one_is_not_over_is_refused(desk: Desk) -> None:
    first = Wanted(id="ffffffff", service="prod/checkout")
    Journal.begin(desk.folder / "teal" / "verify" / "ffffffff", first).rolling()
    result = desk.teal("--service", "prod/checkout", "--yes")
    assert result.exit_code == 5
    assert "run ffffffff on it is not over" in result.stderr
    assert not desk.stage.log.calls


def test_a_report_that_cannot_be_written_exits_1_and_the_ending_is_said(desk: Desk) -> None:
    (desk.folder / "out" / "report.json").mkdir(parents=True)
    result = desk.run("--only", "written-back")
    assert result.exit_code == 1
    assert f"The report could not be written to {desk.folder / 'out'}" in result.stdout
    assert "as believed  written-back" in result.stdout
    assert desk.stage.letter() == desk.stage.before
