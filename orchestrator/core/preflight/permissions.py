"""The calls that a rollout of one service makes, each with what it is made on: what IAM must allow beforehand.

Whose policy lacks what is AWS's to say (``iam:SimulatePrincipalPolicy``); this is only the question. Names of green's
things are not known yet, so their ARNs stand for every name that they can get.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.core.cloud.survey import Survey
from orchestrator.core.domain.ids import Json
from orchestrator.core.rollout.spec import Ending, Spec
from orchestrator.core.traffic.discovery import in_scope, test_rules_of

ANY_ID = "0" * 8

CONTEXT = (
    ("aws:RequestTag/teal:managed", "true"),
    ("aws:ResourceTag/teal:managed", "true"),
    ("aws:TagKeys", "teal:managed"),
    ("ecs:CreateAction", "CreateService"),
    ("elasticloadbalancing:CreateAction", "CreateTargetGroup"),
    ("application-autoscaling:service-namespace", "ecs"),
)
"""What a policy's conditions may look at, as it is in every one of these calls where it applies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """One call that must be allowed, on one resource."""

    action: str
    resource: str


def permits_of(spec: Spec, survey: Survey) -> tuple[Permit, ...]:
    """Every changing call of a rollout, on what it will be made on."""
    return tuple(dict.fromkeys(_permits(spec, survey)))


def _permits(spec: Spec, survey: Survey) -> Iterator[Permit]:
    blue = survey.blue
    green = f"{blue.arn.rpartition('/')[0]}/{spec.service.service}-{ANY_ID}"
    for action in ("CreateService", "TagResource", "UpdateService", "DeleteService"):
        yield Permit(action=f"ecs:{action}", resource=green)
    yield Permit(action="ecs:UpdateService", resource=blue.arn)
    if (
        spec.ending is Ending.DELETE
    ):  # tagged first, as its policy may demand; a rollback takes the tags off again
        for action in ("TagResource", "UntagResource", "DeleteService", "CreateService"):
            yield Permit(action=f"ecs:{action}", resource=blue.arn)
    group = _green_group(spec, survey)
    if group:
        for action in (
            "CreateTargetGroup",
            "AddTags",
            "ModifyTargetGroupAttributes",
            "DeleteTargetGroup",
        ):
            yield Permit(action=f"elasticloadbalancing:{action}", resource=group)
    for rule in (*in_scope(spec, survey), *test_rules_of(spec, survey)):
        action, resource = ("ModifyListener", rule.listener) if rule.is_default else ("ModifyRule", rule.arn)
        yield Permit(action=f"elasticloadbalancing:{action}", resource=resource)
    if survey.scaling is not None:
        yield from _scaling(spec, survey)
    yield from _passed(survey.template)
    for new in survey.new_revisions:
        yield Permit(action="ecs:RegisterTaskDefinition", resource="*")
        definition = json.loads(new.template)
        for role in (definition.get("taskRoleArn"), definition.get("executionRoleArn")):
            if role and role.startswith("arn:"):
                yield Permit(action="iam:PassRole", resource=role)


def _scaling(spec: Spec, survey: Survey) -> Iterator[Permit]:
    """What blue's scaling is held by, and what green's is made and taken away by."""
    calls = ["RegisterScalableTarget"]
    if survey.scales is not None:
        calls += ["DeregisterScalableTarget", "TagResource"]
        calls += ["PutScalingPolicy"] if survey.scales.policies else []
        calls += ["PutScheduledAction"] if survey.scales.schedules else []
    for call in calls:
        yield Permit(action=f"application-autoscaling:{call}", resource="*")
    for alarm in _alarms(spec, survey):
        for action in ("PutMetricAlarm", "DeleteAlarms"):
            yield Permit(action=f"cloudwatch:{action}", resource=alarm)


def _alarms(spec: Spec, survey: Survey) -> Iterator[str]:
    """Alarms of green's scaling: Application Auto Scaling makes those for target tracking as whoever calls it."""
    scales = survey.scales
    head = f"arn:{survey.blue.arn.split(':')[1]}:cloudwatch:{survey.region}:{survey.account}:alarm"
    if scales is not None and scales.drivers:
        yield f"{head}:teal-{spec.service.service[:16]}-{ANY_ID}-alarm-0"
    if scales is not None and any(policy.kind == "TargetTrackingScaling" for policy in scales.policies):
        cluster = survey.blue.cluster.rpartition("/")[2]
        yield f"{head}:TargetTracking-service/{cluster}/{spec.service.service}-{ANY_ID}-AlarmHigh-{ANY_ID}"


def _green_group(spec: Spec, survey: Survey) -> str:
    """A target group's ARN as green's will be: in blue's place, by a name that begins with ``teal-``."""
    if not survey.groups:
        return ""
    head = survey.groups[0].arn.partition(":targetgroup/")[0]
    return f"{head}:targetgroup/teal-{spec.service.service[:16]}-{ANY_ID}-0/{ANY_ID * 2}"


def _passed(template: Json) -> Iterator[Permit]:
    """Roles that CreateService hands on: those that the service's own request names."""
    yield from (
        Permit(action="iam:PassRole", resource=role) for role in sorted(set(_roles(json.loads(template))))
    )


def _roles(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, member in value.items():
            if key in ("role", "roleArn") and isinstance(member, str) and member.startswith("arn:"):
                yield member
            else:
                yield from _roles(member)
    elif isinstance(value, list):
        for member in value:
            yield from _roles(member)
