"""`run`: the engine in this process, and its doors in a child that is started again whenever it ends.

The engine is the parent: a supervisor watches it, signals reach it, and if it dies the whole server ends. Doors that
die cost those who were connected their answer and no rollout anything.
"""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import structlog

from api.http.request.origins import is_loopback
from api.http.telemetry.logs import log_to_stderr
from api.http.telemetry.metrics import Meters
from api.serving.channel import NEWS_EVERY_SECONDS, News, Opening
from api.serving.keeper import Ears, Keeper
from api.serving.orders import Taken
from api.serving.write_probe import WriteProbe
from orchestrator.bootstrap import (
    SystemClock,
    looking_back,
    must_have_whole_store,
    only_server,
    open_engine,
    open_store,
)
from orchestrator.core.domain.errors import Refused, Unwritable
from orchestrator.engine.steady_clock import SteadyClock
from orchestrator.settings import Settings

HOST, PORT = "127.0.0.1", 8080

Announce = Callable[[str], None]
log = structlog.get_logger()


def run(
    host: str = HOST,
    port: int = PORT,
    *,
    settings: Settings | None = None,
    is_auth_required: bool = False,
    announce: Announce = print,
) -> None:
    """Serve until SIGINT or SIGTERM, then finish what is under way. Port 0: one that is free.

    `announce` is told the address once requests are answered. Raises Refused for an address that cannot be listened
    on, or that is not loopback while nobody would be asked who they are, and what opening the engine raises.
    """
    settings = settings or Settings()
    if not is_loopback(host):
        asyncio.run(_may_listen_on(host, settings, is_asked_for=is_auth_required))
        is_auth_required = True
    with only_server(), _listening(host, port) as listener:
        log_to_stderr()
        asyncio.run(_serve(listener, announce, settings, is_auth_required))


async def _may_listen_on(host: str, settings: Settings, *, is_asked_for: bool) -> None:
    """Raises Refused if whoever reaches an address that is not this machine's own would be trusted."""
    if is_asked_for or settings.issuers:
        return
    from api.auth.bearer import has_valid_token  # its keys and signatures are the doors' to load

    async with open_store() as store:
        if await has_valid_token(store, SystemClock().now()):
            return
    raise Refused(
        what=f"Teal does not listen on {host}",
        why="whoever reaches it could do everything, since no authentication is set up",
        next_step="make a token (`teal tokens create`), name an issuer in the settings, or say `--require-auth`; or "
        "listen on 127.0.0.1, and reach it from elsewhere through a tunnel (ssh -L 8080:127.0.0.1:8080)",
    )


async def _serve(
    listener: socket.socket, announce: Announce, settings: Settings, is_auth_required: bool
) -> None:
    must_have_whole_store()
    stop, address = asyncio.Event(), _address(listener)
    steady = SteadyClock()
    keeper = Keeper(
        listener,
        lambda: Opening(settings=settings, is_auth_required=is_auth_required, time=steady.reading()),
    )
    with _heard(stop):
        # The doors' process loads its code while the engine opens, and waits for its word before it serves.
        async with keeper.started(), open_engine(settings, has_doors=True, steady=steady) as opened:
            engine = looking_back(opened, settings)
            with suppress(Unwritable):  # a server with a full disk still takes traffic back
                await engine.calendar.publish()
            meters, end = Meters(), asyncio.Event()
            meters.watch(engine.worker)
            taken, probe = Taken(engine.roll_back_at_once, engine.clock), WriteProbe(engine.store)
            ears = Ears(on_ready=lambda: announce(address), hint=engine.hint, on_order=taken.take)
            async with asyncio.TaskGroup() as group:
                group.create_task(engine.run(end), name="engine")
                telling = group.create_task(_tell(keeper, meters, taken, probe), name="news")
                probing = group.create_task(probe.run(), name="write probe")
                try:
                    await keeper.keep(stop, ears)
                finally:
                    telling.cancel()
                    probing.cancel()
                    end.set()
                    engine.hint()


async def _tell(keeper: Keeper, meters: Meters, taken: Taken, probe: WriteProbe) -> None:
    while True:
        counted, outcomes = meters.counted(), taken.outcomes
        keeper.say(News(metrics=counted, unwritable=probe.unwritable, outcomes=outcomes))
        await asyncio.sleep(NEWS_EVERY_SECONDS)


@contextmanager
def _heard(stop: asyncio.Event) -> Iterator[None]:
    """Set `stop` at SIGINT and SIGTERM while the context lasts."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for one in signals:
        loop.add_signal_handler(one, stop.set)
    try:
        yield
    finally:
        for one in signals:
            loop.remove_signal_handler(one)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    is_six = ":" in host
    family = socket.AF_INET6 if is_six else socket.AF_INET
    # With TCP named, asyncio sends small answers at once (TCP_NODELAY); without, each may wait 40 ms for an ACK.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise Refused(
                what=f"Teal cannot listen on {host}, port {port}",
                why=error.strerror or str(error),
                next_step="name another port, or end the server that has it",
            ) from error
        yield listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
