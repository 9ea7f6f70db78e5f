"""Names for green that somebody else has, and answers that never came: nothing is taken over, nothing made twice."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.names import token_of
from orchestrator.core.rollout.rollout import HoldKind
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from sandbox.world.kernel.faults import Fault, When
from sandbox.world.world import World
from tests.cases.killed import made, until_killed
from tests.cases.looks import green_of, groups_of, live_services, reason_of, service_of
from tests.support.direct_transport import DirectTransport
from tests.support.rehearsal import Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(requests_per_second=20) as rehearsal:
        yield rehearsal


def begun(stage: Rehearsal) -> RolloutId:
    return stage.start(stage.spec(stage.revision()))


def succeeds(stage: Rehearsal, rollout: RolloutId, *left: str) -> None:
    """It ends well, and of target groups and services only these are left beside blue's own."""
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    names = [arn.split("/")[1] for arn in groups_of(stage)]
    assert sorted(names) == sorted(["checkout-blue", *(name for name in left if name.startswith("teal-"))])
    assert sorted(live_services(stage)) == sorted(
        ["checkout", *(name for name in left if not name.startswith("teal-"))]
    )


# target groups -----------------------------------------------------------------------------------------------------


def make_group(stage: Rehearsal, rollout: RolloutId, **changes: object) -> str:
    """Somebody makes a target group by the name that green's would get; returns its ARN."""
    name = f"teal-checkout-{rollout[-8:]}-0"
    like = {"Protocol": "HTTP", "Port": 8080, "VpcId": "vpc-0a1b2c3d", "TargetType": "ip"}
    answer = stage.world.call("elbv2", "CreateTargetGroup", {"Name": name, **like, **changes})
    return str(answer["TargetGroups"][0]["TargetGroupArn"])


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="without tags"),
        pytest.param({"Tags": [{"Key": "teal:rollout", "Value": "other-1a2b3c4d"}]}, id="another rollout's"),
        pytest.param({"TargetType": "instance"}, id="another target type"),
        pytest.param({"VpcId": "vpc-other"}, id="another VPC"),
        pytest.param({"ProtocolVersion": "GRPC"}, id="another protocol version"),
    ],
)
def test_case_09_a_target_groups_name_that_is_taken_is_left_alone_and_another_is_used(
    stage: Rehearsal, changes: dict[str, object]
) -> None:
    """Whatever a group's tags say: one that cannot be what Teal made is never used and never deleted."""
    rollout = begun(stage)
    if "Tags" not in changes and changes:
        changes = {**changes, "Tags": [{"Key": "teal:rollout", "Value": rollout}]}
    taken = make_group(stage, rollout, **changes)
    stage.until(rollout, Phase.PROVISIONING)
    (pair,) = stage.row(rollout).pairs
    assert pair.green_name == f"teal-checkout-{rollout[-8:]}-10"
    succeeds(stage, rollout, taken.split("/")[1])


def test_case_09_a_green_group_that_somebody_puts_targets_into_is_not_used_before_they_are_gone(
    stage: Rehearsal,
) -> None:
    """Users at green's weight would meet them: it holds before green is made, and names how many there are."""

    def register(world: World) -> None:
        group = next(arn for arn in groups_of(stage) if "/teal-" in arn)
        targets = {"TargetGroupArn": group, "Targets": [{"Id": "10.9.9.9"}]}
        world.call("elbv2", "RegisterTargets", targets)
        asked.append(targets)

    asked: list[dict[str, Any]] = []
    rollout = begun(stage)
    stage.world.faults.before("ModifyRule", 1, register)
    stage.until(rollout, Phase.PROVISIONING)
    stage.let_run(stage.world.minute)
    (hold,) = stage.row(rollout).waiting.holds
    assert (hold.kind, hold.reason) == (
        HoldKind.DRIFT,
        f"somebody put 1 target into teal-checkout-{rollout[-8:]}-0",
    )
    assert live_services(stage) == ["checkout"]
    stage.world.call("elbv2", "DeregisterTargets", asked[0])
    succeeds(stage, rollout)


def test_case_54_killed_after_a_target_group_was_made_it_finds_it_by_name_and_tags(stage: Rehearsal) -> None:
    """The name was on disk before the call: the group is adopted, set up and used, not made twice."""
    rollout = begun(stage)
    until_killed(stage, "CreateTargetGroup")
    (adopted,) = [arn for arn in groups_of(stage) if "/teal-" in arn]
    stage.until(rollout, Phase.PROVISIONING)
    (pair,) = stage.row(rollout).pairs
    assert (pair.green, made(stage.world, "CreateTargetGroup")) == (adopted, 2)  # blue's own was one
    succeeds(stage, rollout)


