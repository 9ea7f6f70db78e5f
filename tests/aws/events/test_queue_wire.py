"""The queue of events through the real client: its long poll, its messages and their end."""

import asyncio

import pytest

from orchestrator.aws.client.botocore import LONG_POLL_READ, open_queue_wire
from orchestrator.aws.client.call import Caller, Patience
from orchestrator.aws.events.wakeups import open_wakeups
from orchestrator.aws.services import sqs
from orchestrator.core.domain.errors import Denied, Outside
from orchestrator.store.memory.store import MemoryStore
from sandbox.wire.skin import Skin
from tests.sandbox.wire.clients import calm_world
from tests.support.inprocess_wire import session_class
from tests.support.virtual import LoopClock, VirtualLoop, play


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Credentials, and nothing of the machine's owner."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "sandbox")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
    return monkeypatch


def test_the_client_waits_longer_than_the_longest_poll() -> None:
    assert LONG_POLL_READ > sqs.LONG_POLL_SECONDS


def test_messages_come_whole_and_are_gone_once_they_are_deleted() -> None:
    world = calm_world()
    skin = Skin(world)
    url = world.call("sqs", "CreateQueue", {"QueueName": "teal-events"})["QueueUrl"]
    bodies = ['{"detail-type": "ECS Task State Change"}', "ä€ \u0009 poison"]
    for body in bodies:
        world.call("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": body})

    async def script() -> list[str]:
        async with open_queue_wire(world.region, http_session=session_class(skin)) as transport:
            call = Caller(transport, patience=Patience.once())
            found = await sqs.receive(call, url)
            await sqs.delete(call, url, found)
            return [one.body for one in found]

    assert sorted(asyncio.run(script())) == sorted(bodies)
    asked = {"QueueUrl": url, "AttributeNames": ["All"]}
    left = world.call("sqs", "GetQueueAttributes", asked)["Attributes"]
    assert (left["ApproximateNumberOfMessages"], left["ApproximateNumberOfMessagesNotVisible"]) == ("0", "0")


def test_a_queue_that_is_not_there_is_told_in_sqss_own_words() -> None:
    skin = Skin(calm_world())

    async def script() -> None:
        async with open_queue_wire("eu-west-1", http_session=session_class(skin)) as transport:
            await sqs.receive(Caller(transport, patience=Patience.once()), "https://sqs/1/nowhere")

    with pytest.raises(Outside, match="The specified queue does not exist"):
        asyncio.run(script())


def test_a_queue_whose_url_names_no_region_is_asked_in_the_environments(
    environment: pytest.MonkeyPatch,
) -> None:
    async def script(loop: VirtualLoop) -> None:
        given = {
            "store": MemoryStore(),
            "clock": LoopClock(loop, calm_world().now),
            "hint": lambda: None,
        }
        async with open_wakeups("http://127.0.0.1:4566/1/teal-events", **given):  # type: ignore[arg-type]
            pass

    with pytest.raises(Denied, match="no AWS region"):
        play(script)
    environment.setenv("AWS_REGION", "eu-west-1")
    play(script)
