"""The sandbox's own paths beside AWS's: misfortune on request, and a look at what is going on.

``POST /_sandbox/faults`` takes one JSON object; every fault lasts until it is ended, or for ``seconds`` if given.
The same object with ``"end": true`` ends it; ``{"fault": "all", "end": true}`` ends everything.

==============  ====================================================================================
fault           what happens
==============  ====================================================================================
``errors``      tasks answer the share ``rate`` (0 to 1) of requests with 500
``unanswered``  tasks take the share ``rate`` of requests and never answer
``dependency``  something that all tasks depend on fails: each of them, of both colours, answers the share
                ``rate`` (default 1) of requests with 500
``latency``     tasks take ``ms`` milliseconds longer for every answer
``crash``       tasks exit with 1, ``after`` seconds (default 0) from their start: those that run, and new ones
``slow_start``  new tasks fail their health check for ``for`` seconds from their start
``unhealthy``   tasks fail their health check
``metrics``     GetMetricData answers ``partial`` (PartialData) or ``failed`` (InternalError), as ``answer`` says
``no_capacity`` no further task can be placed
``throttling``  every AWS call is throttled
``outage``      every AWS call fails with 503, or those of ``services`` (botocore's names) only
==============  ====================================================================================

The task faults but ``dependency`` hit the tasks of one ``service`` (by name) or one ``revision`` (family:revision),
or all tasks.
``GET /_sandbox/faults`` lists what is in force; ``GET /_sandbox/state`` shows listeners, groups and tasks.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from sandbox.plane.tasks.supervisor import Misbehaviour, Supervisor
from sandbox.ports import FixedView, ForwardView, RuleView, Traffic

# fault → (setting of the demo application, member that gives its value, default)
TASK_FAULTS: Mapping[str, tuple[str, str, float | None]] = {
    "errors": ("TEAL_DEMO_ERROR_RATE", "rate", None),
    "unanswered": ("TEAL_DEMO_UNANSWERED", "rate", None),
    "dependency": ("TEAL_DEMO_DEPENDENCY", "rate", 1.0),
    "latency": ("TEAL_DEMO_LATENCY", "ms", None),
    "crash": ("TEAL_DEMO_CRASH_AFTER", "after", 0.0),
    "slow_start": ("TEAL_DEMO_SLOW_START", "for", None),
    "unhealthy": ("TEAL_DEMO_UNHEALTHY", "", 1.0),
}
WORLD_FAULTS = frozenset(("no_capacity", "throttling", "outage", "metrics"))
MetricTrouble = Literal["partial", "failed"]


class Misfortune(Protocol):
    """What the World can suffer."""

    def no_capacity(self, *, on: bool) -> None:
        """No further task can be placed."""
        ...

    def metrics(self, trouble: MetricTrouble | None) -> None:
        """What reads of metrics answer from now on; None: as they should."""
        ...

    def api(self, *, throttling: bool, outage: tuple[str, ...] | Literal["all"] | None) -> None:
        """What AWS's API suffers from now on, in place of what it suffered: nothing with False and None."""
        ...


class BadFault(ValueError):
    """A fault that was asked for wrongly; its text says what to write instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRequest:
    """One fault, as it was asked for and checked."""

    fault: str
    service: str = ""
    revision: str = ""
    value: float = 0.0
    services: tuple[str, ...] = ()
    answer: MetricTrouble | None = None
    seconds: float | None = None
    end: bool = False

    @property
    def name(self) -> str:
        """The same for a fault and its end."""
        return ":".join(part for part in (self.fault, self.service, self.revision) if part)

    @classmethod
    def of(cls, body: bytes) -> "FaultRequest":
        """Read a request's body. Raises BadFault."""
        try:
            asked = json.loads(body)
        except ValueError:
            raise BadFault("the body is no JSON") from None
        if not isinstance(asked, dict):
            raise BadFault(
                'write an object, such as {"fault": "errors", "revision": "checkout:2", "rate": 0.2}'
            )
        fault = asked.pop("fault", None)
        end = asked.pop("end", False) is True
        known = sorted({*TASK_FAULTS, *WORLD_FAULTS, "all"})
        if fault not in known or (fault == "all" and not end):
            raise BadFault(f"`fault` is one of {', '.join(known)} (`all` only to end)")
        request = cls(
            fault=fault,
            end=end,
            seconds=_number(asked, "seconds", least=0.1) if "seconds" in asked else None,
            **_aim(fault, asked),
            value=0.0 if end else _value(fault, asked),
            services=_services(asked) if fault == "outage" else (),
            answer=_answer(asked) if fault == "metrics" and not end else None,
        )
        value_member = TASK_FAULTS[fault][1] if fault in TASK_FAULTS else ""
        unknown = asked.keys() - ({value_member} if end else set())
        if unknown:
            raise BadFault(f"`{fault}` knows no {', '.join(sorted(f'`{name}`' for name in unknown))}")
        return request


def _aim(fault: str, asked: dict[str, object]) -> dict[str, str]:
    if fault not in TASK_FAULTS or fault == "dependency":
        return {}
    aim = {name: asked.pop(name, "") for name in ("service", "revision")}
    if not all(isinstance(text, str) for text in aim.values()):
        raise BadFault("`service` is a name and `revision` is family:revision")
    return {name: str(text) for name, text in aim.items()}


