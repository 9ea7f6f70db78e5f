"""What the World and its hands promise each other.

The World (``sandbox.world``) decides what AWS would do: it knows services, deployments, rules and
targets, but moves no byte. Its *hands* carry the work out: in tests and simulations they are timers on the
World's own clock, in the sandbox they are processes, sockets and health checks (``sandbox.plane``).
Neither knows more of the other than this file. All calls are synchronous, made on one thread, and cheap; hands
that need to wait do so elsewhere and report back later.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSpec:
    """One ECS task that should run, as far as its runner must know it."""

    arn: str
    service: str
    task_definition: str  # family:revision
    container: str  # the container that answers requests; empty when no load balancer uses the service
    container_port: int
    environment: Mapping[str, str]
    command: tuple[str, ...]
    stop_timeout: timedelta  # between SIGTERM and SIGKILL


class TaskRunner(Protocol):
    """Starts and stops tasks; reports their fate to ``TaskReports``."""

    def start(self, spec: TaskSpec) -> None:
        """Begin to start a task; ``task_running`` or ``task_stopped`` is reported later, once each at most."""
        ...

    def stop(self, arn: str) -> None:
        """Begin to stop a task (SIGTERM, then SIGKILL); ``task_stopped`` is reported later. Unknown: nothing."""
        ...


class TaskReports(Protocol):
    """What the World hears of its tasks."""

    def task_running(self, arn: str, *, host: str, port: int) -> None:
        """The task's process runs; its container is reachable at host and port (not yet known to be healthy)."""
        ...

    def task_stopped(self, arn: str, *, exit_code: int | None, reason: str) -> None:
        """The task's process has ended, by itself or because it was told to."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetView:
    """One registered target. State is AWS's: initial, healthy, unhealthy, draining, unused, unavailable."""

    host: str
    port: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """A target group as a proxy and a health checker need it."""

    arn: str
    load_balancer: str  # ARN; empty while no rule in force uses the group
    targets: tuple[TargetView, ...]
    check_path: str
    check_interval: timedelta
    check_timeout: timedelta
    check_codes: frozenset[int]
    algorithm: str  # round_robin | least_outstanding_requests
    function: str = ""  # the ARN of the Lambda function that answers for it: it has no targets to connect to


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardView:
    """Where a rule sends requests: groups with their relative weights, as they are in force right now."""

    weights: tuple[tuple[str, int], ...]  # (target group ARN, 0–999)
    pins_for: timedelta = timedelta(
        0
    )  # group stickiness: how long a cookie keeps its user on a group; 0: off


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedView:
    """A fixed response."""

    status: int
    content_type: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectView:
    """A redirect; members hold AWS's placeholders such as ``#{path}`` as they were written."""

    status: int
    protocol: str
    host: str
    port: str
    path: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionView:
    """One condition of a rule: its AWS field (``path-pattern``, ``host-header``, ``http-header``, …) and values."""

    field: str
    values: tuple[str, ...]
    name: str = ""  # the header's name, for http-header
    is_regex: bool = False  # the values are regular expressions, found anywhere unless they are anchored


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInView:
    """What is asked of a user before a rule's action: a session, of which a cookie with this name is the sign."""

    cookie: str
    location: str  # where one without it is sent to sign in
    otherwise: str  # what becomes of a request without it: authenticate | deny | allow


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """One rule in force: all its conditions must match; the default rule has none and comes last."""

    arn: str
    conditions: tuple[ConditionView, ...]
    action: ForwardView | FixedView | RedirectView
    sign_in: SignInView | None = None  # before the action


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerView:
    """A listener with its rules in the order of their priority."""

    arn: str
    load_balancer: str
    port: int
    rules: tuple[RuleView, ...]


class Traffic(Protocol):
    """What the World tells a data plane, and hears from it. ``route_version`` changes whenever a view may have."""

    @property
    def route_version(self) -> int:
        """Grows with every change of a listener, rule in force, group or target: views may be cached by it."""
        ...

    def listeners(self) -> tuple[ListenerView, ...]:
        """Every listener, with rules as they are in force (a written weight takes effect after its propagation)."""
        ...

    def group(self, arn: str) -> GroupView:
        """One target group. Raises KeyError for an unknown ARN."""
        ...

    def groups(self) -> tuple[GroupView, ...]:
        """Every target group."""
        ...

    def check_result(self, group: str, host: str, port: int, *, passed: bool, reason: str) -> None:
        """One health check was made. `reason` is AWS's: Target.Timeout, Target.ResponseCodeMismatch, …"""
        ...

    def count_routed(self, *, load_balancer: str, group: str) -> None:
        """A request was sent to a target; its answer, or that it got none, is counted when that is known."""
        ...

    def count_answer(self, *, load_balancer: str, group: str, status: int, seconds: float) -> None:
        """A target answered a request (status as the target gave it; seconds as TargetResponseTime)."""
        ...

    def count_connection_error(self, *, load_balancer: str, group: str) -> None:
        """A connection to a target could not be made (one request may cause several)."""
        ...

    def count_unanswered(self, *, load_balancer: str, group: str, status: int) -> None:
        """A target was chosen but gave no whole answer; the load balancer answered 502 or 504 itself."""
        ...

    def count_rejected(self, *, load_balancer: str, status: int) -> None:
        """The load balancer answered itself, no target was chosen; counts for the load balancer alone."""
        ...
