"""Preflight on what was read beside the survey: each finding made by changing one thing where all is well."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.analysis.detectable_regression import Load
from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import Absent, Unread
from orchestrator.core.cloud.survey import Finding, Severity, Survey
from orchestrator.core.domain.ids import Json, LoadBalancerArn
from orchestrator.core.domain.plan import NAMED_PLANS
from orchestrator.core.gates.probe import ProbeSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.preflight.environment import (
    BalancerUse,
    ClusterSeen,
    Denial,
    Presence,
    Quota,
    SubnetSeen,
    Surroundings,
    TaskSeen,
    surroundings_need,
)
from orchestrator.core.preflight.reserved_capacity import Reserved
from orchestrator.preflight import findings
from orchestrator.preflight.room.quota_headroom import PER_CLUSTER, PER_SERVICE, VCPU
from tests.builders import (
    DEFAULT_RULE,
    FORMER,
    LISTENER,
    LOAD_BALANCER,
    NOON,
    RULE,
    SERVICE,
    WANTED,
    default_rule,
    good_definition,
    good_group,
    good_spec,
    good_survey,
)

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/checkout:1.4.2"
FORMER_IMAGE = IMAGE.replace("1.4.2", "1.4.1")
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-a1b2c3"
SCALABLE_TARGET = "arn:aws:application-autoscaling:eu-west-1:123456789012:scalable-target"
ROLE = "arn:aws:iam::123456789012:role/execution"
UNREAD = Unread(why="EC2 said no")


def task(**changes: Any) -> TaskSeen:  # noqa: ANN401 - the fields of TaskSeen
    seen = TaskSeen(
        arn=WANTED,
        vcpu=0.5,
        memory_mib=1024,
        execution_role=ROLE,
        images=(("app", IMAGE),),
        secrets=(("app", SECRET),),
        ports=(("app", 8080),),
    )
    return replace(seen, **changes)


def good_around(**changes: Any) -> Surroundings:  # noqa: ANN401 - the fields of Surroundings
    around = Surroundings(
        wanted=task(),
        former=task(arn=FORMER, images=(("app", FORMER_IMAGE),)),
        subnets=(
            SubnetSeen(id="subnet-a", zone="eu-west-1a", free=100),
            SubnetSeen(id="subnet-b", zone="eu-west-1b", free=100),
        ),
        balancing={},
        balancers=(BalancerUse(arn=LOAD_BALANCER, groups=4, targets=12),),
        cluster=ClusterSeen(services=7, instances=0),
        quotas={
            PER_CLUSTER: Quota(name=PER_CLUSTER, limit=5000),
            PER_SERVICE: Quota(name=PER_SERVICE, limit=5000),
            VCPU["FARGATE"]: Quota(name=VCPU["FARGATE"], limit=100, used=20),
        },
        images={IMAGE: Presence.PRESENT, FORMER_IMAGE: Presence.PRESENT},
        secrets={SECRET: Presence.PRESENT},
        denials=(),
        load=Load(requests=600, error_rate=0.001),
    )
    return replace(around, **changes)


def own_balancer(**changes: Any) -> Survey:  # noqa: ANN401 - the fields of Survey
    """A survey whose load balancer carries nobody else."""
    return good_survey(**{"groups_per_load_balancer": 1, **changes})


def found(
    around: Surroundings, survey: Survey | None = None, reserved: Reserved | None = None
) -> tuple[Finding, ...]:
    return findings(good_spec(), survey or own_balancer(), now=NOON, around=around, reserved=reserved)


def group(**template: object) -> dict[str, Any]:
    base = {"Protocol": "HTTP", "Port": 8080, "TargetType": "ip"}
    return {"groups": (good_group(template=canonical({**base, **template})),)}


def placed(**template: object) -> dict[str, Any]:
    return {"template": canonical({"healthCheckGracePeriodSeconds": 30, **template})}


def quota(name: str, limit: float) -> dict[str, Any]:
    return {"quotas": {name: Quota(name=name, limit=limit)}}


OTHER = LoadBalancerArn(LOAD_BALANCER.replace("public", "internal"))
ROWS: list[tuple[str, Severity, dict[str, Any], dict[str, Any], str]] = [
    (
        "permission-missing",
        Severity.ERROR,
        {"denials": (Denial(action="ecs:CreateService", resource=SERVICE),)},
        {},
        f"Teal may not call ecs:CreateService on {SERVICE}",
    ),
    (
        "permission-denied",
        Severity.ERROR,
        {"denials": (Denial(action="ecs:CreateService", resource=SERVICE, is_explicit=True),)},
        {},
        "Teal may not call ecs:CreateService",
    ),
    (
        "permission-unsure",
        Severity.WARNING,
        {
            "denials": (
                Denial(action="ecs:UpdateService", resource=SERVICE, unknown=("aws:ResourceTag/team",)),
            )
        },
        {},
        "as far as IAM's simulation can tell",
    ),
    ("permissions-unchecked", Severity.NOTE, {"denials": UNREAD}, {}, "could not be asked beforehand"),
    ("permissions", Severity.NOTE, {}, {}, "every call"),
    ("image-missing", Severity.ERROR, {"images": {IMAGE: Presence.MISSING}}, {}, f"wants {IMAGE}"),
    (
        "blue-image-missing",
        Severity.WARNING,
        {"images": {FORMER_IMAGE: Presence.MISSING}},
        {},
        f"{FORMER_IMAGE} of container app, which checkout:42 runs",
    ),
    ("images-unchecked", Severity.NOTE, {"images": {"nginx": Presence.ELSEWHERE}}, {}, "whether nginx can"),
    ("image-unread", Severity.NOTE, {"images": {IMAGE: UNREAD}}, {}, "could not be read"),
    ("secret-missing", Severity.ERROR, {"secrets": {SECRET: Presence.MISSING}}, {}, "does not exist"),
    ("secret-deleted", Severity.ERROR, {"secrets": {SECRET: Presence.DELETED}}, {}, "is deleted"),
    ("secret-unread", Severity.NOTE, {"secrets": {SECRET: UNREAD}}, {}, SECRET),
    ("no-execution-role", Severity.ERROR, {"wanted": task(execution_role="")}, {}, "no execution role"),
    (
        "secret-denied",
        Severity.ERROR,
        {"unreadable": (Denial(action="secretsmanager:GetSecretValue", resource=SECRET, is_explicit=True),)},
        {},
        "the execution role may not call secretsmanager:GetSecretValue",
    ),
    (
        "secret-not-allowed",
        Severity.WARNING,
        {"unreadable": (Denial(action="secretsmanager:GetSecretValue", resource=SECRET),)},
        {},
        "the execution role may not call",
    ),
    ("execution-role-unread", Severity.NOTE, {"unreadable": UNREAD}, {}, "may read the secrets"),
    ("health-check-off", Severity.ERROR, {}, group(HealthCheckEnabled=False), "switched off"),
    ("health-check-port", Severity.ERROR, {}, group(HealthCheckPort="9090"), "checks port 9090"),
    (
        "grace-too-short",
        Severity.WARNING,
        {"wanted": task(start_period=timedelta(minutes=5))},
        group(HealthCheckIntervalSeconds=10, UnhealthyThresholdCount=3),
        "gives up on it after 1 min",
    ),
    ("dns-failover", Severity.NOTE, {}, {}, "a Route 53 record of public"),
    (
        "dns-failover-shared",
        Severity.WARNING,
        {},
        {"groups_per_load_balancer": 4},
        "a Route 53 record of public",
    ),
    (
        "dns-failover-blue",
        Severity.WARNING,
        {},
        {"minimum_percent": 0},
        "a Route 53 record of public",
    ),
    (
        "addresses-short",
        Severity.WARNING,
        {"subnets": (SubnetSeen(id="subnet-a", zone="eu-west-1a", free=5),)},
        {},
        "free addresses in the service's subnets: 5; up to 6 more are needed",
    ),
    (
        "subnet-full",
        Severity.WARNING,
        {
            "subnets": (
                SubnetSeen(id="a", zone="eu-west-1a", free=0),
                SubnetSeen(id="b", zone="eu-west-1b", free=50),
            )
        },
        {},
        "subnet a in eu-west-1a has no free address",
    ),
    ("subnets-unread", Severity.NOTE, {"subnets": UNREAD}, {}, "free addresses"),
    (
        "targets-full",
        Severity.ERROR,
        {"balancers": (BalancerUse(arn=LOAD_BALANCER, groups=4, targets=998),)},
        {},
        "has 998 of 1000 targets; green needs 3",
    ),
    (
        "targets-short",
        Severity.WARNING,
        {"balancers": (BalancerUse(arn=LOAD_BALANCER, groups=4, targets=996),)},
        {},
        "up to 6 more are needed",
    ),
    (
        "targets-uncounted",
        Severity.NOTE,
        {"balancers": (BalancerUse(arn=LOAD_BALANCER, groups=90, targets=UNREAD),)},
        {},
        "were not counted",
    ),
    ("balancers-unread", Severity.NOTE, {"balancers": UNREAD}, {}, "what the load balancers carry"),
    ("cluster-full", Severity.ERROR, quota(PER_CLUSTER, 7), {}, "the cluster has 7 services"),
    ("service-full", Severity.ERROR, quota(PER_SERVICE, 5), {}, "blue may have 6 tasks"),
    ("quotas-unread", Severity.NOTE, {"quotas": UNREAD}, {}, "the account's quotas"),
    (
        "vcpu-short",
        Severity.WARNING,
        {"quotas": {VCPU["FARGATE"]: Quota(name=VCPU["FARGATE"], limit=22, used=20)}},
        {},
        "20 of 22 vCPU",
    ),
    ("capacity-unknown", Severity.NOTE, {}, placed(launchType="EC2"), "the cluster's instances (0 instances"),
    (
        "capacity-unknown",
        Severity.NOTE,
        {},
        placed(capacityProviderStrategy=[{"capacityProvider": "spare", "weight": 1}]),
        "capacity provider spare",
    ),
    (
        "spot",
        Severity.NOTE,
        {},
        placed(capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}]),
        "Fargate Spot",
    ),
    ("guest-there", Severity.WARNING, {"guests": ("checkout-0a1b2c3d (rollout x)",)}, {}, "made by Teal"),
    ("guests-unread", Severity.NOTE, {"guests": UNREAD}, {}, "another rollout"),
    ("makes", Severity.NOTE, {}, {}, "service checkout-<8 characters>, 1 target group named teal-checkout-"),
    ("changes", Severity.NOTE, {}, {}, "the weights of rule 10 of load balancer public"),
    ("removes", Severity.NOTE, {}, {}, "what was made"),
    (
        "cost",
        Severity.NOTE,
        {},
        {},
        r"3 more tasks for about 45 min: 1.5 vCPU and 3 GiB more, 1.1 vCPU hours and 2.2 GiB hours",
    ),
    ("no-traffic", Severity.WARNING, {"load": Absent()}, {}, "no request came"),
    ("traffic-unread", Severity.NOTE, {"load": UNREAD}, {}, "the service's traffic"),
    ("foresight", Severity.NOTE, {}, {}, "at 10 requests/s and 0.1 % errors"),
]


@pytest.mark.parametrize(("code", "severity", "around", "survey", "words"), ROWS)
def test_each_finding_is_told_with_its_reason(
    code: str, severity: Severity, around: dict[str, Any], survey: dict[str, Any], words: str
) -> None:
    told = [one for one in found(good_around(**around), own_balancer(**survey)) if one.code == code]
    assert [one.severity for one in told] == [severity]
    assert words in told[0].what
    if severity is not Severity.NOTE:
        assert told[0].why
        assert told[0].next_step


def seen_of_traffic(requests: float, *, plan: str, probe: str = "") -> dict[str, Severity]:
    spec = good_spec(plan=NAMED_PLANS[plan], gates=GatesSpec(probe=ProbeSpec(url=probe)))
    around = good_around(load=Load(requests=requests, error_rate=0.001))
    told = findings(spec, own_balancer(), now=NOON, around=around)
    return {one.code: one.severity for one in told if one.code.startswith("low-traffic")}


@pytest.mark.parametrize("plan", ["auto", "fast", "careful"])
def test_too_little_traffic_for_evidence_requires_a_probe(plan: str) -> None:
    assert seen_of_traffic(600, plan=plan) == {"low-traffic-without-probe": Severity.WARNING}
    with_one = seen_of_traffic(600, plan=plan, probe="https://test.example.com")
    assert with_one == {"low-traffic": Severity.NOTE}


def test_a_busy_service_and_a_plan_by_the_clock_require_none() -> None:
    assert seen_of_traffic(60_000, plan="auto") == {}
    assert seen_of_traffic(600, plan="canary") == {}


def test_nothing_speaks_against_a_service_around_which_all_is_well() -> None:
    assert [one for one in found(good_around()) if one.severity is not Severity.NOTE] == []


def test_what_could_not_be_read_refuses_nothing() -> None:
    around = Surroundings(
        wanted=UNREAD,
        former=UNREAD,
        subnets=UNREAD,
        balancing=UNREAD,
        balancers=UNREAD,
        cluster=UNREAD,
        quotas=UNREAD,
        images={IMAGE: UNREAD},
        secrets={SECRET: UNREAD},
        denials=UNREAD,
        unreadable=UNREAD,
        load=UNREAD,
        guests=UNREAD,
    )
    assert [one for one in found(around) if one.severity is not Severity.NOTE] == []


def test_a_fixed_health_check_port_of_a_bridge_network_is_not_judged() -> None:
    definition = good_definition(network_mode="bridge")
    survey = own_balancer(**group(HealthCheckPort="9090"), revision=definition, former=definition)
    assert "health-check-port" not in {one.code for one in found(good_around(), survey)}


def test_room_promised_to_other_rollouts_is_not_given_twice() -> None:
    promised = Reserved(
        rollouts=("basket-1",),
        groups={LOAD_BALANCER: 96, OTHER: 5},
        targets={LOAD_BALANCER: 990},
        tasks={"subnet-b": 198},
        unknown=("search-1",),
    )
    told = {one.code: one.what for one in found(good_around(), reserved=promised)}
    assert "promised to other rollouts" in told["target-groups-promised"]
    assert "198 of them promised to basket-1" in told["addresses-short"]
    assert "has 1002 of 1000 targets" in told["targets-full"]
    assert "1 rollout" in told["others-unknown"]


def test_every_call_of_a_rollout_is_asked_about_on_what_it_is_made_on() -> None:
    template = canonical(
        {
            "volumeConfigurations": [{"managedEBSVolume": {"roleArn": ROLE}}],
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-a"]}},
        }
    )
    need = surroundings_need(
        good_spec(), good_survey(template=template, rules=(good_survey().rules[0], default_rule()))
    )
    asked = {(permit.action, permit.resource) for permit in need.permits}
    assert {
        ("ecs:CreateService", f"{SERVICE}-00000000"),
        ("ecs:UpdateService", SERVICE),
        ("elasticloadbalancing:ModifyRule", RULE),
        ("elasticloadbalancing:ModifyListener", LISTENER),
        ("application-autoscaling:RegisterScalableTarget", f"{SCALABLE_TARGET}/{'0' * 32}"),
        ("iam:PassRole", ROLE),
    } <= asked
    assert not any(resource == DEFAULT_RULE for _, resource in asked)
    assert all(
        re.search(r":targetgroup/teal-checkout-", resource) for name, resource in asked if "Group" in name
    )
    assert (need.subnets, need.is_fargate) == (("subnet-a",), False)
    assert json.loads(Json(template))
