"""From an event's arrival to the write of 100 % blue: what pushed events save over looks alone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from statistics import median
from typing import Any

from orchestrator.aws.client.call import Caller, Patience
from orchestrator.aws.events.wakeups import Wakeups
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL, Plan, Step
from orchestrator.core.gates.alarms import AlarmSpec, AlarmsSpec
from orchestrator.core.gates.guard import GuardSpec
from orchestrator.engine.worker import Worker
from tests.bench.account import LONGEST, Account, Distant
from tests.bench.bad import ALARM, FAILING, make_alarm
from tests.bench.lines import line, ratio
from tests.support.pushed import PushedWorking, furnish_queue

SEEDS = range(6)
WATCH = timedelta(hours=2)


class Hearing(Account):
    """An account whose events go into a queue; `is_heard` False: nobody reads it."""

    def __init__(self, seed: int, *, is_heard: bool) -> None:
        super().__init__(seed)
        self._queue, self._is_heard = furnish_queue(self.world), is_heard

    def _worker(self) -> Any:  # noqa: ANN401 - a context of the same shape
        worker = self._new_worker()
        return PushedWorking(worker, self._wakeups(worker) if self._is_heard else None)

    def _wakeups(self, worker: Worker) -> Wakeups:
        caller = Caller(Distant(self.world, Random(1)), patience=Patience.once())
        return Wakeups(caller, self._queue, store=self.store, clock=self.clock, hint=worker.hint)


def measure() -> Iterator[str]:
    """Green's tasks exit during the watch; and an alarm of the team's fires."""
    exits = {heard: [_exits(seed, is_heard=heard) for seed in SEEDS] for heard in (True, False)}
    alarms = {heard: [_alarm(seed, is_heard=heard) for seed in SEEDS] for heard in (True, False)}
    for name, took in (("task_exit", exits), ("alarm_event", alarms)):
        yield line(f"{name}_to_blue_written_seconds_median", median(took[True]), digits=2)
        yield line(f"{name}_to_blue_written_seconds_max", max(took[True]), digits=2)
        yield line(f"baseline_{name}_without_queue_seconds_median", median(took[False]), digits=2)
        yield ratio(f"{name}_to_blue_written", median(took[True]), median(took[False]), to="without_queue")


def _exits(seed: int, *, is_heard: bool) -> float:
    """Seconds from the exit of the last of green's tasks, all at once in a watch, to the write of 100 % blue."""
    with Hearing(seed, is_heard=is_heard) as account:
        plan = Plan(name="instant", steps=(Step(weight=ALL, bake=WATCH),))
        spec = replace(account.canary(account.revision()), plan=plan)
        rollout = account.start(spec)
        assert account.until(rollout, Phase.WATCHING, within=LONGEST).phase is Phase.WATCHING
        account.let_run(timedelta(seconds=Random(seed).uniform(100, 200)))
        green = account.row(rollout).green
        assert green is not None
        asked = {"cluster": account.scenery.cluster, "serviceName": green.name}
        at = account.clock.now()
        for task in account.world.call("ecs", "ListTasks", asked)["taskArns"]:
            account.world.virtual_tasks.crash(task)
        return _written(account, rollout, at)


def _alarm(seed: int, *, is_heard: bool) -> float:
    """Seconds from CloudWatch's turning of the alarm to the write of 100 % blue."""
    with Hearing(seed, is_heard=is_heard) as account:
        make_alarm(account)
        gates = {"guard": GuardSpec(on=False), "alarms": AlarmsSpec(alarms=(AlarmSpec(name=ALARM),))}
        rollout = account.start(account.canary(account.revision(FAILING), **gates))
        account.until(rollout, Phase.ROLLING_BACK, within=LONGEST)
        (alarm,) = account.world.call("cloudwatch", "DescribeAlarms", {"AlarmNames": [ALARM]})["MetricAlarms"]
        return _written(account, rollout, alarm["StateTransitionedTimestamp"])


def _written(account: Account, rollout: RolloutId, since: datetime) -> float:
    row = account.until(rollout, within=LONGEST)
    assert row.phase is Phase.ROLLED_BACK, account.story(rollout)
    decided = account.events(rollout, EventKind.ROLLBACK_DECIDED)[0].event.at
    writes = [call.at for call in account.world.log if call.operation == "ModifyRule" and call.at >= decided]
    return (min(writes) - since).total_seconds()
