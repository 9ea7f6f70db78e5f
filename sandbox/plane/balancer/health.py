"""Health checks as the load balancer makes them: each group's own, over HTTP, of every registered target in use.

A check opens a connection of its own. What follows from its result (thresholds, states) is the World's. A check's
time is counted in turns of this loop, so that no target is called ill because the sandbox itself had to wait.
"""

import asyncio
import math
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from sandbox.http1.connection import AskingConnection
from sandbox.http1.messages import AnswerHead, Malformed
from sandbox.ports import GroupView, Traffic

CHECKED = frozenset(("initial", "healthy", "unhealthy"))
TURN_SECONDS = 0.05
SYNC_SECONDS = 0.02  # how soon a newly registered target is checked for the first time

Target = tuple[str, str, int]  # target group ARN, host, port


class HealthChecks:
    """Checks every target whose state asks for it, until cancelled."""

    def __init__(self, traffic: Traffic, *, pace: float = 1.0) -> None:
        """`pace` is how long an interval really takes, as a share of what its group says."""
        self._traffic = traffic
        self._pace = pace
        self._watches: dict[Target, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Check for ever; cancelling ends every check."""
        seen = None
        async with asyncio.TaskGroup() as group:
            while True:
                if self._traffic.route_version != seen:
                    seen = self._traffic.route_version
                    self._follow(group)
                await asyncio.sleep(SYNC_SECONDS)

    def _follow(self, group: asyncio.TaskGroup) -> None:
        wanted = {
            (view.arn, target.host, target.port)
            for view in self._traffic.groups()
            if view.load_balancer
            for target in view.targets
            if target.state in CHECKED
        }
        for target in self._watches.keys() - wanted:
            self._watches.pop(target).cancel()
        for target in wanted - self._watches.keys():
            name = f"health of {target[1]}:{target[2]}"
            self._watches[target] = group.create_task(self._watch(target), name=name)

    async def _watch(self, target: Target) -> None:
        arn, host, port = target
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            try:
                view = self._traffic.group(arn)
            except KeyError:  # the group has just been deleted
                return
            reason = await check(view, host, port)
            self._traffic.check_result(arn, host, port, passed=not reason, reason=reason)
            due = max(due + view.check_interval.total_seconds() * self._pace, loop.time())
            await asyncio.sleep(due - loop.time())


async def check(view: GroupView, host: str, port: int) -> str:
    """Make one check of a target; returns AWS's reason code, empty when it passed."""
    try:
        turns = math.ceil(view.check_timeout.total_seconds() / TURN_SECONDS)
        status = await within(turns, _ask(host, port, view.check_path))
    except TimeoutError:
        return "Target.Timeout"
    except (OSError, Malformed):
        return "Target.FailedHealthChecks"
    return "" if status in view.check_codes else "Target.ResponseCodeMismatch"


async def within(turns: int, work: Coroutine[Any, Any, int]) -> int:
    """What comes of it. Raises TimeoutError if that takes longer than so many turns of this loop, each a short wait."""
    task = asyncio.ensure_future(work)
    try:
        for _ in range(turns):
            await asyncio.wait((task,), timeout=TURN_SECONDS)
            if task.done():
                return task.result()
        raise TimeoutError
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, OSError, Malformed):
            await task


async def _ask(host: str, port: int, path: str) -> int:
    loop = asyncio.get_running_loop()
    status: asyncio.Future[int] = loop.create_future()
    _, connection = await loop.create_connection(lambda: _Check(status), host, port)
    try:
        request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: ELB-HealthChecker/2.0\r\n"
        connection.send_request(request.encode("latin-1") + b"Connection: close\r\n\r\n")
        return await status
    finally:
        connection.close()


class _Check(AskingConnection):
    """The connection of one check: what counts is the head of the answer."""

    __slots__ = ("_status",)

    def __init__(self, status: asyncio.Future[int]) -> None:
        super().__init__()
        self._status = status

    def answer_head(self, head: AnswerHead, raw: bytes, content: bytes) -> None:
        if not self._status.done():
            self._status.set_result(head.status)

    def answer_cut(self, *, is_fresh: bool, is_heard: bool) -> None:
        self.answer_malformed()

    def answer_malformed(self) -> None:
        if not self._status.done():
            self._status.set_exception(Malformed("no whole answer"))
