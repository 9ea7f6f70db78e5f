"""The condition keys that each action of a rollout has: a simulation that was told others would promise too much.

Source: Service Authorization Reference, "Condition keys" of each action. A key that ends in a slash stands for that of
every tag.
"""

from collections.abc import Iterable, Mapping

Keys = tuple[tuple[str, tuple[str, ...]], ...]
"""Condition keys of one request, each with its values."""

REQUEST_TAG, RESOURCE_TAG, TAG_KEYS = "aws:RequestTag/", "aws:ResourceTag/", "aws:TagKeys"
ELB_TAG = "elasticloadbalancing:ResourceTag/"
CLUSTER, CREATE_ACTION = "ecs:cluster", "ecs:CreateAction"
ELB_CREATE_ACTION = "elasticloadbalancing:CreateAction"
NAMESPACE = "application-autoscaling:service-namespace"
DIMENSION = "application-autoscaling:scalable-dimension"
PASSED_TO = "iam:PassedToService"

_MADE = (REQUEST_TAG, TAG_KEYS)
_SERVICE = (RESOURCE_TAG, CLUSTER)
_SETTINGS = (  # what a service is given
    "ecs:auto-assign-public-ip",
    "ecs:capacity-provider",
    "ecs:enable-ebs-volumes",
    "ecs:enable-ecs-managed-tags",
    "ecs:enable-execute-command",
    "ecs:enable-service-connect",
    "ecs:enable-vpc-lattice",
    "ecs:namespace",
    "ecs:propagate-tags",
    "ecs:subnet",
    "ecs:task-cpu",
    "ecs:task-definition",
    "ecs:task-memory",
)
_GROUP = (RESOURCE_TAG, ELB_TAG)
_SCALING = (NAMESPACE, DIMENSION)

HAS: Mapping[str, tuple[str, ...]] = {
    "application-autoscaling:DeregisterScalableTarget": _SCALING,
    "application-autoscaling:PutScalingPolicy": _SCALING,
    "application-autoscaling:PutScheduledAction": _SCALING,
    "application-autoscaling:RegisterScalableTarget": (*_MADE, *_SCALING),
    "application-autoscaling:TagResource": _MADE,
    "cloudwatch:DeleteAlarms": (),
    "cloudwatch:PutMetricAlarm": (*_MADE, "cloudwatch:AlarmActions"),
    "cloudwatch:TagResource": _MADE,
    "cognito-idp:DescribeUserPoolClient": (),
    "ecs:CreateService": (*_SERVICE, *_MADE, *_SETTINGS),
    "ecs:DeleteService": _SERVICE,
    "ecs:DeregisterTaskDefinition": (),
    "ecs:RegisterTaskDefinition": (
        RESOURCE_TAG,
        *_MADE,
        "ecs:compute-compatibility",
        "ecs:privileged",
        "ecs:task-cpu",
        "ecs:task-memory",
    ),
    "ecs:TagResource": (*_MADE, RESOURCE_TAG, CREATE_ACTION),
    "ecs:UntagResource": (RESOURCE_TAG, TAG_KEYS),
    "ecs:UpdateService": (*_SERVICE, *_SETTINGS),
    "elasticloadbalancing:AddTags": (*_MADE, *_GROUP, ELB_CREATE_ACTION),
    "elasticloadbalancing:CreateTargetGroup": (*_MADE, *_GROUP),
    "elasticloadbalancing:DeleteTargetGroup": _GROUP,
    "elasticloadbalancing:ModifyListener": (
        *_GROUP,
        "elasticloadbalancing:ListenerProtocol",
        "elasticloadbalancing:SecurityPolicy",
    ),
    "elasticloadbalancing:ModifyRule": _GROUP,
    "elasticloadbalancing:ModifyTargetGroupAttributes": _GROUP,
    "iam:PassRole": (PASSED_TO, "iam:AssociatedResourceArn"),
}
"""Every action that preflight asks about."""

# Global keys that are an action's own all the same: the reference lists them with each action that has them.
_NOT_GLOBAL = (REQUEST_TAG, RESOURCE_TAG, TAG_KEYS)

# Where a request has one of these, preflight knows it: one that it did not tell is not there.
_DECIDED = frozenset(
    one.lower()
    for one in (TAG_KEYS, CLUSTER, CREATE_ACTION, ELB_CREATE_ACTION, NAMESPACE, DIMENSION, PASSED_TO)
)


def may_have(action: str, key: str) -> bool:
    """True if a request for the action can have the key, of any value. Keys are compared without regard to case."""
    name = key.lower()
    if name.startswith("aws:") and not name.startswith(tuple(one.lower() for one in _NOT_GLOBAL)):
        return True
    known = tuple(one.lower() for one in HAS.get(action, ()))
    return any(name.startswith(one) if one.endswith("/") else name == one for one in known)


def is_open(action: str, told: Keys, key: str) -> bool:
    """True if a request for the action may have a key that it was not told of: one that nobody knows beforehand."""
    given = {name.lower(): values for name, values in told}
    name = key.lower()
    if not may_have(action, key) or name in _DECIDED:
        return False
    if name.startswith(REQUEST_TAG.lower()):
        tag = name.removeprefix(REQUEST_TAG.lower())
        return tag in [one.lower() for one in given.get(TAG_KEYS.lower(), ())]
    if name.startswith(RESOURCE_TAG.lower()):
        return not any(one.startswith(RESOURCE_TAG.lower()) for one in given)
    return True


def requested(tags: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    """What a call says of the tags that it gives."""
    return {TAG_KEYS: tuple(tags), **{f"{REQUEST_TAG}{key}": (value,) for key, value in tags.items()}}


def owned(tags: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    """What a resource's tags say of it."""
    return {f"{head}{key}": (value,) for head in (RESOURCE_TAG, ELB_TAG) for key, value in tags.items()}


def kept(action: str, given: Iterable[tuple[str, tuple[str, ...]]]) -> Keys:
    """Those of the keys that the action has."""
    return tuple((key, values) for key, values in given if may_have(action, key))
