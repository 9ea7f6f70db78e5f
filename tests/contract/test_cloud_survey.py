"""What every ``ports.cloud.Cloud`` promises of a survey, on every AWS that the suite knows (``cloud.py``)."""

import json
from datetime import timedelta

import pytest

from orchestrator.core.cloud.resources import ScalingSeen, TargetsSeen
from orchestrator.core.domain.errors import Denied, Missing
from sandbox.world import Fault
from tests.contract.acts import SetStage
from tests.contract.cloud import Stage


def test_a_survey_tells_blue_and_what_carries_its_traffic(stage: Stage) -> None:
    scenery, survey = stage.scenery, stage.survey()
    assert (survey.account, survey.region) == (stage.aws.account, stage.aws.region)
    assert (survey.blue.name, survey.blue.cluster) == ("checkout", scenery.cluster_arn)
    assert (survey.controller, survey.strategy, survey.scheduling) == ("ECS", "ROLLING", "REPLICA")
    assert (survey.minimum_percent, survey.maximum_percent) == (100, 200)
    assert (survey.unclonable, survey.missing_rules, survey.missing_alarms) == ((), (), ())
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


def test_a_survey_finds_a_steady_service_with_its_tasks_and_targets(stage: Stage) -> None:
    survey = stage.survey()
    assert survey.unsettled == ()
    assert (survey.blue.running, survey.groups[0].targets) == (3, TargetsSeen(healthy=3))


def test_a_survey_tells_how_to_make_groups_like_blues(stage: Stage) -> None:
    (group,) = stage.survey().groups
    assert (group.arn, group.container, group.port) == (stage.scenery.target_group, "checkout", 8080)
    assert group.load_balancers == (stage.scenery.load_balancer,)
    assert group.stickiness == ""
    assert json.loads(group.attributes)["deregistration_delay.timeout_seconds"] == "2"
    assert json.loads(group.template)["HealthCheckPath"] == "/healthz"


def test_only_attributes_that_differ_from_those_of_a_new_group_are_copied(stage: Stage) -> None:
    (group,) = stage.survey().groups
    assert json.loads(group.attributes) == {"deregistration_delay.timeout_seconds": "2"}


def test_a_survey_finds_every_rule_on_every_listener_and_no_other(staged: SetStage) -> None:
    stage = staged(rules=3, default_rule=True)
    survey = stage.survey()
    assert {rule.arn for rule in survey.rules} == set(stage.scenery.rules)
    assert [rule.priority for rule in survey.rules if rule.is_default] == ["default"]


def test_a_survey_passes_over_the_rules_of_other_services_on_the_same_load_balancer(stage: Stage) -> None:
    stage.furnish(service="cart", load_balancer=stage.scenery.load_balancer, listener_port=81)
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
    same = stage.register()
    other = stage.register({"A": "b"})
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
    new = stage.register({"A": "b"})
    stage.call("ecs", "UpdateService", cluster="prod", service="checkout", taskDefinition=new)
    stage.advance(timedelta(seconds=1))
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


@pytest.mark.world
def test_a_survey_only_reads(stage: Stage) -> None:
    before = len(stage.world.log)
    stage.survey()
    assert all(call.operation.startswith(("Describe", "List", "Get")) for call in stage.world.log[before:])


@pytest.mark.world
def test_a_survey_that_cannot_read_raises_why(stage: Stage) -> None:
    stage.world.faults.add(Fault(operation="DescribeListeners", kind="denied"))
    with pytest.raises(Denied, match="DescribeListeners"):
        stage.survey()


def test_a_survey_tells_what_the_wanted_revision_has_otherwise_than_blues(stage: Stage) -> None:
    survey = stage.survey(task_definition=stage.register({"LEVEL": "debug", "API_TOKEN": "kept"}))
    assert survey.differences is not None
    told = {(one.field, one.name): one.after for one in survey.differences}
    assert told["environment", "LEVEL"] == "debug"
    assert told["environment", "API_TOKEN"] == "(hidden)"
    assert stage.survey(task_definition=survey.blue.task_definition).differences == ()
