"""The server: one app made of the doors, and `run`, which looks after rollouts beside it in one event loop."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from api.auth.bearer import Authenticator, has_valid_token
from api.auth.fetching import Fetch, fetch
from api.auth.oidc import Issuers
from api.http.calls import (
    access,
    commands,
    events,
    health,
    preflight,
    reports,
    rollouts,
    services,
    simulations,
    undo,
)
from api.http.openapi import document
from api.http.request import problem_answers
from api.http.request.authorization import Calls
from api.http.request.middleware import Guard
from api.http.request.origins import is_loopback
from api.http.request.server_state import Door
from api.http.telemetry.logs import log_to_stderr
from api.http.telemetry.metrics import Meters
from api.slack import routes as slack
from orchestrator.bootstrap import Engine, SystemClock, looking_back, open_engine, open_store
from orchestrator.core.domain.errors import Refused
from orchestrator.settings import Settings

HOST, PORT = "127.0.0.1", 8080
GRACE_SECONDS = 20  # for requests under way; a tick ends within 15 s by itself

# A rollout may be named by cluster/service, so what follows a name is matched before the name alone.
_ROUTERS = (
    events.router,
    reports.router,
    undo.router,
    commands.router,
    rollouts.router,
    preflight.router,
    simulations.router,
    services.router,
    access.router,
    health.router,
)

Announce = Callable[[str], None]


def create_app(
    engine: Engine,
    *,
    settings: Settings | None = None,
    is_auth_required: bool = False,
    fetching: Fetch = fetch,
) -> FastAPI:
    """The app over an engine. Its state's ``door`` says whether a worker runs, and when the server shuts down.

    `is_auth_required`: every request needs a token, whatever the settings and the store say. `fetching`: how issuers
    are asked for their keys.
    """
    meters = Meters()
    meters.watch(engine.worker)
    settings = settings or Settings()
    auth = Authenticator(
        store=engine.store,
        clock=engine.clock,
        settings=settings,
        issuers=Issuers(settings, clock=engine.clock, fetching=fetching),
        is_required=is_auth_required,
    )
    # The framework's own pages load scripts from elsewhere, and its own document would pass the table of roles by.
    app = FastAPI(
        title=document.TITLE, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    app.state.door = Door(engine=engine, meters=meters, auth=auth)
    app.add_middleware(Guard, calls=Calls((*_ROUTERS, *slack.ROUTERS)))
    problem_answers.install(app)
    for router in _ROUTERS:
        app.router.routes += (
            router.routes
        )  # as they are: including a router makes its routes anew, for each app
    slack.install(app, engine, settings)
    document.install(app)
    return app


def published() -> dict[str, Any]:
    """The OpenAPI document that the server publishes, without an engine."""
    app = FastAPI()
    for router in _ROUTERS:
        app.include_router(router)
    return document.build(app)


def calls() -> tuple[tuple[str, str, str], ...]:
    """Every call of the HTTP door: operation id, method and path."""
    return tuple(Calls(_ROUTERS))


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
    with _listening(host, port) as listener:
        log_to_stderr()
        asyncio.run(_serve(listener, announce, settings, is_auth_required))


async def _may_listen_on(host: str, settings: Settings, *, is_asked_for: bool) -> None:
    """Raises Refused if whoever reaches an address that is not this machine's own would be trusted."""
    if is_asked_for or settings.issuers:
        return
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
    async with open_engine(settings) as engine:
        await engine.calendar.publish()
        app = create_app(looking_back(engine), settings=settings, is_auth_required=is_auth_required)
        await serve(app, listener, announce)


async def serve(app: FastAPI, listener: socket.socket, announce: Announce) -> None:
    """Serve an app, with its engine at work beside it, until SIGINT or SIGTERM; then finish what is under way."""
    door: Door = app.state.door
    server = Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            # A proxy's word on where a request comes from is taken only from proxies that the operator names.
            proxy_headers=bool(os.environ.get("FORWARDED_ALLOW_IPS")),
        )
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
