"""What rollouts call and what the printed policies allow are equal, both ways, conditions included."""

import json
from contextlib import contextmanager
from datetime import timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Capacity, Ending, ServiceName
from orchestrator.engine.direct_rollback import DirectRun
from sandbox.scenarios.scenery_scaling import KINDS, scale_by
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from tests.cases.looks import tasks_of
from tests.cases.rule_stage import call, rule_of, teams_own
from tests.cases.swap_stage import BREAKER, lose_sight_after, swap, until_asked
from tests.sim.run import play_seed, play_swap
from tests.support.direct_transport import DirectTransport
from tests.support.permitted import OF_A_SERVER, Permitted, listed, permitted, printed_statements
from tests.support.pushed import Pushed
from tests.support.rehearsal import Rehearsal

ROLES = {
    "taskRoleArn": "arn:aws:iam::123456789012:role/task",
    "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
}
COGNITO = {
    "Type": "authenticate-cognito",
    "Order": 1,
    "AuthenticateCognitoConfig": {
        "UserPoolArn": "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_A",
        "UserPoolClientId": "c",
        "UserPoolDomain": "d",
    },
}
SEEDS = 4  # of the simulation, each as it is and as a swap
NOT_CALLED = {"PassServiceRoles": "no service of the World has a role or volumes of its own"}
"""Printed statements that no scene needs, and why."""


def scaled_and_taken_home() -> None:
    """Scaling of every kind, rules of every kind, wake-ups from a queue: to the end."""
    with contextmanager(teams_own)() as stage:
        scale_by(stage.world, stage.scenery, *KINDS, target=215.0)
        protect_a_task(stage)
        rollout = stage.start(stage.spec(stage.revision()))
        stage.until(rollout, Phase.SHIFTING)
        fire_for_a_moment(stage)
        assert stage.until(rollout).phase is Phase.SUCCEEDED


def protect_a_task(stage: Rehearsal) -> None:
    """Have a task of blue ask ECS not to be stopped for a while."""
    asked = {
        "cluster": stage.scenery.cluster,
        "tasks": tasks_of(stage)[:1],
        "protectionEnabled": True,
        "expiresInMinutes": 2,
    }
    stage.world.call("ecs", "UpdateTaskProtection", asked)


def fire_for_a_moment(stage: Rehearsal) -> None:
    """Let the alarm's state change and change back, so that its history is looked up."""
    for state in ("INSUFFICIENT_DATA", "OK"):
        asked = {"AlarmName": stage.scenery.alarms[0], "StateValue": state, "StateReason": "a test"}
        stage.world.call("cloudwatch", "SetAlarmState", asked)


