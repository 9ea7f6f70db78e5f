"""A rehearsal whose World pushes its events into a queue, which wake-ups read beside the worker."""

import asyncio
import json
from types import TracebackType
from typing import Any

from orchestrator.aws.client.call import Caller, Patience
from orchestrator.aws.events.wakeups import Wakeups
from orchestrator.engine.worker import Worker
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from sandbox.world.world import World
from tests.support.direct_transport import DirectTransport
from tests.support.rehearsal import Rehearsal

PATTERN = {
    "source": ["aws.ecs", "aws.cloudwatch"],
    "detail-type": [
        "ECS Task State Change",
        "ECS Deployment State Change",
        "ECS Service Action",
        "CloudWatch Alarm State Change",
    ],
}


def furnish_queue(world: World, name: str = "teal-events") -> str:
    """A queue, and a rule whose events EventBridge may put into it; returns the queue's URL."""
    rule = world.call("events", "PutRule", {"Name": name, "EventPattern": json.dumps(PATTERN)})["RuleArn"]
    policy = {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": "*",
                "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
            }
        ]
    }
    attributes = {"VisibilityTimeout": "60", "Policy": json.dumps(policy)}
    url: str = world.call("sqs", "CreateQueue", {"QueueName": name, "Attributes": attributes})["QueueUrl"]
    asked = {"QueueUrl": url, "AttributeNames": ["QueueArn"]}
    arn = world.call("sqs", "GetQueueAttributes", asked)["Attributes"]["QueueArn"]
    world.call("events", "PutTargets", {"Rule": name, "Targets": [{"Id": "queue", "Arn": arn}]})
    return url


class PushedWorking:
    """A worker, and wake-ups that hint it, within a block."""

    def __init__(self, worker: Worker, wakeups: Wakeups | None) -> None:
        self._worker, self._wakeups, self._stop = worker, wakeups, asyncio.Event()

    async def __aenter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._worker.run(self._stop))]
        if self._wakeups is not None:
            self._tasks.append(loop.create_task(self._wakeups.run(self._stop)))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._worker.hint()
        for task in self._tasks:
            await task


class Pushed(Rehearsal):
    """As Rehearsal; `is_heard` False: the events are in the queue, and nobody reads them."""

    def __init__(self, *, is_heard: bool = True, **given: Any) -> None:  # noqa: ANN401 - as Rehearsal's
        super().__init__(**given)
        self.queue = furnish_queue(self.world)
        self.is_heard = is_heard

    def wakeups(self, worker: Worker) -> Wakeups:
        """Wake-ups over the World's own queue."""
        transport = DirectTransport(self.world.call, refusal=AwsRefusal, lost=CallLost)
        caller = Caller(transport, patience=Patience.once())
        return Wakeups(caller, self.queue, store=self.store, clock=self.clock, hint=worker.hint)

    def _worker(self) -> Any:  # noqa: ANN401 - a context of the same shape
        worker = self._new_worker()
        return PushedWorking(worker, self.wakeups(worker) if self.is_heard else None)
