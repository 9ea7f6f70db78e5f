"""What preflight reads beside the survey, on a World that holds every call and answer to AWS's shapes."""

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import botocore.session
import pytest

import orchestrator.aws
from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.errors import iam_action
from orchestrator.aws.cloud import AwsCloud
from orchestrator.aws.permissions import PREFLIGHT, READS
from orchestrator.aws.preflight import ecr, iam
from orchestrator.core.analysis.detectable_regression import Load
from orchestrator.core.cloud.resources import Absent, Unread
from orchestrator.core.domain.errors import Missing, Outside, Rejected
from orchestrator.core.domain.ids import Json
from orchestrator.core.preflight.environment import (
    ClusterSeen,
    Denial,
    Presence,
    Surroundings,
    TaskSeen,
    groups_of,
    surroundings_need,
)
from orchestrator.core.rollout.spec import ServiceName
from sandbox.scenarios.scenery import alarm
from sandbox.world import AwsRefusal, CallLost, Fault, quiet_world
from sandbox.world.other_services.iam import Lack
from sandbox.world.other_services.service_quotas import FARGATE_VCPU
from tests.builders import NOON, good_spec
from tests.contract.cloud import Direct, Stage, Way, Wired, set_stage, ways
from tests.support.direct_transport import DirectTransport
from tests.support.virtual_traffic import VirtualTraffic

SCOUTS = {
    "cloudwatch": "cloudwatch",
    "ec2": "ec2",
    "ecr": "ecr",
    "ecs_listing": "ecs",
    "elbv2": "elbv2",
    "iam": "iam",
    "secretsmanager": "secretsmanager",
    "service_quotas": "service-quotas",
    "ssm": "ssm",
    "sts": "sts",
}


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as opened:
        yield opened