def own_revisions_and_sign_in() -> None:
    """Images, a colour variable, roles, secrets, a rule with Cognito; back at the end."""
    with Rehearsal(requests_per_second=30) as stage:
        world = stage.world
        image, secret = world.images.push("checkout", "2"), world.secrets.keep("db")
        asked = {"taskDefinition": stage.scenery.task_definition}
        body = world.call("ecs", "DescribeTaskDefinition", asked)["taskDefinition"]
        kept = ("family", "networkMode", "requiresCompatibilities", "cpu", "memory")
        secrets = [
            {"name": "DB", "valueFrom": secret},
            {"name": "KEY", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/key"},
        ]
        world.secrets.parameters |= {"/key", "key"}
        container = {**json.loads(json.dumps(body["containerDefinitions"][0])), "secrets": secrets}
        made = (
            {name: body[name] for name in kept if name in body}
            | ROLES
            | {"containerDefinitions": [container]}
        )
        definition = world.call("ecs", "RegisterTaskDefinition", made)["taskDefinition"]["taskDefinitionArn"]
        forward = {**rule_of(stage)["Actions"][-1], "Order": 2}
        call(
            stage,
            "CreateListener",
            LoadBalancerArn=stage.scenery.load_balancer,
            Protocol="HTTPS",
            Port=8443,
            Certificates=[{"CertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1"}],
            DefaultActions=[COGNITO, forward],
        )
        spec = stage.spec(
            definition,
            images=((stage.scenery.container, image),),
            colour_variable="COLOUR",
            capacity=Capacity.STEPPED,
        )
        rollout = stage.start(spec)
        stage.until(rollout, Phase.WATCHING)
        stage.command(rollout, CommandKind.ROLLBACK)
        assert stage.until(rollout).phase is Phase.ROLLED_BACK


def blue_deleted_and_made_anew() -> None:
    """A swap that is taken back after blue was deleted."""
    with Rehearsal(scalable=False, deployment=BREAKER) as stage:
        rollout = swap(stage, Ending.DELETE)
        lose_sight_after(stage, "DeleteService", timedelta(seconds=10))
        until_asked(stage, rollout, "delete_service")
        stage.command(rollout, CommandKind.ROLLBACK)
        assert stage.until(rollout).phase is Phase.ROLLED_BACK


def woken_by_events() -> None:
    """Events of a queue, read and deleted."""
    with Pushed() as stage:
        rollout = stage.start(stage.spec(stage.revision()))
        stage.until(rollout, Phase.SHIFTING)


def a_service_named_without_its_cluster() -> None:
    """Found by a look into every cluster."""
    with Rehearsal() as stage:
        assert stage.run(stage.cloud.direct().find(cluster="", service="checkout")).service == "checkout"


def printed(parts: tuple[str, ...]) -> set[tuple[str, str, str]]:
    """Every action of every statement, and every resource of every statement, as printed."""
    found = set()
    for part in parts:
        for statement in printed_statements(part):
            found |= {(statement["Sid"], "action", action) for action in listed(statement["Action"])}
            found |= {(statement["Sid"], "on", resource) for resource in listed(statement["Resource"])}
    return found


def used(watch: Permitted) -> set[tuple[str, str, str]]:
    """The same of what calls needed: a statement that covers a call, with its conditions."""
    actions = {(sid, "action", action) for sid, action, _ in watch.used}
    return actions | {(sid, "on", resource) for sid, _, resource in watch.used}


@pytest.mark.long
def test_what_rollouts_call_and_what_the_policies_allow_are_equal_both_ways() -> None:
    with permitted() as watch:
        for scene in (
            scaled_and_taken_home,
            own_revisions_and_sign_in,
            blue_deleted_and_made_anew,
            woken_by_events,
            a_service_named_without_its_cluster,
        ):
            scene()
        for seed in range(SEEDS):
            assert play_seed(seed).broken == []
            assert play_swap(seed).broken == []
    assert watch.denied == {}
    assert watch.calls.total() > 1000
    assert {entry for entry in printed(OF_A_SERVER) - used(watch) if entry[0] not in NOT_CALLED} == set()


def test_a_call_that_no_policy_allows_would_be_noticed() -> None:
    with permitted("read", "preflight") as watch, Rehearsal() as stage:
        rollout = stage.start(stage.spec(stage.revision()))
        assert watch.denied == {}
        stage.until(rollout, Phase.SHIFTING)
    assert {one.partition(" on ")[0] for one in watch.denied} >= {
        "ecs:CreateService",
        "ecs:TagResource",
        "elasticloadbalancing:ModifyRule",
    }


def test_whoever_breaks_glass_needs_its_part_alone() -> None:
    with Rehearsal() as stage:
        rollout = stage.start(stage.spec(stage.revision()))
        stage.until(rollout, Phase.SHIFTING)
        record = ServiceName(cluster=stage.scenery.cluster, service=stage.scenery.service)
        with permitted("break-glass") as watch:
            stage.cloud = stage.cloud_of(DirectTransport(stage.world.call, refusal=AwsRefusal, lost=CallLost))
            assert stage.run(stage.cloud.direct().find(cluster="prod", service="checkout")) == record
            stage.run(stage.cloud.direct().find(cluster="", service="checkout"))
            home = DirectRun(stage.cloud.direct(), record, clock=stage.clock, tell=lambda _: None)
            assert stage.run(home.run(by="operator")).has_acted
    assert watch.denied == {}
    assert watch.calls.total() > 10
