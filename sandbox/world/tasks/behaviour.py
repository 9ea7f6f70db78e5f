"""How tasks without processes behave: by the environment of their container, as the demo application does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sandbox.ports import TaskSpec

LEAK_SLOWS = timedelta(milliseconds=20)  # each second of a leak makes every answer this much slower
LEAK_KILLS = timedelta(seconds=60)  # from the begin of a leak until the task is killed for its memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """What one task does."""

    start: timedelta  # until its process runs
    start_failure: str = ""  # the reason it never does, or empty
    error_rate: float = 0.0
    error_status: int = 500
    unanswered_rate: float = 0.0
    shared_error_rate: float = 0.0  # what it makes every task fail by exhausting what all of them share
    shared_above: float = 0.0  # the share of the requests above which it does
    leaks_after: timedelta | None = None  # from running: then it answers ever slower, until it dies of it
    latency: timedelta = timedelta(milliseconds=5)
    passes_after: timedelta = timedelta(0)  # from running until its health check passes
    never_healthy: bool = False
    flaps_after: timedelta | None = None  # from running: its health check fails from then on
    hangs: bool = False  # takes requests and answers none, but its health check
    crashes_after: timedelta | None = None  # from running
    stops_in: timedelta = timedelta(seconds=1)


@dataclass(slots=True, kw_only=True)
class Behaviour:
    """The settings of all virtual tasks; what a container's environment says comes on top.

    TEAL_DEMO_ERROR_RATE (0 to 1), TEAL_DEMO_LATENCY (milliseconds added), TEAL_DEMO_SLOW_START (seconds until the
    health check passes), TEAL_DEMO_CRASH_AFTER (seconds; 0 at once), TEAL_DEMO_UNHEALTHY (1: never passes),
    TEAL_DEMO_FLAP (seconds; the health check passes until some moment between so many and twice as many,
    and fails from then on, so that ECS replaces the task),
    TEAL_DEMO_HANG (1: answers nothing but its health check), TEAL_DEMO_ERROR_STATUS (of those errors, 500),
    TEAL_DEMO_UNANSWERED (share of requests it never answers), TEAL_DEMO_ERROR_SHARED (share of requests that every
    task fails while this one serves: it exhausts what they share), TEAL_DEMO_SHARED_ABOVE (only while its target
    group has more than this share of the weight, 0), TEAL_DEMO_LEAK_AFTER (seconds; then every second makes its
    answers 20 ms slower, and after a minute it dies of it).
    """

    start: timedelta = timedelta(seconds=20)
    start_spread: timedelta = timedelta(seconds=10)
    latency: timedelta = timedelta(milliseconds=5)
    stops_in: timedelta = timedelta(seconds=1)
    requests_per_task: float = 0.0
    """Requests a second that take a task's whole CPU; 0: they take none of it."""
    unhealthy_reason: str = "Target.ResponseCodeMismatch"
    """Why a health check fails that does, in the load balancer's words."""
    start_failures: dict[str, str] = field(default_factory=dict)
    """``family:revision`` -> why its tasks cannot start, for instance ``CannotPullContainerError: …``."""

    def conduct(self, spec: TaskSpec, spread: float) -> Conduct:
        """What the task of `spec` does; `spread` in [0, 1) places its start within the spread."""
        environment = spec.environment
        flaps = _seconds(environment, "TEAL_DEMO_FLAP")
        return Conduct(
            start=self.start + self.start_spread * spread,
            start_failure=self.start_failures.get(spec.task_definition, ""),
            error_rate=_number(environment, "TEAL_DEMO_ERROR_RATE"),
            error_status=int(_number(environment, "TEAL_DEMO_ERROR_STATUS") or 500),
            unanswered_rate=_number(environment, "TEAL_DEMO_UNANSWERED"),
            shared_error_rate=_number(environment, "TEAL_DEMO_ERROR_SHARED"),
            shared_above=_number(environment, "TEAL_DEMO_SHARED_ABOVE"),
            leaks_after=_seconds(environment, "TEAL_DEMO_LEAK_AFTER"),
            latency=self.latency + timedelta(milliseconds=_number(environment, "TEAL_DEMO_LATENCY")),
            passes_after=timedelta(seconds=_number(environment, "TEAL_DEMO_SLOW_START")),
            never_healthy=_is_on(environment, "TEAL_DEMO_UNHEALTHY"),
            flaps_after=None if flaps is None else flaps * (1 + spread),
            hangs=_is_on(environment, "TEAL_DEMO_HANG"),
            crashes_after=_seconds(environment, "TEAL_DEMO_CRASH_AFTER"),
            stops_in=self.stops_in,
        )


def _is_on(environment: Mapping[str, str], name: str) -> bool:
    return environment.get(name, "").lower() in ("1", "true", "yes")


def _seconds(environment: Mapping[str, str], name: str) -> timedelta | None:
    text = environment.get(name, "")
    return timedelta(seconds=float(text)) if text else None


def _number(environment: Mapping[str, str], name: str) -> float:
    return float(environment.get(name) or 0)
