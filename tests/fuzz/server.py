"""A server to be fuzzed, as a process: the whole app over a World, with its engine at work, for an admin's token.

``python -m tests.fuzz.server FOLDER`` prints one line of JSON when it answers: its address and the token.
"""

import asyncio
import json
import secrets
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import ECKey

from api.app import create_app
from api.auth.fetching import Document
from api.auth.tokens import new_token
from api.http.telemetry.logs import log_to_stderr
from api.serving.server import serve
from orchestrator.aws.client.call import Caller
from orchestrator.aws.cloud import AwsCloud
from orchestrator.bootstrap import Engine, SystemClock, engine_of
from orchestrator.core.domain.roles import Role
from orchestrator.ports.store import Store
from orchestrator.ports.tokens import Token
from orchestrator.settings import Issuer, Settings
from orchestrator.store.opening import open_store
from sandbox.scenarios.scenery import furnish, register, until_steady
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from sandbox.world.kernel.settings import WorldSettings
from sandbox.world.world import World
from tests.contract.store_values import a_rollout, an_event
from tests.support.direct_transport import DirectTransport

ISSUER, AUDIENCE = "https://issuer.example", "teal"
STEP = timedelta(milliseconds=200)
LONGEST_WAIT = timedelta(milliseconds=300)  # else most of the time would go into long polls
LIVE = ("live-rollback", "live-reject", "live-abandon")  # services that live.toml names
SIMULATED_MAX = 800  # metric periods: one rollout of an ordinary plan with each defect


def settings() -> Settings:
    """An issuer whose admins may do everything."""
    issuer = Issuer(url=ISSUER, audience=AUDIENCE, name_claim="sub", roles=(("admins", Role.ADMIN),))
    return Settings(issuers=(issuer,))


def token_of(key: ECKey) -> str:
    """An admin's token for a day: by an issuer, since no call of the door can revoke it."""
    now = int(datetime.now(UTC).timestamp())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "admin",
        "groups": ["admins"],
        "iat": now,
        "exp": now + 86_400,
    }
    return jwt.encode({"alg": "ES256", "kid": "k"}, claims, key)


async def main(folder: Path) -> None:
    """Serve until a signal."""
    key = ECKey.generate_key("P-256", {"kid": "k"})

    async def fetch(url: str) -> Document:
        if url.endswith("openid-configuration"):
            return {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}
        return {"keys": [key.as_dict(private=False)]}

    world = a_world()
    store = open_store(f"sqlite:///{folder / 'teal.db'}")
    cloud = AwsCloud(
        Caller(DirectTransport(world.call, refusal=AwsRefusal, lost=CallLost)), region=world.region
    )
    engine = engine_of(store, cloud, SystemClock())
    app = create_app(engine, settings=settings(), fetching=fetch)
    app.state.door.is_working = True
    app.state.door.wait_max = LONGEST_WAIT
    app.state.door.simulated_max = SIMULATED_MAX
    await fill(store)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with asyncio.TaskGroup() as group:
            moving = group.create_task(move(world))
            stocking = group.create_task(stock(store))
            working = group.create_task(work(engine, stop := asyncio.Event()))
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            await serve(app, listener, lambda: told(address, token_of(key)))
            stop.set()
            await working
            moving.cancel()
            stocking.cancel()
    await store.close()


async def work(engine: Engine, stop: asyncio.Event) -> None:
    """Run the engine until `stop` is set."""
    await engine.run(stop)


async def fill(store: Store) -> None:
    """Have what the document's examples name: a rollout (that nobody looks at meanwhile) and a token."""
    now = datetime.now(UTC)
    row = a_rollout("checkout-3f9a1c07", service="cart", created_at=now)
    claims = frozenset({"service prod/cart"})
    await store.create(row, claims=claims, key="k", events=(an_event(),), wake_at=now + timedelta(days=1))
    token = Token(id="t-3f9a1c07", name="ci", role=Role.VIEWER, created_at=now, created_by="admin")
    await store.add_token(token, digest=new_token()[1])


async def stock(store: Store) -> None:
    """Have an active rollout of each service that is there to be ended."""
    while True:
        for name in LIVE:
            if await store.find_active(f"prod/{name}") is None:
                now = datetime.now(UTC)
                row = a_rollout(f"{name}-{secrets.token_hex(4)}", service=name, created_at=now)
                claims = frozenset({f"service prod/{name}"})
                wake_at = now + timedelta(days=1)
                await store.create(row, claims=claims, key=row.id, events=(an_event(),), wake_at=wake_at)
        await asyncio.sleep(STEP.total_seconds())


def told(address: str, token: str) -> None:
    """Say where the server is and by which token it is asked."""
    print(json.dumps({"address": address, "token": token}), flush=True)


def a_world() -> World:
    """A World whose clock is the machine's, with one service and the revision that the examples name."""
    world = World(start=datetime.now(UTC) - timedelta(hours=1), seed=0, settings=WorldSettings.kind())
    scenery = furnish(world)
    until_steady(world, scenery)
    while register(world, family=scenery.service).rpartition(":")[2] != "43":
        world.advance(timedelta(seconds=5))  # AWS limits how often
    world.advance(datetime.now(UTC))
    return world


async def move(world: World) -> None:
    """Move the World along with the machine's clock."""
    while True:
        await asyncio.sleep(STEP.total_seconds())
        world.advance(datetime.now(UTC))


if __name__ == "__main__":
    log_to_stderr()
    asyncio.run(main(Path(sys.argv[1])))
