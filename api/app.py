"""One app made of the doors, over whatever stands behind them."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from api.auth.bearer import Authenticator
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
from api.http.request.server_state import Door
from api.http.telemetry.metrics import DoorMeters, Meters
from api.slack import routes as slack
from orchestrator.bootstrap import BehindDoors, Engine
from orchestrator.settings import Settings

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


def create_app(
    engine: Engine,
    *,
    settings: Settings | None = None,
    is_auth_required: bool = False,
    fetching: Fetch = fetch,
) -> FastAPI:
    """The app over an engine of this process, whose ticks it counts; otherwise as `app_over`."""
    meters = Meters()
    meters.watch(engine.worker)
    return app_over(
        engine,
        counted=meters.counted,
        settings=settings,
        is_auth_required=is_auth_required,
        fetching=fetching,
    )


def app_over(
    engine: BehindDoors,
    *,
    counted: Callable[[], bytes],
    settings: Settings | None = None,
    is_auth_required: bool = False,
    fetching: Fetch = fetch,
) -> FastAPI:
    """The app over an engine. Its state's ``door`` says whether a worker runs, and when the server shuts down.

    `counted`: the engine's counters as text. `is_auth_required`: every request needs a token, whatever the settings
    and the store say. `fetching`: how issuers are asked for their keys.
    """
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
    app.state.door = Door(engine=engine, meters=DoorMeters(counted), auth=auth)
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