# services ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
def test_case_19_green_whose_creation_got_no_answer_is_asked_for_again_word_by_word(
    stage: Rehearsal, when: When
) -> None:
    """The request is on disk with its token: a repeated call is the same call, and makes one service."""
    rollout = begun(stage)
    stage.world.faults.add(Fault(operation="CreateService", when=when))
    stage.until(rollout, Phase.SHIFTING)
    calls = [call.params for call in stage.world.log.of("CreateService")[1:]]
    assert len(calls) == (2 if when == "before" else 1), "what was made is found, not made again"
    assert all(json.dumps(call, sort_keys=True) == json.dumps(calls[0], sort_keys=True) for call in calls)
    assert calls[0]["clientToken"] == token_of(stage.row(rollout), "")
    succeeds(stage, rollout)


def foreign_service(stage: Rehearsal, name: str, **changes: object) -> None:
    """Somebody makes a service by this name."""
    stage.world.call(
        "ecs",
        "CreateService",
        {
            "cluster": "prod",
            "serviceName": name,
            "taskDefinition": stage.scenery.task_definition,
            "desiredCount": 1,
            "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-0aaa"]}},
            **changes,
        },
    )


def test_case_20_a_services_name_that_is_taken_is_left_alone_and_another_is_used(stage: Rehearsal) -> None:
    """The next number at its end, as often as it takes; somebody else's services are neither used nor deleted."""
    rollout = begun(stage)
    first = f"checkout-{rollout[-8:]}"
    for name in (first, f"{first}-2"):
        foreign_service(stage, name)
    stage.until(rollout, Phase.SHIFTING)
    assert green_of(stage, rollout) == f"{first}-3"
    succeeds(stage, rollout, first, f"{first}-2")


def test_case_20_a_name_that_is_still_draining_is_not_waited_for(stage: Rehearsal) -> None:
    """ECS keeps the name of a deleted service as long as its last task: another name is free at once."""
    rollout = begun(stage)
    first = f"checkout-{rollout[-8:]}"
    foreign_service(stage, first)
    stage.let_run(stage.world.minute)  # its task runs, and takes a while to end
    stage.world.behaviour.stops_in *= 600
    stage.world.call("ecs", "DeleteService", {"cluster": "prod", "service": first, "force": True})
    stage.until(rollout, Phase.SHIFTING)
    assert service_of(stage, first)["status"] == "DRAINING"
    assert green_of(stage, rollout) == f"{first}-2"


def blind(stage: Rehearsal, *, times: int, words: str = "") -> None:
    """ECS does not see for so many calls that green's group is in a load balancer's rule, or refuses in these words."""
    left = times

    def call(service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        nonlocal left
        if operation == "CreateService" and left:
            left -= 1
            group = params["loadBalancers"][0]["targetGroupArn"]
            unseen = (
                f"The target group with targetGroupArn {group} does not have an associated load balancer."
            )
            raise AwsRefusal("InvalidParameterException", words or unseen)
        return stage.world.call(service, operation, params)

    stage.cloud = stage.cloud_of(DirectTransport(call, refusal=AwsRefusal, lost=CallLost))


def test_case_21_ecs_that_does_not_see_the_groups_load_balancer_yet_is_asked_again(stage: Rehearsal) -> None:
    """The group is in every rule already; ECS sees it some seconds later."""
    rollout = begun(stage)
    blind(stage, times=3)
    stage.until(rollout, Phase.SHIFTING)
    succeeds(stage, rollout)


def test_case_21_ecs_that_never_sees_the_groups_load_balancer_ends_the_rollout_after_six_tries(
    stage: Rehearsal,
) -> None:
    """About a minute, not `limits.provision`: something is wrong that waiting does not mend."""
    rollout = begun(stage)
    blind(stage, times=100)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    reason = reason_of(stage, rollout)
    assert "green cannot be created, after 6 attempts" in reason
    assert "does not have an associated load balancer" in reason
    assert groups_of(stage) == [stage.scenery.target_group]


def test_case_21_a_creation_that_ecs_refuses_for_good_ends_the_rollout_just_as_soon(stage: Rehearsal) -> None:
    """What ECS refuses six times in a minute it will refuse until `limits.provision` too."""
    rollout = begun(stage)
    blind(stage, times=100, words="The provided platform version is not supported.")
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert "The provided platform version is not supported" in reason_of(stage, rollout)


@pytest.mark.parametrize(
    ("operation", "nth"),
    [
        pytest.param("CreateService", 1, id="made"),
        pytest.param("UpdateService", 2, id="scaled to nothing"),
        pytest.param("DeleteService", 1, id="deleted"),
    ],
)
def test_case_56_killed_after_green_was_made_stopped_or_deleted_it_goes_on_by_what_it_sees(
    stage: Rehearsal, operation: str, nth: int
) -> None:
    """The same call again is harmless, and what is done already is done: one green, and none at last."""
    rollout = begun(stage)
    until_killed(stage, operation, nth)
    succeeds(stage, rollout)
    greens = [call.params["serviceName"] for call in stage.world.log.of("CreateService") if not call.error]
    assert len(set(greens)) == 2, "blue's own, and green's"
