"""The shapes of everything that is made, as AWS is asked for them."""

from collections.abc import Mapping
from typing import Any

from orchestrator.core.domain.ids import metric_dimension
from orchestrator.verify.wanted import TAG, Wanted

Shape = dict[str, Any]
HEADER = "X-Teal-Verify"
PORT = 8080  # of the container
DESIRED = 2
CPU, MEMORY = "256", "512"
# Also the sandbox's demo application reads this one, so that the same template misbehaves there.
ERROR_RATE = "TEAL_DEMO_ERROR_RATE"
SCRIPT = f"""mkdir -p /www/cgi-bin && echo ok > /www/healthz
cat > /www/cgi-bin/answer <<'END'
#!/bin/sh
case "$QUERY_STRING" in wait=*) sleep "${{QUERY_STRING#wait=}}";; esac
[ "${ERROR_RATE}" = 1 ] && printf 'Status: 500 Internal Server Error\\r\\n'
printf 'Content-Type: text/plain\\r\\n\\r\\nok\\n'
END
chmod +x /www/cgi-bin/answer && exec httpd -f -p {PORT} -h /www"""
PATH = "/cgi-bin/answer"


def ecs_tags(wanted: Wanted) -> list[Shape]:
    """The run's tag as ECS spells tags."""
    return [{"key": TAG, "value": wanted.id}]


def tags(wanted: Wanted) -> list[Shape]:
    """The run's tag as the other services spell tags."""
    return [{"Key": TAG, "Value": wanted.id}]


def load_balancer(wanted: Wanted) -> Shape:
    """An application load balancer in the subnets."""
    return {
        "Name": wanted.name,
        "Subnets": list(wanted.subnets),
        "SecurityGroups": [wanted.security_group],
        "Scheme": "internal" if wanted.is_private else "internet-facing",
        "Tags": tags(wanted),
    }


def listener(wanted: Wanted, balancer: str) -> Shape:
    """A listener that answers 404 to whatever no rule takes."""
    nothing = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    return {
        "LoadBalancerArn": balancer,
        "Protocol": "HTTP",
        "Port": wanted.port,
        "DefaultActions": [nothing],
        "Tags": tags(wanted),
    }


def target_group(wanted: Wanted, vpc: str, name: str) -> Shape:
    """A target group of task addresses, checked often, that drains shortly."""
    return {
        "Name": name,
        "Protocol": "HTTP",
        "Port": PORT,
        "VpcId": vpc,
        "TargetType": "ip",
        "HealthCheckPath": "/healthz",
        "HealthCheckIntervalSeconds": 5,
        "HealthCheckTimeoutSeconds": 4,
        "HealthyThresholdCount": 2,
        "Tags": tags(wanted),
    }


def draining(group: str) -> Shape:
    """The shortest draining that lets a request end: rollouts are quick, and none of the users is real."""
    return {
        "TargetGroupArn": group,
        "Attributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "5"}],
    }


def rule(wanted: Wanted, listener_arn: str, group: str, priority: int) -> Shape:
    """A rule that takes the requests with the run's header and no others: safe on a listener that users come by."""
    header = {"HttpHeaderName": HEADER, "Values": [wanted.id]}
    return {
        "ListenerArn": listener_arn,
        "Priority": priority,
        "Conditions": [{"Field": "http-header", "HttpHeaderConfig": header}],
        "Actions": [{"Type": "forward", "TargetGroupArn": group}],
        "Tags": tags(wanted),
    }


def task_definition(wanted: Wanted, environment: Mapping[str, str], *, with_command: bool) -> Shape:
    """A revision of the smallest task. `with_command` False: the sandbox, whose tasks run its own application."""
    container: Shape = {
        "name": "app",
        "image": wanted.image,
        "essential": True,
        "portMappings": [{"containerPort": PORT}],
        "environment": [{"name": name, "value": value} for name, value in environment.items()],
        # SIGTERM must reach the server although it is the first process of its container.
        "linuxParameters": {"initProcessEnabled": True},
        "stopTimeout": 30,
    }
    if with_command:
        container["entryPoint"], container["command"] = ["/bin/sh", "-c"], [SCRIPT]
    return {
        "family": wanted.name,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": CPU,
        "memory": MEMORY,
        "containerDefinitions": [container],
        "tags": ecs_tags(wanted),
    }


def service(wanted: Wanted, definition: str, group: str) -> Shape:
    """The service of record."""
    network = {
        "subnets": list(wanted.subnets),
        "securityGroups": [wanted.security_group],
        "assignPublicIp": "DISABLED" if wanted.is_private else "ENABLED",
    }
    return {
        "cluster": wanted.name,
        "serviceName": wanted.name,
        "taskDefinition": definition,
        "desiredCount": DESIRED,
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": network},
        "loadBalancers": [{"targetGroupArn": group, "containerName": "app", "containerPort": PORT}],
        "healthCheckGracePeriodSeconds": 30,
        "clientToken": wanted.name,
        "tags": ecs_tags(wanted),
    }


def alarm(wanted: Wanted, balancer: str, group: str) -> Shape:
    """An alarm on the target group's own errors; it calls nobody."""
    return {
        "AlarmName": wanted.name,
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "HTTPCode_Target_5XX_Count",
        "Dimensions": [
            {"Name": "LoadBalancer", "Value": metric_dimension(balancer)},
            {"Name": "TargetGroup", "Value": metric_dimension(group)},
        ],
        "Statistic": "Sum",
        "Period": int(wanted.minute.total_seconds()),
        "EvaluationPeriods": 2,
        "Threshold": 5,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "Tags": tags(wanted),
    }
