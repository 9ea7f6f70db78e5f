"""What else befalls a rollout, drawn from its seed: what the oracles need to happen often enough to be of use.

Each is bound to a moment of the rollout itself (green's first traffic, blue's first task on the revision), since a time
on the clock hardly ever meets one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Literal

from sandbox.world.kernel.errors import Json
from sandbox.world.kernel.faults import Fault
from sandbox.world.world import World

What = Literal[
    "nothing",
    "a late creation",
    "an alarm fires",
    "blue fails at home",
    "blue is short",
    "green is not well",
    "a few errors",
]
WHATS: dict[What, int] = {
    "nothing": 30,
    "a late creation": 6,
    "an alarm fires": 12,
    "blue fails at home": 16,
    "blue is short": 14,
    "green is not well": 14,
    "a few errors": 14,
}
BALANCER_ALARM = "prod-lb-5xx"
SECOND = timedelta(seconds=1)
FEW = {"TEAL_DEMO_ERROR_RATE": "0.035"}  # more than the alarm allows, and nothing to the guard


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What befalls it, how long after the moment, and whether an operator ever comes."""

    is_attended: bool = True
    what: What = "nothing"
    after: float = 0.0
    taken_back_after: float | None = None  # seconds after blue was given the revision


NOTHING = Beside()


def beside_of(seed: int) -> Beside:
    """What befalls the rollout of a seed."""
    draw = Random(seed * 49979693 + 31)
    return Beside(
        is_attended=draw.random() < 0.7,
        what=draw.choices(list(WHATS), list(WHATS.values()))[0],
        after=draw.choice((0.0, 0.0, 3.0, 12.0)),
        taken_back_after=_taken_back(Random(seed * 49979693 + 43)),
    )


def _taken_back(draw: Random) -> float | None:
    return draw.choice((1.0, 8.0, 20.0, 45.0)) if draw.random() < 0.12 else None


def alarm_on_the_balancer(world: World, balancer: str) -> str:
    """An alarm that sees both colours, and fires only by hand; returns its name."""
    given: Json = {
        "AlarmName": BALANCER_ALARM,
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "HTTPCode_Target_5XX_Count",
        "Dimensions": [{"Name": "LoadBalancer", "Value": balancer.split(":loadbalancer/", 1)[1]}],
        "Statistic": "Sum",
        "Period": int(world.minute.total_seconds()),
        "EvaluationPeriods": 2,
        "Threshold": 1e9,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    world.call("cloudwatch", "PutMetricAlarm", given)
    return BALANCER_ALARM


class Fate:
    """Lets it happen, once its moment has come."""

    def __init__(self, world: World, beside: Beside, *, service: str, revision: str) -> None:
        self._world, self._beside = world, beside
        self._service, self._revision = service, revision
        self.green = ""  # its service, once there is one
        self.has_traffic = False  # green has some
        self.is_calm = False
        self._left = 45  # seconds that it lasts
        self._changed: set[str] = set()  # tasks; a change begins a task's health checks anew

    def begin(self) -> None:
        """Wait for the moment."""
        if self._beside.what not in ("nothing", "a few errors", "a late creation"):
            self._world.kernel.after(SECOND, self._wait)

    def _wait(self) -> None:
        if self._beside.what == "blue fails at home":
            self._left = 90
            self._go_on()
        elif self.is_calm:
            return
        elif self.has_traffic:
            self._left = 140 if self._beside.what == "blue is short" else self._left
            self._world.kernel.after(timedelta(seconds=self._beside.after), self._go_on)
        else:
            self._world.kernel.after(SECOND, self._wait)

    def _go_on(self) -> None:
        if self.is_calm and self._beside.what != "blue fails at home":
            return
        match self._beside.what:
            case "an alarm fires":
                self._each_second()
                given = {"AlarmName": BALANCER_ALARM, "StateValue": "ALARM", "StateReason": "by hand"}
                self._world._perform("cloudwatch", "SetAlarmState", given)
            case "blue is short":
                self._each_second()
                running = self._running(self._service, "")
                if self._left % 4 == 0 and running:
                    self._world.virtual_tasks.crash(running[0])
            case "green is not well":
                self._each_second()
                self._change(self._running(self.green, ""), never_healthy=True)
            case "blue fails at home":
                self._left -= bool(self._changed)
                self._change(self._running(self._service, self._revision), error_rate=0.5)
                if self._left > 0:
                    self._world.kernel.after(SECOND, self._go_on)
                else:
                    self._heal()
            case _:
                pass

    def _change(self, tasks: list[str], **conduct: object) -> None:
        for task in tasks:
            if task not in self._changed:
                self._changed.add(task)
                self._world.virtual_tasks.change(task, **conduct)

    def _heal(self) -> None:
        for task in self._running(self._service, self._revision):
            self._world.virtual_tasks.change(task, error_rate=0.0)

    def _each_second(self) -> None:
        self._left -= 1
        if self._left > 0:
            self._world.kernel.after(SECOND, self._go_on)

    def _running(self, service: str, revision: str) -> list[str]:
        known = next((s for s in self._world._containers.services.values() if s.name == service), None)
        if known is None or known.status == "INACTIVE":
            return []
        return [
            arn
            for arn, task in known.tasks.items()
            if task.last == "RUNNING" and (not revision or task.definition.arn == revision)
        ]


def with_few_errors(green: Mapping[str, str], beside: Beside) -> Mapping[str, str]:
    """What green's environment says, where it is to have a few errors and has no trouble of its own."""
    return FEW if beside.what == "a few errors" and not green else green


def late_creation(seed: int) -> tuple[Fault, float]:
    """A creation that is lost and carried out late, and when somebody takes the rollout back meanwhile."""
    draw = Random(seed * 49979693 + 37)
    operation = draw.choice(("CreateService", "CreateTargetGroup"))
    delay = timedelta(seconds=draw.uniform(12, 27))
    return Fault(operation=operation, nth=1, when="late", delay=delay), draw.uniform(1.5, 4.0)
