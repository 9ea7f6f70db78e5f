"""Target groups, their attributes, the health of their targets."""

import re

from sandbox.world.elb import functions, group_attributes
from sandbox.world.elb import health as health_views
from sandbox.world.elb.state import Balancing, Group, Target
from sandbox.world.elb.tags import given_tags
from sandbox.world.kernel.errors import AwsRefusal, Json, not_here
from sandbox.world.kernel.operation import Operation, new_tags, operation, page

DEFAULTS: Json = {
    "Protocol": "HTTP",
    "ProtocolVersion": "HTTP1",
    "TargetType": "instance",
    "IpAddressType": "ipv4",
    "HealthCheckEnabled": True,
    "HealthCheckProtocol": "HTTP",
    "HealthCheckPort": "traffic-port",
    "HealthCheckPath": "/",
    "HealthCheckIntervalSeconds": 30,
    "HealthCheckTimeoutSeconds": 5,
    "HealthyThresholdCount": 5,
    "UnhealthyThresholdCount": 2,
    "Matcher": {"HttpCode": "200"},
}
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?")
_SETTINGS = ("Port", "VpcId", *DEFAULTS)
_MODIFIABLE = tuple(name for name in DEFAULTS if "Health" in name or name == "Matcher")


class Groups:
    """The operations on target groups."""

    def __init__(self, balancing: Balancing, health: health_views.Health) -> None:
        self._all = balancing
        self._health = health

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        arn = "TargetGroupArn"
        return {
            "DescribeTargetGroups": operation(
                self.describe, "LoadBalancerArn", "TargetGroupArns", "Names", "Marker", "PageSize"
            ),
            "DescribeTargetGroupAttributes": operation(self.describe_attributes, arn),
            "DescribeTargetHealth": operation(self.describe_health, arn, "Targets"),
            "RegisterTargets": operation(self.register, arn, "Targets"),
            "DeregisterTargets": operation(self.deregister, arn, "Targets"),
            "CreateTargetGroup": operation(self.create, "Name", "Tags", *_SETTINGS),
            "DeleteTargetGroup": operation(self.delete, arn),
            "ModifyTargetGroup": operation(self.modify, arn, *_MODIFIABLE),
            "ModifyTargetGroupAttributes": operation(self.modify_attributes, arn, "Attributes"),
        }

    def describe(self, params: Json) -> Json:
        """DescribeTargetGroups: all, by load balancer, ARN or name; what is asked for must exist."""
        if params.get("TargetGroupArns"):
            found = [self._seen(arn) for arn in params["TargetGroupArns"]]
            if None in found:  # one that is unknown fails the whole call
                raise AwsRefusal("TargetGroupNotFound", "One or more target groups not found")
        elif params.get("Names"):
            found = [self._seen(self._named(name).arn) for name in params["Names"]]
        else:
            found = [self._seen(arn) for arn in self._listed(params)]
        there = [view for view in found if view is not None]
        shown, marker = page(there, params.get("Marker"), params.get("PageSize", 400), code="ValidationError")
        answer: Json = {"TargetGroups": list(shown)}
        return answer | ({"NextMarker": marker} if marker else {})

    def _listed(self, params: Json) -> list[str]:
        groups = self._all.groups
        if "LoadBalancerArn" not in params:
            return [*groups, *self._all.group_views.gone(groups)]
        balancer = self._all.load_balancer(params["LoadBalancerArn"]).arn
        return [group.arn for group in groups.values() if group.load_balancer == balancer]

    def _seen(self, arn: str) -> Json | None:
        group = self._all.groups.get(arn)
        return self._all.group_views.read(arn, self.view(group) if group else None)

    def describe_attributes(self, params: Json) -> Json:
        """DescribeTargetGroupAttributes."""
        group = self._all.group(params["TargetGroupArn"])
        attributes = self._all.group_attributes.read(group.arn, group.attributes)
        return {"Attributes": [{"Key": key, "Value": value} for key, value in attributes.items()]}

    def describe_health(self, params: Json) -> Json:
        """DescribeTargetHealth: every target at once, or those named (a stranger is `unused`)."""
        group = self._all.group(params["TargetGroupArn"])
        every = [self._health_view(group, target) for target in group.targets.values()]
        seen = self._all.health_views.read(group.arn, every)
        if "Targets" not in params:
            return {"TargetHealthDescriptions": seen}
        by_key = {(one["Target"]["Id"], one["Target"].get("Port", functions.NO_PORT)): one for one in seen}
        shown = []
        for asked in params["Targets"]:
            target = by_key.get((asked["Id"], _port(group, asked)))
            if target is None:
                health = {
                    "State": "unused",
                    "Reason": "Target.NotRegistered",
                    "Description": "Target is not registered to the target group",
                }
                shown.append({"Target": dict(asked), "TargetHealth": health})
            else:
                shown.append(target)
        return {"TargetHealthDescriptions": shown}

    def _health_view(self, group: Group, target: Target) -> Json:
        return health_views.view(group, target, is_shifted=target.zone in self._all.shifted_zones)

    def register(self, params: Json) -> Json:
        """RegisterTargets by somebody else than ECS: nothing checks what answers there."""
        group = self._all.group(params["TargetGroupArn"])
        if group.is_function:
            place = self._all.kernel.arn("lambda", "function:")
            functions.check_targets(params["Targets"], {host for host, _ in group.targets}, place)
        for asked in params["Targets"]:
            port, zone = _port(group, asked), asked.get("AvailabilityZone", "")
            self._health.register(group, asked["Id"], port, zone="" if zone == "all" else zone, owner="")
        return {}

    def deregister(self, params: Json) -> Json:
        """DeregisterTargets; what is not registered is as good as gone."""
        group = self._all.group(params["TargetGroupArn"])
        for asked in params["Targets"]:
            self._health.deregister(group, asked["Id"], _port(group, asked))
        return {}

    def create(self, params: Json) -> Json:
        """CreateTargetGroup; the same name with the same settings answers the group there is."""
        name = params["Name"]
        if not _NAME.fullmatch(name):
            raise AwsRefusal("ValidationError", f"Target group name '{name}' is not valid")
        settings = _settings(params)
        tags = new_tags(given_tags(params), "Key", "Value", limit_code="TooManyTags")
        for group in self._all.groups.values():
            if group.name == name:
                if group.settings != settings:
                    raise AwsRefusal(
                        "DuplicateTargetGroupName",
                        f"A target group with the same name '{name}' exists, but with different settings",
                    )
                return {"TargetGroups": [self.view(group)]}
        kernel = self._all.kernel
        group = Group(
            arn=kernel.arn("elasticloadbalancing", f"targetgroup/{name}/{kernel.hex_id(16)}"),
            name=name,
            settings=settings,
            attributes=group_attributes.defaults(settings["TargetType"]),
            tags=tags,
        )
        self._all.group_views.written(group.arn, None)
        self._all.groups[group.arn] = group
        self._all.routes_changed()
        return {"TargetGroups": [self.view(group)]}

    def delete(self, params: Json) -> Json:
        """DeleteTargetGroup; one that is gone is no error, one in an action is ResourceInUse."""
        group = self._all.groups.get(params["TargetGroupArn"])
        if group is None:
            return {}
        if group.rules:
            raise AwsRefusal(
                "ResourceInUse", f"Target group '{group.arn}' is currently in use by a listener or a rule"
            )
        self._all.group_views.written(group.arn, self.view(group))
        del self._all.groups[group.arn]
        self._health.dropped(group)
        return {}

    def modify(self, params: Json) -> Json:
        """ModifyTargetGroup: what is given of its health check replaces what was."""
        group = self._all.group(params["TargetGroupArn"])
        settings = group.settings | {key: params[key] for key in _MODIFIABLE if key in params}
        _check_timeout(settings)
        group.settings = settings
        return {"TargetGroups": [self.view(group)]}

    def modify_attributes(self, params: Json) -> Json:
        """ModifyTargetGroupAttributes: those given change, the others stay."""
        group = self._all.group(params["TargetGroupArn"])
        changes = {a["Key"]: a["Value"] for a in params["Attributes"]}
        after = group_attributes.changed(group.attributes, changes)
        self._all.group_attributes.written(group.arn, group.attributes)
        group.attributes = after
        self._all.routes_changed()
        return {"Attributes": [{"Key": key, "Value": value} for key, value in group.attributes.items()]}

    def _named(self, name: str) -> Group:
        for group in self._all.groups.values():
            if group.name == name:
                return group
        raise AwsRefusal("TargetGroupNotFound", "One or more target groups not found")

    def view(self, group: Group) -> Json:
        """A target group as DescribeTargetGroups shows it."""
        balancer = self._all.attached.read(group.arn, group.load_balancer)
        return {
            "TargetGroupArn": group.arn,
            "TargetGroupName": group.name,
            "LoadBalancerArns": [balancer] if balancer else [],
            **group.settings,
        }


