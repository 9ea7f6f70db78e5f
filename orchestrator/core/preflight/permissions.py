"""The calls that a rollout of one service makes, each with what it is made on: what IAM must allow beforehand.

Whose policy lacks what is AWS's to say (``iam:SimulatePrincipalPolicy``); this is only the question. Names of green's
things are not known yet, so their ARNs stand for every name that they can get. Each call is asked about with the
condition keys that it will have, and with no others.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.core.cloud.sign_in import READ_POOL, user_pools
from orchestrator.core.cloud.survey import NewRevision, Survey
from orchestrator.core.domain.ids import long_service_arn
from orchestrator.core.domain.tags import FORMER, MANAGED, ROLLOUT, SERVES, SERVICE
from orchestrator.core.preflight import context_keys
from orchestrator.core.preflight.context_keys import Keys
from orchestrator.core.rollout.spec import Ending, Spec
from orchestrator.core.traffic.discovery import in_scope, test_rules_of

ANY_ID = "0" * 8
SCALES = {
    context_keys.NAMESPACE: ("ecs",),
    context_keys.DIMENSION: ("ecs:service:DesiredCount",),
}

Given = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """One call that must be allowed, on one resource, with the condition keys that it has.

    `sid`: the statement of docs/permissions.md that allows it; empty: it is not Teal that calls.
    """

    action: str
    resource: str
    sid: str = ""
    keys: Keys = ()


def permits_of(spec: Spec, survey: Survey) -> tuple[Permit, ...]:
    """Every changing call of a rollout, on what it will be made on."""
    return tuple(dict.fromkeys(_permits(spec, survey)))


def _permits(spec: Spec, survey: Survey) -> Iterator[Permit]:
    template = json.loads(survey.template)
    yield from _services(spec, survey, _tags_of(template.get("tags", ())))
    yield from _groups(spec, survey)
    rules = (*in_scope(spec, survey), *test_rules_of(spec, survey))
    for rule in rules:
        action, resource = ("ModifyListener", rule.listener) if rule.is_default else ("ModifyRule", rule.arn)
        yield _permit("Shift", f"elasticloadbalancing:{action}", resource)
    for pool in user_pools(rule.actions for rule in rules):
        yield _permit("ReadUserPools", READ_POOL, pool)
    if survey.scaling is not None:
        yield from _scaling(spec, survey)
    for role in sorted(set(_roles(template))):
        yield _passed("PassServiceRoles", role, "ecs.amazonaws.com")
    for new in survey.new_revisions:
        yield from _registered(spec, survey, new)


def _services(spec: Spec, survey: Survey, copied: Mapping[str, str]) -> Iterator[Permit]:
    """Green's service from its making to its end, and blue's as far as it is changed."""
    blue = survey.blue
    green = long_service_arn(blue.cluster, f"{spec.service.service}-{ANY_ID}")
    there: Given = {context_keys.CLUSTER: (blue.cluster,)}
    made = _made(spec, copied)
    has = context_keys.owned({**copied, **_own(spec)})
    create: Given = {context_keys.CREATE_ACTION: ("CreateService",)}
    yield _permit("MakeGreen", "ecs:CreateService", green, there, made)
    yield _permit("TagGreenWhenMade", "ecs:TagResource", green, made, create)
    yield _permit("TagGreenWithFormer", "ecs:TagResource", green, has, _names(FORMER, SERVES))
    yield _permit("Update", "ecs:UpdateService", green, there, has)
    yield _permit("DeleteGreen", "ecs:DeleteService", green, there, has)
    yield _permit("Update", "ecs:UpdateService", blue.arn, there, context_keys.owned(blue.tags))
    if spec.ending is Ending.DELETE:
        # Tagged first, as its policy may demand; a rollback makes it anew, and takes the tags off again.
        tagged = {**blue.tags, **_own(spec)}
        if MANAGED not in blue.tags:
            marks = _names(MANAGED, ROLLOUT, SERVICE)
            yield _permit("AdoptBlue", "ecs:TagResource", blue.arn, context_keys.owned(blue.tags), marks)
            yield _permit("AdoptBlue", "ecs:UntagResource", blue.arn, context_keys.owned(tagged), marks)
        yield _permit("DeleteGreen", "ecs:DeleteService", blue.arn, there, context_keys.owned(tagged))
        yield _permit("MakeGreen", "ecs:CreateService", blue.arn, there, made)
        yield _permit("TagGreenWhenMade", "ecs:TagResource", blue.arn, made, create)


def _groups(spec: Spec, survey: Survey) -> Iterator[Permit]:
    """Green's target groups: as they will be, in blue's place, by a name that begins with ``teal-``."""
    if not survey.groups:
        return
    head = survey.groups[0].arn.partition(":targetgroup/")[0]
    group = f"{head}:targetgroup/teal-{spec.service.service[:16]}-{ANY_ID}-0/{ANY_ID * 2}"
    copied = _tags_of(json.loads(survey.groups[0].template).get("Tags", ()), key="Key", value="Value")
    made = _made(spec, copied)
    has = context_keys.owned({**copied, **_own(spec)})
    create: Given = {context_keys.ELB_CREATE_ACTION: ("CreateTargetGroup",)}
    yield _permit("MakeGreenGroups", "elasticloadbalancing:CreateTargetGroup", group, made)
    yield _permit("TagGreenGroupsWhenMade", "elasticloadbalancing:AddTags", group, made, create)
    yield _permit(
        "TagGreenGroupsWithFormer", "elasticloadbalancing:AddTags", group, has, _names(FORMER, SERVES)
    )
    for action in ("ModifyTargetGroupAttributes", "DeleteTargetGroup"):
        yield _permit("ChangeGreenGroups", f"elasticloadbalancing:{action}", group, has)


def _scaling(spec: Spec, survey: Survey) -> Iterator[Permit]:
    """What blue's scaling is held by, and what green's is made and taken away by."""
    scales, place = survey.scales, f"{_head(survey, 'application-autoscaling')}:scalable-target/{ANY_ID * 4}"
    copied = dict(scales.tags) if scales is not None else {}
    made = _made(spec, copied)
    calls = ["RegisterScalableTarget"]
    if scales is not None:
        yield _permit("TagScaling", "application-autoscaling:TagResource", place, made)
        calls += ["DeregisterScalableTarget"]
        calls += ["PutScalingPolicy"] if scales.policies else []
        calls += ["PutScheduledAction"] if scales.schedules else []
    for call in calls:
        yield _permit("Scale", f"application-autoscaling:{call}", place, SCALES, made)
    alarms = f"{_head(survey, 'cloudwatch')}:alarm"
    if scales is not None and scales.drivers:
        alarm = f"{alarms}:teal-{spec.service.service[:16]}-{ANY_ID}-alarm-0"
        tagged = _made(spec, {})
        yield _permit("DriveGreensScaling", "cloudwatch:PutMetricAlarm", alarm, tagged)
        yield _permit("DriveGreensScaling", "cloudwatch:TagResource", alarm, tagged)
        yield _permit("DriveGreensScaling", "cloudwatch:DeleteAlarms", alarm)
    if scales is not None and any(policy.kind == "TargetTrackingScaling" for policy in scales.policies):
        # Application Auto Scaling makes these as whoever calls it.
        cluster = survey.blue.cluster.rpartition("/")[2]
        alarm = (
            f"{alarms}:TargetTracking-service/{cluster}/{spec.service.service}-{ANY_ID}-AlarmHigh-{ANY_ID}"
        )
        for action in ("PutMetricAlarm", "DeleteAlarms"):
            yield _permit("DriveGreensScaling", f"cloudwatch:{action}", alarm)


def _registered(spec: Spec, survey: Survey, new: NewRevision) -> Iterator[Permit]:
    """A revision that the rollout registers, on the ARN that it will get, with the roles that it hands on."""
    definition = json.loads(new.template)
    arn = f"{_head(survey, 'ecs')}:task-definition/{new.family}:{new.newest + 1}"
    tags = _tags_of(definition.get("tags", ()))
    made = _made(spec, tags)
    create: Given = {context_keys.CREATE_ACTION: ("RegisterTaskDefinition",)}
    yield _permit("RegisterRevisions", "ecs:RegisterTaskDefinition", arn, made)
    yield _permit("TagRevisionsWhenMade", "ecs:TagResource", arn, made, create)
    yield _permit("DeregisterOwnRevisions", "ecs:DeregisterTaskDefinition", "*")
    for role in (definition.get("taskRoleArn"), definition.get("executionRoleArn")):
        if role and role.startswith("arn:"):
            yield _passed("PassTaskRoles", role, "ecs-tasks.amazonaws.com")


def _permit(sid: str, action: str, resource: str, *given: Given) -> Permit:
    """A permit with those of the given keys that the action has."""
    keys = {key: values for part in given for key, values in part.items()}
    return Permit(
        action=action, resource=resource, sid=sid, keys=context_keys.kept(action, sorted(keys.items()))
    )


def _passed(sid: str, role: str, to: str) -> Permit:
    return _permit(sid, "iam:PassRole", role, {context_keys.PASSED_TO: (to,)})


def _own(spec: Spec) -> Mapping[str, str]:
    """Teal's tags, as far as their values are known beforehand."""
    return {MANAGED: "true", SERVICE: spec.service.path}


def _made(spec: Spec, copied: Mapping[str, str]) -> Given:
    """What a call says of the tags of what it makes: those that are copied, and Teal's."""
    keys = (*copied, MANAGED, ROLLOUT, SERVICE)
    return {**context_keys.requested({**copied, **_own(spec)}), context_keys.TAG_KEYS: keys}


def _names(*names: str) -> Given:
    return {context_keys.TAG_KEYS: names}


def _tags_of(
    listed: list[dict[str, Any]] | tuple[()], *, key: str = "key", value: str = "value"
) -> dict[str, str]:
    return {tag[key]: tag.get(value, "") for tag in listed}


def _head(survey: Survey, service: str) -> str:
    partition = survey.blue.arn.split(":")[1]
    return f"arn:{partition}:{service}:{survey.region}:{survey.account}"


def _roles(value: object) -> Iterator[str]:
    """Roles that CreateService hands on: those that the service's own request names."""
    if isinstance(value, dict):
        for key, member in value.items():
            if key in ("role", "roleArn") and isinstance(member, str) and member.startswith("arn:"):
                yield member
            else:
                yield from _roles(member)
    elif isinstance(value, list):
        for member in value:
            yield from _roles(member)
