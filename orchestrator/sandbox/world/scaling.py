"""Application Auto Scaling, for the desired count of ECS services."""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.sandbox.world.ecs.rolling import Rolling
from orchestrator.sandbox.world.ecs.state import Containers, Service
from orchestrator.sandbox.world.errors import AwsRefusal, Json, not_here
from orchestrator.sandbox.world.operation import Operation, operation, page
from orchestrator.sandbox.world.stale import Stale

DIMENSION = "ecs:service:DesiredCount"
_SUSPENDED = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


@dataclass(slots=True, kw_only=True)
class ScalableTarget:
    """A registered scalable target."""

    resource: str
    arn: str
    created: datetime
    role: str
    least: int
    most: int
    suspended: dict[str, bool]
    tags: dict[str, str]


class Scaling:
    """The operations on scalable targets, and scripted scaling activities that respect what is suspended."""

    def __init__(self, containers: Containers, rolling: Rolling) -> None:
        self._containers = containers
        self._rolling = rolling
        self._targets: dict[str, ScalableTarget] = {}
        self._views: Stale[Json | None] = Stale(containers.kernel)

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        key = ("ServiceNamespace", "ResourceId", "ScalableDimension")
        paging = ("MaxResults", "NextToken")
        return {
            "DescribeScalableTargets": operation(
                self.describe, "ServiceNamespace", "ResourceIds", "ScalableDimension", *paging
            ),
            "DescribeScalingPolicies": operation(self.policies, "PolicyNames", *key, *paging),
            "DescribeScheduledActions": operation(self.scheduled, "ScheduledActionNames", *key, *paging),
            "RegisterScalableTarget": operation(
                self.register, "MinCapacity", "MaxCapacity", "RoleARN", "SuspendedState", "Tags", *key
            ),
            "DeregisterScalableTarget": operation(self.deregister, *key),
        }

    def describe(self, params: Json) -> Json:
        """DescribeScalableTargets; what is not registered is left out without error."""
        _check_namespace(params)
        asked = params.get("ResourceIds") or list(self._targets)
        views = [self._views.read(name, self._fresh(name)) for name in asked]
        return _paged("ScalableTargets", [view for view in views if view is not None], params)

    def policies(self, params: Json) -> Json:
        """DescribeScalingPolicies: this World has none, since PutScalingPolicy is not in it."""
        _check_namespace(params)
        return {"ScalingPolicies": []}

    def scheduled(self, params: Json) -> Json:
        """DescribeScheduledActions: this World has none, since PutScheduledAction is not in it."""
        _check_namespace(params)
        return {"ScheduledActions": []}

    def register(self, params: Json) -> Json:
        """RegisterScalableTarget: registers or updates in part, and moves the desired count into [Min, Max]."""
        _check_namespace(params)
        name = params["ResourceId"]
        service = self._service(name)
        known = self._targets.get(name)
        kernel = self._containers.kernel
        if known is None:
            if "MinCapacity" not in params or "MaxCapacity" not in params:
                raise AwsRefusal(
                    "ValidationException", "MinCapacity and MaxCapacity must be specified to register"
                )
            role = f"arn:aws:iam::{kernel.account}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/"
            known = ScalableTarget(
                resource=name,
                arn=kernel.arn("application-autoscaling", f"scalable-target/{kernel.hex_id(32)}"),
                created=kernel.now,
                role=params.get("RoleARN", role + "AWSServiceRoleForApplicationAutoScaling_ECSService"),
                least=0,
                most=0,
                suspended=dict.fromkeys(_SUSPENDED, False),
                tags=dict(params.get("Tags", {})),
            )
        least, most = params.get("MinCapacity", known.least), params.get("MaxCapacity", known.most)
        if not 0 <= least <= most:
            raise AwsRefusal("ValidationException", "Maximum capacity cannot be less than minimum capacity")
        self._views.written(name, self._fresh(name))
        known.least, known.most = least, most
        known.suspended |= params.get("SuspendedState", {})
        self._targets[name] = known
        within = min(max(service.desired, least), most)
        if within != service.desired:
            self._rolling.desire(service, within)
        return {"ScalableTargetARN": known.arn}

    def deregister(self, params: Json) -> Json:
        """DeregisterScalableTarget. Raises AwsRefusal ObjectNotFoundException."""
        _check_namespace(params)
        name = params["ResourceId"]
        if name not in self._targets:
            raise AwsRefusal("ObjectNotFoundException", f"No scalable target found for resource ID: {name}")
        self._views.written(name, self._fresh(name))
        del self._targets[name]
        return {}

    def scale_in(self, service: str, to: int, *, cluster: str = "prod") -> bool:
        """A policy wants fewer tasks. False if scale-in is suspended, or the service not registered."""
        return self._scale(service, to, cluster, "DynamicScalingInSuspended")

    def scale_out(self, service: str, to: int, *, cluster: str = "prod") -> bool:
        """A policy wants more tasks. False if scale-out is suspended, or the service not registered."""
        return self._scale(service, to, cluster, "DynamicScalingOutSuspended")

    def _scale(self, service: str, to: int, cluster: str, switch: str) -> bool:
        name = f"service/{cluster}/{service}"
        target = self._targets.get(name)
        if target is None or target.suspended[switch]:
            return False
        found = self._service(name)
        within = min(max(to, target.least), target.most)
        wrong_way = within > found.desired if switch == _SUSPENDED[0] else within < found.desired
        if wrong_way or within == found.desired:
            return False
        self._rolling.desire(found, within)
        return True

    def _service(self, resource: str) -> Service:
        _, _, rest = resource.partition("service/")
        cluster, _, name = rest.partition("/")
        service = self._containers.services.get(self._containers.service_arn(cluster, name))
        if service is None or service.status != "ACTIVE":
            raise AwsRefusal("ValidationException", f"ECS service doesn't exist: {resource}")
        return service

    def _fresh(self, name: str) -> Json | None:
        target = self._targets.get(name)
        if target is None:
            return None
        return {
            "ServiceNamespace": "ecs",
            "ResourceId": target.resource,
            "ScalableDimension": DIMENSION,
            "MinCapacity": target.least,
            "MaxCapacity": target.most,
            "RoleARN": target.role,
            "CreationTime": target.created,
            "SuspendedState": dict(target.suspended),
            "ScalableTargetARN": target.arn,
        }


def _check_namespace(params: Json) -> None:
    if params["ServiceNamespace"] != "ecs":
        raise not_here(f"ServiceNamespace {params['ServiceNamespace']}")
    if params.get("ScalableDimension", DIMENSION) != DIMENSION:
        raise AwsRefusal(
            "ValidationException", f"Unsupported scalable dimension {params['ScalableDimension']}"
        )


def _paged(name: str, items: list[Json], params: Json) -> Json:
    code = "InvalidNextTokenException"
    shown, token = page(items, params.get("NextToken"), params.get("MaxResults", 50), code=code)
    return {name: list(shown)} | ({"NextToken": token} if token else {})
