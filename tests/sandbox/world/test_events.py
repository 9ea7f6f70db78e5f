"""Events reach the queues of the rules that want them: in AWS's shapes, at least once, in any order."""

import json
from datetime import timedelta

import pytest

from sandbox.world.events.patterns import Pattern
from sandbox.world.kernel.errors import AwsRefusal
from tests.sandbox.world.places import Shop, Wire, calm, seconds, shop
from tests.sandbox.world.test_alarm_kinds import composite, force, put
from tests.sandbox.world.test_metrics import minute

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:teal"
URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/teal"
EVERYTHING = {"source": ["aws.ecs", "aws.cloudwatch"]}


def sqs(s: Shop, operation: str, **params: Wire) -> Wire:
    return s.world.call("sqs", operation, params)


def events(s: Shop, operation: str, **params: Wire) -> Wire:
    return s.world.call("events", operation, params)


def listen(s: Shop, pattern: Wire = EVERYTHING, **attributes: str) -> None:
    """A rule that sends to a queue."""
    sqs(s, "CreateQueue", QueueName="teal", Attributes=attributes)
    events(s, "PutRule", Name="wake", EventPattern=json.dumps(pattern))
    answer = events(s, "PutTargets", Rule="wake", Targets=[{"Id": "queue", "Arn": QUEUE}])
    assert answer["FailedEntryCount"] == 0


