"""SQS: the queue to which EventBridge pushes what may concern a rollout."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.aws.client.call import Caller

AT_ONCE = 10  # SQS, ReceiveMessage: MaxNumberOfMessages
LONG_POLL_SECONDS = 20  # the longest there is: fewest calls, and a message is handed over as it comes


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message that was received and not yet deleted."""

    body: str
    receipt: str


async def receive(call: Caller, queue: str) -> tuple[Message, ...]:
    """The next messages, waited for if there are none. Raises Outside."""
    answer = await call.read(
        "sqs",
        "ReceiveMessage",
        {"QueueUrl": queue, "MaxNumberOfMessages": AT_ONCE, "WaitTimeSeconds": LONG_POLL_SECONDS},
    )
    return tuple(
        Message(body=one.get("Body", ""), receipt=one["ReceiptHandle"]) for one in answer.get("Messages", ())
    )


async def delete(call: Caller, queue: str, messages: Sequence[Message]) -> None:
    """Delete messages that were dealt with; one that stays comes again, which harms nobody. Raises Outside."""
    entries = [{"Id": str(at), "ReceiptHandle": one.receipt} for at, one in enumerate(messages)]
    await call.write("sqs", "DeleteMessageBatch", {"QueueUrl": queue, "Entries": entries})