def _value(fault: str, asked: dict[str, object]) -> float:
    if fault not in TASK_FAULTS:
        return 0.0
    _, member, default = TASK_FAULTS[fault]
    if member and (default is None or member in asked):
        return _number(asked, member, most=1.0 if member == "rate" else 3_600_000.0)
    return default or 0.0


def _services(asked: dict[str, object]) -> tuple[str, ...]:
    services = asked.pop("services", [])
    if not isinstance(services, list) or not all(isinstance(name, str) for name in services):
        raise BadFault('`services` is a list of names, such as ["ecs", "elbv2"]')
    return tuple(services)


def _answer(asked: dict[str, object]) -> MetricTrouble:
    match asked.pop("answer", None):
        case "partial":
            return "partial"
        case "failed":
            return "failed"
    raise BadFault("`answer` is partial or failed")


def _number(asked: dict[str, object], member: str, *, least: float = 0.0, most: float = 3_600_000.0) -> float:
    value = asked.pop(member, None)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise BadFault(f"`{member}` is a number from {least:g} to {most:g}")
    return float(value)


class Control:
    """Answers the sandbox's own paths."""

    def __init__(self, traffic: Traffic, tasks: Supervisor, misfortune: Misfortune) -> None:
        self._traffic = traffic
        self._tasks = tasks
        self._misfortune = misfortune
        self._in_force: dict[str, FaultRequest] = {}
        self._ends: dict[str, asyncio.TimerHandle] = {}
        self.notes: Callable[[], dict[str, object]] = dict
        """More to show in the state."""

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, object]]:
        """(status, JSON object) for a request."""
        match method, path.partition("?")[0]:
            case "POST", "/_sandbox/faults":
                try:
                    self.grant(FaultRequest.of(body))
                except BadFault as wrong:
                    return 400, {"error": str(wrong)}
                return 200, {"faults": sorted(self._in_force)}
            case "GET", "/_sandbox/faults":
                return 200, {"faults": sorted(self._in_force)}
            case "GET", "/_sandbox/state":
                return 200, self.state()
            case _:
                return 404, {"error": "there is POST or GET /_sandbox/faults, and GET /_sandbox/state"}

    def grant(self, request: FaultRequest) -> None:
        """Put a fault in force, or end it; ending what is not in force changes nothing."""
        names = tuple(self._in_force) if request.fault == "all" else (request.name,)
        for name in names:
            if (timer := self._ends.pop(name, None)) is not None:
                timer.cancel()
            self._in_force.pop(name, None)
            self._tasks.misbehave(name, None)
        if not request.end:
            self._in_force[request.name] = request
            if request.seconds is not None:
                self._end_later(request, request.seconds)
            if request.fault in TASK_FAULTS:
                self._tasks.misbehave(request.name, _misbehaviour(request))
        self._misfortune.no_capacity(on="no_capacity" in self._in_force)
        metrics = self._in_force.get("metrics")
        self._misfortune.metrics(metrics.answer if metrics else None)
        outage = self._in_force.get("outage")
        self._misfortune.api(
            throttling="throttling" in self._in_force,
            outage=None if outage is None else outage.services or "all",
        )

    def _end_later(self, request: FaultRequest, seconds: float) -> None:
        end = FaultRequest(fault=request.fault, service=request.service, revision=request.revision, end=True)
        self._ends[request.name] = asyncio.get_running_loop().call_later(seconds, self.grant, end)

    def close(self) -> None:
        """End no fault later: the sandbox is closing."""
        for timer in self._ends.values():
            timer.cancel()

    def state(self) -> dict[str, object]:
        """What people want to see."""
        return {
            "listeners": [
                {
                    "arn": view.arn,
                    "url": f"http://127.0.0.1:{view.port}",
                    "rules": [_rule(r) for r in view.rules],
                }
                for view in self._traffic.listeners()
            ],
            "target_groups": [
                {
                    "arn": view.arn,
                    "targets": {f"{target.host}:{target.port}": target.state for target in view.targets},
                }
                for view in self._traffic.groups()
            ],
            "tasks": [
                {"arn": spec.arn, "service": spec.service, "revision": spec.task_definition}
                for spec in self._tasks.running()
            ],
            "faults": sorted(self._in_force),
            **self.notes(),
        }


def _misbehaviour(request: FaultRequest) -> Misbehaviour:
    return Misbehaviour(
        service=request.service,
        revision=request.revision,
        environment={TASK_FAULTS[request.fault][0]: f"{request.value:g}"},
    )


def _rule(rule: RuleView) -> dict[str, object]:
    conditions = [f"{c.field} {c.name} {' | '.join(c.values)}".replace("  ", " ") for c in rule.conditions]
    action: object
    if isinstance(rule.action, ForwardView):
        action = dict(rule.action.weights)
    else:
        action = (
            f"{'fixed response' if isinstance(rule.action, FixedView) else 'redirect'} {rule.action.status}"
        )
    return {"arn": rule.arn, "conditions": conditions, "in_force": action}
