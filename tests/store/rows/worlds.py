"""The Worlds of the golden rows: each is built anew by whoever reads a row later, so it must stay as it is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from orchestrator.core.cloud.probes_and_webhooks import (
    HookAccepted,
    HookNeed,
    HookSeen,
    HookTrouble,
    HookVerdict,
)
from orchestrator.core.domain.verdict import Verdict
from tests.cases.looks import tasks_of
from tests.cases.rule_stage import make_sessions_sticky, make_sticky
from tests.cases.scaling_stage import scaled
from tests.cases.swap_stage import BREAKER
from tests.engine.test_alarms import composite_alarm, share_alarm
from tests.store.rows.stage import Recorded
from tests.support.rehearsal import MINUTE
from tests.support.virtual_probe import VirtualProber


def quiet() -> Recorded:
    return Recorded(requests_per_second=10)


def with_alarms() -> Recorded:
    stage = Recorded(requests_per_second=20)
    share_alarm(stage, "share")
    share_alarm(stage, "other")
    composite_alarm(stage, "all", 'ALARM("share") AND NOT ALARM("other")')
    stage.world.call("cloudwatch", "DisableAlarmActions", {"AlarmNames": ["all"]})
    stage.world.advance(3 * MINUTE)
    return stage


def busy(rate: float = 200, minutes: int = 6, **given: Any) -> Recorded:  # noqa: ANN401 - as Recorded's
    """A service with enough requests to compare by, and a past."""
    stage = Recorded(requests_per_second=rate, **given)
    stage.let_run(minutes * MINUTE)
    return stage


def unscaled() -> Recorded:
    return Recorded(requests_per_second=10, scalable=False, deployment=BREAKER)


def scaling(*kinds: str, desired: int = 3, **given: Any) -> Recorded:  # noqa: ANN401 - as Recorded's
    stage = Recorded(desired=desired, **given)
    scaled(stage, *kinds, target=5000)
    return stage


def tried_out() -> Recorded:
    """A service with a test listener, whose team has a system that checks before traffic."""
    stage = Recorded(requests_per_second=10, test_port=8081)
    stage.outward = Checked(stage.world)
    return stage


def unreachable() -> Recorded:
    """A test listener that nobody comes to for the first minute."""
    stage = tried_out()
    assert isinstance(stage.outward, Checked)
    stage.outward.is_reachable = False
    stage.later(60, lambda: setattr(stage.outward, "is_reachable", True))
    return stage


class Checked(VirtualProber):
    """Probes as ever, and webhooks that are at work for a while and then say pass."""

    def __init__(self, world: Any) -> None:  # noqa: ANN401 - a World
        super().__init__(world)
        self._since = world.now

    async def ask(self, need: HookNeed) -> HookSeen | None:
        if need.check:
            return HookVerdict(verdict=Verdict.PASS, reason="42 checks ran")
        if self._world.now - self._since < timedelta(seconds=35):
            return HookTrouble(why="it answered 503")
        return HookAccepted(check="https://smoke.example/runs/7")


def pinned() -> Recorded:
    """A service whose target group keeps its users by a cookie."""
    stage = Recorded(requests_per_second=60)
    make_sessions_sticky(stage)
    stage.let_run(MINUTE)
    return stage


def sticky_rule() -> Recorded:
    stage = Recorded(requests_per_second=60)
    make_sticky(stage, life=300)
    stage.let_run(MINUTE)
    return stage


def failing_from(seconds: float, *, until: float) -> Callable[[], Recorded]:
    """A service, every task of which fails half its requests for a while."""

    def build() -> Recorded:
        stage = busy()

        def make(rate: float) -> None:
            for service in stage.world.call("ecs", "ListServices", {"cluster": "prod"})["serviceArns"]:
                for task in tasks_of(stage, service.rpartition("/")[2]):
                    stage.world.virtual_tasks.change(task, error_rate=rate)

        for moment in range(int(seconds), int(until), 2):  # tasks that start meanwhile fail as well
            stage.later(moment, lambda: make(0.5))
        stage.later(until, lambda: make(0))
        return stage

    return build


def unseen_from(seconds: float, *, until: float) -> Callable[[], Recorded]:
    """CloudWatch answers nobody for a while."""

    def build() -> Recorded:
        stage = Recorded()
        end = stage.world.now + timedelta(seconds=until)
        stage.later(seconds, lambda: stage.world.faults.outage(("cloudwatch",), until=end))
        return stage

    return build


def unstartable_from(seconds: float, *, until: float) -> Callable[[], Recorded]:
    """For a while no task of the second revision can start."""

    def build() -> Recorded:
        stage = unscaled()
        failures = stage.world.behaviour.start_failures
        why = {"checkout:2": "CannotPullContainerError: pull image manifest has been retried 7 time(s)"}
        stage.later(seconds, lambda: failures.update(why))
        stage.later(until, failures.clear)
        return stage

    return build
