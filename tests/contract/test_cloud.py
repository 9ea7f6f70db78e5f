"""What every ``ports.Cloud`` promises, on the World directly and through real clients on the wire skin."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core import effects
from orchestrator.core.errors import Denied, Missing, Rejected, Throttled, Unreachable
from orchestrator.core.ids import RuleArn, TargetGroupArn, TaskDefinitionArn, Tenths
from orchestrator.core.needs import MetricsNeed, RuleNeed
from orchestrator.core.observed import (
    Absent,
    AlarmSeen,
    GroupSeen,
    MetricQuery,
    RuleSeen,
    ScalingSeen,
    ServiceSeen,
    TargetsSeen,
    Unread,
)
from orchestrator.core.survey import Survey
from orchestrator.core.traffic import green_share, read_forward, says_the_same, with_weights
from orchestrator.sandbox.world import Fault
from orchestrator.sandbox.world.faults import Kind
from orchestrator.sandbox.world.scenery import furnish, register, until_steady
from tests.contract.cloud import Stage, Way, set_stage

TAGS = (("teal:managed", "true"), ("teal:rollout", "r-1"))
SetStage = Callable[..., Stage]


@pytest.fixture
def staged(way: Way, runner: asyncio.Runner) -> SetStage:
    return lambda **scenery: set_stage(way, runner, **scenery)


@pytest.fixture
def stage(staged: SetStage) -> Stage:
    return staged()


def hang_green(
    stage: Stage, survey: Survey, *, name: str = "teal-checkout-1-0", weight: int = 0
) -> TargetGroupArn:
    """Make green's group and hang it on the rule with this weight."""
    template = survey.groups[0].template
    stage.perform(effects.CreateTargetGroup(name=name, template=template, tags=TAGS))
    group = stage.observe(groups=(name,)).groups[name]
    assert isinstance(group, GroupSeen)
    stage.perform(write(survey.rules[0], survey, group.arn, weight))
    return group.arn


def write(rule: RuleSeen, survey: Survey, green: TargetGroupArn, weight: int) -> effects.WriteRule:
    actions = with_weights(rule.actions, blue=survey.groups[0].arn, green=green, weight=Tenths(weight))
    return effects.WriteRule(
        rule=rule.arn,
        listener=rule.listener,
        is_default=rule.is_default,
        actions=actions,
        green=Tenths(weight),
        to_safety=weight == 0,
    )


def create(stage: Stage, survey: Survey, green: TargetGroupArn, **changes: object) -> effects.CreateService:
    effect = effects.CreateService(
        cluster=survey.blue.cluster,
        name="checkout-1",
        template=survey.template,
        task_definition=TaskDefinitionArn(stage.scenery.task_definition),
        desired=2,
        groups=((survey.groups[0].arn, green),),
        token="11111111-2222-5333-8444-555555555555",
        tags=TAGS,
    )
    return replace(effect, **changes)  # type: ignore[arg-type] # the effect's own fields


def make_green(stage: Stage) -> tuple[Survey, TargetGroupArn]:
    survey = stage.survey()
    group = hang_green(stage, survey)
    stage.perform(create(stage, survey, group))
    stage.world.advance(timedelta(minutes=2))
    return survey, group


# ── the survey ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_survey_tells_blue_and_what_carries_its_traffic(stage: Stage) -> None:
    scenery, survey = stage.scenery, stage.survey()
    assert (survey.account, survey.region) == (stage.world.account, stage.world.region)
    assert (survey.blue.name, survey.blue.cluster, survey.blue.running) == (
        "checkout",
        scenery.cluster_arn,
        3,
    )
    assert (survey.controller, survey.strategy, survey.scheduling) == ("ECS", "ROLLING", "REPLICA")
    assert (survey.minimum_percent, survey.maximum_percent) == (100, 200)
    assert (survey.unclonable, survey.unsettled, survey.missing_rules, survey.missing_alarms) == (
        (),
        (),
        (),
        (),
    )
    assert [rule.arn for rule in survey.rules] == list(scenery.rules)
    assert [alarm.name for alarm in survey.alarms] == list(scenery.alarms)
    assert survey.scaling == ScalingSeen(
        min_capacity=2,
        max_capacity=12,
        scale_in_suspended=False,
        scale_out_suspended=False,
        scheduled_suspended=False,
    )
    assert survey.groups_per_load_balancer == 1


