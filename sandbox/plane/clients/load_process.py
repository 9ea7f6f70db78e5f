"""The load's own process: open-loop requests at a constant rate, and a line of counts now and then.

Open loop: a request is sent when it is due, whether or not earlier ones were answered, and its time is counted
from when it was due. So a server that stalls cannot slow down the questions and thereby hide its stall.

It lives in a process of its own so that neither disturbs the other: run by ``load.Load``, told to stop by a line
on standard input, and gone when standard input ends.

Its patience is measured in the beats of whoever started it, which come on standard input as well: while a busy
machine lets one of the two wait, no time limit runs out, since what is late then is not the listener.
"""

import argparse
import asyncio
import contextlib
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from sandbox.http1.connection import AskingConnection
from sandbox.http1.messages import AnswerHead
from sandbox.plane.clients.tally import Tally

REPORT_SECONDS = 0.2
BEAT_SECONDS = 0.05  # how exactly a time limit is kept
COOKIE = b"AWSALBTG="
STOP = b"s"
BEAT = b"."
LINGER_SECONDS = 1.0  # beyond the time limit of the last request


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to send: a GET of `url`, `rate` times a second, at most `count` times and for `seconds`."""

    url: str
    rate: float
    count: int
    seconds: float
    in_flight: int
    timeout_seconds: float
    users: int = 0  # who keep the cookie of group stickiness, and ask in turn; 0: nobody keeps any


class Ask:
    """One request."""

    __slots__ = ("connection", "due", "ended", "until", "user")

    def __init__(self, due: float, until: int, user: int) -> None:
        self.due = due
        self.until = until  # the beat at which its time is over
        self.user = user
        self.ended = False
        self.connection: Connection | None = None


class Generator:
    """Sends the plan's requests and counts what comes back."""

    def __init__(self, plan: Plan) -> None:
        url = urlsplit(plan.url)
        self._plan = plan
        self._host = url.hostname or "127.0.0.1"
        self._port = url.port or 80
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        self._head = f"GET {path} HTTP/1.1\r\nHost: {url.netloc}\r\n".encode("latin-1")
        self._cookies: dict[int, bytes] = {}  # by user
        self._idle: list[Connection] = []
        self._open: dict[Ask, None] = {}  # in the order they were due
        self._opening: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._moved = asyncio.Event()  # nothing is in flight any more, or there was a beat
        self._started = 0.0
        self._beats = 0
        self._patience = beats_of(plan.timeout_seconds)
        self.tally = Tally()

    def stop(self) -> None:
        """Send nothing more; what is in flight is still counted."""
        self._stopping.set()

    async def run(self, report: Callable[[str], None]) -> None:
        """Send everything and report now and then; ends when the last request has ended."""
        self._started = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            reports = group.create_task(self._report(report), name="reports")
            await self._send_all()
            last = self._beats + self._patience + beats_of(LINGER_SECONDS)
            while self._open and self._beats < last:
                self._moved.clear()
                await self._moved.wait()
            reports.cancel()
        report(self._line(done=True))

    async def _send_all(self) -> None:
        loop, plan = asyncio.get_running_loop(), self._plan
        count = min(plan.count, int(plan.rate * plan.seconds))
        number = 0
        while number < count and not self._stopping.is_set():
            due = self._started + number / plan.rate
            wait = due - loop.time()
            if wait > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), wait)
                continue
            self._arrive(due)
            number += 1
            if number % 64 == 0:  # behind by many: let answers be read in between
                await asyncio.sleep(0)

    def _arrive(self, due: float) -> None:
        if len(self._open) >= self._plan.in_flight:
            self.tally.unsent += 1
            return
        user = self.tally.sent % self._plan.users if self._plan.users else -1
        self.tally.sent += 1
        ask = Ask(due, self._beats + self._patience, user)
        self._open[ask] = None
        if self._idle:
            self._idle.pop().ask(ask, self.request_of(ask))
        else:
            self.ask_afresh(ask)

    def request_of(self, ask: Ask) -> bytes:
        """The request as its user sends it."""
        cookie = self._cookies.get(ask.user)
        return self._head + (b"Cookie: " + cookie + b"\r\n\r\n" if cookie else b"\r\n")

    def ask_afresh(self, ask: Ask) -> None:
        """Send a request on a connection of its own."""
        task = asyncio.get_running_loop().create_task(self._connect(ask), name="connect")
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _connect(self, ask: Ask) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(lambda: Connection(self), self._host, self._port)
        except OSError:
            self.failed(ask, "refused")
            return
        if ask.ended:
            connection.close()
        else:
            connection.ask(ask, self.request_of(ask))

    def answered(self, ask: Ask, head: AnswerHead) -> None:
        """A whole answer came."""
        self._end(ask)
        if ask.user >= 0:
            self._keep_cookie(ask.user, head)
        revision = head.headers.get(b"x-teal-revision", b"").decode("latin-1")
        if revision:
            version = head.headers.get(b"x-teal-version", b"").decode("latin-1")
            waited = asyncio.get_running_loop().time() - ask.due
            self.tally.answered(revision, version, head.status, waited * 1000, time.time())
        else:
            target = head.headers.get(b"x-teal-target", b"").decode("latin-1")
            self.tally.failed(str(head.status), target, time.time())

    def _keep_cookie(self, user: int, head: AnswerHead) -> None:
        for line in head.lines:
            name, _, value = line.partition(b":")
            if name.lower() == b"set-cookie" and value.strip().startswith(COOKIE):
                self._cookies[user] = value.partition(b";")[0].strip()

    def failed(self, ask: Ask, what: str) -> None:
        """No answer came."""
        if not ask.ended:
            self._end(ask)
            self.tally.failed(what, "", time.time())

    def _end(self, ask: Ask) -> None:
        ask.ended = True
        self._open.pop(ask, None)
        if not self._open:
            self._moved.set()

    def keep(self, connection: "Connection") -> None:
        """A connection is free for the next request."""
        self._idle.append(connection)

    def forget(self, connection: "Connection") -> None:
        """A connection has ended."""
        if connection in self._idle:
            self._idle.remove(connection)

    def beat(self) -> None:
        """So much time has gone by for both sides; give up what has waited for too long."""
        self._beats += 1
        for ask in [ask for ask in self._open if ask.until < self._beats]:
            self.failed(ask, "timeout")
            if ask.connection is not None:
                ask.connection.abort()
        self._moved.set()

    async def _report(self, report: Callable[[str], None]) -> None:
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            report(self._line(done=False))

    def _line(self, *, done: bool) -> str:
        elapsed = asyncio.get_running_loop().time() - self._started
        return json.dumps(self.tally.wire(elapsed=elapsed, in_flight=len(self._open), done=done))


