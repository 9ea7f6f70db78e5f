"""Every answer of an account's Describe and List calls, as lines that can be compared to the letter."""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Ask = Callable[[str, str, dict[str, Any]], dict[str, Any]]  # service, operation, parameters
Answers = dict[str, Any]  # by what was asked

# What differs once a service has taken another revision, whoever gave it to it, and what to call it.
OF_A_NEW_REVISION = {
    r"ecs DescribeServices \S+\.taskDefinition\b": "the service's revision",
    r"ecs DescribeServices \S+\.(deployments|events|currentService(Deployment|Revisions))\b": "ECS's own record",
    r"ecs ListServiceDeployments ": "ECS's own record",
    r"ecs (ListTasks|DescribeTasks) ": "tasks of the revision",
    r"elbv2 DescribeTargetHealth ": "where these tasks are",
}
# What is there after releases that register revisions of their own.
OF_RELEASES = {r"ecs (ListTaskDefinitions|DescribeTaskDefinition) ": "revisions that releases registered"}
# What CloudWatch writes by itself, as time passes.
OF_TIME = {r"cloudwatch DescribeAlarms \S+\.State": "alarms, which are judged every minute"}


def everything(ask: Ask) -> Answers:
    """All that can be described: ECS, Elastic Load Balancing, Application Auto Scaling, CloudWatch's alarms."""
    found: Answers = {}
    for operation, params, answer in (*_ecs(ask), *_balancing(ask), *_scaling(ask), *_alarms(ask)):
        name = " ".join(part for part in (operation, params) if part)
        found[name] = answer
    return found


Row = tuple[str, str, Any]


def _ecs(ask: Ask) -> Iterator[Row]:
    for cluster in ask("ecs", "ListClusters", {})["clusterArns"]:
        yield "ecs ListClusters", _short(cluster), cluster
        services = ask("ecs", "ListServices", {"cluster": cluster})["serviceArns"]
        for arn in services:
            yield "ecs ListServices", _short(arn), arn
            asked = {"cluster": cluster, "services": [arn], "include": ["TAGS"]}
            (service,) = ask("ecs", "DescribeServices", asked)["services"]
            yield "ecs DescribeServices", _short(arn), service
            tasks = ask("ecs", "ListTasks", {"cluster": cluster, "serviceName": _short(arn)})["taskArns"]
            yield "ecs ListTasks", _short(arn), tasks
            if tasks:
                shown = ask("ecs", "DescribeTasks", {"cluster": cluster, "tasks": tasks})
                yield "ecs DescribeTasks", _short(arn), shown
            past = ask("ecs", "ListServiceDeployments", {"cluster": cluster, "service": arn})
            yield "ecs ListServiceDeployments", _short(arn), past["serviceDeployments"]
    for state in ("ACTIVE", "INACTIVE"):
        revisions = ask("ecs", "ListTaskDefinitions", {"status": state})["taskDefinitionArns"]
        for arn in revisions:
            yield f"ecs ListTaskDefinitions {state}", _short(arn), arn
            asked = {"taskDefinition": arn, "include": ["TAGS"]}
            yield (
                "ecs DescribeTaskDefinition",
                _short(arn),
                _bare(ask("ecs", "DescribeTaskDefinition", asked)),
            )