def test_a_survey_tells_how_to_make_groups_like_blues(stage: Stage) -> None:
    (group,) = stage.survey().groups
    assert (group.arn, group.container, group.port) == (stage.scenery.target_group, "checkout", 8080)
    assert group.load_balancers == (stage.scenery.load_balancer,)
    assert group.stickiness == ""
    assert group.targets == TargetsSeen(healthy=3)
    assert json.loads(group.attributes) == {"deregistration_delay.timeout_seconds": "2"}
    assert json.loads(group.template)["HealthCheckPath"] == "/healthz"


def test_a_survey_finds_every_rule_on_every_listener_and_no_other(staged: SetStage) -> None:
    stage = staged(rules=3, default_rule=True)
    survey = stage.survey()
    assert {rule.arn for rule in survey.rules} == set(stage.scenery.rules)
    assert [rule.priority for rule in survey.rules if rule.is_default] == ["default"]


def test_a_survey_passes_over_the_rules_of_other_services_on_the_same_load_balancer(stage: Stage) -> None:
    other = furnish(stage.world, service="cart", load_balancer=stage.scenery.load_balancer, listener_port=81)
    until_steady(stage.world, other)
    survey = stage.survey()
    assert [rule.arn for rule in survey.rules] == list(stage.scenery.rules)
    assert survey.groups_per_load_balancer == 2


def test_a_survey_names_rules_listeners_and_alarms_that_do_not_exist(stage: Stage) -> None:
    rule, listener = stage.scenery.rules[0], stage.scenery.listeners[0]
    nowhere = (rule[:-16] + "0" * 16, listener[:-16] + "0" * 16)
    survey = stage.survey(rules=(rule, listener, *nowhere), alarms=("checkout-5xx", "nowhere"))
    assert survey.missing_rules == nowhere
    assert survey.missing_alarms == ("nowhere",)
    assert [found.arn for found in survey.rules] == [rule]


def test_two_revisions_that_run_the_same_have_the_same_digest(stage: Stage) -> None:
    same = register(stage.world, family="checkout")
    other = register(stage.world, family="checkout", environment={"A": "b"})
    survey = stage.survey(task_definition=same)
    assert survey.revision is not None
    assert survey.former is not None
    assert survey.revision.arn == same
    assert survey.revision.digest == survey.former.digest
    assert (survey.former.ports, survey.former.network_mode) == ((("checkout", 8080),), "awsvpc")
    changed = stage.survey(task_definition=other).revision
    assert changed is not None
    assert changed.digest != survey.former.digest


def test_an_unknown_revision_is_none(stage: Stage) -> None:
    assert stage.survey(task_definition="checkout:99").revision is None


def test_a_deployment_under_way_is_told(stage: Stage) -> None:
    new = register(stage.world, family="checkout", environment={"A": "b"})
    stage.call("ecs", "UpdateService", cluster="prod", service="checkout", taskDefinition=new)
    stage.world.advance(timedelta(seconds=1))
    (text,) = stage.survey().unsettled
    assert "IN_PROGRESS" in text


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"service": "nowhere"}, "prod/nowhere"), ({"cluster": "nowhere"}, "nowhere/checkout")],
)
def test_a_survey_of_what_does_not_exist_says_what_to_check(
    stage: Stage, changes: dict[str, str], says: str
) -> None:
    with pytest.raises(Missing, match=says) as error:
        stage.survey(**changes)
    assert "region" in error.value.next_step


def test_a_survey_only_reads(stage: Stage) -> None:
    before = len(stage.world.log)
    stage.survey()
    assert all(call.operation.startswith(("Describe", "List", "Get")) for call in stage.world.log[before:])


