"""The terminal's door to a server: the same values that the store would have given it."""

import asyncio
import subprocess
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from api.cli.backend.backend import NewCommand, Which
from api.cli.backend.operating_user import local_actor
from api.cli.backend.server import ServerDoor
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import NotFound, Refused
from orchestrator.core.domain.ids import RolloutId
from orchestrator.engine.views.rollout import view
from orchestrator.store.opening import open_store
from tests.http.process import PATIENCE, address_of

pytestmark = pytest.mark.machine


def test_server_says_what_the_store_says_and_knows_who_asked(
    server: subprocess.Popen[str], quiet_store: Path
) -> None:
    server_url = address_of(server)
    far = ServerDoor(server_url)

    async def script() -> None:
        store = open_store(f"sqlite:///{quiet_store}")
        try:
            near = view(await store.load(RolloutId("r1")))
            assert await far.get("prod/checkout") == near
            assert await far.list(Which(service="prod/checkout")) == (near,)
            assert await far.events("r1", 0) == await store.events(RolloutId("r1"))
            with pytest.raises(NotFound):
                await far.get("nobody")
            with pytest.raises(Refused, match="pending"):
                await far.give("checkout", NewCommand(kind=CommandKind.PROMOTE))
            # Abandoning needs no look at AWS: the server's worker applies it at once.
            await far.give("checkout", NewCommand(kind=CommandKind.ABANDON, reason="to see who asks"))
            await next_version(server_url, after=near.version)
            assert f"by {local_actor().name}" in (await far.get("r1")).reason
        finally:
            await store.close()

    asyncio.run(script())


async def next_version(url: str, *, after: int) -> None:
    """Wait, by asking the server to, until the rollout is another one."""

    def ask() -> None:
        with closing(HTTPConnection(url.removeprefix("http://"), timeout=PATIENCE)) as connection:
            connection.request("GET", f"/v1/rollouts/r1?wait=20&version={after}")
            with connection.getresponse() as answer:
                assert answer.status == 200

    await asyncio.to_thread(ask)
