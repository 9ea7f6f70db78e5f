"""The server: one app made of the doors, and `run`, which looks after rollouts beside it in one event loop."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from api.http import answers, before, events, health, openapi, rollouts, wishes
from api.http.door import Door
from api.http.guard import Guard, is_loopback
from api.http.logs import log_to_stderr
from api.http.meters import Meters
from orchestrator.bootstrap import Engine, open_engine
from orchestrator.core.errors import Refused

HOST, PORT = "127.0.0.1", 8080
GRACE_SECONDS = 20  # for requests under way; a tick ends within 15 s by itself

# A rollout may be named by cluster/service, so what follows a name is matched before the name alone.
_ROUTERS = (events.router, wishes.router, rollouts.router, before.router, health.router)

Announce = Callable[[str], None]


def create_app(engine: Engine) -> FastAPI:
    """The app over an engine. Its state's ``door`` says whether a worker runs, and when the server shuts down."""
    meters = Meters()
    meters.watch(engine.worker)
    app = FastAPI(
        title=openapi.TITLE, docs_url=None, redoc_url=None
    )  # both pages load scripts from elsewhere
    app.state.door = Door(engine=engine, meters=meters)
    app.add_middleware(Guard)
    answers.install(app)
    for router in _ROUTERS:
        app.include_router(router)
    openapi.install(app)
    return app


def published() -> dict[str, Any]:
    """The OpenAPI document that the server publishes, without an engine."""
    app = FastAPI()
    for router in _ROUTERS:
        app.include_router(router)
    return openapi.build(app)


def run(host: str = HOST, port: int = PORT, *, announce: Announce = print) -> None:
    """Serve until SIGINT or SIGTERM, then finish what is under way. Port 0: one that is free.

    `announce` is told the address once requests are answered. Raises Refused for an address that is not loopback or
    cannot be listened on, and what opening the engine raises.
    """
    with _listening(host, port) as listener:
        log_to_stderr()
        asyncio.run(_serve(listener, announce))


async def _serve(listener: socket.socket, announce: Announce) -> None:
    async with open_engine() as engine:
        app = create_app(engine)
        door: Door = app.state.door
        server = Server(
            uvicorn.Config(app, log_config=None, access_log=False, server_header=False, lifespan="off")
        )
        server.config.timeout_graceful_shutdown = GRACE_SECONDS
        server.on_exit = door.closing.set
        server.on_start = lambda: announce(_address(listener))
        async with _working(door):
            await server.serve(sockets=[listener])


@asynccontextmanager
async def _working(door: Door) -> AsyncIterator[None]:
    """An engine that ticks rollouts, and tells of them, while the context lasts; at its end it finishes both."""
    stop = asyncio.Event()
    worker = door.engine.worker
    async with asyncio.TaskGroup() as group:
        group.create_task(door.engine.run(stop))
        door.is_working = True
        try:
            yield
        finally:
            door.is_working = False
            stop.set()
            worker.hint()


class Server(uvicorn.Server):
    """uvicorn, which tells when it starts and when it is asked to stop.

    An open event stream would keep uvicorn waiting for its end, so its end is asked for where uvicorn hears the
    signal. uvicorn also raises the signal again once it has shut down, which would end the process before the worker
    has finished its ticks; here the loop hears it and nobody raises it again.
    """

    on_exit: Callable[[], None]
    on_start: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell."""
        await super().startup(sockets)
        self.on_start()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Shut down, and tell whoever waits for news."""
        super().handle_exit(sig, frame)
        self.on_exit()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Hear SIGINT and SIGTERM through the event loop while the context lasts."""
        loop = asyncio.get_running_loop()
        heard = (signal.SIGINT, signal.SIGTERM)
        for sig in heard:
            loop.add_signal_handler(sig, self.handle_exit, sig, None)
        try:
            yield
        finally:
            for sig in heard:
                loop.remove_signal_handler(sig)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    if not is_loopback(host):
        raise Refused(
            what=f"Teal does not listen on {host}",
            why="its HTTP door has no authentication yet, so only this machine may reach it",
            next_step="listen on 127.0.0.1, and reach it from elsewhere through a tunnel (ssh -L 8080:127.0.0.1:8080)",
        )
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
