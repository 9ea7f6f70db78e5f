"""Wake-ups: events from a queue of the World have the rollouts they concern look at once, and nothing rests on them."""

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
import structlog.testing

from orchestrator.aws.client.call import Caller, Patience
from orchestrator.aws.events.wakeups import Wakeups, region_in
from orchestrator.core.domain.errors import Outside
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Limits, MetricsSpec
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from sandbox.world.kernel.settings import WorldSettings
from tests.support.direct_transport import DirectTransport
from tests.support.pushed import Pushed
from tests.support.rehearsal import quick_plan

SECOND = timedelta(seconds=1)


@pytest.fixture(params=["kind", "tricky"])
def stage(request: pytest.FixtureRequest) -> Iterator[Pushed]:
    """Events at once, each one time; and late, twice, in any order."""
    settings = WorldSettings.kind() if request.param == "kind" else WorldSettings()
    with Pushed(settings=settings) as pushed:
        yield pushed


def wakeups_of(stage: Pushed, queue: str = "") -> tuple[Wakeups, list[str]]:
    """Wake-ups, and what they hinted."""
    hints: list[str] = []
    transport = DirectTransport(stage.world.call, refusal=AwsRefusal, lost=CallLost)
    caller = Caller(transport, patience=Patience.once())
    made = Wakeups(
        caller,
        queue or stage.queue,
        store=stage.store,
        clock=stage.clock,
        hint=lambda: hints.append("now"),
    )
    return made, hints


def send(stage: Pushed, *bodies: str) -> None:
    for body in bodies:
        stage.world.call("sqs", "SendMessage", {"QueueUrl": stage.queue, "MessageBody": body})


