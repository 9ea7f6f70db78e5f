"""Runs tasks for real: a process of the demo application each, on a port the operating system picks.

Every process holds the read end of a pipe whose only writer is this process, and exits when it ends: children
die with their parent, however it dies, without root and without anything only Linux has. The same pipe carries
changes of behaviour while a task runs.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.ports import TaskReports, TaskSpec

HOST = "127.0.0.1"
APPLICATION = Path(__file__).with_name("application.py")
ENDED_MAX = 10_000  # remembered ends, for telling whose fault a lost request was
STOP_SECONDS_MAX = 5.0  # how long a task may take to stop when everything stops


@dataclass(frozen=True, slots=True, kw_only=True)
class Misbehaviour:
    """Settings of the demo application put over a task definition's own, for tasks that match.

    An empty `service` or `revision` matches every one; a service matches by its name.
    """

    service: str = ""
    revision: str = ""  # family:revision
    environment: Mapping[str, str]

    def matches(self, spec: TaskSpec) -> bool:
        """True when a task shall misbehave so."""
        return self.service in ("", spec.service) and self.revision in ("", spec.task_definition)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a task ended. `told`: it was stopped on purpose; otherwise it died by its own fault."""

    revision: str
    told: bool


class Supervisor:
    """A TaskRunner of real processes, as a context manager that stops every one of them.

    Used on the thread of one running event loop.
    """

    def __init__(self, reports: TaskReports) -> None:
        self._reports = reports
        self._processes: dict[str, Process] = {}
        self._ended: OrderedDict[tuple[str, int], End] = OrderedDict()
        self._misbehaviours: dict[str, Misbehaviour] = {}
        self._emptied = asyncio.Event()
        self._closing = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop_all()

    def start(self, spec: TaskSpec) -> None:
        """As ``TaskRunner``."""
        loop = asyncio.get_running_loop()
        if spec.command:
            why = "CannotStartContainerError: the sandbox runs its demo application only, leave `command` out"
            loop.call_soon(self._refused, spec.arn, why)
            return
        try:
            process = Process(self, spec, self.environment(spec))
        except OSError as error:
            loop.call_soon(self._refused, spec.arn, f"CannotStartContainerError: {error}")
            return
        self._processes[spec.arn] = process

    def _refused(self, arn: str, why: str) -> None:
        self._reports.task_stopped(arn, exit_code=None, reason=why)

    def stop(self, arn: str) -> None:
        """As ``TaskRunner``."""
        process = self._processes.get(arn)
        if process is not None:
            process.stop(process.spec.stop_timeout.total_seconds())

    async def stop_all(self) -> None:
        """Stop every task and start none of the World's replacements; returns when no process is left."""
        self._closing = True
        for process in self._processes.values():
            process.stop(min(process.spec.stop_timeout.total_seconds(), STOP_SECONDS_MAX))
        while self._processes:
            self._emptied.clear()
            await self._emptied.wait()

    def running(self) -> tuple[TaskSpec, ...]:
        """The tasks whose processes run."""
        return tuple(process.spec for process in self._processes.values())

    def pids(self) -> tuple[int, ...]:
        """The numbers of the processes that run."""
        return tuple(process.pid for process in self._processes.values())

    def spec_at(self, host: str, port: int) -> TaskSpec | None:
        """The task whose process listens at an address."""
        found = (process.spec for process in self._processes.values() if (HOST, process.port) == (host, port))
        return next(found, None)

    def end_of(self, host: str, port: int) -> End | None:
        """How the task that had this address ended; None while it runs or if there was none."""
        return self._ended.get((host, port))

    def environment(self, spec: TaskSpec) -> dict[str, str]:
        """What a task's process is told: its definition's environment, and any misbehaviour put over it."""
        told = dict(spec.environment)
        for misbehaviour in self._misbehaviours.values():
            if misbehaviour.matches(spec):
                told.update(misbehaviour.environment)
        return {**told, "TEAL_DEMO_REVISION": spec.task_definition}

    def misbehave(self, name: str, misbehaviour: Misbehaviour | None) -> None:
        """Put a misbehaviour in force under a name, or end it (None), for running tasks and those to come."""
        if misbehaviour is None:
            self._misbehaviours.pop(name, None)
        else:
            self._misbehaviours[name] = misbehaviour
        for process in self._processes.values():
            process.tell(self.environment(process.spec))

    def process_running(self, process: "Process", port: int) -> None:
        """Its process reports that it listens."""
        self._ended.pop((HOST, port), None)
        self._reports.task_running(process.spec.arn, host=HOST, port=port)

    def process_ended(self, process: "Process", exit_code: int, last_words: str) -> None:
        """Its process is gone."""
        spec = process.spec
        del self._processes[spec.arn]
        self._emptied.set()
        if process.port:
            self._ended[HOST, process.port] = End(revision=spec.task_definition, told=process.told_to_stop)
            if len(self._ended) > ENDED_MAX:
                self._ended.popitem(last=False)
        if not self._closing:
            self._reports.task_stopped(spec.arn, exit_code=exit_code, reason=last_words)


