"""Queues: messages are received, hidden for a while, and deleted by whoever has dealt with them.

`ReceiveMessage` here answers with what is there at once: the wait of a long poll is the transport's, which is told
of arrivals by `call_on_arrival`. Sources: "Amazon SQS visibility timeout", "dead-letter queues", the API reference.
"""

import json
from collections.abc import Callable
from datetime import timedelta

from sandbox.world.events.attributes import OTHER, TIMES, checked, lets_eventbridge
from sandbox.world.events.queue import Message, Queue, digest, no_queue, no_receipt, tell, view, wrong
from sandbox.world.kernel.errors import AwsRefusal, Json, not_here
from sandbox.world.kernel.kernel import Kernel
from sandbox.world.kernel.operation import Operation, operation, page


class Queues:
    """The operations of SQS on standard queues."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._all: dict[str, Queue] = {}  # by name
        self._numbers = 0

    def operations(self) -> dict[str, Operation]:
        """The operations by their AWS names."""
        queue = "QueueUrl"
        asked = ("AttributeNames", "MessageSystemAttributeNames", "MessageAttributeNames")
        limits = ("MaxNumberOfMessages", "VisibilityTimeout", "WaitTimeSeconds")
        return {
            "CreateQueue": operation(self.create, "QueueName", "Attributes", "tags"),
            "GetQueueUrl": operation(self.url, "QueueName"),
            "ListQueues": operation(self.list_queues, "QueueNamePrefix", "NextToken", "MaxResults"),
            "GetQueueAttributes": operation(self.attributes, queue, "AttributeNames"),
            "SetQueueAttributes": operation(self.set_attributes, queue, "Attributes"),
            "DeleteQueue": operation(self.delete_queue, queue),
            "PurgeQueue": operation(self.purge, queue),
            "SendMessage": operation(self.send, queue, "MessageBody", "DelaySeconds"),
            "ReceiveMessage": operation(self.receive, queue, *asked, *limits),
            "DeleteMessage": operation(self.delete, queue, "ReceiptHandle"),
            "DeleteMessageBatch": operation(self.delete_batch, queue, "Entries"),
            "ChangeMessageVisibility": operation(self.hide, queue, "ReceiptHandle", "VisibilityTimeout"),
        }

    def create(self, params: Json) -> Json:
        """CreateQueue: the same again is the same queue, with other attributes it is an error."""
        name: str = params["QueueName"]
        if name.endswith(".fifo"):
            raise not_here("a FIFO queue")
        if not 1 <= len(name) <= 80 or not name.replace("-", "").replace("_", "").isalnum():
            raise AwsRefusal(
                "InvalidParameterValue",
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
            )
        given = checked(params.get("Attributes", {}))
        there = self._all.get(name)
        if there and any(there.attributes.get(key) != value for key, value in given.items()):
            raise AwsRefusal(
                "QueueAlreadyExists", f"A queue named {name} already exists with different attributes"
            )
        if there is None:
            arn = self._kernel.arn("sqs", name)
            url = f"https://sqs.{self._kernel.region}.amazonaws.com/{self._kernel.account}/{name}"
            now = self._kernel.now
            self._all[name] = there = Queue(
                name=name, arn=arn, url=url, attributes=given, created=now, changed=now
            )
        return {"QueueUrl": there.url}

    def url(self, params: Json) -> Json:
        """GetQueueUrl."""
        queue = self._all.get(params["QueueName"])
        if queue is None:
            raise no_queue()
        return {"QueueUrl": queue.url}

    def list_queues(self, params: Json) -> Json:
        """ListQueues."""
        prefix = params.get("QueueNamePrefix", "")
        urls = [queue.url for name, queue in sorted(self._all.items()) if name.startswith(prefix)]
        size = params.get("MaxResults", 1000)
        shown, token = page(urls, params.get("NextToken"), size, code="InvalidParameterValue")
        return {"QueueUrls": [*shown]} | ({"NextToken": token} if token else {})

    def attributes(self, params: Json) -> Json:
        """GetQueueAttributes: those asked for; none unless asked."""
        queue = self._queue(params["QueueUrl"])
        now = self._kernel.now
        hidden = sum(message.visible > now and message.received > 0 for message in queue.messages)
        delayed = sum(message.visible > now and message.received == 0 for message in queue.messages)
        known = {
            **{name: str(default) for name, (default, _) in TIMES.items()},
            "MaximumMessageSize": "262144",
            **queue.attributes,
            "QueueArn": queue.arn,
            "ApproximateNumberOfMessages": str(len(queue.messages) - hidden - delayed),
            "ApproximateNumberOfMessagesNotVisible": str(hidden),
            "ApproximateNumberOfMessagesDelayed": str(delayed),
            "CreatedTimestamp": str(int(queue.created.timestamp())),
            "LastModifiedTimestamp": str(int(queue.changed.timestamp())),
        }
        asked = params.get("AttributeNames", [])
        wrong = [name for name in asked if name != "All" and name not in known and name not in OTHER]
        if wrong:
            raise AwsRefusal("InvalidAttributeName", f"Unknown Attribute {wrong[0]}.")
        shown = known if "All" in asked else {name: known[name] for name in asked if name in known}
        return {"Attributes": shown} if shown else {}

    def set_attributes(self, params: Json) -> Json:
        """SetQueueAttributes."""
        queue = self._queue(params["QueueUrl"])
        queue.attributes |= checked(params["Attributes"])
        queue.changed = self._kernel.now
        return {}

    def delete_queue(self, params: Json) -> Json:
        """DeleteQueue."""
        del self._all[self._queue(params["QueueUrl"]).name]
        return {}

    def purge(self, params: Json) -> Json:
        """PurgeQueue."""
        self._queue(params["QueueUrl"]).messages.clear()
        return {}

    def send(self, params: Json) -> Json:
        """SendMessage."""
        queue = self._queue(params["QueueUrl"])
        body: str = params["MessageBody"]
        delay = params.get("DelaySeconds")
        wait = queue.seconds("DelaySeconds") if delay is None else timedelta(seconds=delay)
        message = self._put(queue, body, wait)
        return {"MessageId": message.id, "MD5OfMessageBody": digest(body)}

    def take(self, arn: str, body: str, *, from_rule: str) -> bool:
        """EventBridge sends a message; False if the queue is gone or its policy does not let it."""
        queue = next((queue for queue in self._all.values() if queue.arn == arn), None)
        if queue is None:
            return False
        if self._kernel.settings.queue_policies and not lets_eventbridge(
            queue.attributes.get("Policy"), from_rule
        ):
            return False
        self._put(queue, body, queue.seconds("DelaySeconds"))
        return True

    def receive(self, params: Json) -> Json:
        """ReceiveMessage, without its wait: what can be received now, which is hidden from then on."""
        queue = self._queue(params["QueueUrl"])
        most, wait = params.get("MaxNumberOfMessages", 1), params.get("WaitTimeSeconds", 0)
        if not 1 <= most <= 10:
            raise wrong(
                f"Value {most} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10"
            )
        if not 0 <= wait <= 20:
            raise wrong(
                f"Value {wait} for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20"
            )
        self._expire(queue)
        now = self._kernel.now
        given = params.get("VisibilityTimeout")
        hide = queue.seconds("VisibilityTimeout") if given is None else timedelta(seconds=given)
        asked = {*params.get("AttributeNames", []), *params.get("MessageSystemAttributeNames", [])}
        shown: list[Json] = []
        for message in [each for each in queue.messages if each.visible <= now]:
            if len(shown) == most:
                break
            if self._is_dead(queue, message):
                continue
            self._numbers += 1
            message.receipt = f"{message.id}#{self._numbers}"
            message.visible, message.received = now + hide, message.received + 1
            message.first_received = message.first_received or now
            shown.append(view(message, asked))
        if shown:
            self._kernel.at(now + hide, lambda: tell(queue))
        return {"Messages": shown} if shown else {}

    def wait_of(self, params: Json) -> timedelta:
        """How long a ReceiveMessage may wait for a first message."""
        given = params.get("WaitTimeSeconds")
        if given is not None:
            return timedelta(seconds=given)
        return self._queue(params["QueueUrl"]).seconds("ReceiveMessageWaitTimeSeconds")

    def polls(self, url: str) -> int:
        """How many long polls wait at a queue."""
        return len(self._queue(url).waiting)

    def call_on_arrival(self, url: str, call: Callable[[], None]) -> Callable[[], None]:
        """Have `call` called once, when a message comes; what is returned takes that back."""
        queue = self._queue(url)
        queue.waiting.append(call)

        def forget() -> None:
            if call in queue.waiting:
                queue.waiting.remove(call)

        return forget

    def delete(self, params: Json) -> Json:
        """DeleteMessage: by the receipt of the latest receive; one that is gone is no error."""
        self._remove(self._queue(params["QueueUrl"]), params["ReceiptHandle"])
        return {}

    def delete_batch(self, params: Json) -> Json:
        """DeleteMessageBatch: up to ten, each with its own result."""
        queue = self._queue(params["QueueUrl"])
        entries: list[Json] = params["Entries"]
        service = "AWS.SimpleQueueService"
        if not entries:
            raise AwsRefusal(
                f"{service}.EmptyBatchRequest", "There should be at least one entry in the request."
            )
        if len(entries) > 10:
            raise AwsRefusal(
                f"{service}.TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10."
            )
        if len({entry["Id"] for entry in entries}) < len(entries):
            raise AwsRefusal(f"{service}.BatchEntryIdsNotDistinct", "Id of each entry must be distinct.")
        good: list[Json] = []
        bad: list[Json] = []
        for entry in entries:
            try:
                self._remove(queue, entry["ReceiptHandle"])
            except AwsRefusal as refusal:
                wrong = {"Code": refusal.code, "Message": refusal.message, "SenderFault": True}
                bad.append({"Id": entry["Id"], **wrong})
            else:
                good.append({"Id": entry["Id"]})
        return {"Successful": good, "Failed": bad}

    def hide(self, params: Json) -> Json:
        """ChangeMessageVisibility."""
        queue = self._queue(params["QueueUrl"])
        found = next((each for each in queue.messages if each.receipt == params["ReceiptHandle"]), None)
        if found is None:
            raise no_receipt()
        found.visible = self._kernel.now + timedelta(seconds=params["VisibilityTimeout"])
        self._kernel.at(found.visible, lambda: tell(queue))
        return {}

    def _put(self, queue: Queue, body: str, delay: timedelta) -> Message:
        now = self._kernel.now
        self._numbers += 1
        name = f"{self._numbers:032x}"
        message_id = "-".join((name[:8], name[8:12], name[12:16], name[16:20], name[20:]))
        message = Message(id=message_id, body=body, sent=now, visible=now + delay)
        queue.messages.append(message)
        if delay:
            self._kernel.at(message.visible, lambda: tell(queue))
        else:
            tell(queue)
        return message

    def _remove(self, queue: Queue, receipt: str) -> None:
        if "#" not in receipt:
            raise no_receipt()
        queue.messages = [message for message in queue.messages if message.receipt != receipt]

    def _expire(self, queue: Queue) -> None:
        oldest = self._kernel.now - queue.seconds("MessageRetentionPeriod")
        queue.messages = [message for message in queue.messages if message.sent >= oldest]

    def _is_dead(self, queue: Queue, message: Message) -> bool:
        """Move a message that was received too often to the dead-letter queue."""
        redrive = json.loads(queue.attributes.get("RedrivePolicy") or "{}")
        if not redrive or message.received < int(redrive["maxReceiveCount"]):
            return False
        queue.messages.remove(message)
        dead = next((each for each in self._all.values() if each.arn == redrive["deadLetterTargetArn"]), None)
        if dead is not None:
            dead.messages.append(message)
            tell(dead)
        return True

    def _queue(self, url: str) -> Queue:
        queue = self._all.get(url.rstrip("/").rpartition("/")[2])
        if queue is None or f"/{self._kernel.account}/" not in url:
            raise no_queue()
        return queue
