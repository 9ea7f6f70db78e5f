"""`teal` against `teal sandbox`, each a process: what a newcomer does on a laptop."""

import json
import signal
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator import config
from tests.cli.processes import environment, run, running
from tests.cli.schemas import hold_to_schema

pytestmark = pytest.mark.machine(seconds=50)

ROLLOUT = """\
service: prod/checkout
revision: {task_definition: checkout:2}
plan: [{weight: 10, bake: 5m}, {weight: 100, bake: 5m}]
metrics: {period: 1s}
"""


@dataclass(frozen=True, slots=True)
class Laptop:
    """A sandbox that runs, the environment that reaches it, and a rollout file."""

    env: dict[str, str]
    file: str


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    folder = tmp_path_factory.mktemp("laptop")
    path = folder / "rollout.yaml"
    path.write_text(ROLLOUT)
    with running("sandbox", "--minute", "1s", "--json", env=environment(folder)) as sandbox:
        about = sandbox.json()
        hold_to_schema("sandbox", about)
        yield Laptop(env=environment(folder, **about["environment"]), file=str(path))
        assert sandbox.stop(signal.SIGTERM)[0] == 0


def test_preflight_shows_what_was_found_and_the_plan_s_real_times(laptop: Laptop) -> None:
    shown = run("preflight", "-f", laptop.file, env=laptop.env)
    assert shown.returncode == 0, shown.stderr
    assert "prod/checkout in account 123456789012, eu-west-1: 3 tasks of checkout:1" in shown.stdout
    assert "watch  100 %  5 min  5 min           10 min" in shown.stdout
    assert shown.stdout.endswith("Nothing was touched.\n")
    assert "Nothing refuses this rollout." in shown.stdout
    as_json = run("preflight", "-f", laptop.file, "--json", env=laptop.env)
    hold_to_schema("preflight", json.loads(as_json.stdout))


def test_preflight_of_a_revision_that_is_not_there_exits_2(laptop: Laptop) -> None:
    asked = ("--service", "prod/checkout", "--task-definition", "checkout:99")
    shown = run("preflight", *asked, env=laptop.env)
    assert shown.returncode == 2
    assert "✗ task definition checkout:99 does not exist" in shown.stdout
    assert "1 error: this rollout would be refused. Nothing was touched." in shown.stdout


def test_service_that_is_not_there_is_one_sentence(laptop: Laptop) -> None:
    asked = ("--service", "prod/nothing", "--task-definition", "checkout:2")
    refused = run("deploy", *asked, env=laptop.env)
    assert refused.returncode in (1, 2)
    assert "nothing" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_started_rollout_waits_for_an_engine_and_says_so(laptop: Laptop, tmp_path: Path) -> None:
    env = {**laptop.env, "TEAL_STORE": str(tmp_path / "teal.db")}
    started = run("start", "-f", laptop.file, "--key", "build-1187", env=env)
    assert started.returncode == 0, started.stderr
    assert "It moves while an engine runs on this store: `teal serve`, or `teal deploy`" in started.stdout
    again = run("start", "-f", laptop.file, "--key", "build-1187", "--json", env=env)
    shown = json.loads(again.stdout)
    hold_to_schema("start", shown)
    assert shown["phase"] == "pending"
    assert shown["id"] in started.stdout


def test_deploy_that_is_killed_or_told_to_leave_goes_on_where_it_was(laptop: Laptop, tmp_path: Path) -> None:
    deploy = ("deploy", "-f", laptop.file, "--on-interrupt", "leave")
    with running(*deploy, env=laptop.env) as first:
        first.read_until("step 1 of 2: green has 10 %", first.out)
        first.stop(signal.SIGKILL)
    held = json.loads(run("get", "checkout", "--json", env=laptop.env).stdout)
    assert (held["phase"], held["green_percent"]) == ("shifting", 10.0)
    with running(*deploy, env=laptop.env) as second:
        second.read_until(f"{held['id']} is under way: going on with it", second.out)
        second.read_until("step 1 of 2", second.out)
        code, out, err = second.stop(signal.SIGTERM)
    assert (code, err) == (130, "")
    assert f"Roll it back: `teal rollback {held['id']}`" in out
    assert run("wait", "checkout", "--until", "step:1", env=laptop.env).returncode == 0
    other = run("deploy", "--service", "prod/checkout", "--task-definition", "checkout:3", env=laptop.env)
    assert other.returncode == 5
    assert "revision.task_definition: checkout:2 is now checkout:3" in other.stderr
    elsewhere = {**laptop.env, "TEAL_STORE": str(tmp_path / "teal.db")}
    refused = run("deploy", "-f", laptop.file, env=elsewhere)
    assert refused.returncode == 2
    assert "which another rollout made" in refused.stderr
    assert run("rollback", "checkout", "-r", "test", env=laptop.env).returncode == 0


def test_sandbox_says_how_to_go_on_and_its_file_is_one_that_teal_reads(tmp_path: Path) -> None:
    with running("sandbox", "--minute", "10s", env=environment(tmp_path)) as sandbox:
        told = sandbox.read_until("Gates judge", sandbox.out)
        assert sandbox.stop(signal.SIGINT)[0] == 0
    assert "    export AWS_ENDPOINT_URL=http://127.0.0.1:" in told
    _, _, after = told.partition("Write rollout.yaml:\n")
    written = textwrap.dedent(after.partition("and roll it out:")[0])
    assert config.load_text(written).metrics.period == timedelta(seconds=10)


def test_empty_sandbox_offers_no_service(tmp_path: Path) -> None:
    with running("sandbox", "--empty", "--json", env=environment(tmp_path)) as sandbox:
        about = sandbox.json()
        assert sandbox.stop(signal.SIGTERM)[0] == 0
    assert about["endpoint"].startswith("http://127.0.0.1:")
    assert "service" not in about


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment that reaches a sandbox of this test's own, in which nothing was rolled out."""
    with running("sandbox", "--minute", "1s", "--json", env=environment(tmp_path)) as sandbox:
        yield environment(tmp_path, **sandbox.json()["environment"])
        assert sandbox.stop(signal.SIGTERM)[0] == 0


def test_init_writes_a_file_that_preflight_passes(untouched: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    asked = ("--service", "prod/checkout", "--task-definition", "checkout:2", "-o", str(file))
    ran = run("init", *asked, "--json", env=untouched)
    assert ran.returncode == 0, ran.stderr
    hold_to_schema("init", json.loads(ran.stdout))
    assert config.load_file(file).metrics.period == timedelta(seconds=1)
    shown = run("preflight", "-f", str(file), env=untouched)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "Teal may make every call that this rollout needs" in shown.stdout
