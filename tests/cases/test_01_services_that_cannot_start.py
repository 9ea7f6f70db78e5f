"""Services of record that no rollout can start from: each is refused before the first write, with a way out."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from orchestrator.core.domain.errors import Conflict
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import ServiceName
from sandbox.scenarios.scenery import furnish, register
from tests.cases.starts import answering, refused, with_service, writes_since
from tests.support.rehearsal import Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(requests_per_second=5) as rehearsal:
        yield rehearsal


def ecs(stage: Rehearsal, operation: str, **params: object) -> None:
    """What somebody else does to the service."""
    stage.world.call(
        "ecs", operation, {"cluster": stage.scenery.cluster, "service": stage.scenery.service, **params}
    )


def test_case_01_a_service_that_is_not_there_is_refused_with_what_ecs_says(stage: Rehearsal) -> None:
    """ECS answers for a name that it does not know with a failure, MISSING, and no error."""
    spec = stage.spec(stage.revision(), service=ServiceName(cluster="prod", service="chekout"))
    words = refused(stage, spec)
    assert "service prod/chekout: ECS knows no active service of this name (MISSING)" in words
    elsewhere = replace(spec, service=ServiceName(cluster="prodd", service="checkout"))
    assert "there is no such cluster" in refused(stage, elsewhere)


def test_case_01_a_service_that_is_being_deleted_is_refused_and_so_is_one_that_is_gone(
    stage: Rehearsal,
) -> None:
    """DRAINING while its last tasks leave, then INACTIVE: neither is a service to go back to."""
    spec = stage.spec(stage.revision())
    ecs(stage, "DeleteService", force=True)
    assert "checkout is DRAINING" in refused(stage, spec)
    stage.let_run(2 * stage.world.minute)
    assert "ECS knows no active service of this name (INACTIVE)" in refused(stage, spec)


def test_case_05_a_service_without_a_load_balancer_is_refused(stage: Rehearsal) -> None:
    """There are no weights to move; ratios of service discovery's instances are not built."""
    stage.world.call(
        "ecs",
        "CreateService",
        {
            "cluster": stage.scenery.cluster,
            "serviceName": "worker",
            "taskDefinition": stage.scenery.task_definition,
            "desiredCount": 1,
            "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-0aaa"]}},
        },
    )
    stage.let_run(2 * stage.world.minute)
    spec = stage.spec(stage.revision(), service=ServiceName(cluster="prod", service="worker"))
    words = refused(stage, spec)
    assert "worker has no target group" in words
    assert "put the service behind an Application Load Balancer" in words


@pytest.mark.parametrize(
    ("members", "words"),
    [
        pytest.param(
            {"deploymentController": {"type": "CODE_DEPLOY"}},
            "aws ecs update-service --cluster prod --service checkout --deployment-controller type=ECS",
            id="CodeDeploy",
        ),
        pytest.param(
            {"deploymentController": {"type": "EXTERNAL"}},
            "make a service of another name whose deployment controller is ECS",
            id="external",
        ),
        pytest.param(
            {"deploymentConfiguration": {"strategy": "CANARY"}},
            "aws ecs update-service --cluster prod --service checkout "
            "--deployment-configuration strategy=ROLLING",
            id="native canary",
        ),
        pytest.param(
            {"resourceManagementType": "ECS"},
            "an Express service, whose load balancer ECS owns",
            id="Express",
        ),
    ],
)
def test_case_16_a_service_that_something_else_deploys_is_refused_with_the_command_that_changes_it(
    stage: Rehearsal, members: dict[str, object], words: str
) -> None:
    """Two controllers would fight over tasks or weights. Once the other one is out of it, Teal rolls it out."""
    spec = stage.spec(stage.revision())
    answering(stage, DescribeServices=with_service(**members))
    assert words in refused(stage, spec)
    answering(stage)
    assert stage.until(stage.start(spec), Phase.PROVISIONING).phase is Phase.PROVISIONING


def taken(stage: Rehearsal, revision: str, *, service: str = "", holder: RolloutId) -> None:
    """Starting a rollout of this service is refused, and the holder is named."""
    spec = stage.spec(revision)
    if service:
        spec = replace(spec, service=ServiceName(cluster="prod", service=service))
    start = len(stage.world.log)
    with pytest.raises(Conflict) as caught:
        stage.start(spec, key="second")
    assert (caught.value.holder, caught.value.http_status) == (holder, 409)
    assert f"teal rollback {holder}" in str(caught.value)
    assert writes_since(stage, start) == []


def test_case_18_a_second_rollout_of_the_service_is_refused_and_the_first_is_named(stage: Rehearsal) -> None:
    """From its start to its end a rollout holds its service alone."""
    first = stage.start(stage.spec(stage.revision()))
    taken(stage, stage.revision(), holder=first)
    stage.until(first, Phase.SHIFTING)
    taken(stage, stage.revision(), holder=first)
    stage.until(first)
    assert stage.start(stage.spec(stage.revision()), key="third")


def test_case_18_a_rollout_of_another_service_on_the_same_rule_is_refused_and_the_first_is_named(
    stage: Rehearsal,
) -> None:
    """A rule has one writer, whichever of the services behind it is rolled out."""
    world, scenery = stage.world, stage.scenery
    beside = furnish(world, service="neighbour", listener_port=81, load_balancer=scenery.load_balancer)
    groups = [{"TargetGroupArn": g, "Weight": 1} for g in (scenery.target_group, beside.target_group)]
    actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
    world.call("elbv2", "ModifyRule", {"RuleArn": scenery.rules[0], "Actions": actions})
    stage.let_run(2 * world.minute)
    first = stage.start(stage.spec(stage.revision()))
    taken(stage, register(world, family="neighbour"), service="neighbour", holder=first)
    stage.until(first, Phase.SHIFTING)
    taken(stage, register(world, family="neighbour"), service="neighbour", holder=first)
