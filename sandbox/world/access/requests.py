"""What IAM is asked about each call: its action and those that come with it, on every resource, with their keys.

Sources: Service Authorization Reference; Amazon ECS Developer Guide, "Grant permission to tag resources on creation";
Elastic Load Balancing User Guide, "API permissions to tag resources during creation"; Application Auto Scaling User
Guide, "Identity-based policies" (the alarms of target tracking are made and deleted with the caller's permissions);
Amazon CloudWatch API Reference, PutMetricAlarm.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from sandbox.world.access import keys as context
from sandbox.world.access.actions import ACTIONS, keys_of
from sandbox.world.access.documents import Request
from sandbox.world.access.keys import Given, Tags
from sandbox.world.ecs.state import Containers
from sandbox.world.elb.state import Balancing
from sandbox.world.kernel.errors import Json, not_here

Asked = Iterator[tuple[str, str, Given]]  # action, resource, keys
PREFIXES = {"elbv2": "elasticloadbalancing", "service-quotas": "servicequotas"}
FREE = frozenset({("sts", "GetCallerIdentity")})
"""Calls that need no permission. Source: AWS STS API Reference."""
NEW = "0" * 16  # at the end of the ARN of what a call will make


class Requests:
    """Asks for the calls of one account. `scales`: a scalable target's ARN, and whether it tracks a target."""

    def __init__(
        self, containers: Containers, balancing: Balancing, scales: Callable[[str], tuple[str, bool]]
    ) -> None:
        self._containers, self._kernel = containers, containers.kernel
        self._balancing, self._scales = balancing, scales

    def of(self, service: str, operation: str, params: Json, *, by: str) -> tuple[Request, ...]:
        """What IAM is asked about a call; each must be allowed. Raises AwsRefusal for a call it knows nothing of."""
        if (service, operation) in FREE:
            return ()
        always = {
            "aws:PrincipalArn": by,
            "aws:PrincipalAccount": self._kernel.account,
            "aws:RequestedRegion": self._kernel.region,
            "aws:SecureTransport": "true",
        }
        return tuple(
            self._request(action, resource, {**given, **always})
            for action, resource, given in self._asked(service, operation, params)
        )

    def _request(self, action: str, resource: str, given: Given) -> Request:
        if action not in ACTIONS:
            raise not_here(f"what IAM asks about {action}")
        assert resource != "*" or not ACTIONS[action].types, f"{action} names its resources"
        return Request(action=action, resource=resource, keys=context.kept(given, keys_of(action)))

    def _asked(self, service: str, operation: str, params: Json) -> Asked:
        match service:
            case "ecs":
                yield from self._ecs(operation, params)
            case "elbv2":
                yield from self._elbv2(operation, params)
            case "application-autoscaling":
                yield from self._scaling(operation, params)
            case "cloudwatch":
                yield from self._cloudwatch(operation, params)
            case _:
                operation = operation.removesuffix("Batch") if service == "sqs" else operation
                yield f"{PREFIXES.get(service, service)}:{operation}", self._other(service, params), {}

    # Amazon ECS --------------------------------------------------------------------------------------------------

    def _ecs(self, operation: str, params: Json) -> Asked:
        action, place = f"ecs:{operation}", self._place(params)
        match operation:
            case "UpdateService" | "DeleteService" | "ListServiceDeployments":
                name = params["service"]
                yield action, self._service(place, name), self._of_service(place, name)
                yield from self._roles(params)
            case "CreateService":
                yield from self._created(place, params)
            case "RegisterTaskDefinition":
                yield from self._registered(params)
            case "RunTask":
                given = params["taskDefinition"].rpartition("/")[2]
                found = self._containers.definition(given)
                arn = found.arn if found else self._arn("ecs", f"task-definition/{given}")
                yield action, arn, self._in_cluster(place)
            case "TagResource" | "UntagResource":
                yield action, params["resourceArn"], self._tagging(params)
            case _:
                yield from self._read(action, place, params)

    def _read(self, action: str, place: str, params: Json) -> Asked:
        match action.partition(":")[2]:
            case "DescribeServices":
                for name in params["services"]:
                    yield action, self._service(place, name), self._of_service(place, name)
            case "DescribeServiceRevisions":
                for arn in params["serviceRevisionArns"]:
                    yield from self._revision(action, arn)
            case "DescribeTasks" | "GetTaskProtection" | "StopTask":
                for task in [params["task"]] if "task" in params else params.get("tasks", ()):
                    arn = task if task.startswith("arn:") else self._arn("ecs", f"task/{place}/{task}")
                    yield action, arn, self._in_cluster(place)
            case "ListTasks":
                yield action, self._arn("ecs", f"container-instance/{place}/*"), self._in_cluster(place)
            case "ListServices":
                yield action, "*", self._in_cluster(place)
            case "DescribeClusters" | "PutClusterCapacityProviders":
                for name in params.get("clusters") or (place,):
                    yield action, self._arn("ecs", f"cluster/{name.rpartition('/')[2]}"), {}
            case _:
                yield action, "*", {}

    def _created(self, place: str, params: Json) -> Asked:
        arn = self._service(place, params["serviceName"])
        given = {**self._in_cluster(place), **context.requested(context.as_map(params.get("tags", ())))}
        yield "ecs:CreateService", arn, given
        if params.get("tags"):
            yield "ecs:TagResource", arn, {**given, "ecs:CreateAction": "CreateService"}
        yield from self._roles(params)

    def _roles(self, params: Json) -> Asked:
        """Roles that a service is given: for its load balancer, and for the volumes of its tasks."""
        volumes = (
            v.get("managedEBSVolume", {}).get("roleArn") for v in params.get("volumeConfigurations", ())
        )
        for role in (params.get("role"), *volumes):
            yield from self._passed(role, "ecs.amazonaws.com")

    def _passed(self, role: str | None, to: str) -> Asked:
        if role:
            arn = role if role.startswith("arn:") else f"arn:aws:iam::{self._kernel.account}:role/{role}"
            yield "iam:PassRole", arn, {"iam:PassedToService": to}

    def _registered(self, params: Json) -> Asked:
        family = params["family"]
        number = len(self._containers.definitions.get(family, ())) + 1
        arn = self._arn("ecs", f"task-definition/{family}:{number}")
        given = context.requested(context.as_map(params.get("tags", ())))
        yield "ecs:RegisterTaskDefinition", arn, given
        if params.get("tags"):
            yield "ecs:TagResource", arn, {**given, "ecs:CreateAction": "RegisterTaskDefinition"}
        for role in (params.get("taskRoleArn"), params.get("executionRoleArn")):
            yield from self._passed(role, "ecs-tasks.amazonaws.com")

    def _revision(self, action: str, arn: str) -> Asked:
        """Of a service revision IAM is asked twice: about the revision, and about its service."""
        place, name = arn.split("/")[1:3]
        service = self._service(place, name)
        yield action, arn, {**self._in_cluster(place), "ecs:service": service}
        yield action, service, self._of_service(place, name)

    def _tagging(self, params: Json) -> Given:
        found = self._containers.services.get(params["resourceArn"])
        has = context.owned(found.tags) if found else {}
        if "tagKeys" in params:
            return {**has, "aws:TagKeys": tuple(params["tagKeys"])}
        return {**has, **context.requested(context.as_map(params["tags"]))}

    def _service(self, place: str, name: str) -> str:
        return name if name.startswith("arn:") else self._arn("ecs", f"service/{place}/{name}")

    def _of_service(self, place: str, name: str) -> Given:
        found = self._containers.services.get(self._service(place, name))
        return {**self._in_cluster(place), **(context.owned(found.tags) if found else {})}

    def _in_cluster(self, place: str) -> Given:
        return {"ecs:cluster": self._arn("ecs", f"cluster/{place}")}

    def _place(self, params: Json) -> str:
        cluster: str = params.get("cluster") or "default"
        return cluster.rpartition("/")[2]

    def _arn(self, service: str, resource: str) -> str:
        return self._kernel.arn(service, resource)

    # Elastic Load Balancing --------------------------------------------------------------------------------------

    def _elbv2(self, operation: str, params: Json) -> Asked:
        action = f"elasticloadbalancing:{operation}"
        match operation:
            case "ModifyRule" | "ModifyListener":
                yield action, params["RuleArn" if operation == "ModifyRule" else "ListenerArn"], {}
                actions: Sequence[Json] = params.get("Actions") or params.get("DefaultActions") or ()
                for one in actions:
                    if pool := one.get("AuthenticateCognitoConfig", {}).get("UserPoolArn"):
                        yield "cognito-idp:DescribeUserPoolClient", pool, {}
            case "CreateTargetGroup":
                arn = self._arn("elasticloadbalancing", f"targetgroup/{params['Name']}/{NEW}")
                given = context.requested(context.as_map(params.get("Tags", ()), key="Key", value="Value"))
                yield action, arn, given
                if params.get("Tags"):
                    creation = {"elasticloadbalancing:CreateAction": operation}
                    yield "elasticloadbalancing:AddTags", arn, {**given, **creation}
            case "AddTags":
                tags = context.as_map(params["Tags"], key="Key", value="Value")
                for arn in params["ResourceArns"]:
                    yield action, arn, {**context.requested(tags), **context.owned(self._group_tags(arn))}
            case "SetRulePriorities":
                for pair in params["RulePriorities"]:
                    yield action, pair["RuleArn"], {}
            case "ModifyTargetGroupAttributes" | "DeleteTargetGroup" | "RegisterTargets":
                arn = params["TargetGroupArn"]
                yield action, arn, context.owned(self._group_tags(arn))
            case _:
                yield action, "*", {}

    def _group_tags(self, arn: str) -> Tags:
        found = self._balancing.groups.get(arn)
        return found.tags if found else {}

    # Application Auto Scaling and CloudWatch ---------------------------------------------------------------------

    def _scaling(self, operation: str, params: Json) -> Asked:
        action = f"application-autoscaling:{operation}"
        if operation == "ListTagsForResource":
            yield action, params["ResourceARN"], {}
        elif operation.startswith("Describe"):
            yield action, "*", {}
        else:
            arn, tracks = self._scales(params["ResourceId"])
            arn = arn or self._arn("application-autoscaling", f"scalable-target/{NEW}")
            tags: Mapping[str, str] = params.get("Tags", {})
            given = {
                "application-autoscaling:service-namespace": params["ServiceNamespace"],
                "application-autoscaling:scalable-dimension": params["ScalableDimension"],
                **context.requested(tags),
            }
            yield action, arn, given
            if tags:
                yield "application-autoscaling:TagResource", arn, given
            alarm = self._arn("cloudwatch", f"alarm:TargetTracking-{params['ResourceId']}-AlarmHigh-{NEW}")
            if operation == "PutScalingPolicy" and params.get("PolicyType") == "TargetTrackingScaling":
                yield "cloudwatch:PutMetricAlarm", alarm, {}
            if operation == "DeregisterScalableTarget" and tracks:
                yield "cloudwatch:DeleteAlarms", alarm, {}

    def _cloudwatch(self, operation: str, params: Json) -> Asked:
        action = f"cloudwatch:{operation}"
        match operation:
            case "DescribeAlarms" | "DescribeAlarmHistory":
                # Without a name it is asked about all of them.
                alone = [params["AlarmName"]] if "AlarmName" in params else ["*"]
                for name in params.get("AlarmNames") or alone:
                    yield action, self._arn("cloudwatch", f"alarm:{name}"), {}
            case "DeleteAlarms":
                for name in params["AlarmNames"]:
                    yield action, self._arn("cloudwatch", f"alarm:{name}"), {}
            case "PutMetricAlarm":
                arn = self._arn("cloudwatch", f"alarm:{params['AlarmName']}")
                given = context.requested(context.as_map(params.get("Tags", ()), key="Key", value="Value"))
                actions = tuple(params.get("AlarmActions", ()))
                yield action, arn, {**given, **({"cloudwatch:AlarmActions": actions} if actions else {})}
                if params.get("Tags"):
                    yield "cloudwatch:TagResource", arn, given
            case _:
                yield action, "*", {}

    def _other(self, service: str, params: Json) -> str:
        """The one resource of a call to another service; ``*`` where it has none."""
        if service == "sqs":
            return self._arn("sqs", params["QueueUrl"].rpartition("/")[2])
        if service == "ecr":
            return self._arn("ecr", f"repository/{params['repositoryName']}")
        if service == "iam" and "RoleName" in params:
            return f"arn:aws:iam::{self._kernel.account}:role/{params['RoleName']}"
        named = ("PolicySourceArn", "RoleArn", "SecretId")
        return next((str(params[name]) for name in named if name in params), "*")
