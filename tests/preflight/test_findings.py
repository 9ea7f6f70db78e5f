"""Preflight: one row a finding, each made by changing one thing of a survey in which all is well."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import ScalingSeen, TargetsSeen
from orchestrator.core.cloud.survey import Finding, NewRevision, Severity, Survey
from orchestrator.core.domain import tags
from orchestrator.core.domain.ids import Json, LoadBalancerArn, TargetGroupArn, Tenths
from orchestrator.core.domain.plan import NAMED_PLANS, Plan, Step
from orchestrator.core.gates.compare import CompareSpec
from orchestrator.core.gates.guard import GuardSpec
from orchestrator.core.gates.health import HealthSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.spec import Background, Discovery, Ending, Spec, Sticky
from orchestrator.preflight import errors, findings
from tests.builders import (
    BLUE_GROUP,
    DEFAULT_RULE,
    FORMER,
    LISTENER,
    NOON,
    OTHER_GROUP,
    RULE,
    WANTED,
    default_rule,
    forward,
    good_alarm,
    good_blue,
    good_definition,
    good_deployment,
    good_group,
    good_rule,
    good_spec,
    good_survey,
)
from tests.contract.cloud import Direct, set_stage

GREEN = BLUE_GROUP.replace("targetgroup/checkout/", "targetgroup/teal-payments-0a1b2c3d-0/")
SECOND = TargetGroupArn(BLUE_GROUP.replace("targetgroup/checkout/", "targetgroup/checkout-internal/"))
NETWORK = LoadBalancerArn(
    "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/fast/50dc6c495c0c9188"
)
FOREIGN_RULE = RULE.replace("123456789012", "999999999999")
STICKY = {"Enabled": True, "DurationSeconds": 60}
OIDC = canonical([{"Type": "authenticate-oidc", "AuthenticateOidcConfig": {"ClientId": "x"}}])[:-1]
HEALTH_ONLY = GatesSpec(guard=GuardSpec(on=False), compare=CompareSpec(on=False))
FINE = Plan(
    name="custom",
    steps=(
        Step(weight=Tenths(1), bake=timedelta(minutes=5)),
        Step(weight=Tenths(1000), bake=timedelta(minutes=5)),
    ),
)
SCALING = ScalingSeen(
    min_capacity=2,
    max_capacity=10,
    scale_in_suspended=True,
    scale_out_suspended=False,
    scheduled_suspended=False,
)


def found(spec: Spec | None = None, survey: Survey | None = None) -> tuple[Finding, ...]:
    return findings(spec or good_spec(), survey or good_survey(), now=NOON)


def blue(**changes: object) -> dict[str, Any]:
    return {"blue": good_blue(**changes)}


def group(**changes: object) -> dict[str, Any]:
    return {"groups": (good_group(**changes),)}


def rule(**changes: object) -> dict[str, Any]:
    return {"rules": (good_rule(**changes),)}


def revision(**changes: object) -> dict[str, Any]:
    return {"revision": good_definition(**changes)}


def alarm(**changes: object) -> dict[str, Any]:
    return {"alarms": (good_alarm(**changes),)}


def shares(*weights: int) -> Json:
    others = [(f"{OTHER_GROUP}{n}", weight) for n, weight in enumerate(weights[1:])]
    return forward((BLUE_GROUP, weights[0]), *others)


MANY_TAGS = canonical({"tags": [{"key": f"t{number}", "value": ""} for number in range(47)]})
HOOKS = canonical(
    {
        "strategy": "ROLLING",
        "lifecycleHooks": [
            {"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]},
            {
                "hookTargetArn": "arn:aws:lambda:eu-west-1:123456789012:function:smoke",
                "lifecycleStages": ["POST_SCALE_UP", "POST_PRODUCTION_TRAFFIC_SHIFT"],
            },
        ],
    }
)
TWO_DEPLOYMENTS = (good_deployment(), good_deployment(id="ecs-svc/1", status="ACTIVE"))
IN_PROGRESS = (good_deployment(rollout_state="IN_PROGRESS", reason=""),)
ROWS_OF_ERRORS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("wrong-region", {"region": "eu-west-2"}, {}, "the file says region eu-west-2"),
    ("foreign-arn", {"task_definition": WANTED.replace("eu-west-1", "us-east-1")}, {}, "belongs to account"),
    ("foreign-arn", {"rules": (FOREIGN_RULE,)}, {}, "belongs to account 999999999999 in eu-west-1"),
    ("blue-not-active", {}, blue(status="DRAINING"), "checkout is DRAINING"),
    ("blue-is-a-guest", {}, blue(tags={"teal:rollout": "r-1"}), "checkout was made by rollout r-1"),
    ("blue-deploying", {}, blue(deployments=TWO_DEPLOYMENTS), "checkout has 2 deployments"),
    ("blue-not-completed", {}, blue(deployments=IN_PROGRESS), "checkout's deployment is IN_PROGRESS"),
    ("blue-not-completed", {}, blue(deployments=()), "checkout's deployment is not reported"),
    (
        "blue-unsettled",
        {},
        {"unsettled": ("a-1 is PENDING",)},
        "another deployment is under way on checkout: a-1",
    ),
    ("blue-empty", {}, blue(desired=0, running=0), "checkout's desired count is 0"),
    (
        "blue-not-empty-yet",
        {"first_tasks": 2},
        blue(desired=0, running=1),
        "checkout's desired count is 0, and it still has 1",
    ),
    ("not-first", {"first_tasks": 2}, {}, "checkout runs 3 tasks: this is no first deployment"),
    (
        "first-in-steps",
        {"first_tasks": 2},
        blue(desired=0, running=0),
        "plan canary gives green a part of the traffic",
    ),
    (
        "first-outside-scaling",
        {"first_tasks": 11},
        blue(desired=0, running=0),
        "11 tasks are wanted, its scaling allows 2 to 10",
    ),
    (
        "container-unknown",
        {"task_definition": "", "images": (("ap", "app:2"),)},
        {},
        "checkout:42 has no container ap",
    ),
    (
        "too-many-tags",
        {"colour_variable": "TEAL_COLOUR"},
        {"new_revisions": (NewRevision(family="checkout-green", newest=0, template=MANY_TAGS),)},
        "the task definition behind checkout-green has 47 tags",
    ),
    ("too-many-tags", {}, {"template": MANY_TAGS}, "service checkout has 47 tags"),
    (
        "too-many-tags",
        {},
        group(template=canonical({"Tags": [{"Key": f"t{number}", "Value": ""} for number in range(48)]})),
        "target group checkout has 48 tags",
    ),
    ("controller-not-ecs", {}, {"controller": "CODE_DEPLOY"}, "checkout is deployed by CodeDeploy"),
    ("controller-not-ecs", {}, {"controller": "EXTERNAL"}, "checkout has deployment controller EXTERNAL"),
    ("strategy-not-rolling", {}, {"strategy": "BLUE_GREEN"}, "checkout has deployment strategy BLUE_GREEN"),
    ("scheduling-not-replica", {}, {"scheduling": "DAEMON"}, "checkout is scheduled as DAEMON"),
    (
        "unclonable-feature",
        {},
        {"unclonable": ("Service Connect as a server",)},
        "checkout uses Service Connect",
    ),
    ("revision-unknown", {}, {"revision": None}, "task definition checkout:43 does not exist"),
    ("revision-not-active", {}, revision(status="INACTIVE"), "task definition checkout:43 is INACTIVE"),
    (
        "revision-without-port",
        {},
        revision(ports=(("app", 80),)),
        "checkout:43 has no port 8080 of container app",
    ),
    ("revision-without-port", {}, revision(ports=()), "checkout:43 has no container app with port 8080"),
    (
        "app-mesh-ended",
        {},
        revision(mesh_proxy="envoy"),
        "container envoy of checkout:43 is App Mesh's proxy",
    ),
    (
        "short-service-arn",
        {"ending": Ending.DELETE},
        blue(arn="arn:aws:ecs:eu-west-1:123456789012:service/checkout"),
        "checkout has an ARN of the old format",
    ),
    ("other-network-mode", {}, revision(network_mode="bridge"), "network mode bridge, blue's has awsvpc"),
    ("other-architecture", {}, revision(architecture="ARM64"), "is for ARM64, blue's for X86_64"),
    ("already-runs-it", {}, revision(arn=FORMER), "checkout already runs checkout:42"),
    ("no-load-balancer", {}, {"groups": (), "rules": ()}, "checkout has no target group"),
    ("no-rule", {}, {"rules": ()}, "no listener rule forwards to a target group of checkout"),
    ("rule-missing", {"rules": (RULE, DEFAULT_RULE)}, {"missing_rules": (DEFAULT_RULE,)}, "does not exist"),
    ("rule-not-blues", {"rules": (RULE, LISTENER)}, {}, "does not forward to a target group of checkout"),
    (
        "rule-not-blues",
        {},
        rule(actions=forward((OTHER_GROUP, 1))),
        "rule 10 of load balancer public does not",
    ),
    (
        "group-without-rule",
        {},
        {"groups": (good_group(), good_group(arn=SECOND, name="second"))},
        "group second",
    ),
    ("group-without-load-balancer", {}, group(load_balancers=()), "checkout is used by no load balancer"),
    ("no-application-load-balancer", {}, group(load_balancers=(NETWORK,)), "a load balancer of another kind"),
    (
        "target-stickiness",
        {},
        group(stickiness="app_cookie"),
        "sticky sessions by a cookie of the application",
    ),
    (
        "too-many-groups",
        {},
        {"groups_per_load_balancer": 100},
        "public has 100 target groups; green needs 1 more",
    ),
    (
        "too-many-groups-in-a-rule",
        {},
        rule(actions=shares(5, 1, 1, 1, 1)),
        "already forwards to 5 target groups",
    ),
    (
        "another-rollout",
        {},
        rule(actions=forward((BLUE_GROUP, 999), (GREEN, 0))),
        "forwards to teal-payments-0a1b2c3d-0, which another rollout made",
    ),
    (
        "cut-while-blue-shrinks",
        {"sticky": Sticky.CUT},
        {**rule(actions=forward((BLUE_GROUP, 1), stickiness=STICKY)), "minimum_percent": 50},
        "checkout may fall to 50 % of its tasks while it rolls",
    ),
    (
        "two-groups-in-a-rule",
        {},
        {
            "groups": (good_group(), good_group(arn=SECOND, name="second")),
            **rule(actions=forward((BLUE_GROUP, 1), (SECOND, 1))),
        },
        "forwards to 2 target groups of checkout",
    ),
    ("blue-without-weight", {}, rule(actions=shares(0, 1)), "gives checkout weight 0"),
    ("weight-too-fine", {"plan": FINE}, rule(actions=shares(1, 99)), "0.1 % cannot be written on rule 10"),
    (
        "alarm-missing",
        {},
        {"missing_alarms": ("checkout-5x",)},
        "alarm checkout-5x does not exist in eu-west-1",
    ),
    (
        "compare-blind-to-grpc",  # case 67 of aws.md
        {},
        group(protocol_version="GRPC"),
        "target group checkout speaks gRPC, and compare counts HTTP answers",
    ),
    (
        "compare-blind-to-grpc",  # case 67 of aws.md
        {},
        group(protocol_version="GRPC"),
        "target group checkout speaks gRPC, and compare counts HTTP answers",
    ),
    (
        "blue-cannot-roll",
        {},
        {"minimum_percent": 100, "maximum_percent": 133},
        "of 3 tasks at most 3 may run (133 %) and at least 3 must stay (100 %)",
    ),
    (
        "blue-unhealthy",
        {},
        group(targets=TargetsSeen(unhealthy=3, reasons=("Target.Timeout",))),
        "no target of checkout is healthy: Target.Timeout",
    ),
]
ROWS_OF_WARNINGS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("blue-short-of-tasks", {}, blue(running=2), "checkout runs 2 of 3 tasks"),
    ("same-content", {}, revision(digest="sha256:42"), "checkout:43 says the same as checkout:42"),
    (
        "anomaly-mitigation",
        {},
        group(
            attributes=canonical(
                {
                    "load_balancing.algorithm.type": "weighted_random",
                    "load_balancing.algorithm.anomaly_mitigation": "on",
                }
            )
        ),
        "target group checkout has anomaly mitigation on",
    ),
    (
        "short-service-arn",
        {},
        blue(arn="arn:aws:ecs:eu-west-1:123456789012:service/checkout"),
        "checkout has an ARN of the old format, without its cluster's name",
    ),
    (
        "lifecycle-hooks",
        {},
        blue(deployment_configuration=HOOKS),
        "checkout has lifecycle hooks: a pause at PRE_SCALE_UP, Lambda function smoke at POST_SCALE_UP and",
    ),
    (
        "rule-left-out",
        {"rules": (RULE,)},
        {"rules": (good_rule(), default_rule())},
        "the default rule of load",
    ),
    (
        "alarm-firing",
        {},
        alarm(state="ALARM", reason="1 datapoint [31.0]"),
        "fires already: 1 datapoint [31.0]",
    ),
    (
        "alarm-too-slow",
        {},
        alarm(period=timedelta(minutes=5), datapoints_to_alarm=12),
        "needs 1 h to fire; no step lasts longer than 30 min",
    ),
    (
        "nothing-judges",
        {"gates": GatesSpec(health=HealthSpec(on=False), guard=GuardSpec(on=False))},
        {},
        "every gate",
    ),
    (
        "alarm-blind",
        {},
        alarm(is_anomaly=True),
        "alarm checkout-5xx does not cover green",
    ),
    ("alarm-not-whole", {}, alarm(evaluation="PARTIAL_DATA"), "checkout-5xx as a whole: PARTIAL_DATA"),
    (
        "guard-blind-to-grpc",
        {"gates": GatesSpec(compare=CompareSpec(on=False))},
        group(protocol_version="GRPC"),
        "target group checkout speaks gRPC",
    ),
    (
        "group-stickiness",
        {},
        rule(actions=forward((BLUE_GROUP, 1), stickiness=STICKY)),
        "keeps users on their target group for 1 min",
    ),
    (
        "group-stickiness",
        {},
        group(stickiness="lb_cookie"),
        "will keep users on their colour for 24 h, since its target group has sticky sessions",
    ),
    (
        "group-stickiness",
        {"sticky": Sticky.CUT},
        rule(actions=forward((BLUE_GROUP, 1), stickiness=STICKY)),
        "keeps users on their target group",
    ),
    ("zone-without-targets", {}, {"zones_without_targets": ("eu-west-1c",)}, "serves in eu-west-1c"),
    ("targets-unread", {}, group(targets=None), "the health of checkout's targets could not be read"),
    (
        "blue-partly-unhealthy",
        {},
        group(targets=TargetsSeen(healthy=2, unhealthy=1, reasons=("Target.Timeout",))),
        "1 of 3 targets of checkout are not healthy: Target.Timeout",
    ),
    (
        "background-work",
        {"background": Background.SAFE},
        {},
        "green's tasks share blue's work in the background from their first moment",
    ),
    (
        "discovery-stripped",
        {},
        {"registries": ("arn:registry",)},
        "checkout answers in service discovery (arn:registry); green does not",
    ),
    (
        "discovery-kept",
        {"discovery": Discovery.KEEP},
        {"registries": ("arn:registry",)},
        "green answers in service discovery (arn:registry) from its first task",
    ),
    (
        "first-deployment",
        {"first_tasks": 2, "plan": NAMED_PLANS["instant"]},
        blue(desired=0, running=0),
        "checkout runs no task: green gets 2, then all traffic",
    ),
]


def test_a_rule_that_authenticates_is_no_obstacle() -> None:
    assert not errors(
        found(good_spec(), good_survey(**rule(actions=f"{OIDC},{forward((BLUE_GROUP, 1))[1:]}")))
    )


def test_a_good_survey_makes_neither_error_nor_warning() -> None:
    assert {finding.severity for finding in found()} == {Severity.NOTE}


@pytest.mark.parametrize(("code", "of_spec", "of_survey", "words"), ROWS_OF_ERRORS)
def test_what_would_fail_is_refused(
    code: str, of_spec: dict[str, Any], of_survey: dict[str, Any], words: str
) -> None:
    refused = errors(found(good_spec(**of_spec), good_survey(**of_survey)))
    match = [finding for finding in refused if finding.code == code]
    assert match, refused
    assert words in match[0].what
    assert match[0].why
    assert match[0].next_step


@pytest.mark.parametrize(("code", "of_spec", "of_survey", "words"), ROWS_OF_WARNINGS)
def test_what_a_person_should_know_is_a_warning(
    code: str, of_spec: dict[str, Any], of_survey: dict[str, Any], words: str
) -> None:
    all_found = found(good_spec(**of_spec), good_survey(**of_survey))
    assert not errors(all_found)
    warnings = [finding for finding in all_found if finding.severity is Severity.WARNING]
    assert [finding.code for finding in warnings] == [code]
    assert words in warnings[0].what
    assert warnings[0].why


@pytest.mark.parametrize(
    ("code", "survey", "words"),
    [
        ("blue", {}, "prod/checkout in account 123456789012, eu-west-1: 3 tasks of checkout:42"),
        ("revision", {}, "green will run checkout:43"),
        (
            "target-group",
            {},
            "target group checkout (app:8080) on public, 3 of 3 healthy; green gets one like it",
        ),
        ("rule", {}, "rule 10 of load balancer public will be moved"),
        ("peak-tasks", {}, "up to 9 tasks at once: 3 of green, 6 of blue while it rolls"),
        ("scale-in-will-be-suspended", {}, "checkout's scale-in is suspended during the rollout"),
        ("scale-in-suspended", {"scaling": SCALING}, "checkout's scale-in is suspended already"),
        ("expected-time", {}, "100 % after 6 min, the watch over after 36 min, at 2026-03-02 12:36:00Z"),
    ],
)
def test_notes_say_what_was_found(code: str, survey: dict[str, Any], words: str) -> None:
    notes = [finding for finding in found(survey=good_survey(**survey)) if finding.code == code]
    assert [finding.severity for finding in notes] == [Severity.NOTE]
    assert words in notes[0].what


def test_the_note_of_a_rule_names_its_listener_and_conditions() -> None:
    (note,) = (finding for finding in found() if finding.code == "rule")
    assert note.why == f"its listener is {LISTENER}, for host-header checkout.example.com"


@pytest.mark.parametrize("has_old_form", [True, False])
def test_the_note_of_a_rule_that_is_met_by_regular_expressions_says_them(has_old_form: bool) -> None:
    expressions = {"RegexValues": ["^/a$", "^/b"]}
    condition = {"Field": "path-pattern", "PathPatternConfig": expressions}
    shown = canonical([condition | (expressions if has_old_form else {})])
    survey = good_survey(rules=(good_rule(conditions=shown),))
    (note,) = (finding for finding in found(survey=survey) if finding.code == "rule")
    assert note.why == f"its listener is {LISTENER}, for path-pattern regex ^/a$ or regex ^/b"


def test_every_finding_is_told_at_once_errors_first() -> None:
    survey = good_survey(controller="EXTERNAL", revision=None, rules=(), policies=("cpu-60",))
    severities = [finding.severity for finding in found(survey=survey)]
    assert [finding.code for finding in errors(found(survey=survey))] == [
        "controller-not-ecs",
        "revision-unknown",
        "no-rule",
    ]
    assert severities == sorted(severities, key=list(Severity).index)


def test_codes_are_kebab_case() -> None:
    codes = {code for code, *_ in (*ROWS_OF_ERRORS, *ROWS_OF_WARNINGS)}
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)


def test_a_service_that_cannot_roll_is_told_the_command_that_helps() -> None:
    (finding,) = errors(found(survey=good_survey(controller="CODE_DEPLOY")))
    assert finding.next_step == (
        "give it to ECS: aws ecs update-service --cluster prod --service checkout --deployment-controller type=ECS"
    )


def test_a_team_whose_names_begin_with_teal_is_not_taken_for_a_rollout() -> None:
    own = TargetGroupArn(BLUE_GROUP.replace("/checkout/", "/teal-shop-0a1b2c3d-0/"))
    other = OTHER_GROUP.replace("/legacy/", "/teal-shop/")
    survey = good_survey(
        groups=(good_group(arn=own),), rules=(good_rule(actions=forward((own, 1), (other, 1))),)
    )
    assert not errors(found(survey=survey))


def test_a_listener_in_the_file_means_its_default_rule() -> None:
    survey = good_survey(rules=(good_rule(), default_rule()))
    all_found = found(good_spec(rules=(LISTENER,)), survey)
    assert not errors(all_found)
    assert [f.what for f in all_found if f.code == "rule"] == [
        "the default rule of load balancer public will be moved"
    ]


def test_rolling_is_possible_with_one_task_to_spare() -> None:
    survey = good_survey(minimum_percent=100, maximum_percent=134)
    assert not errors(found(survey=survey))


def test_a_service_as_it_is_really_read_makes_no_error() -> None:
    with asyncio.Runner() as runner:
        stage = set_stage(Direct(), runner, default_rule=True)
        described = stage.call("ecs", "DescribeTaskDefinition", taskDefinition=stage.scenery.task_definition)
        known = ("family", "containerDefinitions", "networkMode", "requiresCompatibilities", "cpu", "memory")
        asked = {key: described["taskDefinition"][key] for key in known if key in described["taskDefinition"]}
        registered = stage.call("ecs", "RegisterTaskDefinition", **asked)["taskDefinition"]
        survey = stage.survey(task_definition=registered["taskDefinitionArn"])
    assert not errors(found(good_spec(task_definition=registered["taskDefinitionArn"]), survey))


def test_an_algorithm_that_hides_no_failure_is_no_finding() -> None:
    for attributes in (
        {"load_balancing.algorithm.type": "weighted_random"},
        {"load_balancing.algorithm.type": "least_outstanding_requests"},
        {"slow_start.duration_seconds": "60"},
    ):
        assert "anomaly-mitigation" not in {
            one.code for one in found(survey=good_survey(**group(attributes=canonical(attributes))))
        }


def test_the_page_says_how_many_tags_of_teals_own_need_room() -> None:
    own = (len(tags.ON_SERVICE), len(tags.ON_GROUP), len(tags.ON_REVISION))
    page = " ".join(Path("docs/preflight.md").read_text(encoding="utf-8").split())
    assert "up to {} on a service, {} on a target group and {} on a task definition".format(*own) in page
    assert "so more than {}, {} and {} are refused".format(*(50 - n for n in own)) in page
