"""A World reduced to what the data plane sees of it: views set by hand, reports and counts kept."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from sandbox.ports import (
    ConditionView,
    FixedView,
    ForwardView,
    GroupView,
    ListenerView,
    RedirectView,
    RuleView,
    TargetView,
    TaskSpec,
)

LB = "arn:lb"
Answer = TypeVar("Answer")


def run(work: Coroutine[Any, Any, Answer], limit_seconds: float = 120.0) -> Answer:
    """Run a coroutine on a loop of its own; a test that hangs fails instead."""

    async def bounded() -> Answer:
        async with asyncio.timeout(limit_seconds):
            return await work

    return asyncio.run(bounded())


async def until(claim: Callable[[], object], limit_seconds: float = 60.0) -> None:
    """Let the loop go on until the claim holds; TimeoutError if it never does."""
    async with asyncio.timeout(limit_seconds):
        while not claim():  # noqa: ASYNC110 -- what is waited for happens in processes and sockets, which set no event
            await asyncio.sleep(0.002)


class Board:
    """Implements hands.Traffic and hands.TaskReports."""

    def __init__(self) -> None:
        self.version = 0
        self.views: dict[str, ListenerView] = {}
        self.target_groups: dict[str, GroupView] = {}
        self.answers: Counter[tuple[str, int]] = Counter()
        self.seconds: list[float] = []
        self.routed: Counter[str] = Counter()
        self.connection_errors: Counter[str] = Counter()
        self.unanswered: Counter[tuple[str, int]] = Counter()
        self.rejected: Counter[int] = Counter()
        self.checks: list[tuple[str, str, int, bool, str]] = []
        self.running: dict[str, tuple[str, int]] = {}
        self.stopped: dict[str, tuple[int | None, str]] = {}

    @property
    def route_version(self) -> int:
        return self.version

    def listeners(self) -> tuple[ListenerView, ...]:
        return tuple(self.views.values())

    def group(self, arn: str) -> GroupView:
        return self.target_groups[arn]

    def groups(self) -> tuple[GroupView, ...]:
        return tuple(self.target_groups.values())

    def check_result(self, group: str, host: str, port: int, *, passed: bool, reason: str) -> None:
        self.checks.append((group, host, port, passed, reason))

    def count_routed(self, *, load_balancer: str, group: str) -> None:
        assert load_balancer == LB
        self.routed[group] += 1

    def count_answer(self, *, load_balancer: str, group: str, status: int, seconds: float) -> None:
        assert load_balancer == LB
        self.answers[group, status] += 1
        self.seconds.append(seconds)

    def count_connection_error(self, *, load_balancer: str, group: str) -> None:
        self.connection_errors[group] += 1

    def count_unanswered(self, *, load_balancer: str, group: str, status: int) -> None:
        self.unanswered[group, status] += 1

    def count_rejected(self, *, load_balancer: str, status: int) -> None:
        self.rejected[status] += 1

    def task_running(self, arn: str, *, host: str, port: int) -> None:
        assert arn not in self.running
        self.running[arn] = (host, port)

    def task_stopped(self, arn: str, *, exit_code: int | None, reason: str) -> None:
        assert arn not in self.stopped
        self.stopped[arn] = (exit_code, reason)

    def set_group(self, arn: str, *targets: tuple[int, str], algorithm: str = "round_robin") -> None:
        """A target group with targets as (port, state)."""
        self.target_groups[arn] = GroupView(
            arn=arn,
            load_balancer=LB,
            targets=tuple(TargetView(host="127.0.0.1", port=port, state=state) for port, state in targets),
            check_path="/healthz",
            check_interval=timedelta(milliseconds=20),
            check_timeout=timedelta(seconds=2),
            check_codes=frozenset({200}),
            algorithm=algorithm,
        )
        self.version += 1

    def set_check(self, arn: str, *, timeout: timedelta, codes: frozenset[int] = frozenset({200})) -> None:
        """Change how a group is checked."""
        self.target_groups[arn] = replace(self.target_groups[arn], check_timeout=timeout, check_codes=codes)
        self.version += 1

    def set_listener(self, port: int, *rules: RuleView, arn: str = "listener") -> None:
        """A listener with these rules."""
        self.views[arn] = ListenerView(arn=arn, load_balancer=LB, port=port, rules=rules)
        self.version += 1

    def drop_listener(self, arn: str = "listener") -> None:
        """A listener that is gone."""
        del self.views[arn]
        self.version += 1


def forward(
    *weights: tuple[str, int], conditions: tuple[ConditionView, ...] = (), pins_for: float = 0.0
) -> RuleView:
    """A rule that forwards by weight, and keeps users on their group for so many seconds."""
    view = ForwardView(weights=weights, pins_for=timedelta(seconds=pins_for))
    return RuleView(arn="rule", conditions=conditions, action=view)


def answering(action: FixedView | RedirectView, *conditions: ConditionView) -> RuleView:
    """A rule that answers by itself."""
    return RuleView(arn="rule", conditions=conditions, action=action)


def spec(
    arn: str = "task-1", *, revision: str = "checkout:1", service: str = "checkout", **environment: str
) -> TaskSpec:
    """A task of the demo application."""
    return TaskSpec(
        arn=arn,
        service=service,
        task_definition=revision,
        container="app",
        container_port=8080,
        environment=environment,
        command=(),
        stop_timeout=timedelta(seconds=2),
    )
