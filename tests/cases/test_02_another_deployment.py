"""Somebody else deploys the service: refused, or waited for as long as the file says."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from api.cli.main import teal
from api.cli.options.rollout_options import Asked, spec_of
from orchestrator.config import differences, dump, load_text
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Limits, Spec
from tests.cases.looks import live_services, reason_of, service_of
from tests.cases.starts import answering, refused, writes_since
from tests.support.rehearsal import Rehearsal

FILE = "service: prod/checkout\nrevision: {task_definition: 'checkout:3'}\n"


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(requests_per_second=20) as rehearsal:
        yield rehearsal


def deploy_blue(stage: Rehearsal) -> str:
    """Another tool gives blue a revision; it takes a while to roll."""
    revision = stage.revision()
    asked = {"cluster": "prod", "service": "checkout", "taskDefinition": revision}
    stage.world.call("ecs", "UpdateService", asked)
    return revision


def waiting(stage: Rehearsal, minutes: float) -> Spec:
    wait = timedelta(minutes=minutes)
    return stage.spec(stage.revision(), limits=Limits(wait_for_blue=wait))


def test_case_02_a_service_that_somebody_deploys_is_refused_and_the_way_to_wait_is_named(
    stage: Rehearsal,
) -> None:
    """Two deployments on it, or one that has not ended: there is no one revision to go back to."""
    deploy_blue(stage)
    words = refused(stage, stage.spec(stage.revision()))
    assert "checkout has 2 deployments" in words or "checkout's deployment is IN_PROGRESS" in words
    assert "--wait-for-blue 30m (limits.wait_for_blue) does" in words


def test_case_02_a_deployment_that_only_ecs_lists_is_refused_too(stage: Rehearsal) -> None:
    """ListServiceDeployments knows of one before the service shows it."""

    def listed(_: dict[str, Any]) -> dict[str, Any]:
        arn = "arn:aws:ecs:eu-west-1:123456789012:service-deployment/prod/checkout/a1"
        return {"serviceDeployments": [{"serviceDeploymentArn": arn, "status": "PENDING"}]}

    answering(stage, ListServiceDeployments=listed)
    assert "another deployment is under way on checkout: arn:aws:ecs" in refused(
        stage, stage.spec(stage.revision())
    )


def test_case_02_waiting_it_begins_once_the_other_deployment_has_ended(stage: Rehearsal) -> None:
    """It holds its service alone meanwhile, writes nothing, and starts from what blue runs then."""
    deployed = deploy_blue(stage)
    start = len(stage.world.log)
    rollout = stage.start(waiting(stage, 10))
    stage.let_run(timedelta(seconds=5))
    row = stage.row(rollout)
    assert row.phase is Phase.PENDING
    assert row.waiting.holds[0].reason.startswith("waits for blue: checkout")
    assert writes_since(stage, start) == ["RegisterTaskDefinition"]  # the test's own
    stage.until(rollout, Phase.PROVISIONING)
    blue = stage.row(rollout).blue
    assert blue is not None
    assert blue.former == deployed
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)


def test_case_02_a_deployment_that_does_not_end_in_time_ends_the_rollout_before_anything_is_made(
    stage: Rehearsal,
) -> None:
    """The limit is the file's own; `limits.hold` does not cut it short."""
    stage.world.capacity.limit = 3  # the other deployment finds no room
    deploy_blue(stage)
    spec = waiting(stage, 7)
    spec = replace(spec, limits=replace(spec.limits, hold=timedelta(minutes=1)))
    rollout = stage.start(spec)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK
    assert "waited 7 min for blue: checkout" in reason_of(stage, rollout)
    assert live_services(stage) == ["checkout"]
    assert not row.rules


def test_case_02_waiting_can_be_given_up_and_anything_else_still_refuses(stage: Rehearsal) -> None:
    """Only what ends by itself is waited for."""
    deploy_blue(stage)
    spec = waiting(stage, 10)
    bad = stage.spec(stage.revision(), limits=spec.limits, rules=(stage.scenery.rules[0] + "0",))
    assert "does not exist" in refused(stage, bad)
    rollout = stage.start(spec)
    stage.command(rollout, CommandKind.ROLLBACK)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK
    assert service_of(stage)["status"] == "ACTIVE"


def test_case_02_the_wait_is_asked_for_in_the_file_or_at_the_terminal(tmp_path: Any) -> None:  # noqa: ANN401
    """Whoever goes on with a rollout need not say again how long it was to wait."""
    waits = load_text(FILE + "limits: {wait_for_blue: 30m}\n")
    assert waits.limits.wait_for_blue == timedelta(minutes=30)
    assert load_text(dump(waits)) == waits
    assert differences(waits, load_text(FILE)) == ()
    assert differences(load_text(FILE), waits) == ("limits.wait_for_blue: nothing is now 30m",)
    path = tmp_path / "rollout.yaml"
    path.write_text(FILE)
    given = Asked(
        file=str(path),
        service=None,
        task_definition=None,
        plan=None,
        override=None,
        wait_for_blue=timedelta(minutes=5),
    )
    assert spec_of(given).limits.wait_for_blue == timedelta(minutes=5)
    for command in ("deploy", "start", "preflight"):
        assert "--wait-for-blue" in CliRunner().invoke(teal, [command, "--help"]).output