@pytest.fixture(scope="module", params=list(ways()))
def way(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Iterator[Way]:
    if request.param == "direct":
        yield Direct()
        return
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("AWS_PROFILE", raising=False)
        environment.setenv("AWS_ACCESS_KEY_ID", "sandbox")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
        wired = Wired(runner)
        yield wired
        wired.close()


Build = Callable[..., Stage]


@pytest.fixture
def stage(way: Way, runner: asyncio.Runner) -> Build:
    return lambda **scenery: set_stage(way, runner, **scenery)


def around(stage: Stage, revision: str = "", **spec: object) -> Surroundings:
    scenery = stage.scenery
    wanted = revision or scenery.task_definition
    asked = good_spec(
        service=ServiceName(cluster=scenery.cluster, service=scenery.service), task_definition=wanted, **spec
    )
    survey = stage.survey(task_definition=wanted)
    need = surroundings_need(asked, survey)
    return stage.runner.run(stage.cloud.look_around(need, stage.world.now))


def registered(stage: Stage, **container: object) -> str:
    """A revision of the service whose container differs as said; ``executionRoleArn`` is the definition's own."""
    now = stage.call("ecs", "DescribeTaskDefinition", taskDefinition=stage.scenery.task_definition)
    body = now["taskDefinition"]
    role = {"executionRoleArn": container.pop("executionRoleArn")} if "executionRoleArn" in container else {}
    answer = stage.call(
        "ecs",
        "RegisterTaskDefinition",
        family=body["family"],
        networkMode=body["networkMode"],
        cpu="512",
        memory="1024",
        containerDefinitions=[{**body["containerDefinitions"][0], **container}],
        **role,
    )
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def test_a_plain_service_is_seen_whole(stage: Build) -> None:
    seen = around(stage())
    assert isinstance(seen.wanted, TaskSeen)
    assert (seen.wanted.vcpu, seen.wanted.memory_mib) == (0.25, 512)
    assert not isinstance(seen.subnets, Unread)
    assert [(subnet.zone, subnet.free) for subnet in seen.subnets] == [
        ("eu-west-1a", 249),
        ("eu-west-1b", 250),
    ]
    assert seen.cluster == ClusterSeen(services=1, instances=0)
    assert not isinstance(seen.balancers, Unread)
    assert [(use.groups, use.targets) for use in seen.balancers] == [(1, 3)]
    assert not isinstance(seen.balancing, Unread)
    assert seen.balancing["target-groups-per-application-load-balancer"] == 100
    assert (seen.denials, seen.guests) == ((), ())
    assert list(seen.images.values()) == [Presence.ELSEWHERE]


def test_looking_around_never_writes(stage: Build) -> None:
    built = stage()
    before = len(built.world.log)
    around(built)
    calls = {(record.service, record.operation) for record in built.world.log[before:]}
    assert all(re.match(r"Describe|List|Get|Simulate", operation) for _, operation in calls), calls


def test_images_of_ecr_are_looked_up_by_tag_and_digest(stage: Build) -> None:
    built = stage()
    there = built.world.images.push("checkout", "1.4.2")
    gone = there.replace("1.4.2", "1.4.3")
    nowhere = there.replace("/checkout", "/elsewhere")
    found = [around(built, registered(built, image=image)).images[image] for image in (there, gone, nowhere)]
    assert found == [Presence.PRESENT, Presence.MISSING, Presence.MISSING]
    by_digest = f"{there.partition(':')[0]}@{built.world.images.repositories['checkout']['1.4.2']}"
    assert around(built, registered(built, image=by_digest)).images[by_digest] is Presence.PRESENT


def test_images_are_looked_up_by_the_registrys_dual_stack_name_too(stage: Build) -> None:
    built = stage()
    images = built.world.images
    there = images.push("checkout", "1.4.2").replace(images.registry, images.dual_stack_registry)
    gone = there.replace("1.4.2", "1.4.3")
    found = [around(built, registered(built, image=image)).images[image] for image in (there, gone)]
    assert found == [Presence.PRESENT, Presence.MISSING]


@pytest.mark.parametrize(
    ("host", "region", "is_asked"),
    [
        ("dkr-ecr.eu-west-1.on.aws", "eu-west-1", True),
        ("dkr-ecr-fips.us-gov-west-1.on.aws", "us-gov-west-1", True),
        ("dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", True),
        ("dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1", True),
        ("dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "cn-north-1", True),
        ("dkr.ecr.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", True),
        ("dkr-ecr.eusc-de-east-1.on.amazonwebservices.eu", "eusc-de-east-1", True),
        ("dkr-ecr.us-east-1.on.aws", "eu-west-1", False),
        ("dkr-ecr.eu-west-1.on.aws.example.com", "eu-west-1", False),
        ("dkr-ecr.eu-west-1.amazonaws.com", "eu-west-1", False),
    ],
)
def test_registries_of_every_partition_are_known_by_both_names_and_no_other_host_is(
    runner: asyncio.Runner, host: str, region: str, is_asked: bool
) -> None:
    world = quiet_world(NOON)
    world.images.push("checkout", "1")
    call = Caller(DirectTransport(world.call, refusal=AwsRefusal, lost=CallLost))
    found = runner.run(ecr.presence(call, f"{world.kernel.account}.{host}/checkout:1", region))
    assert found is (Presence.PRESENT if is_asked else Presence.ELSEWHERE)


def test_an_image_of_another_account_is_unread_and_one_of_another_region_is_elsewhere(stage: Build) -> None:
    built = stage()
    other = built.world.images.push("checkout", "1").replace("123456789012", "999999999999")
    assert isinstance(around(built, registered(built, image=other)).images[other], Unread)
    abroad = other.replace("eu-west-1", "us-east-1")
    assert around(built, registered(built, image=abroad)).images[abroad] is Presence.ELSEWHERE


def test_secrets_and_parameters_are_looked_up_without_reading_them(stage: Build) -> None:
    built = stage()
    secrets = built.world.secrets
    kept, dropped = secrets.keep("db"), secrets.keep("old")
    secrets.drop(dropped)
    secrets.parameters |= {"/shop/key", "plain"}
    region = "arn:aws:ssm:eu-west-1:123456789012:parameter"
    sources = {
        f"{kept}:password::": Presence.PRESENT,
        dropped: Presence.DELETED,
        kept.replace("db", "dc"): Presence.MISSING,
        f"{region}/shop/key": Presence.PRESENT,
        "plain": Presence.PRESENT,
        f"{region}/shop/none": Presence.MISSING,
    }
    listed = [{"name": f"S{number}", "valueFrom": source} for number, source in enumerate(sources)]
    assert around(built, registered(built, secrets=listed)).secrets == sources
    assert not built.world.log.of("GetSecretValue", "GetParameters")


def test_what_the_caller_may_not_do_is_told_by_action_and_resource(stage: Build) -> None:
    built = stage()
    built.world.policies.lacks.append(Lack(action="elasticloadbalancing:ModifyRule"))
    built.world.policies.lacks.append(Lack(action="ecs:DeleteService", is_explicit=True))
    denials = around(built).denials
    assert not isinstance(denials, Unread)
    assert [(denial.action, denial.is_explicit) for denial in denials] == [
        ("ecs:DeleteService", True),
        ("elasticloadbalancing:ModifyRule", False),
    ]
    assert denials[1].resource == built.scenery.rules[0]


def test_a_condition_that_the_simulation_cannot_know_is_told(stage: Build) -> None:
    built = stage()
    lack = Lack(action="ecs:UpdateService", looks_at=("aws:SourceIp",))
    built.world.policies.lacks.append(lack)
    denials = around(built).denials
    assert not isinstance(denials, Unread)
    assert {denial.unknown for denial in denials} == {("aws:SourceIp",)}


def test_a_simulation_that_is_not_allowed_is_unread(stage: Build) -> None:
    built = stage()
    built.world.policies.may_ask = False
    denials = around(built).denials
    assert isinstance(denials, Unread)
    assert "iam:SimulatePrincipalPolicy" in denials.why


def test_an_assumed_role_is_simulated_with_its_path() -> None:
    world = quiet_world(NOON)
    world.policies.paths["teal"] = "/ci/"
    transport = DirectTransport(world.call, refusal=AwsRefusal, lost=CallLost)
    caller = "arn:aws:sts::123456789012:assumed-role/teal/session"
    found = asyncio.run(iam.principal_of(Caller(transport), caller))
    assert found == "arn:aws:iam::123456789012:role/ci/teal"


@pytest.mark.parametrize(
    "caller", ["arn:aws:iam::123456789012:root", "arn:aws:sts::123456789012:federated-user/somebody"]
)
def test_whose_permissions_nobody_simulates_is_said(caller: str) -> None:
    transport = DirectTransport(quiet_world(NOON).call, refusal=AwsRefusal, lost=CallLost)
    with pytest.raises(Rejected, match="users and roles alone"):
        asyncio.run(iam.principal_of(Caller(transport), caller))


def test_the_execution_role_is_asked_for_the_secrets_of_the_new_revision(stage: Build) -> None:
    built = stage()
    secret = built.world.secrets.keep("db")
    role = "arn:aws:iam::123456789012:role/execution"
    built.world.policies.lacks.append(Lack(action="secretsmanager:GetSecretValue", principal=role))
    revision = registered(built, secrets=[{"name": "DB", "valueFrom": secret}], executionRoleArn=role)
    assert around(built, revision).unreadable == (
        Denial(action="secretsmanager:GetSecretValue", resource=secret),
    )


def test_what_is_used_of_the_fargate_quota_comes_from_its_own_metric(stage: Build) -> None:
    built = stage()
    built.world.advance(timedelta(minutes=7))
    quotas = around(built).quotas
    assert not isinstance(quotas, Unread)
    assert (quotas[FARGATE_VCPU].limit, quotas[FARGATE_VCPU].used) == (4000, 0.75)


def test_traffic_of_the_last_hour_is_summed_over_the_service(stage: Build) -> None:
    built = stage()
    assert isinstance(around(built).load, Absent)
    VirtualTraffic(built.world, built.scenery.listeners[0], 10, path="/")
    built.world.advance(timedelta(minutes=70))
    load = around(built).load
    assert isinstance(load, Load)
    assert 590 < load.requests < 610
    assert load.error_rate == 0


def test_a_guest_that_was_left_is_named(stage: Build) -> None:
    built = stage()
    now = built.call("ecs", "DescribeServices", cluster="prod", services=["checkout"])["services"][0]
    built.call(
        "ecs",
        "CreateService",
        cluster="prod",
        serviceName="checkout-0a1b2c3d",
        taskDefinition=now["taskDefinition"],
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration=now["networkConfiguration"],
        tags=[{"key": "teal:rollout", "value": "checkout-0a1b2c3d"}],
    )
    assert around(built).guests == ("checkout-0a1b2c3d (rollout checkout-0a1b2c3d)",)


def test_a_definition_that_is_still_to_be_registered_is_read_from_its_parameters(stage: Build) -> None:
    built = stage()
    asked = good_spec(service=ServiceName(cluster="prod", service="checkout"))
    need = replace(
        surroundings_need(asked, built.survey()),
        definition=Json('{"cpu": "1024", "memory": "2048", "containerDefinitions": []}'),
    )
    wanted = built.runner.run(built.cloud.look_around(need, built.world.now)).wanted
    assert isinstance(wanted, TaskSeen)
    assert (wanted.vcpu, wanted.memory_mib) == (1, 2048)


def test_the_traffic_read_alone_is_the_traffic_that_preflight_sees(stage: Build) -> None:
    built = stage()
    VirtualTraffic(built.world, built.scenery.listeners[0], 20, path="/")
    built.world.advance(timedelta(minutes=70))
    groups, now = groups_of(built.survey()), built.world.now
    read = built.runner.run(built.cloud.load(groups, period=timedelta(minutes=1), now=now))
    assert isinstance(read, Load)
    assert read == around(built).load
    built.world.faults.add(Fault(operation="GetMetricData", kind="denied", times=99))
    with pytest.raises(Outside, match="not authorized"):
        built.runner.run(built.cloud.load(groups, period=timedelta(minutes=1), now=now))


@pytest.mark.parametrize("operation", ["DescribeSubnets", "DescribeAccountLimits", "ListServiceQuotas"])
def test_one_read_that_fails_costs_itself_alone(stage: Build, operation: str) -> None:
    built = stage()
    built.world.faults.add(Fault(operation=operation, kind="denied", times=99))
    seen = around(built)
    parts = {
        "DescribeSubnets": seen.subnets,
        "DescribeAccountLimits": seen.balancing,
        "ListServiceQuotas": seen.quotas,
    }
    assert [name for name, part in parts.items() if isinstance(part, Unread)] == [operation]


def test_alarms_that_watch_a_service_are_found_on_group_load_balancer_and_service(stage: Build) -> None:
    built = stage()
    world, scenery = built.world, built.scenery
    balancer = scenery.load_balancer.split(":loadbalancer/")[1]
    put = {
        "on-balancer": ("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", {"LoadBalancer": balancer}),
        "on-service": ("Shop", "QueueDepth", {"ClusterName": "prod", "ServiceName": "checkout"}),
        "on-other": ("Shop", "QueueDepth", {"ClusterName": "prod", "ServiceName": "basket"}),
        "TargetTracking-service/prod/checkout": (
            "Shop",
            "QueueDepth",
            {"ClusterName": "prod", "ServiceName": "checkout"},
        ),
    }
    for name, (namespace, metric, dimensions) in put.items():
        built.call(
            "cloudwatch",
            "PutMetricAlarm",
            AlarmName=name,
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
    alarm(
        world, "on-other-group", scenery.load_balancer, scenery.target_group.replace("/checkout", "/basket")
    )
    built.call("cloudwatch", "PutCompositeAlarm", AlarmName="whole", AlarmRule="ALARM(on-balancer)")
    built.call("cloudwatch", "PutCompositeAlarm", AlarmName="foreign", AlarmRule="ALARM(on-other)")
    assert isinstance(built.cloud, AwsCloud)
    found = built.runner.run(built.cloud.scout().watchers(built.survey()))
    assert [seen.name for seen in found] == ["checkout-5xx", "on-balancer", "on-service", "whole"]


def test_services_of_a_cluster_are_listed_and_one_that_is_not_there_says_what_to_check(stage: Build) -> None:
    built = stage()
    assert isinstance(built.cloud, AwsCloud)
    scout = built.cloud.scout()
    assert built.runner.run(scout.services("prod")) == ("checkout",)
    assert built.runner.run(scout.running("prod", "checkout")) == built.scenery.task_definition
    with pytest.raises(Missing, match="Check its name"):
        built.runner.run(scout.services("nowhere"))


def test_every_read_is_listed_among_the_permissions() -> None:
    session = botocore.session.get_session()
    package = Path(orchestrator.aws.__file__).parent
    paths = [*(package / "preflight").glob("*.py"), package / "services" / "ecs_listing.py"]
    called: set[str] = set()
    for path in paths:
        for service, operation in re.findall(
            r'call\.(?:read|pages)\(\s*"([a-z0-9-]+)",\s*"(\w+)"', path.read_text()
        ):
            assert SCOUTS[path.stem] == service
            assert operation in session.get_service_model(service).operation_names
            called.add(iam_action(service, operation))
    assert called - {*READS, "sts:GetCallerIdentity"} == set(PREFLIGHT)
    assert not any("call.write" in path.read_text() for path in paths)
