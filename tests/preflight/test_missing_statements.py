"""A role whose policies are not as printed: preflight names the statement to add, and with it the role may roll out."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from orchestrator.core.cloud.survey import Finding, Severity
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.alarms import AlarmSpec, AlarmsSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.rollout.spec import Spec
from sandbox.scenarios.scenery_scaling import KINDS, scale_by
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from tests.cases.rule_stage import call, rule_of
from tests.cases.starts import preflight
from tests.support.direct_transport import DirectTransport
from tests.support.permitted import OF_A_SERVER, ROLE, document
from tests.support.rehearsal import Rehearsal

CALLER = "arn:aws:sts::123456789012:assumed-role/teal/session"
TASK_ROLE = "arn:aws:iam::123456789012:role/task"
POOL = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_A"
Statement = dict[str, Any]
Change = Callable[[Statement], Statement | None]


class Bound(Rehearsal):
    """A rehearsal whose Teal has policies, and may do what they say and nothing else."""

    def __init__(self, **more: Any) -> None:  # noqa: ANN401 - Rehearsal's own
        super().__init__(**more)
        call = partial(self.world.call, by=CALLER)
        self.cloud = self.cloud_of(DirectTransport(call, refusal=AwsRefusal, lost=CallLost))
        self.has: list[Statement] = []
        self.give(lambda statement: statement)

    def give(self, change: Change) -> None:
        """Give the role the printed policies with each statement changed; None leaves it out."""
        words = {
            "REGION": ["eu-west-1"],
            "ACCOUNT": ["123456789012"],
            "CLUSTER": [self.scenery.cluster],
            "LOAD_BALANCER": [self.scenery.load_balancer.split("/")[2]],
            "SERVICE": [self.scenery.service],
            "FAMILY": [self.scenery.service],
            "TASK_ROLE": ["task"],
            "EXECUTION_ROLE": ["execution"],
            "VOLUME_ROLE": ["volumes"],
            "USER_POOL": ["eu-west-1_A"],
        }
        printed = document(OF_A_SERVER, words)["Statement"]
        self.has = [one for statement in printed if (one := change(statement)) is not None]
        self._attach()

    def add(self, written: str) -> None:
        """Add the statement that a finding names."""
        self.has.append(json.loads(written[written.index("{") :]))
        self._attach()

    def _attach(self) -> None:
        self.world.gate.attach(ROLE, {"Version": "2012-10-17", "Statement": self.has})


@pytest.fixture
def stage() -> Iterator[Bound]:
    with Bound(requests_per_second=20) as rehearsal:
        yield rehearsal


def without(sid: str) -> Change:
    return lambda statement: None if statement["Sid"] == sid else statement


def on(sid: str, **members: Any) -> Change:  # noqa: ANN401 - a statement's own
    return lambda statement: {**statement, **members} if statement["Sid"] == sid else statement


def errors(stage: Bound, spec: Spec) -> dict[str, Finding]:
    found = preflight(stage, spec)
    return {code: one for code, one in found.items() if one.severity is not Severity.NOTE and is_of_iam(code)}


def is_of_iam(code: str) -> bool:
    return code.startswith(("permission", "service-revisions", "alarm-missing"))


def assert_mended(stage: Bound, spec: Spec, *, code: str, sid: str) -> Finding:
    """One finding names the statement, and nothing is missing once what it says was added."""
    (finding,) = errors(stage, spec).values()
    assert (finding.code, finding.severity) == (code, Severity.ERROR)
    assert f"add statement {sid} of docs/permissions.md to Teal's role: {{" in finding.next_step
    stage.add(finding.next_step)
    assert errors(stage, spec) == {}
    return finding


def spec_of(stage: Bound, **changes: Any) -> Spec:  # noqa: ANN401 - the fields of Spec
    return stage.spec(stage.revision(), **changes)


def new_image(stage: Bound) -> Spec:
    return stage.spec("", images=((stage.scenery.container, "example.com/checkout:2"),))


def test_under_exactly_the_printed_policies_nothing_is_missing(stage: Bound) -> None:
    scale_by(stage.world, stage.scenery, *KINDS)
    assert errors(stage, new_image(stage)) == {}


def test_a_rollout_under_exactly_the_printed_policies_ends_well(stage: Bound) -> None:
    scale_by(stage.world, stage.scenery, *KINDS)
    rollout = stage.start(spec_of(stage))
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    refused = [one for one in stage.world.log if "not authorized" in str(one.error)]
    assert refused == []


def test_an_action_that_nothing_allows_is_told_with_its_statement(stage: Bound) -> None:
    stage.give(without("Shift"))
    finding = assert_mended(stage, spec_of(stage), code="permission-missing", sid="Shift")
    assert "elasticloadbalancing:ModifyRule" in finding.what


def test_tagging_under_the_condition_of_creation_alone_is_not_enough_for_later_tags(stage: Bound) -> None:
    stage.give(without("TagGreenWithFormer"))
    assert_mended(stage, spec_of(stage), code="permission-missing", sid="TagGreenWithFormer")


def test_a_condition_on_a_key_that_the_action_never_has_is_told(stage: Bound) -> None:
    scale_by(stage.world, stage.scenery, *KINDS)
    wrong = {"StringEquals": {"application-autoscaling:service-namespace": "ecs"}}
    stage.give(on("TagScaling", Condition=wrong, Resource="*"))
    finding = assert_mended(stage, spec_of(stage), code="permission-missing", sid="TagScaling")
    assert "looks at application-autoscaling:service-namespace, which this call does not have" in finding.why


def test_service_revisions_without_their_service_are_told_and_cost_nothing_else(stage: Bound) -> None:
    stage.give(on("ReadRevisions", Resource="arn:aws:ecs:eu-west-1:123456789012:service-revision/prod/*"))
    spec = spec_of(stage)
    assert "permissions" in preflight(stage, spec)
    finding = assert_mended(stage, spec, code="service-revisions-unread", sid="ReadRevisions")
    assert "ecs:DescribeServiceRevisions" in finding.what


def test_a_composite_alarm_is_not_seen_by_whoever_may_not_read_all(stage: Bound) -> None:
    rule = {"AlarmName": "whole", "AlarmRule": f"ALARM({stage.scenery.alarms[0]})"}
    stage.world.call("cloudwatch", "PutCompositeAlarm", rule)
    stage.let_run(2 * stage.world.minute)
    stage.give(on("ReadAlarms", Resource="arn:aws:cloudwatch:eu-west-1:123456789012:alarm:*"))
    spec = spec_of(stage, gates=GatesSpec(alarms=AlarmsSpec(alarms=(AlarmSpec(name="whole"),))))
    assert_mended(stage, spec, code="alarm-missing", sid="ReadAlarms")


@pytest.mark.parametrize("sid", ["RegisterRevisions", "TagRevisionsWhenMade", "DeregisterOwnRevisions"])
def test_a_revision_is_asked_about_on_its_family(stage: Bound, sid: str) -> None:
    stage.give(without(sid))
    assert_mended(stage, new_image(stage), code="permission-missing", sid=sid)


def test_a_role_that_may_be_passed_to_another_service_alone_is_told(stage: Bound) -> None:
    body = stage.world.call(
        "ecs", "DescribeTaskDefinition", {"taskDefinition": stage.scenery.task_definition}
    )["taskDefinition"]
    kept = ("family", "networkMode", "requiresCompatibilities", "cpu", "memory", "containerDefinitions")
    made = {name: body[name] for name in kept if name in body} | {"taskRoleArn": TASK_ROLE}
    stage.world.call("ecs", "RegisterTaskDefinition", made)
    images = ((stage.scenery.container, "example.com/checkout:2"),)
    spec = stage.spec("checkout:2", images=images)
    assert errors(stage, spec) == {}
    other = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    stage.give(on("PassTaskRoles", Condition=other))
    finding = assert_mended(stage, spec, code="permission-missing", sid="PassTaskRoles")
    assert TASK_ROLE in finding.what


def test_a_rule_that_authenticates_by_cognito_needs_its_pool(stage: Bound) -> None:
    config = {"UserPoolArn": POOL, "UserPoolClientId": "c", "UserPoolDomain": "d"}
    forward = {**rule_of(stage)["Actions"][-1], "Order": 2}
    signed_in = {"Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": config}
    call(
        stage,
        "CreateListener",
        LoadBalancerArn=stage.scenery.load_balancer,
        Protocol="HTTPS",
        Port=8443,
        Certificates=[{"CertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1"}],
        DefaultActions=[signed_in, forward],
    )
    stage.give(without("ReadUserPools"))
    finding = assert_mended(stage, spec_of(stage), code="permission-missing", sid="ReadUserPools")
    assert POOL in finding.what
