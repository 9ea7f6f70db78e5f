"""Queues, rules and metric math through unmodified AWS clients; a long poll waits for its message."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import boto3
import botocore.exceptions
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.config import Config

from sandbox.scenarios.scenery import furnish, until_steady
from sandbox.wire.long_poll import receive
from sandbox.wire.skin import Skin
from sandbox.wire.socket import serve
from sandbox.world import World
from tests.sandbox.plane.board import until
from tests.sandbox.wire.clients import KEYS, ONE_ATTEMPT, START, Wire, boto, calm_world
from tests.support.inprocess_wire import session_class
from tests.support.virtual import VirtualLoop, close


def test_a_client_makes_a_queue_and_a_rule_and_hears_its_own_event() -> None:
    world = calm_world()
    skin = Skin(world)
    sqs, events = boto("sqs", skin), boto("events", skin)
    url = sqs.create_queue(QueueName="teal", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="wake", EventPattern=json.dumps({"source": ["shop"]}))
    events.put_targets(Rule="wake", Targets=[{"Id": "q", "Arn": arn}])
    sent = events.put_events(Entries=[{"Source": "shop", "DetailType": "Sold", "Detail": '{"what": "tea"}'}])
    assert sent["FailedEntryCount"] == 0
    world.advance(timedelta(seconds=1))
    (message,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    event = json.loads(message["Body"])
    assert (event["id"], event["detail"]) == (sent["Entries"][0]["EventId"], {"what": "tea"})
    entry = {"Id": "1", "ReceiptHandle": message["ReceiptHandle"]}
    assert sqs.delete_message_batch(QueueUrl=url, Entries=[entry])["Successful"] == [{"Id": "1"}]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_errors_of_a_queue_are_typed_and_keep_their_former_codes() -> None:
    sqs = boto("sqs", Skin(calm_world()))
    with pytest.raises(sqs.exceptions.QueueDoesNotExist) as caught:
        sqs.get_queue_url(QueueName="none")
    assert caught.value.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidEventPattern"):
        boto("events", Skin(calm_world())).put_rule(Name="x", EventPattern="x")


def test_metric_math_and_a_composite_alarm_go_over_the_wire() -> None:
    world = calm_world()
    scenery = furnish(world)
    until_steady(world, scenery)
    where = {"load_balancer": scenery.load_balancer, "group": scenery.target_group}
    world.traffic.count_answer(**where, status=200, seconds=0.1, count=8)
    world.traffic.count_answer(**where, status=500, seconds=0.9, count=2)
    world.advance(timedelta(minutes=5))
    client = boto("cloudwatch", Skin(world))
    balancer, group = scenery.load_balancer.split(":loadbalancer/")[1], scenery.target_group.rsplit(":", 1)[1]
    dimensions = [{"Name": "LoadBalancer", "Value": balancer}, {"Name": "TargetGroup", "Value": group}]

    def query(name: str, metric: str, stat: str) -> Wire:
        shown = {"Namespace": "AWS/ApplicationELB", "MetricName": metric, "Dimensions": dimensions}
        return {"Id": name, "MetricStat": {"Metric": shown, "Period": 60, "Stat": stat}, "ReturnData": False}

    found = client.get_metric_data(
        MetricDataQueries=[
            query("r", "RequestCount", "Sum"),
            query("e", "HTTPCode_Target_5XX_Count", "Sum"),
            query("slow", "TargetResponseTime", "TC(0.5:)") | {"ReturnData": True},
            {"Id": "rate", "Expression": "100 * e / r"},
        ],
        StartTime=START,
        EndTime=START + timedelta(hours=1),
    )["MetricDataResults"]
    assert {result["Id"]: result["Values"] for result in found} == {"slow": [2.0], "rate": [20.0]}
    client.put_composite_alarm(AlarmName="both", AlarmRule="ALARM(checkout-5xx)")
    described = client.describe_alarms(AlarmNames=["both"], AlarmTypes=["CompositeAlarm"])
    assert described["CompositeAlarms"][0]["AlarmRule"] == "ALARM(checkout-5xx)"
    with pytest.raises(
        botocore.exceptions.ClientError, match="Error in expression 'x': Undefined variable m1"
    ):
        client.get_metric_data(
            MetricDataQueries=[{"Id": "x", "Expression": "m1"}],
            StartTime=START,
            EndTime=START + timedelta(hours=1),
        )


class _Stage:
    """A World in virtual time, moved by the loop."""

    def __init__(self) -> None:
        self.world = calm_world()
        self.url = self.world.call("sqs", "CreateQueue", {"QueueName": "q"})["QueueUrl"]
        self.loop = VirtualLoop(lambda at: self.world.run_until(START + timedelta(seconds=at)))

    def send_in(self, wait: float) -> None:
        sent = {"QueueUrl": self.url, "MessageBody": "hello"}
        self.world.kernel.after(timedelta(seconds=wait), lambda: self.world.call("sqs", "SendMessage", sent))


def waited(world: World) -> float:
    return (world.now - START).total_seconds()


def test_a_long_poll_ends_with_the_first_message_or_with_its_time() -> None:
    stage = _Stage()
    stage.send_in(7)
    config = AioConfig(retries=ONE_ATTEMPT, http_session_cls=session_class(Skin(stage.world)))

    async def poll() -> list[tuple[list[str], float]]:
        seen = []
        async with get_session().create_client("sqs", config=config, **KEYS) as sqs:
            for _ in range(2):
                answer = await sqs.receive_message(QueueUrl=stage.url, WaitTimeSeconds=20)
                seen.append(([m["Body"] for m in answer.get("Messages", [])], waited(stage.world)))
        return seen

    try:
        (first, came), (second, ended) = stage.loop.run_until_complete(poll())
    finally:
        close(stage.loop)
    assert (first, second) == (["hello"], [])
    assert came == pytest.approx(7, abs=0.01)
    assert ended == pytest.approx(27, abs=0.1)


def test_a_long_poll_needs_no_wire() -> None:
    stage = _Stage()
    stage.send_in(3)
    try:
        answer = stage.loop.run_until_complete(
            receive(stage.world, {"QueueUrl": stage.url, "WaitTimeSeconds": 20})
        )
    finally:
        close(stage.loop)
    assert [message["Body"] for message in answer["Messages"]] == ["hello"]
    assert waited(stage.world) == pytest.approx(3, abs=0.01)


@pytest.mark.machine
def test_a_long_poll_waits_on_a_socket_too_and_ends_with_the_server() -> None:
    world = World(start=datetime.now(UTC))

    async def story() -> tuple[str, float]:
        async with serve(Skin(world, before=lambda: world.run_until(datetime.now(UTC)))) as endpoint:
            session = boto3.session.Session(**KEYS)
            client = session.client(
                "sqs", endpoint_url=endpoint, config=Config(retries=ONE_ATTEMPT, read_timeout=30)
            )
            url = (await asyncio.to_thread(client.create_queue, QueueName="q"))["QueueUrl"]
            polling = asyncio.create_task(
                asyncio.to_thread(client.receive_message, QueueUrl=url, WaitTimeSeconds=20)
            )
            began = asyncio.get_running_loop().time()
            await until(lambda: world.queues.polls(url))
            world.call("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": "hello"})
            body = (await polling)["Messages"][0]["Body"]
            took = asyncio.get_running_loop().time() - began
            hanging = asyncio.create_task(
                asyncio.to_thread(client.receive_message, QueueUrl=url, WaitTimeSeconds=20)
            )
            await until(lambda: world.queues.polls(url))
        with pytest.raises(botocore.exceptions.BotoCoreError):
            await hanging
        return body, took

    body, took = asyncio.run(story())
    assert body == "hello"
    assert took < 2