def heard(s: Shop, kind: str | None = None) -> list[Wire]:
    """Every event that has come, taken off the queue."""
    found: list[Wire] = []
    while messages := sqs(s, "ReceiveMessage", QueueUrl=URL, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs(s, "DeleteMessage", QueueUrl=URL, ReceiptHandle=message["ReceiptHandle"])
    return [event for event in found if kind in (None, event["detail-type"])]


def test_an_alarms_change_is_told_as_cloudwatch_tells_it() -> None:
    s = shop()
    put(s, "errors", AlarmDescription="too many")
    minute(s)
    listen(s)
    force(s, "errors", "ALARM")
    s.world.advance(seconds(1))
    (event,) = heard(s)
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert (event["version"], event["source"], event["region"]) == ("0", "aws.cloudwatch", "eu-west-1")
    assert event["resources"] == ["arn:aws:cloudwatch:eu-west-1:123456789012:alarm:errors"]
    detail = event["detail"]
    assert (detail["alarmName"], detail["state"]["value"], detail["previousState"]["value"]) == (
        "errors",
        "ALARM",
        "OK",
    )
    assert detail["state"]["reason"] == "test"
    metric = detail["configuration"]["metrics"][0]
    assert detail["configuration"]["description"] == "too many"
    assert metric["metricStat"]["metric"]["name"] == "HTTPCode_Target_5XX_Count"
    assert metric["metricStat"]["metric"]["dimensions"].keys() == {"LoadBalancer", "TargetGroup"}
    assert (metric["metricStat"]["period"], metric["metricStat"]["stat"], metric["returnData"]) == (
        60,
        "Sum",
        True,
    )


def test_a_composite_alarms_change_shows_its_rule() -> None:
    s = shop()
    put(s, "errors")
    composite(s, "both", "ALARM(errors)")
    minute(s)
    listen(s, {"detail": {"alarmName": ["both"]}})
    force(s, "errors", "ALARM")
    s.world.advance(seconds(1))
    (event,) = heard(s)
    assert event["detail"]["configuration"]["alarmRule"] == "ALARM(errors)"


def test_a_deployment_tells_its_tasks_its_begin_and_its_end() -> None:
    s = shop()
    listen(s, {"source": ["aws.ecs"]})
    s.update(taskDefinition=s.define(TEAL_DEMO_VERSION="2"))
    s.roll()
    s.world.advance(seconds(1))
    told = heard(s)
    deployment = [event for event in told if event["detail-type"] == "ECS Deployment State Change"]
    assert [event["detail"]["eventName"] for event in deployment] == [
        "SERVICE_DEPLOYMENT_IN_PROGRESS",
        "SERVICE_DEPLOYMENT_COMPLETED",
    ]
    assert deployment[0]["resources"] == [s.scenery.service_arn]
    assert deployment[0]["detail"].keys() == {"eventType", "eventName", "deploymentId", "updatedAt", "reason"}
    tasks = [event["detail"] for event in told if event["detail-type"] == "ECS Task State Change"]
    started = [task for task in tasks if task["startedBy"] == deployment[0]["detail"]["deploymentId"]]
    states = [task["lastStatus"] for task in started if task["taskArn"] == started[0]["taskArn"]]
    assert states == ["PROVISIONING", "RUNNING"]
    assert started[0]["group"] == "service:checkout"
    versions = [task["version"] for task in tasks if task["taskArn"] == tasks[0]["taskArn"]]
    assert versions == sorted(versions)
    steady = [event["detail"] for event in told if event["detail-type"] == "ECS Service Action"]
    assert steady[-1]["eventName"] == "SERVICE_STEADY_STATE"
    assert steady[-1]["clusterArn"] == s.scenery.cluster_arn


def test_a_task_that_crashes_tells_its_exit_code_and_a_failed_deployment_its_reason() -> None:
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
    s = shop(deployment=breaker)
    listen(s, {"source": ["aws.ecs"]})
    s.update(taskDefinition=s.define(TEAL_DEMO_CRASH_AFTER="0"))
    s.world.advance(timedelta(minutes=5))
    told = heard(s)
    stopped = [
        event["detail"]
        for event in told
        if event["detail-type"] == "ECS Task State Change" and event["detail"]["lastStatus"] == "STOPPED"
    ]
    assert {task["stopCode"] for task in stopped} == {"EssentialContainerExited"}
    assert {task["containers"][0]["exitCode"] for task in stopped} == {1}
    failed = [event for event in told if event["detail"].get("eventName") == "SERVICE_DEPLOYMENT_FAILED"]
    assert "circuit breaker" in failed[0]["detail"]["reason"]
    assert failed[0]["detail"]["eventType"] == "ERROR"


def test_a_placement_failure_is_told() -> None:
    s = shop()
    listen(s)
    s.world.capacity.limit = 3
    s.update(desiredCount=5)
    s.world.advance(seconds(10))
    names = [event["detail"]["eventName"] for event in heard(s, "ECS Service Action")]
    assert "SERVICE_TASK_PLACEMENT_FAILURE" in names


def test_events_come_twice_and_out_of_order_where_the_world_is_tricky() -> None:
    s = shop(calm(event_delay=seconds(1), event_jitter=seconds(0.9), event_duplicate_share=0.5))
    listen(s, {"source": ["aws.ecs"]})
    s.update(desiredCount=9)
    s.world.advance(seconds(60))
    told = heard(s)
    ids = [event["id"] for event in told]
    assert len(set(ids)) < len(ids)
    times = [event["time"] for event in told]
    assert times != sorted(times)


def test_a_queue_takes_events_only_where_its_policy_lets_it() -> None:
    s = shop(calm(queue_policies=True))
    listen(s, {"source": ["shop"]})
    entry = {"Source": "shop", "DetailType": "Sold", "Detail": "{}"}

    def sell() -> int:
        events(s, "PutEvents", Entries=[entry])
        s.world.advance(seconds(1))
        return len(heard(s))

    assert (sell(), s.world.bus.undelivered) == (0, 1)
    rule = events(s, "DescribeRule", Name="wake")["Arn"]
    for source, taken in ((rule, 1), (rule + "-other", 0)):
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": QUEUE,
            "Condition": {"ArnEquals": {"aws:SourceArn": source}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs(s, "SetQueueAttributes", QueueUrl=URL, Attributes={"Policy": policy})
        assert sell() == taken


def test_a_disabled_rule_sends_nothing() -> None:
    s = shop()
    listen(s)
    events(s, "DisableRule", Name="wake")
    s.update(desiredCount=4)
    s.world.advance(seconds(30))
    assert heard(s) == []


def test_a_rule_is_deleted_without_its_targets_only() -> None:
    s = shop()
    listen(s)
    with pytest.raises(AwsRefusal, match="since it has targets"):
        events(s, "DeleteRule", Name="wake")
    assert events(s, "ListTargetsByRule", Rule="wake")["Targets"] == [{"Id": "queue", "Arn": QUEUE}]
    assert events(s, "RemoveTargets", Rule="wake", Ids=["queue", "x"])["FailedEntryCount"] == 1
    events(s, "DeleteRule", Name="wake")
    assert events(s, "ListRules")["Rules"] == []
    with pytest.raises(AwsRefusal, match="Rule wake does not exist"):
        events(s, "DescribeRule", Name="wake")


PATTERNS = [
    ({"source": ["a", "b"]}, True),
    ({"source": ["a"]}, False),
    ({"detail": {"state": {"value": ["ALARM"]}}}, True),
    ({"detail": {"state": {"value": ["OK"]}}}, False),
    ({"source": [{"prefix": "b"}], "resources": [{"suffix": ":y"}]}, True),
    ({"source": [{"anything-but": ["b", "c"]}]}, False),
    ({"detail": {"gone": [{"exists": False}], "state": {"value": [{"exists": True}]}}}, True),
    ({"resources": [{"wildcard": "arn:*:x"}]}, True),
    ({"detail": {"number": [5]}}, True),
    ({"detail": {"number": ["5"]}}, False),
    ({"source": [{"equals-ignore-case": "B"}]}, True),
]


@pytest.mark.parametrize(("pattern", "matches"), PATTERNS)
def test_a_pattern_matches_what_it_names(pattern: Wire, matches: bool) -> None:
    event = {
        "source": "b",
        "resources": ["arn:aws:x", "arn:aws:y"],
        "detail": {"state": {"value": "ALARM"}, "number": 5},
    }
    assert Pattern.of(json.dumps(pattern)).matches(event) is matches


@pytest.mark.parametrize(
    "text", ["x", "[]", "{}", '{"source": "a"}', '{"source": []}', '{"a": [{"exists": 1}]}']
)
def test_a_pattern_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(AwsRefusal, match="Event pattern is not valid"):
        Pattern.of(text)


@pytest.mark.parametrize(
    "text", ['{"a": [{"numeric": [">", 1]}]}', '{"$or": [{"a": ["b"]}]}', '{"a": [{"cidr": "x"}]}']
)
def test_an_operator_that_is_not_here_is_refused_by_name(text: str) -> None:
    with pytest.raises(AwsRefusal, match="not in this sandbox"):
        Pattern.of(text)