def test_a_survey_that_cannot_read_raises_why(stage: Stage) -> None:
    stage.world.faults.add(Fault(operation="DescribeListeners", kind="denied"))
    with pytest.raises(Denied, match="DescribeListeners"):
        stage.survey()


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_look_sees_services_targets_scaling_and_alarms(stage: Stage) -> None:
    group = TargetGroupArn(stage.scenery.target_group)
    seen = stage.observe(
        blue="checkout",
        green="guest",
        targets=(group,),
        scaling="checkout",
        alarms=("checkout-5xx", "nowhere"),
    )
    assert isinstance(seen.blue, ServiceSeen)
    assert seen.blue.primary is not None
    assert (seen.blue.status, seen.blue.primary.rollout_state) == ("ACTIVE", "COMPLETED")
    assert seen.blue.tags == {"team": "shop"}
    assert "steady state" in seen.blue.last_event
    assert seen.green == Absent()
    assert seen.targets == {group: TargetsSeen(healthy=3)}
    assert isinstance(seen.scaling, ScalingSeen)
    alarm = seen.alarms["checkout-5xx"]
    assert isinstance(alarm, AlarmSeen)
    assert (alarm.kind, alarm.stat, alarm.period, alarm.missing) == (
        "metric",
        "Sum",
        timedelta(minutes=1),
        "notBreaching",
    )
    assert seen.alarms["nowhere"] == Absent()


def test_a_look_at_what_is_not_there_says_so(stage: Stage) -> None:
    rule = RuleArn(stage.scenery.rules[0][:-16] + "0" * 16)
    group = TargetGroupArn(stage.scenery.target_group[:-16] + "0" * 16)
    kept = stage.rule()
    needs = [RuleNeed(arn=arn, listener=kept.listener, is_default=False) for arn in (rule, kept.arn)]
    seen = stage.observe(
        rules=tuple(needs), groups=("checkout-blue", "nowhere"), targets=(group,), scaling="nowhere"
    )
    assert seen.rules == {rule: Absent(), kept.arn: kept}
    assert seen.groups["nowhere"] == Absent()
    assert isinstance(seen.groups["checkout-blue"], GroupSeen)
    assert seen.targets == {group: Absent()}
    assert seen.scaling == Absent()


def test_a_default_rule_is_read_by_its_arn(staged: SetStage) -> None:
    stage = staged(rules=0, default_rule=True)
    seen = stage.rule()
    assert (seen.is_default, seen.priority, seen.conditions) == (True, "default", "[]")
    assert seen.listener == stage.scenery.listeners[0]
    assert seen.load_balancer == stage.scenery.load_balancer


@pytest.mark.parametrize("kind", ["timeout", "throttle", "unavailable", "denied", "expired"])
def test_what_cannot_be_read_is_unread_and_the_rest_is_read(stage: Stage, kind: Kind) -> None:
    stage.world.faults.add(Fault(operation="DescribeTargetHealth", kind=kind))
    group = TargetGroupArn(stage.scenery.target_group)
    seen = stage.observe(blue="checkout", targets=(group,))
    assert isinstance(seen.targets[group], Unread)
    assert isinstance(seen.blue, ServiceSeen)


def test_an_outage_makes_everything_unread_and_raises_nothing(stage: Stage) -> None:
    stage.world.faults.outage()
    group = TargetGroupArn(stage.scenery.target_group)
    seen = stage.observe(
        blue="checkout",
        targets=(group,),
        groups=("g",),
        alarms=("a",),
        scaling="checkout",
        stops=("checkout",),
    )
    for read in (seen.blue, seen.targets[group], seen.groups["g"], seen.alarms["a"], seen.scaling):
        assert isinstance(read, Unread)


