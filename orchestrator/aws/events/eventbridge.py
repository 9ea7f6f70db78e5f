"""What an event of EventBridge is about, as a key that rollouts are known by. Pure: nothing is read or asked here.

Sources: "Amazon ECS task state change events", "… service deployment state change events", "… service action events",
"Alarm events and EventBridge".
"""

import json
from collections.abc import Iterable

from orchestrator.core.rollout.rollout import Rollout

NOBODY = ""
"""The key of an event that can concern no rollout."""
_ALARM, _TASK = "CloudWatch Alarm State Change", "ECS Task State Change"
_SERVICE = frozenset({"ECS Deployment State Change", "ECS Service Action"})
_TELLING = frozenset({"RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"})
"""States of a task in which there is something to see that was not there before."""


def key_of(body: str) -> str:
    """The key of the service or alarm that an event is about; NOBODY for an event of another kind.

    Raises ValueError for a body that is no event.
    """
    event = json.loads(body)
    if not isinstance(event, dict) or not isinstance(event.get("detail-type"), str):
        raise ValueError("it is no event of EventBridge")
    kind, detail = event["detail-type"], event.get("detail")
    if kind not in {_ALARM, _TASK, *_SERVICE}:
        return NOBODY
    if not isinstance(detail, dict):
        raise ValueError(f"a {kind} without detail")
    if kind == _ALARM:
        return alarm_key(_text(event, "account"), _text(event, "region"), _text(detail, "alarmName"))
    return _of_task(detail) if kind == _TASK else _of_service(event, detail)


def keys_of(row: Rollout) -> Iterable[str]:
    """The keys of everything whose events concern a rollout; none before its blue was read."""
    if row.blue is None:
        return
    yield service_key(row.blue.cluster, row.blue.name)
    if row.green is not None:
        yield service_key(row.blue.cluster, row.green.name)
    _, _, _, region, account, *_ = row.blue.cluster.split(":")
    for alarm in row.spec.gates.alarms.alarms:
        yield alarm_key(account, region, alarm.name)


def service_key(cluster: str, name: str) -> str:
    """The key of a service, by its cluster's ARN and its name."""
    return f"{cluster}/{name}"


def alarm_key(account: str, region: str, name: str) -> str:
    """The key of an alarm."""
    return f"alarm:{account}:{region}:{name}"


def _of_task(detail: dict[str, object]) -> str:
    group = detail.get("group")
    if not isinstance(group, str) or not group.startswith("service:"):
        return NOBODY  # a task that somebody started alone
    if detail.get("lastStatus") not in _TELLING and detail.get("desiredStatus") != "STOPPED":
        return NOBODY
    return service_key(_text(detail, "clusterArn"), group.removeprefix("service:"))


def _of_service(event: dict[str, object], detail: dict[str, object]) -> str:
    resources = event.get("resources")
    arn = resources[0] if isinstance(resources, list) and resources else None
    if not isinstance(arn, str) or ":service/" not in arn:
        raise ValueError("an event of a service that names none")
    place, path = arn.split(":service/", 1)
    cluster, _, name = path.rpartition("/")
    if cluster:
        return service_key(f"{place}:cluster/{cluster}", name)
    return service_key(_text(detail, "clusterArn"), name)  # a short ARN of before 2018 names no cluster


def _text(holder: dict[str, object], name: str) -> str:
    found = holder.get(name)
    if not isinstance(found, str) or not found:
        raise ValueError(f"an event without {name}")
    return found
