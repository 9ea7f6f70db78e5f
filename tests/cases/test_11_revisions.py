"""Revisions that cannot run where blue runs, and the one that blue runs already."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.config import load_text
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Ending
from tests.cases.looks import green_of, groups_of, live_services, rules_of, service_of
from tests.cases.starts import preflight, refused
from tests.support.rehearsal import Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(requests_per_second=30) as rehearsal:
        yield rehearsal


def registered(stage: Rehearsal, **changes: object) -> str:
    """A revision like blue's, but for these members; of its container where they are a container's."""
    asked: dict[str, Any] = {"taskDefinition": stage.scenery.task_definition}
    like = stage.world.call("ecs", "DescribeTaskDefinition", asked)["taskDefinition"]
    of_container = {name: changes.pop(name) for name in ("name", "portMappings") if name in changes}
    kept = ("family", "networkMode", "requiresCompatibilities", "cpu", "memory")
    container = {**json.loads(json.dumps(like["containerDefinitions"][0])), **of_container}
    body = {**{name: like[name] for name in kept}, "containerDefinitions": [container], **changes}
    return str(stage.world.call("ecs", "RegisterTaskDefinition", body)["taskDefinition"]["taskDefinitionArn"])


def test_case_11_a_revision_that_is_not_active_is_refused(stage: Rehearsal) -> None:
    """ECS makes no service of an INACTIVE task definition."""
    revision = stage.revision()
    stage.world.call("ecs", "DeregisterTaskDefinition", {"taskDefinition": revision})
    assert "task definition checkout:2 is INACTIVE" in refused(stage, stage.spec(revision))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"name": "app"}, "checkout:2 has no container checkout with port 8080", id="container"),
        pytest.param(
            {"portMappings": [{"containerPort": 80}]}, "has no port 8080 of container checkout", id="port"
        ),
        pytest.param(
            {"networkMode": "bridge", "requiresCompatibilities": ["EC2"]},
            "has network mode bridge, blue's has awsvpc",
            id="network mode",
        ),
        pytest.param(
            {"runtimePlatform": {"cpuArchitecture": "ARM64"}},
            "is for ARM64, blue's for X86_64",
            id="architecture",
        ),
    ],
)
def test_case_11_a_revision_that_cannot_take_blues_place_is_refused(
    stage: Rehearsal, changes: dict[str, object], words: str
) -> None:
    """What ECS or the load balancer would show only in mid-rollout is read from the definition before."""
    assert words in refused(stage, stage.spec(registered(stage, **changes)))


def test_case_11_what_blue_runs_already_is_refused_and_force_is_named(stage: Rehearsal) -> None:
    """Nothing would change; who wants every task replaced says so, in the file or at the terminal."""
    words = refused(stage, stage.spec(stage.scenery.task_definition))
    assert "checkout already runs checkout:1" in words
    assert "give --force (force: true)" in words
    text = "service: prod/checkout\nrevision: {task_definition: 'checkout:1'}\nforce: true\n"
    assert load_text(text).is_forced


def test_case_11_forced_it_replaces_every_task_of_blue_and_leaves_the_rest_as_it_was(
    stage: Rehearsal,
) -> None:
    """Green proves itself first; then blue is deployed anew, once, on the revision that it had."""
    rules, groups = rules_of(stage), groups_of(stage)
    before = service_of(stage)["deployments"][0]["id"]
    spec = stage.spec(stage.scenery.task_definition, is_forced=True)
    assert "images by their digests" in preflight(stage, spec)["same-revision"].next_step
    rollout = stage.start(spec)
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    (deployment,) = service_of(stage)["deployments"]
    assert deployment["id"] != before
    assert deployment["taskDefinition"] == stage.scenery.task_definition
    forced = [call for call in stage.world.log.of("UpdateService") if call.params.get("forceNewDeployment")]
    assert len(forced) == 1
    assert (rules_of(stage), groups_of(stage)) == (rules, groups)
    assert live_services(stage) == ["checkout"]


def test_case_11_forced_with_a_swap_green_takes_blues_place_and_blue_is_deployed_no_more() -> None:
    """`ending: {swap: delete}`: nobody but green runs the revision afterwards, on tasks that are new."""
    with Rehearsal(scalable=False) as stage:
        spec = stage.spec(stage.scenery.task_definition, is_forced=True, ending=Ending.DELETE)
        rollout = stage.start(spec)
        row = stage.until(rollout)
        assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
        assert live_services(stage) == [green_of(stage, rollout)]
        calls = stage.world.log.of("UpdateService")
        assert not [call for call in calls if call.params.get("forceNewDeployment")]


def test_case_11_forced_and_undone_by_somebody_it_holds_and_green_serves(stage: Rehearsal) -> None:
    """Another deployment of the same revision is not Teal's own: its id tells them apart."""
    spec = stage.spec(stage.scenery.task_definition, is_forced=True)
    rollout = stage.start(spec)
    stage.until(rollout, Phase.SETTLING)
    stage.let_run(0.7 * stage.world.minute)
    assert stage.row(rollout).handover.attempts[-1].deployment
    again = {"cluster": "prod", "service": "checkout", "forceNewDeployment": True}
    stage.world.call("ecs", "UpdateService", again)
    stage.let_run(stage.world.minute)
    row = stage.row(rollout)
    assert (row.phase, row.green_weight) == (Phase.SETTLING, 1000)
    assert any("blue did not take checkout:1" in hold.reason for hold in row.waiting.holds), row.waiting.holds
    stage.command(rollout, CommandKind.RESUME)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert len(stage.events(rollout, EventKind.BLUE_UPDATE_ASKED)) == 2


@pytest.mark.parametrize("seconds", [0.3, 6], ids=["before it is taken", "while it rolls"])
def test_case_11_forced_and_rolled_back_in_settling_blue_is_waited_for_and_gets_everything(
    stage: Rehearsal, seconds: float
) -> None:
    """Blue's revision is the same either way: what is under way on it ends, then it has all traffic again."""
    rules = rules_of(stage)
    rollout = stage.start(stage.spec(stage.scenery.task_definition, is_forced=True))
    stage.until(rollout, Phase.SETTLING)
    stage.let_run(timedelta(seconds=seconds))
    stage.command(rollout, CommandKind.ROLLBACK)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    blue = service_of(stage)
    assert (blue["taskDefinition"], blue["runningCount"], len(blue["deployments"])) == (
        stage.scenery.task_definition,
        3,
        1,
    )
    assert rules_of(stage) == rules
    assert live_services(stage) == ["checkout"]
    assert stage.traffic.totals.rejected == 0