def test_series_hold_whole_periods_oldest_first(stage: Stage) -> None:
    scenery, start = stage.scenery, stage.world.now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    stage.world.advance(start)
    for _ in range(3):
        stage.world.traffic.count_answer(
            load_balancer=scenery.load_balancer,
            group=scenery.target_group,
            status=200,
            seconds=0.1,
        )
        stage.world.advance(timedelta(minutes=1))
    stage.world.advance(timedelta(minutes=5))
    dimensions = (
        ("LoadBalancer", scenery.load_balancer.partition(":loadbalancer/")[2]),
        ("TargetGroup", scenery.target_group.rpartition(":")[2]),
    )
    query = MetricQuery(
        id="Blue requests",
        namespace="AWS/ApplicationELB",
        metric="RequestCount",
        dimensions=dimensions,
        stat="Sum",
        period=timedelta(minutes=1),
    )
    none = replace(query, id="none", metric="HTTPCode_Target_5XX_Count")
    need = MetricsNeed(queries=(query, none), start=start, end=start + timedelta(minutes=2))
    seen = stage.observe(metrics=need)
    assert seen.metrics == {"Blue requests": ((start, 1.0), (start + timedelta(minutes=1), 1.0)), "none": ()}


def test_why_tasks_stopped_is_seen(stage: Stage) -> None:
    broken = register(stage.world, family="checkout", environment={"TEAL_DEMO_CRASH_AFTER": "0"})
    stage.call("ecs", "UpdateService", cluster="prod", service="checkout", taskDefinition=broken)
    stage.world.advance(timedelta(seconds=30))
    blue = stage.observe(blue="checkout", stops=("checkout",)).blue
    assert isinstance(blue, ServiceSeen)
    assert blue.stops
    assert {stop.task_definition for stop in blue.stops} == {broken}
    assert all(
        stop.code == "EssentialContainerExited" and "exit code 1" in stop.reason for stop in blue.stops
    )
    assert [stop.at for stop in blue.stops] == sorted((stop.at for stop in blue.stops), reverse=True)


# ── acting ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_group_like_blues_is_made_once_however_often_it_is_asked_for(stage: Stage) -> None:
    (blue,) = stage.survey().groups
    effect = effects.CreateTargetGroup(name="teal-checkout-1-0", template=blue.template, tags=TAGS)
    stage.perform(effect)
    stage.perform(effect)
    group = stage.observe(groups=(effect.name,)).groups[effect.name]
    assert isinstance(group, GroupSeen)
    assert (group.load_balancers, group.tags) == ((), dict(TAGS))
    wanted = tuple(json.loads(blue.attributes).items())
    stage.perform(effects.ConfigureTargetGroup(group=group.arn, attributes=wanted))
    group = stage.observe(groups=(effect.name,)).groups[effect.name]
    assert isinstance(group, GroupSeen)
    assert group.attributes.items() >= dict(wanted).items()


@pytest.mark.parametrize("scenery", [{}, {"rules": 0, "default_rule": True}])
def test_weights_are_written_read_back_and_taken_away_again(
    staged: SetStage, scenery: dict[str, Any]
) -> None:
    stage = staged(**scenery)
    survey = stage.survey()
    base, blue = survey.rules[0], survey.groups[0].arn
    green = hang_green(stage, survey)
    for weight in (100, 1000, 0):
        stage.perform(write(base, survey, green, weight))
        assert green_share(stage.rule().actions, blue=blue, green=green) == weight
    group = stage.observe(groups=("teal-checkout-1-0",)).groups["teal-checkout-1-0"]
    assert isinstance(group, GroupSeen)
    assert group.load_balancers == (stage.scenery.load_balancer,)
    stage.perform(replace(write(base, survey, green, 0), actions=base.actions, green=None))
    after = stage.rule()
    assert says_the_same(after.actions, base.actions)
    assert (after.conditions, after.priority) == (base.conditions, base.priority)


def test_a_rule_write_sends_the_actions_and_nothing_else(stage: Stage) -> None:
    survey = stage.survey()
    hang_green(stage, survey)
    (call,) = stage.world.log.of("ModifyRule")
    assert call.params.keys() == {"RuleArn", "Actions"}


