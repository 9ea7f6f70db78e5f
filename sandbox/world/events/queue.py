"""A queue with its messages."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import md5

from sandbox.world.events.attributes import TIMES
from sandbox.world.kernel.errors import AwsRefusal, Json

NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"


@dataclass(slots=True, kw_only=True)
class Message:
    """One message. `visible` is when it can be received (again)."""

    id: str
    body: str
    sent: datetime
    visible: datetime
    receipt: str = ""
    received: int = 0
    first_received: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Queue:
    """A standard queue: its attributes as text, and its messages in the order of their arrival."""

    name: str
    arn: str
    url: str
    attributes: dict[str, str]
    created: datetime
    changed: datetime
    messages: list[Message] = field(default_factory=list)
    waiting: list[Callable[[], None]] = field(default_factory=list)

    def seconds(self, attribute: str) -> timedelta:
        """One of its times."""
        return timedelta(seconds=int(self.attributes.get(attribute, TIMES[attribute][0])))


def tell(queue: Queue) -> None:
    """Wake every long poll that waits at a queue."""
    waiting, queue.waiting = queue.waiting, []
    for call in waiting:
        call()


def view(message: Message, asked: set[str]) -> Json:
    """A message as ReceiveMessage shows it, with the system attributes that were asked for."""
    view: Json = {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "MD5OfBody": digest(message.body),
        "Body": message.body,
    }
    assert message.first_received is not None  # it was received just now
    system = {
        "SentTimestamp": str(int(message.sent.timestamp() * 1000)),
        "ApproximateReceiveCount": str(message.received),
        "ApproximateFirstReceiveTimestamp": str(int(message.first_received.timestamp() * 1000)),
    }
    shown = {name: value for name, value in system.items() if asked & {name, "All"}}
    return view | ({"Attributes": shown} if shown else {})


def digest(body: str) -> str:
    """The MD5 that clients check a body against."""
    return md5(body.encode(), usedforsecurity=False).hexdigest()


def no_queue() -> AwsRefusal:
    """The refusal where there is no such queue."""
    return AwsRefusal(NO_QUEUE, "The specified queue does not exist.")


def no_receipt() -> AwsRefusal:
    """The refusal of what is no receipt."""
    return AwsRefusal("ReceiptHandleIsInvalid", "The input receipt handle is not a valid receipt handle.")


def wrong(why: str) -> AwsRefusal:
    """The refusal of a parameter."""
    return AwsRefusal("InvalidParameterValue", why)