def left(stage: Pushed) -> int:
    """Messages that are in the queue, seen or not."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    asked = {"QueueUrl": stage.queue, "AttributeNames": names}
    return sum(int(n) for n in stage.world.call("sqs", "GetQueueAttributes", asked)["Attributes"].values())


def drained(stage: Pushed, wakeups: Wakeups) -> None:
    while stage.run(wakeups.read()):
        pass


def stopped(stage: Pushed, service: str) -> str:
    """The event of a task of a service that stopped."""
    cluster = f"arn:aws:ecs:{stage.world.region}:{stage.world.account}:cluster/{stage.scenery.cluster}"
    detail = {"clusterArn": cluster, "group": f"service:{service}", "lastStatus": "STOPPED"}
    return json.dumps({"detail-type": "ECS Task State Change", "detail": detail})


def shifting(stage: Pushed) -> RolloutId:
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SHIFTING)
    drained(stage, wakeups_of(stage)[0])
    return rollout


def wake_at(stage: Pushed, rollout: RolloutId) -> datetime:
    found = stage.run(stage.store.load(rollout)).wake_at
    assert found is not None
    return found


def test_an_event_makes_the_rollout_it_concerns_due_at_once(stage: Pushed) -> None:
    rollout = shifting(stage)
    green = stage.row(rollout).green
    assert green is not None
    wakeups, hints = wakeups_of(stage)
    assert wake_at(stage, rollout) > stage.clock.now()
    send(stage, stopped(stage, green.name))
    assert stage.run(wakeups.read())
    assert wake_at(stage, rollout) <= stage.clock.now()
    assert hints == ["now"]
    assert left(stage) == 0


def test_events_that_concern_nobody_are_deleted_and_wake_nobody(stage: Pushed) -> None:
    rollout = shifting(stage)
    before = wake_at(stage, rollout)
    wakeups, hints = wakeups_of(stage)
    send(stage, stopped(stage, "another"), json.dumps({"detail-type": "Scheduled Event", "detail": {}}))
    drained(stage, wakeups)
    assert wake_at(stage, rollout) == before
    assert left(stage) == 0
    assert len(hints) <= 1


def test_what_is_no_event_is_logged_and_deleted_and_holds_nothing_up(stage: Pushed) -> None:
    rollout = shifting(stage)
    green = stage.row(rollout).green
    assert green is not None
    wakeups, _ = wakeups_of(stage)
    with structlog.testing.capture_logs() as logs:
        send(stage, "poison", "[]", stopped(stage, green.name))
        drained(stage, wakeups)
    assert wake_at(stage, rollout) <= stage.clock.now()
    assert left(stage) == 0
    assert all(entry["event"] == "event_unreadable" for entry in logs)


def test_a_burst_of_events_is_one_reason_to_look_a_second(stage: Pushed) -> None:
    rollout = shifting(stage)
    green = stage.row(rollout).green
    assert green is not None
    wakeups, hints = wakeups_of(stage)
    woken: list[datetime] = []
    wake = stage.store.wake

    async def noted(rollout: RolloutId, *, at: datetime) -> None:
        woken.append(at)
        await wake(rollout, at=at)

    stage.store.wake = noted  # type: ignore[method-assign] # the store's own, and told of
    send(stage, *[stopped(stage, green.name)] * 25)
    drained(stage, wakeups)
    assert len(hints) == 3, "ten messages are received at a time"
    assert [later - former for former, later in pairwise(woken)] == [SECOND, SECOND]


def test_messages_stay_in_the_queue_while_nobody_can_be_woken(stage: Pushed) -> None:
    rollout = shifting(stage)
    green = stage.row(rollout).green
    assert green is not None

    async def away(rollout: RolloutId, *, at: datetime) -> None:
        raise Outside(what="the store", why="it is away")

    wakeups, _ = wakeups_of(stage)
    stage.store.wake = away  # type: ignore[method-assign] # a store that is away
    send(stage, stopped(stage, green.name))
    with pytest.raises(Outside):
        stage.run(wakeups.read())
    assert left(stage) == 1


def test_a_queue_that_is_gone_is_told_once_and_asked_ever_less(stage: Pushed) -> None:
    wakeups, _ = wakeups_of(stage, stage.queue + "-gone")
    calls = len(stage.world.log)

    async def read_for(seconds: float) -> None:
        stop = asyncio.Event()
        reading = asyncio.get_running_loop().create_task(wakeups.run(stop))
        await asyncio.sleep(seconds)
        stop.set()
        await reading

    with structlog.testing.capture_logs() as logs:
        stage.run(read_for(120))
    assert len(stage.world.log) - calls < 12
    assert len([entry for entry in logs if entry["event"] == "events_unread"]) <= 1


def test_crashing_tasks_bring_all_traffic_back_sooner_where_events_arrive() -> None:
    took = {}
    for is_heard in (True, False):
        with Pushed(is_heard=is_heard, minute=timedelta(seconds=60)) as stage:
            took[is_heard] = _crash(stage)
    assert took[True] < took[False], took
    assert took[True] <= 2 * SECOND, took


def _crash(stage: Pushed) -> timedelta:
    """From the stop of green's last task in a watch that looks once a minute, to the decision to roll back."""
    metrics = MetricsSpec(period=60 * SECOND, lag=120 * SECOND)
    spec = stage.spec(stage.revision(), plan=quick_plan(watch=3600), metrics=metrics, limits=Limits())
    rollout = stage.start(spec)
    assert stage.until(rollout, Phase.WATCHING).phase is Phase.WATCHING, stage.story(rollout)
    stage.let_run(5 * SECOND)
    cluster, green = stage.scenery.cluster, stage.row(rollout).green
    assert green is not None
    asked = {"cluster": cluster, "serviceName": green.name}
    at = stage.clock.now()
    for task in stage.world.call("ecs", "ListTasks", asked)["taskArns"]:
        stage.world.virtual_tasks.crash(task)
    row = stage.until(rollout, Phase.ROLLING_BACK)
    assert row.end is not None, stage.story(rollout)
    return row.end.at - at


def test_whoever_loses_every_event_loses_time_only(stage: Pushed) -> None:
    """Nobody reads the queue, and rollouts end as they would: the bad one back, the good one settled."""
    stage.is_heard = False
    crashing = stage.start(stage.spec(stage.revision({"TEAL_DEMO_CRASH_AFTER": "20"})))
    assert stage.until(crashing).phase is Phase.ROLLED_BACK, stage.story(crashing)
    spec = stage.spec(stage.revision())
    good = stage.start(spec, key="good")
    assert stage.until(good).phase is Phase.SUCCEEDED, stage.story(good)


def test_rollouts_end_the_same_where_events_come_late_twice_and_in_any_order(stage: Pushed) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    totals = stage.traffic.totals
    assert (totals.rejected, totals.errors.total()) == (0, 0)
    assert stage.events(rollout, EventKind.PAGED) == ()


@pytest.mark.parametrize(
    ("queue", "region"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/teal-events", "eu-west-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/teal-events", "cn-north-1"),
        ("https://eu-west-1.queue.amazonaws.com/123456789012/teal-events", "eu-west-1"),
        ("http://127.0.0.1:4566/123456789012/teal-events", ""),
    ],
)
def test_a_queue_is_asked_in_its_own_region(queue: str, region: str) -> None:
    assert region_in(queue) == region