class Process:
    """One task's process."""

    def __init__(self, supervisor: Supervisor, spec: TaskSpec, environment: dict[str, str]) -> None:
        """Start it. Raises OSError when the system cannot."""
        self.spec = spec
        self.port = 0
        self.told_to_stop = False
        self._supervisor = supervisor
        self._told = environment
        self._said = b""
        self._loop = asyncio.get_running_loop()
        self._kill: asyncio.TimerHandle | None = None
        self._popen = subprocess.Popen(
            [sys.executable, "-I", "-S", str(APPLICATION), "--supervised"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in a terminal is for the sandbox, which then stops tasks in order
        )
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._orders = self._popen.stdin.fileno()
        self._words = self._popen.stdout.fileno()
        os.set_blocking(self._orders, False)
        os.set_blocking(self._words, False)
        self._loop.add_reader(self._words, self._hear)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._popen.pid

    def stop(self, timeout_seconds: float) -> None:
        """SIGTERM now, SIGKILL after the timeout."""
        self.told_to_stop = True
        self._popen.send_signal(signal.SIGTERM)
        if self._kill is not None:
            self._kill.cancel()
        self._kill = self._loop.call_later(timeout_seconds, self._popen.kill)

    def tell(self, environment: dict[str, str]) -> None:
        """Change its behaviour, if that is a change."""
        if environment == self._told:
            return
        gone = dict.fromkeys(self._told.keys() - environment.keys(), "")
        self._told = environment
        try:
            os.write(self._orders, json.dumps({**gone, **environment}).encode() + b"\n")
        except OSError:  # it is dying; its end is about to be heard
            return

    def _hear(self) -> None:
        try:
            said = os.read(self._words, 65_536)
        except BlockingIOError:
            return
        if not said:
            self._loop.remove_reader(self._words)
            self._reap()
            return
        self._said = (self._said + said)[-4096:]
        if not self.port and self._said.startswith(b"port ") and b"\n" in self._said:
            line, _, self._said = self._said.partition(b"\n")
            self.port = int(line.removeprefix(b"port "))
            self._supervisor.process_running(self, self.port)

    def _reap(self) -> None:
        # Its output has ended, so it is about to exit: the wait is a matter of a moment, but never blocks the loop.
        if self._popen.poll() is None:
            self._loop.call_later(0.005, self._reap)
            return
        if self._kill is not None:
            self._kill.cancel()
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._popen.stdout.close()
        self._popen.stdin.close()
        code = self._popen.returncode
        # As a shell and a container runtime tell it: killed by signal n is 128 + n.
        lines = self._said.decode(errors="replace").strip().splitlines()
        self._supervisor.process_ended(self, 128 - code if code < 0 else code, lines[-1] if lines else "")
