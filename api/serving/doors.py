"""The doors' process: HTTP and Slack over the store and AWS, beside the process that has the engine.

Whatever comes from outside is parsed and rendered here and nowhere nearer to the engine. It is less urgent than the
engine wherever both want the same core.
"""

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress

import structlog

from api.app import app_over
from api.http.request.server_state import Door
from api.http.request.work import Work
from api.http.telemetry.logs import log_to_stderr
from api.problems import Busy
from api.serving.channel import HINT, NEWS_EVERY_SECONDS, READY, DoorsEnd, News, Opening
from api.serving.child import end_with_parent
from api.serving.orders import Orders
from api.serving.server import serve
from api.serving.worker import nothing
from api.serving.workers import ProcessWorker
from orchestrator.bootstrap import open_elsewhere
from orchestrator.core.domain.errors import TealError

# Of Linux's 19 steps of nice: each leaves a fifth less of a core to who is later, where both want it. Reading a file is
# short, and whoever starts a rollout waits for it, also on a machine that others keep busy; a simulation can wait.
LESS_URGENT = 5  # the doors than the engine
READER_LESS_URGENT = 5  # than the doors
SIMULATOR_LESS_URGENT = 14
READING = ("api.http.request.rollout_texts", "orchestrator.simulate.scope")
SIMULATING = ("orchestrator.simulate.report",)
SILENT_SECONDS = 10 * NEWS_EVERY_SECONDS  # then the engine counts as stopped
DEAD_SECONDS = 60.0

log = structlog.get_logger()


def main() -> None:
    """Serve on the listener and tell the engine over the socket whose descriptors the command line names."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to every process; the parent decides
    os.nice(LESS_URGENT)
    listener, end = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    log_to_stderr(is_bounded=True)
    try:
        asyncio.run(_serve(listener, end))
    except TealError as error:
        log.error("doors_not_opened", why=str(error))
        sys.exit(1)


async def _serve(listener: socket.socket, end: socket.socket) -> None:
    channel = await DoorsEnd.over(end)
    opening = await channel.heard()
    assert isinstance(opening, Opening), "the engine's first word opens the doors"
    settings, orders = opening.settings, Orders(channel.order)
    known = _Known(orders)
    async with open_elsewhere(
        settings, hint=lambda: channel.say(HINT), order=orders.give, time=opening.time
    ) as engine:
        app = app_over(
            engine,
            counted=lambda: known.metrics,
            settings=settings,
            is_auth_required=opening.is_auth_required,
        )
        reader = ProcessWorker("reading a file", modules=READING, less_urgent=READER_LESS_URGENT)
        simulator = ProcessWorker("a simulation", modules=SIMULATING, less_urgent=SIMULATOR_LESS_URGENT)
        door: Door = app.state.door
        door.work = Work(reader=reader, simulator=simulator)
        listening = asyncio.create_task(known.listen(channel, door), name="news")
        beginning = asyncio.create_task(_begin(door.work), name="reader")
        try:
            await serve(
                app,
                listener,
                lambda: channel.say(READY),
                bounds=settings.bounds,
                proxies=proxies_of(settings.trusted_proxies),
            )
        finally:
            listening.cancel()
            beginning.cancel()
            channel.close()
            reader.close()
            simulator.close()


async def _begin(work: Work) -> None:
    """Have the first file find a reader that has started; where it could not be, the file starts one."""
    with suppress(Busy):
        await work.read("", nothing)


def proxies_of(named: tuple[str, ...]) -> tuple[str, ...]:
    """The proxies of the settings, else those that FORWARDED_ALLOW_IPS names, as uvicorn has it."""
    return named or tuple(filter(None, os.environ.get("FORWARDED_ALLOW_IPS", "").split(",")))


class _Known:
    """What the doors know of the engine."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self.metrics = b""

    async def listen(self, channel: DoorsEnd, door: Door) -> None:
        """Hear news for ever; without any for a while the engine counts as stopped, and after a minute as dead."""
        silent = 0.0
        while True:
            try:
                async with asyncio.timeout(SILENT_SECONDS):
                    word = await channel.heard()
            except TimeoutError:
                silent += SILENT_SECONDS
                door.is_working, door.is_alive = False, silent < DEAD_SECONDS
            except EOFError:  # the leash ends this process
                door.is_working = False
                return
            else:
                assert isinstance(word, News)
                self.metrics, silent = word.metrics, 0.0
                self._orders.hear(word.outcomes)
                door.is_working, door.is_alive, door.unwritable = True, True, word.unwritable
