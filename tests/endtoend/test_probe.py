"""Green probed over real sockets before users reach it: one sandbox, `teal deploy` as processes."""

import asyncio
import socket
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from api.cli.demo.acts import environment
from sandbox.plane.clients.load import Load
from sandbox.sandbox import Sandbox
from tests.endtoend.stage import ROOT

pytestmark = pytest.mark.machine(seconds=60)

LONGEST_SECONDS = 300.0  # so long only what hangs takes, also on a machine that is busy with other things
FILE = """\
service: prod/checkout
revision: {{task_definition: {revision}}}
traffic: {{test_rules: ["{rule}"]}}
plan: [{{weight: 50, bake: 2s}}, {{weight: 100, bake: 1s}}]
metrics: {{period: 1s, lag: 2 periods}}
gates:
  compare: off
  probe: {{url: "{url}", paths: [/, "/cart?dry=1"], rate: 50, count: 100}}
"""


class Deploy:
    """A `teal deploy` of one of the sandbox's revisions."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._sandbox, self._folder, self.said = sandbox, folder, ""

    async def start(self, revision: str, *, url: str) -> None:
        """Begin it."""
        scenery, folder = self._sandbox.scenery, self._folder
        assert scenery is not None
        file, settings = folder / "rollout.yaml", folder / "settings.yaml"
        settings.write_text("hosts: {private: [127.0.0.1]}\n")
        named = self._sandbox.revisions[revision].rpartition("/")[2]
        file.write_text(FILE.format(revision=named, rule=scenery.test_rules[0], url=url.rstrip("/")))
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "api.cli.main", "deploy", "-f", str(file)),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**environment(self._sandbox.environment, folder), "TEAL_SETTINGS": str(settings)},
        )

    async def says(self, words: str) -> None:
        """Wait until it has printed these words, or has ended."""
        assert self._process.stdout is not None
        async with asyncio.timeout(LONGEST_SECONDS):
            while words not in self.said and (line := await self._process.stdout.readline()):
                self.said += line.decode()
        assert words in self.said, self.said

    async def ended(self) -> int:
        """Its exit code."""
        assert self._process.stdout is not None
        async with asyncio.timeout(LONGEST_SECONDS):
            self.said += (await self._process.stdout.read()).decode()
            return await self._process.wait()

    def kill(self) -> None:
        """End it, if it still runs."""
        if self._process.returncode is None:
            self._process.kill()


def actions(sandbox: Sandbox) -> object:
    assert sandbox.scenery is not None
    asked = {"RuleArns": list(sandbox.scenery.test_rules)}
    return sandbox.world.call("elbv2", "DescribeRules", asked)["Rules"][0]["Actions"]


async def a_bad_green_fails(sandbox: Sandbox, deploy: Deploy, load: Load) -> None:
    first = actions(sandbox)
    await deploy.start("bad", url=sandbox.test_url)
    assert await deploy.ended() == 3, deploy.said
    assert "answered 500, not 200-299" in deploy.said
    assert actions(sandbox) == first
    blue = sandbox.revisions["blue"].rpartition("/")[2]
    assert set(load.seen().revisions) == {blue}


async def a_good_green_holds_until_there_is_a_way_and_passes(sandbox: Sandbox, deploy: Deploy) -> None:
    first = actions(sandbox)
    port = int(sandbox.test_url.rstrip("/").rpartition(":")[2])

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        back.write(await reader.readuntil(b"\r\n\r\n"))
        writer.write(await there.read())
        await writer.drain()
        back.close()
        writer.close()

    with socket.socket() as way:
        way.bind(("127.0.0.1", 0))  # nobody listens there yet
        await deploy.start("good", url=f"http://127.0.0.1:{way.getsockname()[1]}")
        await deploy.says("green could not be asked")
        async with await asyncio.start_server(carry, sock=way):
            await deploy.says("100 good answers: a green that fails more than 3 %")
        assert await deploy.ended() == 0, deploy.said
    assert actions(sandbox) == first


def test_a_bad_green_never_meets_a_user_and_a_good_one_does_once_there_is_a_way_to_it(tmp_path: Path) -> None:
    async def main() -> None:
        minute = timedelta(seconds=1)
        async with (
            Sandbox(minute=minute, test_listener=True, desired=2) as sandbox,
            sandbox.load(rate=40) as load,
        ):
            for scene in ("bad", "good"):
                deploy = Deploy(sandbox, tmp_path)
                try:
                    if scene == "bad":
                        await a_bad_green_fails(sandbox, deploy, load)
                    else:
                        await a_good_green_holds_until_there_is_a_way_and_passes(sandbox, deploy)
                finally:
                    deploy.kill()
            seen = await load.finish()
            assert not seen.shift, seen

    asyncio.run(main())
