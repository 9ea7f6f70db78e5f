"""Session policies: what temporary credentials may do besides what their role may, as AssumeRole was told.

This World's roles may do everything, so the policy alone decides. Every call is an action on the resources that it
names; tags in a call that makes something need the action of tagging besides. Sources: IAM User Guide, "Session
policies"; Service Authorization Reference, resource types of ECS and Elastic Load Balancing V2.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.kernel import Kernel

LONGEST = 2048
_PREFIXES = {"elbv2": "elasticloadbalancing"}
_FREE = frozenset({("sts", "GetCallerIdentity")})
_NAMED = ("RuleArn", "ListenerArn", "TargetGroupArn", "LoadBalancerArn", "resourceArn")
_CODES = {"ecs": "AccessDeniedException", "application-autoscaling": "AccessDeniedException"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPolicy:
    """A policy whose statements allow."""

    allows: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]  # (actions, resources), with wildcards

    @classmethod
    def read(cls, text: str) -> "SessionPolicy":
        """Raises AwsRefusal for one that is too long or no policy of this World."""
        if len(text) > LONGEST:
            raise AwsRefusal(
                "ValidationError",
                f"Value at 'policy' failed to satisfy constraint: its length must be {LONGEST} at most",
            )
        try:
            statements = json.loads(text)["Statement"]
            allows = tuple((tuple(one["Action"]), tuple(one["Resource"])) for one in statements)
            is_plain = all(one.keys() <= {"Effect", "Action", "Resource"} for one in statements)
        except (ValueError, KeyError, TypeError) as error:
            raise AwsRefusal("MalformedPolicyDocument", "The policy document is not valid") from error
        if not is_plain or any(one["Effect"] != "Allow" for one in statements):
            raise AwsRefusal("MalformedPolicyDocument", "This sandbox reads statements that allow, no others")
        return cls(allows=allows)

    def check(self, caller: str, kernel: Kernel, service: str, operation: str, params: Json) -> None:
        """Raises AwsRefusal for a call that no statement allows."""
        if (service, operation) in _FREE:
            return
        for action, resource in _asked(kernel, service, operation, params):
            if not self._may(action, resource):
                raise AwsRefusal(
                    _CODES.get(service, "AccessDenied"),
                    f"User: {caller} is not authorized to perform: {action} on resource: {resource} because no session "
                    f"policy allows the {action} action",
                    400 if service in _CODES else 403,
                )

    def _may(self, action: str, resource: str) -> bool:
        return any(
            any(fnmatchcase(action, pattern) for pattern in actions)
            and any(fnmatchcase(resource, pattern) for pattern in resources)
            for actions, resources in self.allows
        )


def _asked(kernel: Kernel, service: str, operation: str, params: Json) -> Iterator[tuple[str, str]]:
    prefix = _PREFIXES.get(service, service)
    resources = tuple(_resources(kernel, operation, params)) or ("*",)
    yield from ((f"{prefix}:{operation}", resource) for resource in resources)
    if (params.get("Tags") or params.get("tags")) and operation.startswith(("Create", "Register", "Put")):
        tagging = "AddTags" if service == "elbv2" else "TagResource"
        if operation == "RegisterTaskDefinition":
            resources = (kernel.arn("ecs", f"task-definition/{params['family']}:1"),)
        yield from ((f"{prefix}:{tagging}", resource) for resource in resources)


def _resources(kernel: Kernel, operation: str, params: Json) -> Iterator[str]:
    if operation in ("CreateService", "UpdateService", "DeleteService"):
        cluster = params.get("cluster", "default").rpartition("/")[2]
        name = params.get("serviceName") or params["service"]
        yield name if name.startswith("arn:") else kernel.arn("ecs", f"service/{cluster}/{name}")
    elif operation == "CreateTargetGroup":
        yield kernel.arn("elasticloadbalancing", f"targetgroup/{params['Name']}/{'0' * 16}")
    elif operation in ("AddTags", "RemoveTags"):
        yield from params["ResourceArns"]
    elif operation in ("PutMetricAlarm", "DeleteAlarms"):
        names: Sequence[str] = params.get("AlarmNames") or [params["AlarmName"]]
        yield from (kernel.arn("cloudwatch", f"alarm:{name}") for name in names)
    elif not operation.startswith(("Describe", "List", "Get")):
        yield from (params[name] for name in _NAMED if name in params)