def test_green_is_made_like_blue_in_its_own_groups(stage: Stage) -> None:
    _, group = make_green(stage)
    seen = stage.observe(green="checkout-1", targets=(group,))
    assert isinstance(seen.green, ServiceSeen)
    assert (seen.green.running, seen.targets[group]) == (2, TargetsSeen(healthy=2))
    assert seen.green.tags == {"team": "shop", **dict(TAGS)}
    asked = {"cluster": "prod", "services": ["checkout", "checkout-1"]}
    blue, green = stage.call("ecs", "DescribeServices", **asked)["services"]
    same = (
        "networkConfiguration",
        "healthCheckGracePeriodSeconds",
        "launchType",
        "availabilityZoneRebalancing",
    )
    assert {name: green[name] for name in same} == {name: blue[name] for name in same}
    assert green["deploymentConfiguration"]["deploymentCircuitBreaker"] == {"enable": True, "rollback": False}


def test_creating_green_again_with_the_same_token_changes_nothing(stage: Stage) -> None:
    survey, group = make_green(stage)
    before = stage.observe(green="checkout-1").green
    stage.perform(create(stage, survey, group))
    assert stage.observe(green="checkout-1").green == before


def test_green_is_never_put_into_blues_group(stage: Stage) -> None:
    survey = stage.survey()
    with pytest.raises(Rejected, match="no target group of green"):
        stage.perform(replace(create(stage, survey, TargetGroupArn("x")), groups=()))
    assert stage.observe(green="checkout-1").green == Absent()


def test_a_name_that_is_taken_is_rejected_in_the_words_of_aws(stage: Stage) -> None:
    survey, group = make_green(stage)
    with pytest.raises(Rejected, match="idempotent"):
        stage.perform(create(stage, survey, group, token="another"))


def test_a_group_in_no_rule_is_missing_for_a_service(stage: Stage) -> None:
    survey = stage.survey()
    stage.perform(effects.CreateTargetGroup(name="orphan", template=survey.groups[0].template, tags=TAGS))
    group = stage.observe(groups=("orphan",)).groups["orphan"]
    assert isinstance(group, GroupSeen)
    with pytest.raises(Missing, match="associated load balancer"):
        stage.perform(create(stage, survey, group.arn))


def test_blue_takes_a_revision_and_gets_its_configuration_back(stage: Stage) -> None:
    before = stage.survey().blue
    new = TaskDefinitionArn(register(stage.world, family="checkout", environment={"A": "b"}))
    quiet = json.dumps(json.loads(before.deployment_configuration) | {"maximumPercent": 150})
    effect = effects.UpdateService(
        cluster=before.cluster,
        service="checkout",
        task_definition=new,
        desired=4,
        deployment_configuration=quiet,  # type: ignore[arg-type] # canonical enough
        attempt=1,
    )
    stage.perform(effect)
    stage.world.advance(timedelta(minutes=5))
    blue = stage.observe(blue="checkout").blue
    assert isinstance(blue, ServiceSeen)
    assert (blue.task_definition, blue.running) == (new, 4)
    assert json.loads(blue.deployment_configuration)["maximumPercent"] == 150
    restore = effects.RestoreDeploymentConfiguration(
        cluster=before.cluster, service="checkout", deployment_configuration=before.deployment_configuration
    )
    stage.perform(restore)
    after = stage.observe(blue="checkout").blue
    assert isinstance(after, ServiceSeen)
    assert after.deployment_configuration == before.deployment_configuration
    assert [deployment.id for deployment in after.deployments] == [d.id for d in blue.deployments]