def beats_of(seconds: float) -> int:
    """How many beats these seconds are, where nobody has to wait for the machine."""
    return math.ceil(seconds / BEAT_SECONDS)


class Connection(AskingConnection):
    """One kept-alive connection to the listener."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self._generator = generator
        self._ask: Ask | None = None

    def ask(self, ask: Ask, request: bytes) -> None:
        """Send a request."""
        self._ask = ask
        ask.connection = self
        self.send_request(request)

    def answer_whole(self, head: AnswerHead, *, is_free: bool) -> None:
        """As ``AskingConnection``."""
        ask, self._ask = self._ask, None
        if ask is not None:
            self._generator.answered(ask, head)
        if is_free:
            self._generator.keep(self)

    def answer_cut(self, *, is_fresh: bool, is_heard: bool) -> None:
        """As ``AskingConnection``."""
        ask, self._ask = self._ask, None
        if ask is None or ask.ended:
            return
        if is_fresh or is_heard:
            self._generator.failed(ask, "cut off")
        else:  # the listener closed a kept connection just as it was used again: any client asks once more
            self._generator.ask_afresh(ask)

    def answer_malformed(self) -> None:
        """As ``AskingConnection``."""
        ask, self._ask = self._ask, None
        if ask is not None:
            self._generator.failed(ask, "malformed")

    def left_idle(self) -> None:
        """As ``AskingConnection``."""
        self._generator.forget(self)


async def run(plan: Plan) -> None:
    """Run a plan as a process: counts to standard output; beats, and word to stop, on standard input."""
    generator = Generator(plan)

    def listen() -> None:
        told = os.read(0, 4096)
        if not told:  # whoever wanted the load is gone
            os._exit(0)
        if STOP in told:
            generator.stop()
        if BEAT in told:  # several are one: this process was not there for the others
            generator.beat()

    asyncio.get_running_loop().add_reader(0, listen)
    await generator.run(lambda line: print(line, flush=True))


def main() -> None:
    """Run from the command line: the plan as one JSON object."""
    parser = argparse.ArgumentParser(description="Open-loop load for the sandbox.")
    parser.add_argument("plan", help="a JSON object with the members of Plan")
    asyncio.run(run(Plan(**json.loads(parser.parse_args().plan))))


if __name__ == "__main__":
    main()