def _settings(params: Json) -> Json:
    """The settings of a new group. Raises AwsRefusal for what AWS refuses."""
    given = {key: params[key] for key in _SETTINGS if key in params}
    if given.get("TargetType") == functions.KIND:
        functions.check_settings(params)
        settings = functions.DEFAULTS | given
    else:
        settings = DEFAULTS | given
        if settings["TargetType"] not in ("instance", "ip") or settings["Protocol"] not in ("HTTP", "HTTPS"):
            raise not_here(f"target type {settings['TargetType']} or protocol {settings['Protocol']}")
        if "Port" not in settings or "VpcId" not in settings:
            raise AwsRefusal("ValidationError", "A port and a VPC must be specified")
        if not settings["HealthCheckEnabled"]:
            raise AwsRefusal("ValidationError", "Health checks can be disabled for Lambda functions alone")
    _check_timeout(settings)
    return settings


def _port(group: Group, asked: Json) -> int:
    if group.is_function:
        return functions.NO_PORT
    return int(asked["Port"] if "Port" in asked else group.settings["Port"])


def _check_timeout(settings: Json) -> None:
    if settings["HealthCheckTimeoutSeconds"] > settings["HealthCheckIntervalSeconds"]:
        raise AwsRefusal("ValidationError", "Health check timeout must not exceed the interval")