def _balancing(ask: Ask) -> Iterator[Row]:
    balancers = ask("elbv2", "DescribeLoadBalancers", {})["LoadBalancers"]
    arns = []
    for balancer in balancers:
        yield "elbv2 DescribeLoadBalancers", balancer["LoadBalancerName"], balancer
        asked = {"LoadBalancerArn": balancer["LoadBalancerArn"]}
        attributes = ask("elbv2", "DescribeLoadBalancerAttributes", asked)["Attributes"]
        yield "elbv2 DescribeLoadBalancerAttributes", balancer["LoadBalancerName"], attributes
        listeners = ask("elbv2", "DescribeListeners", {"LoadBalancerArn": balancer["LoadBalancerArn"]})[
            "Listeners"
        ]
        yield "elbv2 DescribeListeners", balancer["LoadBalancerName"], listeners
        for listener in listeners:
            rules = ask("elbv2", "DescribeRules", {"ListenerArn": listener["ListenerArn"]})["Rules"]
            where = f"{balancer['LoadBalancerName']}:port-{listener['Port']}"
            yield "elbv2 DescribeRules", where, rules
            arns += [listener["ListenerArn"], *(rule["RuleArn"] for rule in rules)]
    groups = ask("elbv2", "DescribeTargetGroups", {})["TargetGroups"]
    for group in groups:
        yield "elbv2 DescribeTargetGroups", group["TargetGroupName"], group
        arn, name = {"TargetGroupArn": group["TargetGroupArn"]}, group["TargetGroupName"]
        yield (
            "elbv2 DescribeTargetGroupAttributes",
            name,
            ask("elbv2", "DescribeTargetGroupAttributes", arn)["Attributes"],
        )
        yield (
            "elbv2 DescribeTargetHealth",
            name,
            ask("elbv2", "DescribeTargetHealth", arn)["TargetHealthDescriptions"],
        )
        arns.append(group["TargetGroupArn"])
    for arn in arns:
        yield (
            "elbv2 DescribeTags",
            arn,
            ask("elbv2", "DescribeTags", {"ResourceArns": [arn]})["TagDescriptions"],
        )


def _scaling(ask: Ask) -> Iterator[Row]:
    asked = {"ServiceNamespace": "ecs"}
    for operation, member in (
        ("DescribeScalableTargets", "ScalableTargets"),
        ("DescribeScalingPolicies", "ScalingPolicies"),
        ("DescribeScheduledActions", "ScheduledActions"),
    ):
        yield (
            f"application-autoscaling {operation}",
            "",
            ask("application-autoscaling", operation, asked)[member],
        )


def _alarms(ask: Ask) -> Iterator[Row]:
    kinds = {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
    answer = ask("cloudwatch", "DescribeAlarms", kinds)
    for member in ("MetricAlarms", "CompositeAlarms"):
        for alarm in answer.get(member, ()):
            yield "cloudwatch DescribeAlarms", alarm["AlarmName"], alarm


def _short(arn: str) -> str:
    return arn.rpartition("/")[2]


def _bare(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer without what the client puts beside it."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def renamed(answers: Answers, names: Mapping[str, str]) -> Answers:
    """The answers with other names in them, wherever they stand; of names that contain others, the longer first."""
    text = json.dumps(answers, default=str)
    for was in sorted(names, key=len, reverse=True):
        text = text.replace(was, names[was])
    found: Answers = json.loads(text)
    return found


# comparing --------------------------------------------------------------------------------------------------------


def lines(answers: Answers) -> list[str]:
    """One line a value, with the way to it: ``elbv2 DescribeRules lb:port-80[0].Actions[0].Order = 1``."""
    return [line for name in sorted(answers) for line in _lines(name, answers[name])]


def _lines(path: str, value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    match value:
        case dict() if value:
            for name in sorted(value):  # the order of a structure's members is the wire's, and says nothing
                yield from _lines(f"{path}.{name}", value[name])
        case list() if value:
            for number, each in enumerate(value):
                yield from _lines(f"{path}[{number}]", each)
        case _:
            yield f"{path} = {json.dumps(value, default=str)}"


def difference(before: Answers, after: Answers) -> list[str]:
    """A unified diff without context: what was there before alone, and what is there after alone."""
    found = difflib.unified_diff(lines(before), lines(after), "before", "after", lineterm="", n=0)
    return [line for line in found if not line.startswith("@@")]


def sorted_out(changes: Iterable[str], kinds: Mapping[str, str]) -> tuple[dict[str, int], list[str]]:
    """How many lines of a difference are of which of these kinds, and the lines that are of none."""
    counts: dict[str, int] = {}
    others = []
    for line in changes:
        if line.startswith(("---", "+++")):
            continue
        kind = next((words for pattern, words in kinds.items() if re.match(pattern, line[1:])), "")
        if kind:
            counts[kind] = counts.get(kind, 0) + 1
        else:
            others.append(line)
    return counts, others