def test_green_and_its_groups_are_tagged_with_blues_former_revision(stage: Stage) -> None:
    survey, group = make_green(stage)
    green = stage.observe(green="checkout-1").green
    assert isinstance(green, ServiceSeen)
    former = survey.blue.task_definition
    stage.perform(effects.TagFormer(service=green.arn, groups=(group,), former=former))
    seen = stage.observe(green="checkout-1", groups=("teal-checkout-1-0",))
    assert isinstance(seen.green, ServiceSeen)
    tagged = seen.groups["teal-checkout-1-0"]
    assert isinstance(tagged, GroupSeen)
    assert (seen.green.tags["teal:former"], tagged.tags["teal:former"]) == (former, former)
    assert seen.green.tags.items() >= dict(TAGS).items()


def test_scaling_is_suspended_and_restored_to_the_letter(stage: Stage) -> None:
    before = stage.observe(scaling="checkout").scaling
    assert isinstance(before, ScalingSeen)
    for wanted in (replace(before, scale_in_suspended=True, min_capacity=3), before):
        stage.perform(
            effects.SetScaling(cluster=stage.scenery.cluster_arn, service="checkout", wanted=wanted)
        )
        assert stage.observe(scaling="checkout").scaling == wanted


def test_green_is_scaled_down_deleted_and_its_group_after_it_and_twice_is_once(stage: Stage) -> None:
    survey, group = make_green(stage)
    cluster = survey.blue.cluster
    base = survey.rules[0]
    stage.perform(replace(write(base, survey, group, 0), actions=base.actions, green=None))
    stage.perform(effects.ScaleService(cluster=cluster, service="checkout-1", desired=0))
    stage.world.advance(timedelta(minutes=2))
    green = stage.observe(green="checkout-1").green
    assert isinstance(green, ServiceSeen)
    assert (green.desired, green.running) == (0, 0)
    gone: list[effects.Effect] = [
        effects.DeleteService(cluster=cluster, service="checkout-1"),
        effects.DeleteTargetGroup(group=group),
    ]
    for effect in gone:
        stage.perform(effect)
    stage.world.advance(timedelta(minutes=1))
    seen = stage.observe(green="checkout-1", groups=("teal-checkout-1-0",))
    assert (seen.green, seen.groups["teal-checkout-1-0"]) == (Absent(), Absent())
    for effect in (*gone, effects.ScaleService(cluster=cluster, service="checkout-1", desired=0)):
        stage.perform(effect)


def test_a_group_that_a_rule_uses_is_not_deleted(stage: Stage) -> None:
    survey = stage.survey()
    group = hang_green(stage, survey)
    with pytest.raises(Rejected, match="ResourceInUse"):
        stage.perform(effects.DeleteTargetGroup(group=group))


def test_a_write_whose_answer_is_lost_is_unreachable_sent_once_and_found_by_looking(stage: Stage) -> None:
    survey = stage.survey()
    green = hang_green(stage, survey)
    stage.world.faults.add(Fault(operation="ModifyRule", when="after", kind="timeout"))
    with pytest.raises(Unreachable):
        stage.perform(write(survey.rules[0], survey, green, 250))
    assert len(stage.world.log.of("ModifyRule")) == 2
    assert green_share(stage.rule().actions, blue=survey.groups[0].arn, green=green) == 250


@pytest.mark.parametrize(
    ("kind", "error"),
    [("throttle", Throttled), ("unavailable", Unreachable), ("denied", Denied), ("expired", Denied)],
)
def test_a_failed_write_raises_who_must_act(stage: Stage, kind: Kind, error: type[Exception]) -> None:
    survey = stage.survey()
    green = hang_green(stage, survey)
    stage.world.faults.add(Fault(operation="ModifyRule", kind=kind))
    with pytest.raises(error):
        stage.perform(write(survey.rules[0], survey, green, 100))
    forward = read_forward(stage.rule().actions)
    assert forward is not None
    assert forward.weight(green) == 0


def test_a_write_to_a_rule_that_is_gone_is_missing(stage: Stage) -> None:
    survey = stage.survey()
    green = hang_green(stage, survey)
    gone = RuleArn(survey.rules[0].arn[:-16] + "0" * 16)
    with pytest.raises(Missing, match="RuleNotFound"):
        stage.perform(replace(write(survey.rules[0], survey, green, 10), rule=gone))
