"""Application Auto Scaling, for the desired count of ECS services.

Policies act on what CloudWatch shows them, through alarms; scheduled actions on the World's clock. A predictive policy
is kept and shown and never acts: it would need a day of history. A target outlives its service, and acts on the next
one of that name.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.world.autoscaling import policies, schedules
from sandbox.world.autoscaling.pending import PendingWrites
from sandbox.world.autoscaling.policies import Policy
from sandbox.world.autoscaling.schedules import Action
from sandbox.world.autoscaling.usage import Usage
from sandbox.world.cloudwatch.alarms import Alarms
from sandbox.world.ecs.resources import Service
from sandbox.world.ecs.rolling import Rolling
from sandbox.world.ecs.state import Containers
from sandbox.world.elb.state import Balancing
from sandbox.world.kernel.errors import AwsRefusal, Json, not_here
from sandbox.world.kernel.operation import Operation, operation, page
from sandbox.world.kernel.stale import Stale

DIMENSION = "ecs:service:DesiredCount"
IN, OUT, SCHEDULED = (
    "DynamicScalingInSuspended",
    "DynamicScalingOutSuspended",
    "ScheduledScalingSuspended",
)
_SUSPENDED = (IN, OUT, SCHEDULED)
_MINUTE = timedelta(minutes=1)  # of the clock: how exactly schedules are kept
_TAGS_MAX = 50


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
    policies: dict[str, Policy] = field(default_factory=dict)  # by name
    actions: dict[str, Action] = field(default_factory=dict)


class Scaling:
    """The operations on scalable targets, policies and schedules; what they do; and activities that tests script."""

    def __init__(
        self, containers: Containers, rolling: Rolling, balancing: Balancing, alarms: Alarms, usage: Usage
    ) -> None:
        self._containers = containers
        self._rolling = rolling
        self._balancing = balancing
        self._alarms = alarms
        self._usage = usage
        self._targets: dict[str, ScalableTarget] = {}
        self._views: Stale[Json | None] = Stale(containers.kernel)
        self._pending = PendingWrites(containers.kernel)
        self._clock: datetime | None = None  # until when schedules were kept; None: there are none

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        key = ("ServiceNamespace", "ResourceId", "ScalableDimension")
        paging = ("MaxResults", "NextToken")
        alone = self._pending.alone
        put = ("ScheduledActionName", "Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction")
        return {
            "DescribeScalableTargets": operation(
                self.describe, "ServiceNamespace", "ResourceIds", "ScalableDimension", *paging
            ),
            "DescribeScalingPolicies": operation(self.policies, "PolicyNames", *key, *paging),
            "DescribeScheduledActions": operation(self.scheduled, "ScheduledActionNames", *key, *paging),
            "RegisterScalableTarget": operation(
                alone(self.register), "MinCapacity", "MaxCapacity", "RoleARN", "SuspendedState", "Tags", *key
            ),
            "DeregisterScalableTarget": operation(alone(self.deregister), *key),
            "PutScalingPolicy": operation(
                alone(self.put_policy), "PolicyName", "PolicyType", *policies.CONFIGURATIONS.values(), *key
            ),
            "DeleteScalingPolicy": operation(alone(self.delete_policy), "PolicyName", *key),
            "PutScheduledAction": operation(alone(self.put_action), *put, *key),
            "DeleteScheduledAction": operation(alone(self.delete_action), "ScheduledActionName", *key),
            "ListTagsForResource": operation(self.tags, "ResourceARN"),
        }

    def known(self, resource: str) -> tuple[str, bool]:
        """A scalable target's ARN, empty where there is none, and whether a policy of it tracks a target."""
        target = self._targets.get(resource)
        if target is None:
            return "", False
        return target.arn, any(each.kind == "TargetTrackingScaling" for each in target.policies.values())

    # what is read ------------------------------------------------------------------------------------------------

    def describe(self, params: Json) -> Json:
        """DescribeScalableTargets; what is not registered is left out without error."""
        _check_namespace(params)
        asked = params.get("ResourceIds") or list(self._targets)
        if len(asked) > 50:
            raise AwsRefusal("ValidationException", "ResourceIds must have length less than or equal to 50")
        views = [self._views.read(name, self._fresh(name)) for name in asked]
        return _paged("ScalableTargets", [view for view in views if view is not None], params, most=50)

    def policies(self, params: Json) -> Json:
        """DescribeScalingPolicies, ten a page."""
        _check_namespace(params)
        named = params.get("PolicyNames")
        found = [
            self._policy(target, policy)
            for target in self._asked(params)
            for policy in target.policies.values()
            if named is None or policy.name in named
        ]
        return _paged("ScalingPolicies", found, params, most=10)

    def scheduled(self, params: Json) -> Json:
        """DescribeScheduledActions."""
        _check_namespace(params)
        named = params.get("ScheduledActionNames")
        found = [
            self._key(target)
            | {
                "ScheduledActionName": action.name,
                "ScheduledActionARN": action.arn,
                "CreationTime": action.created,
                **action.settings,
            }
            for target in self._asked(params)
            for action in target.actions.values()
            if named is None or action.name in named
        ]
        return _paged("ScheduledActions", found, params, most=50)

    def tags(self, params: Json) -> Json:
        """ListTagsForResource, of a scalable target. Raises AwsRefusal ResourceNotFoundException."""
        found = next((each for each in self._targets.values() if each.arn == params["ResourceARN"]), None)
        if found is None:
            raise AwsRefusal("ResourceNotFoundException", f"No resource found for {params['ResourceARN']}")
        return {"Tags": dict(found.tags)}

    # what is written ---------------------------------------------------------------------------------------------

    def register(self, params: Json) -> Json:
        """RegisterScalableTarget: registers or updates in part, and moves the desired count into [Min, Max].

        Policies that are in breach act at once where this lets them.
        """
        _check_namespace(params)
        name = params["ResourceId"]
        service = self._service(name)
        known = self._targets.get(name) or self._new(name, params)
        least, most = params.get("MinCapacity", known.least), params.get("MaxCapacity", known.most)
        if not 0 <= least <= most:
            raise AwsRefusal("ValidationException", "Maximum capacity cannot be less than minimum capacity")
        tags = known.tags | params.get("Tags", {})
        if len(tags) > _TAGS_MAX or any(key.startswith("aws:") for key in tags):
            raise AwsRefusal("ValidationException", "A target has 50 tags at most, none beginning with aws:")
        self._views.written(name, self._fresh(name))
        known.least, known.most, known.tags = least, most, tags
        known.suspended |= params.get("SuspendedState", {})
        self._targets[name] = known
        self._move_within(known, service)
        self._act([known])
        return {"ScalableTargetARN": known.arn}

    def deregister(self, params: Json) -> Json:
        """DeregisterScalableTarget, with its policies, their alarms and its actions. Raises ObjectNotFoundException."""
        _check_namespace(params)
        target = self._target(params)
        self._views.written(target.resource, self._fresh(target.resource))
        del self._targets[target.resource]
        for policy in target.policies.values():
            self._alarms.remove(policy.alarms)
        return {}

    def put_policy(self, params: Json) -> Json:
        """PutScalingPolicy: makes or updates; target tracking makes its own alarms."""
        _check_namespace(params)
        target, name = self._target(params), params["PolicyName"]
        configuration = policies.check(params, self._balancing)
        kernel, kind = self._containers.kernel, params.get("PolicyType", "StepScaling")
        known = target.policies.get(name)
        if known is not None and known.kind != kind:
            raise policies.wrong(f"Policy {name} is of another type")
        arn = kernel.arn(
            "autoscaling",
            f"scalingPolicy:{kernel.uuid()}:resource/ecs/{target.resource}:policyName/{name}",
        )
        policy = Policy(
            arn=known.arn if known else arn,
            name=name,
            kind=kind,
            resource=target.resource,
            configuration=configuration,
            created=known.created if known else kernel.now,
        )
        if known is not None:
            self._alarms.remove(known.alarms)
        if kind == "TargetTrackingScaling":
            _, cluster, service = target.resource.split("/")
            ids = (kernel.uuid(), kernel.uuid())
            for each in policies.tracking_alarms(policy, cluster, service, ids=ids, minute=kernel.minute):
                self._alarms.put(each)
                policy.alarms.append(each["AlarmName"])
        target.policies[name] = policy
        return {"PolicyARN": policy.arn, "Alarms": self._alarms_of(policy)}

    def delete_policy(self, params: Json) -> Json:
        """DeleteScalingPolicy, with the alarms that it made. Raises ObjectNotFoundException."""
        _check_namespace(params)
        policy = self._target(params).policies.pop(params["PolicyName"], None)
        if policy is None:
            raise AwsRefusal("ObjectNotFoundException", f"No scaling policy {params['PolicyName']}")
        self._alarms.remove(policy.alarms)
        return {}

    def put_action(self, params: Json) -> Json:
        """PutScheduledAction: a time in the past is refused; on an update, what is left out of the times is deleted."""
        _check_namespace(params)
        target, name, kernel = self._target(params), params["ScheduledActionName"], self._containers.kernel
        arn = kernel.arn(
            "autoscaling",
            f"scheduledAction:{kernel.uuid()}:resource/ecs/{target.resource}:scheduledActionName/{name}",
        )
        made = schedules.action(params, target.actions.get(name), arn=arn, now=kernel.now)
        target.actions[name] = made
        if self._clock is None:
            self._keep_schedules()
        if made.at is not None:
            kernel.at(made.at, lambda: self._at(made))
        return {}

    def delete_action(self, params: Json) -> Json:
        """DeleteScheduledAction. Raises ObjectNotFoundException."""
        _check_namespace(params)
        if self._target(params).actions.pop(params["ScheduledActionName"], None) is None:
            raise AwsRefusal(
                "ObjectNotFoundException", f"No scheduled action {params['ScheduledActionName']}"
            )
        return {}

    # what happens ------------------------------------------------------------------------------------------------

    def report(self) -> None:
        """Put into CloudWatch what policies look at. To be called every minute, before alarms are judged."""
        scaled = [self._find(target.resource) for target in self._targets.values() if target.policies]
        self._usage.count([service for service in scaled if service is not None])

    def act(self) -> None:
        """Let every policy act whose alarms say so. To be called every minute, after alarms were judged."""
        self._act(self._targets.values())

    def scale_in(self, service: str, to: int, *, cluster: str = "prod") -> bool:
        """A policy wants fewer tasks. False if scale-in is suspended, or the service not registered."""
        return self._scale(f"service/{cluster}/{service}", to, IN)

    def scale_out(self, service: str, to: int, *, cluster: str = "prod") -> bool:
        """A policy wants more tasks. False if scale-out is suspended, or the service not registered."""
        return self._scale(f"service/{cluster}/{service}", to, OUT)

    def _act(self, targets: Iterable[ScalableTarget]) -> None:
        driven = [target for target in targets if target.policies]
        if not driven:
            return
        breaching = dict(self._alarms.acting())
        for target in driven:
            service = self._find(target.resource)
            if service is None:
                continue
            proposed: list[tuple[Policy, int]] = []
            for policy in target.policies.values():
                alarm = breaching.get(policy.arn)
                value = self._alarms.newest(alarm) if alarm else None
                if alarm is None or value is None:
                    continue
                threshold = float(alarm.settings["Threshold"])
                count = policies.wanted(policy, desired=service.desired, value=value, threshold=threshold)
                if count is not None:
                    proposed.append((policy, count))
            self._follow(target, service, proposed)

    def _follow(self, target: ScalableTarget, service: Service, proposed: list[tuple[Policy, int]]) -> None:
        """The largest proposal counts; fewer tasks only where every target tracking policy wants fewer."""
        now, minute = self._containers.kernel.now, self._containers.kernel.minute
        more = [(p, count) for p, count in proposed if count > service.desired]
        tracking = [
            p
            for p in target.policies.values()
            if p.kind == "TargetTrackingScaling" and not p.configuration.get("DisableScaleIn")
        ]
        fewer = [(p, count) for p, count in proposed if count < service.desired]
        asked = [p for p, _ in fewer]
        if not more and any(p not in asked for p in tracking):
            return
        way, found = ("out", more) if more else ("in", fewer)
        ripe = [
            (p, count)
            for p, count in found
            if way not in p.acted or now >= p.acted[way] + p.cooldown(way, minute)
        ]
        if not ripe:
            return
        if self._scale(target.resource, max(count for _, count in ripe), OUT if way == "out" else IN):
            for policy, _ in ripe:
                policy.acted[way] = now

    def _scale(self, name: str, to: int, switch: str) -> bool:
        target = self._targets.get(name)
        if target is None or target.suspended[switch]:
            return False
        found = self._service(name)
        within = min(max(to, target.least), target.most)
        wrong_way = within > found.desired if switch == IN else within < found.desired
        if wrong_way or within == found.desired:
            return False
        self._rolling.desire(found, within)
        return True

    def _keep_schedules(self) -> None:
        """Look every minute of the clock for recurring actions that are due, for as long as there are any."""
        now = self._containers.kernel.now
        if self._clock is not None:
            for target in list(self._targets.values()):
                for action in list(target.actions.values()):
                    if action.at is None and action.is_due(self._clock, now):
                        self._run(target, action)
        is_needed = any(target.actions for target in self._targets.values())
        self._clock = now if is_needed else None
        if is_needed:
            following = self._containers.kernel.floor(now, _MINUTE) + _MINUTE
            self._containers.kernel.at(following, self._keep_schedules)

    def _at(self, action: Action) -> None:
        target = self._targets.get(action.resource)
        if target is not None and target.actions.get(action.name) is action:
            self._run(target, action)

    def _run(self, target: ScalableTarget, action: Action) -> None:
        service = self._find(target.resource)
        if target.suspended[SCHEDULED] or service is None:
            return
        bounds = action.settings["ScalableTargetAction"]
        self._views.written(target.resource, self._fresh(target.resource))
        target.least = bounds.get("MinCapacity", target.least)
        target.most = bounds.get("MaxCapacity", target.most)
        self._move_within(target, service)

    def _move_within(self, target: ScalableTarget, service: Service) -> None:
        within = min(max(service.desired, target.least), target.most)
        if within != service.desired:
            self._rolling.desire(service, within)

    # what is found -----------------------------------------------------------------------------------------------

    def _new(self, name: str, params: Json) -> ScalableTarget:
        if "MinCapacity" not in params or "MaxCapacity" not in params:
            raise AwsRefusal(
                "ValidationException", "MinCapacity and MaxCapacity must be specified to register"
            )
        kernel = self._containers.kernel
        role = (
            f"arn:aws:iam::{kernel.account}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/"
        )
        return ScalableTarget(
            resource=name,
            arn=kernel.arn("application-autoscaling", f"scalable-target/{kernel.hex_id(32)}"),
            created=kernel.now,
            role=params.get("RoleARN", role + "AWSServiceRoleForApplicationAutoScaling_ECSService"),
            least=0,
            most=0,
            suspended=dict.fromkeys(_SUSPENDED, False),
            tags={},
        )

    def _target(self, params: Json) -> ScalableTarget:
        found = self._targets.get(params["ResourceId"])
        if found is None:
            raise AwsRefusal(
                "ObjectNotFoundException",
                f"No scalable target registered for service namespace: ecs, resource ID: {params['ResourceId']}, "
                f"scalable dimension: {DIMENSION}",
            )
        return found

    def _asked(self, params: Json) -> list[ScalableTarget]:
        name = params.get("ResourceId")
        return [target for resource, target in self._targets.items() if name in (None, resource)]

    def _find(self, resource: str) -> Service | None:
        cluster, _, name = resource.removeprefix("service/").partition("/")
        service = self._containers.find_service(cluster, name)
        return service if service is not None and service.status == "ACTIVE" else None

    def _service(self, resource: str) -> Service:
        service = self._find(resource)
        if service is None:
            raise AwsRefusal("ValidationException", f"ECS service doesn't exist: {resource}")
        return service

    def _policy(self, target: ScalableTarget, policy: Policy) -> Json:
        return self._key(target) | {
            "PolicyARN": policy.arn,
            "PolicyName": policy.name,
            "PolicyType": policy.kind,
            policies.CONFIGURATIONS[policy.kind]: policy.configuration,
            "Alarms": self._alarms_of(policy),
            "CreationTime": policy.created,
        }

    def _alarms_of(self, policy: Policy) -> list[Json]:
        return [
            {"AlarmName": each.name, "AlarmARN": each.arn} for each in self._alarms.acted_on_by(policy.arn)
        ]

    def _key(self, target: ScalableTarget) -> Json:
        return {"ServiceNamespace": "ecs", "ResourceId": target.resource, "ScalableDimension": DIMENSION}

    def _fresh(self, name: str) -> Json | None:
        target = self._targets.get(name)
        if target is None:
            return None
        return {
            **self._key(target),
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


def _paged(name: str, items: list[Json], params: Json, *, most: int) -> Json:
    code = "InvalidNextTokenException"
    size = params.get("MaxResults", most)
    if not 1 <= size <= most:
        raise AwsRefusal("ValidationException", f"MaxResults must be 1 to {most}")
    shown, token = page(items, params.get("NextToken"), size, code=code)
    return {name: list(shown)} | ({"NextToken": token} if token else {})
