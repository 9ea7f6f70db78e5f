"""A whole run on the World in virtual time: what it makes, what it plays, and that nothing is left."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from api.cli.output.output import shape
from orchestrator.verify.beliefs.belief import Verdict
from orchestrator.verify.report.building import checked, report_of
from orchestrator.verify.report.page import page
from orchestrator.verify.wanted import TAG, Wanted
from sandbox.scenarios.scenery import furnish, until_steady
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.settings import WorldSettings
from tests.verify.stage import ACCOUNT, RUN, WANTED, Call, Stage, Ways, only


def test_a_good_rollout_succeeds_and_a_bad_one_is_taken_back_and_nothing_is_left(stage: Stage) -> None:
    outcome = stage.play(only("preflight", "good", "bad"))
    said = "\n".join(stage.said)
    assert not outcome.stopped, said
    assert [(one.name, one.phase) for one in outcome.rollouts] == [
        ("good", "succeeded"),
        ("bad", "rolled_back"),
    ], said
    assert outcome.rollouts[0].failed == 0
    assert outcome.rollouts[1].failed
    assert not [found for found in outcome.findings if found.severity == "error"]
    assert outcome.left == ()
    assert outcome.is_whole
    assert stage.letter() == stage.before


@pytest.mark.parametrize(
    "phase", ["pending", "preparing", "provisioning", "shifting", "watching", "settling"]
)
def test_a_rollback_is_given_in_the_phase_that_it_is_named_after(stage: Stage, phase: str) -> None:
    outcome = stage.play(only(f"rollback-{phase}"))
    (played,) = outcome.rollouts
    assert (played.given_in, played.phase, played.failed) == (phase, "rolled_back", 0), "\n".join(stage.said)
    assert stage.letter() == stage.before


def test_a_direct_rollback_brings_all_traffic_to_blue_and_the_engine_cleans_up_afterwards(
    stage: Stage,
) -> None:
    outcome = stage.play(only("direct"))
    (played,) = outcome.rollouts
    assert (played.given_in, played.phase, played.failed) == ("shifting", "rolled_back", 0)
    assert played.seconds_to_blue is not None
    assert stage.letter() == stage.before


@pytest.mark.long
def test_everything_runs_on_a_world_with_all_its_surprises(tmp_path: Path) -> None:
    with Stage(tmp_path, settings=WorldSettings()) as stage:
        outcome = stage.play()
        unclear = {n: seen.words for n, seen in outcome.beliefs.items() if seen.verdict is Verdict.UNCLEAR}
        assert not outcome.stopped
        assert all(played.is_as_wanted for played in outcome.rollouts), "\n".join(stage.said)
        assert unclear == {}
        assert stage.letter() == stage.before


def test_everything_that_is_made_has_the_runs_tag(stage: Stage) -> None:
    tagged: dict[str, bool] = {}
    asked: list[tuple[str, Json]] = []

    def listen(call: Call, service: str, operation: str, params: Json) -> Json:
        if operation.startswith(("Create", "Register", "Put")):
            asked.append((operation, params))
        return call(service, operation, params)

    stage.ways.lie = listen
    stage.play(only("rollback-provisioning", "composite-alarms", "scalable-target-tags"))
    for operation, params in asked:
        text = json.dumps(params)
        # What a rollout makes has Teal's own tags, which name the run's service.
        is_tagged = TAG in text or f"{WANTED.name}/{WANTED.name}" in text
        tagged[operation] = tagged.get(operation, True) and is_tagged
    assert len(tagged) >= 9
    assert all(tagged.values()), tagged


def test_what_aws_refuses_half_way_ends_the_run_and_everything_is_removed(stage: Stage) -> None:
    def refuse(call: Call, service: str, operation: str, params: Json) -> Json:
        if operation == "CreateCluster":
            raise AwsRefusal(
                "AccessDeniedException", "User: arn:aws:iam::123456789012:user/anna may not", 400
            )
        return call(service, operation, params)

    stage.ways.lie = refuse
    outcome = stage.play()
    assert "AccessDeniedException" in outcome.stopped
    assert outcome.left == ()
    assert stage.letter() == stage.before


def test_what_cannot_be_removed_is_named_with_the_command_that_does(stage: Stage) -> None:
    def refuse(call: Call, service: str, operation: str, params: Json) -> Json:
        if operation == "DeleteLoadBalancer":
            raise AwsRefusal("OperationNotPermitted", "deletion protection is enabled", 400)
        return call(service, operation, params)

    stage.ways.lie = refuse
    outcome = stage.play(only("preflight"))
    (left,) = outcome.left
    assert (left.kind, left.name) == ("load balancer", WANTED.name)
    assert "deletion protection" in left.why
    assert left.command.startswith("aws elbv2 delete-load-balancer --load-balancer-arn arn:")
    assert not outcome.is_whole


def test_a_listener_that_is_named_gets_a_rule_for_the_runs_requests_alone_and_keeps_its_own(
    stage: Stage,
) -> None:
    call = stage.world.call
    balancer = call("elbv2", "DescribeLoadBalancers", {})["LoadBalancers"][0]["LoadBalancerArn"]
    nothing = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    made = {"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": 80, "DefaultActions": [nothing]}
    listener = call("elbv2", "CreateListener", made)["Listeners"][0]["ListenerArn"]
    before = call("elbv2", "DescribeRules", {"ListenerArn": listener})["Rules"]
    outcome = stage.play(replace(only("good"), listener=listener))
    assert outcome.is_whole, outcome
    assert "CreateLoadBalancer" not in {one.operation for one in stage.log.calls}
    assert call("elbv2", "DescribeRules", {"ListenerArn": listener})["Rules"] == before


def test_a_service_that_is_named_is_rolled_out_and_left_as_it_was(stage: Stage) -> None:
    scenery = furnish(stage.world, cluster="shopcluster", service="annasshop", alarms=False)
    until_steady(stage.world, scenery)
    before = stage.letter()
    stage.kill()  # the clock has moved on
    stage.world.behaviour.start_failures[f"{WANTED.name}:1"] = "CannotStartContainerError: no such file"
    wanted = Wanted(
        id=RUN,
        service=f"{scenery.cluster}/{scenery.service}",
        minute=WANTED.minute,
        parts=frozenset({"preflight", "bad", "rollback-provisioning", "beliefs"}),
    )
    outcome = stage.play(wanted)
    said = "\n".join(stage.said)
    assert not outcome.stopped, said
    assert [(one.name, one.phase) for one in outcome.rollouts] == [
        ("bad", "rolled_back"),
        ("rollback-provisioning", "rolled_back"),
    ], said
    assert not any(
        one.kind == "weight_wanted" and "10 %" in one.message for one in outcome.rollouts[0].events
    )
    assert outcome.beliefs["in-flight"].verdict is Verdict.NOT_ASKED
    assert stage.letter() == before
    text = json.dumps(shape(report_of(outcome, stage.means))) + page(report_of(outcome, stage.means))
    assert not [name for name in ("annasshop", "shopcluster", ACCOUNT, "example.com") if name in text]


def test_where_no_request_reaches_the_service_what_needs_them_is_said_to_be_not_asked(tmp_path: Path) -> None:
    with Stage(tmp_path, ways=Ways(is_reached=False)) as stage:
        outcome = stage.play(only("rollback-shifting", "bad", "request-count", "in-flight", "written-back"))
        assert outcome.reached is False
        assert [one.name for one in outcome.rollouts] == ["rollback-shifting"]
        assert outcome.rollouts[0].phase == "rolled_back"
        for name in ("request-count", "in-flight"):
            assert outcome.beliefs[name].words.startswith("not asked here, because no request")
        assert outcome.beliefs["written-back"].verdict is Verdict.AS_BELIEVED
        assert stage.letter() == stage.before


def test_the_report_names_nobody_and_the_same_thing_is_the_same_placeholder(stage: Stage) -> None:
    outcome = stage.play(only("preflight", "bad", "beliefs"))
    report = report_of(outcome, stage.means)
    texts = (json.dumps(shape(report)), page(report))
    assert checked(report, stage.means) is report
    for text in texts:
        for name in (ACCOUNT, RUN, "arn:aws", "subnet-0", "sg-0123", "amazonaws.com", "vpc-0a1b2c3d"):
            assert name not in text, text[max(0, text.find(name) - 200) : text.find(name) + 50]
    assert "<ecs task-definition 1>" in texts[0]
    assert report.operations
    assert len(report.calls) == len(stage.log.calls)
    assert {one.code for one in report.refusals} == {call.code for call in stage.log.refusals}
    assert report.datapoints
