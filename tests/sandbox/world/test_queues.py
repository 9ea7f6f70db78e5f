"""A queue hides what was received, shows it again, and forgets it when it is deleted."""

import json

import pytest

from sandbox.world import World
from sandbox.world.kernel.errors import AwsRefusal
from tests.sandbox.world.places import Wire, calm, seconds


def call(world: World, operation: str, **params: Wire) -> Wire:
    return world.call("sqs", operation, params)


def made(world: World, name: str = "q", **attributes: str) -> str:
    return str(call(world, "CreateQueue", QueueName=name, Attributes=attributes)["QueueUrl"])


def bodies(world: World, url: str, **more: Wire) -> list[str]:
    found = call(world, "ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10, **more).get("Messages", [])
    return [message["Body"] for message in found]


def test_a_received_message_is_hidden_and_comes_again_unless_it_is_deleted() -> None:
    world = calm()
    url = made(world, VisibilityTimeout="60")
    call(world, "SendMessage", QueueUrl=url, MessageBody="one")
    message = call(world, "ReceiveMessage", QueueUrl=url, AttributeNames=["All"])["Messages"][0]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert bodies(world, url) == []
    world.advance(seconds(61))
    again = call(world, "ReceiveMessage", QueueUrl=url, AttributeNames=["All"])["Messages"][0]
    assert (again["Body"], again["Attributes"]["ApproximateReceiveCount"]) == ("one", "2")
    call(world, "DeleteMessage", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])  # an old receipt
    world.advance(seconds(61))
    (last,) = call(world, "ReceiveMessage", QueueUrl=url)["Messages"]
    call(world, "DeleteMessage", QueueUrl=url, ReceiptHandle=last["ReceiptHandle"])
    world.advance(seconds(61))
    assert bodies(world, url) == []


def test_ten_messages_at_most_are_received_and_deleted_at_once() -> None:
    world = calm()
    url = made(world)
    for number in range(12):
        call(world, "SendMessage", QueueUrl=url, MessageBody=str(number))
    first = call(world, "ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert len(first) == 10
    entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(first)]
    entries[9] = {"Id": "9", "ReceiptHandle": "nonsense"}
    answer = call(world, "DeleteMessageBatch", QueueUrl=url, Entries=entries)
    assert len(answer["Successful"]) == 9
    assert [entry["Code"] for entry in answer["Failed"]] == ["ReceiptHandleIsInvalid"]
    world.advance(seconds(31))
    assert sorted(bodies(world, url)) == ["10", "11", "9"]


def test_visibility_can_be_changed_and_a_delay_hides_a_new_message() -> None:
    world = calm()
    url = made(world, DelaySeconds="5")
    call(world, "SendMessage", QueueUrl=url, MessageBody="late")
    assert bodies(world, url) == []
    world.advance(seconds(6))
    (message,) = call(world, "ReceiveMessage", QueueUrl=url)["Messages"]
    call(
        world,
        "ChangeMessageVisibility",
        QueueUrl=url,
        ReceiptHandle=message["ReceiptHandle"],
        VisibilityTimeout=0,
    )
    assert bodies(world, url) == ["late"]


def test_what_is_received_too_often_goes_to_the_dead_letter_queue() -> None:
    world = calm()
    dead = made(world, "dead")
    arn = call(world, "GetQueueAttributes", QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    url = made(world, RedrivePolicy=redrive, VisibilityTimeout="1")
    call(world, "SendMessage", QueueUrl=url, MessageBody="poison")
    for _ in range(2):
        assert bodies(world, url) == ["poison"]
        world.advance(seconds(2))
    assert bodies(world, url) == []
    assert bodies(world, dead) == ["poison"]


def test_messages_are_forgotten_after_their_retention_and_by_a_purge() -> None:
    world = calm()
    url = made(world, MessageRetentionPeriod="60")
    call(world, "SendMessage", QueueUrl=url, MessageBody="old")
    world.advance(seconds(61))
    assert bodies(world, url) == []
    call(world, "SendMessage", QueueUrl=url, MessageBody="new")
    call(world, "PurgeQueue", QueueUrl=url)
    assert bodies(world, url) == []


def test_a_queue_is_found_by_name_listed_and_deleted() -> None:
    world = calm()
    url = made(world)
    assert made(world) == url
    assert call(world, "GetQueueUrl", QueueName="q")["QueueUrl"] == url
    assert call(world, "ListQueues", QueueNamePrefix="q")["QueueUrls"] == [url]
    call(world, "SendMessage", QueueUrl=url, MessageBody="x")
    shown = call(world, "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (shown["ApproximateNumberOfMessages"], shown["VisibilityTimeout"]) == ("1", "30")
    call(world, "DeleteQueue", QueueUrl=url)
    with pytest.raises(AwsRefusal, match="queue does not exist") as caught:
        bodies(world, url)
    assert caught.value.code == "AWS.SimpleQueueService.NonExistentQueue"


REFUSED = [
    ("CreateQueue", {"QueueName": "q", "Attributes": {"VisibilityTimeout": "9"}}, "QueueAlreadyExists"),
    ("CreateQueue", {"QueueName": "a b"}, "InvalidParameterValue"),
    ("CreateQueue", {"QueueName": "z", "Attributes": {"DelaySeconds": "901"}}, "InvalidAttributeValue"),
    ("CreateQueue", {"QueueName": "z", "Attributes": {"Policy": "{"}}, "InvalidAttributeValue"),
    ("CreateQueue", {"QueueName": "z.fifo"}, "NotInThisSandbox"),
    ("CreateQueue", {"QueueName": "z", "Attributes": {"KmsMasterKeyId": "k"}}, "NotInThisSandbox"),
    ("GetQueueUrl", {"QueueName": "none"}, "AWS.SimpleQueueService.NonExistentQueue"),
    ("ReceiveMessage", {"MaxNumberOfMessages": 11}, "InvalidParameterValue"),
    ("ReceiveMessage", {"WaitTimeSeconds": 21}, "InvalidParameterValue"),
    ("DeleteMessage", {"ReceiptHandle": "nonsense"}, "ReceiptHandleIsInvalid"),
    ("DeleteMessageBatch", {"Entries": []}, "AWS.SimpleQueueService.EmptyBatchRequest"),
    ("GetQueueAttributes", {"AttributeNames": ["Colour"]}, "InvalidAttributeName"),
]


@pytest.mark.parametrize(("operation", "params", "code"), REFUSED)
def test_a_queue_refuses(operation: str, params: Wire, code: str) -> None:
    world = calm()
    url = made(world)
    where = {} if "QueueName" in params else {"QueueUrl": url}
    with pytest.raises(AwsRefusal) as caught:
        call(world, operation, **where, **params)
    assert caught.value.code == code
