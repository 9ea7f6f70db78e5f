"""Real rollouts on sandboxes: `teal` as processes, requests over loopback, a SQLite store for every service.

A store holds one service's rollout only, because any engine on a store moves every rollout in it: with a store of
its own, a rollout whose engine was killed stands still until its own engine is started again.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api.cli.backend.store import StoreDoor
from api.cli.demo.acts import environment
from orchestrator import bootstrap
from orchestrator.engine.views.rollout import RolloutView
from orchestrator.store.opening import open_store
from sandbox.plane.clients.load import Load
from sandbox.plane.tasks.control import FaultRequest
from sandbox.sandbox import Sandbox
from sandbox.scenarios.scenery import Scenery, furnish, register
from sandbox.world.kernel.errors import AwsRefusal

ROOT = Path(__file__).parents[2]
LONGEST_SECONDS = 300.0  # so long only what hangs takes, also on a machine that is busy with other things
LOOK_SECONDS = 0.2
SIDE_BY_SIDE = 6
RATE = 40.0  # requests a second of each service; `make night` asks for twice as many
THROTTLED = ("Throttling", "ThrottlingException")
STALE_LOOKS = 10
QUICK = """\
service: prod/{service}
revision: {{task_definition: {revision}}}
plan: [{{weight: 50, bake: 3s}}, {{weight: 100, bake: 2s}}]
metrics: {{period: 1s, lag: 2 periods}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A `teal` that ran to its end."""

    code: int
    out: str
    err: str


class Running:
    """A `teal` that runs; what it prints goes to files."""

    def __init__(self, process: asyncio.subprocess.Process, out: Path, err: Path) -> None:
        self._process, self._out, self._err = process, out, err

    @property
    def has_ended(self) -> bool:
        """True once the process is gone."""
        return self._process.returncode is not None

    @property
    def said(self) -> str:
        """What it has printed so far."""
        return self._out.read_text()

    async def says(self, words: str, limit: float = LONGEST_SECONDS) -> str:
        """Wait until it has printed these words; what it has printed by then. Raises TimeoutError with that.

        Raises AssertionError with everything it printed where it has ended without them.
        """
        try:
            async with asyncio.timeout(limit):
                while words not in self.said:
                    if self.has_ended and words not in self.said:
                        raise AssertionError(f"it ended without saying {words!r}: {await self.ended()}")
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            raise TimeoutError(f"it does not say {words!r}: {self.said}") from None
        return self.said

    async def ended(self, limit: float = LONGEST_SECONDS) -> Ended:
        """Its exit code and everything it printed. Raises TimeoutError with what it had printed by then."""
        try:
            async with asyncio.timeout(limit):
                code = await self._process.wait()
        except TimeoutError:
            raise TimeoutError(f"it still runs after {limit:g} s: {self.said}") from None
        return Ended(code=code, out=self._out.read_text(), err=self._err.read_text())

    async def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if not self.has_ended:
            self._process.send_signal(number)

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        await self.send(signal.SIGKILL)
        await self._process.wait()


class Shop:
    """One service of the sandbox with its users, a folder, and a store."""

    def __init__(
        self, sandbox: Sandbox, scenery: Scenery, load: Load, folder: Path, stack: AsyncExitStack
    ) -> None:
        self.sandbox, self.scenery, self.load, self.folder = sandbox, scenery, load, folder
        self.name = scenery.service
        self.store = open_store(f"sqlite:///{folder / 'teal.db'}")
        self.door = StoreDoor(self.store, bootstrap.SystemClock())
        self.env = environment(sandbox.environment, folder)
        self._stack, self._count = stack, 0
        stack.push_async_callback(self.store.close)

    def revision(self, **settings: str) -> str:
        """Register one more revision whose tasks run with these settings; returns family:revision."""
        arn = register(self.sandbox.world, family=self.name, environment=settings)
        return arn.rpartition("/")[2]

    def file(self, revision: str, *more: str, text: str = QUICK, name: str = "rollout.yaml") -> str:
        """Write a rollout file; returns its path."""
        path = self.folder / name
        path.write_text(
            text.format(service=self.name, revision=revision) + "".join(f"{line}\n" for line in more)
        )
        return str(path)

    async def start(self, *args: str, **env: str) -> Running:
        """Start `teal`; killed at the end of the scene if it still runs."""
        self._count += 1
        out, err = (self.folder / f"{self._count}.{stream}" for stream in ("out", "err"))
        with out.open("wb") as to_out, err.open("wb") as to_err:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "api.cli.main", *args),
                cwd=ROOT,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=to_out,
                stderr=to_err,
                start_new_session=True,
                env={**self.env, **env},
            )
        running = Running(process, out, err)
        self._stack.push_async_callback(running.kill)
        return running

    async def deploy(self, file: str, *more: str) -> Running:
        """Start `teal deploy`."""
        return await self.start("deploy", "-f", file, *more)

    async def teal(self, *args: str, **env: str) -> Ended:
        """Run `teal` to its end."""
        return await (await self.start(*args, **env)).ended()

    async def rollouts(self) -> tuple[RolloutView, ...]:
        """Every rollout of the store, the newest first."""
        from api.cli.backend.backend import Which

        return await self.door.list(Which())

    async def newest(self) -> RolloutView:
        """The newest rollout; there must be one."""
        return (await self.rollouts())[0]

    async def until(
        self, claim: Callable[[RolloutView], object], limit: float = LONGEST_SECONDS, words: str = ""
    ) -> RolloutView:
        """Wait until the newest rollout is so. Raises TimeoutError saying where it stands."""
        view: RolloutView | None = None
        try:
            async with asyncio.timeout(limit):
                while not (found := await self.rollouts()) or not claim(view := found[0]):  # noqa: ASYNC110 - another process moves it
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            raise TimeoutError(f"{words} did not come within {limit:g} s: {view}") from None
        assert view is not None
        return view

    async def in_phase(self, *phases: str, limit: float = LONGEST_SECONDS) -> RolloutView:
        """Wait until the newest rollout is in one of these phases."""
        return await self.until(lambda view: view.phase in phases, limit, " or ".join(phases))

    async def events(self) -> list[str]:
        """The texts of the newest rollout's log."""
        view = await self.newest()
        found: list[str] = []
        after = 0
        while page := await self.door.events(view.id, after):
            found += [f"{seen.event.kind}: {seen.event.message}" for seen in page]
            after = page[-1].number
        return found

    async def call(self, api: str, operation: str, /, **params: object) -> Any:  # noqa: ANN401 - AWS's own shapes
        """Ask the World as AWS would be asked, again as long as it throttles."""
        while True:
            try:
                return self.sandbox.world.call(api, operation, dict(params))
            except AwsRefusal as refusal:
                if refusal.code not in THROTTLED:
                    raise
                await asyncio.sleep(LOOK_SECONDS)

    async def blue(self) -> Any:  # noqa: ANN401 - AWS's own shapes
        """Blue as DescribeServices shows it."""
        asked = {"cluster": "prod", "services": [self.name], "include": ["TAGS"]}
        return (await self.call("ecs", "DescribeServices", **asked))["services"][0]

    async def on(self) -> str:
        """The revision blue runs, as family:revision."""
        return str((await self.blue())["taskDefinition"].rpartition("/")[2])

    async def rules(self) -> list[Any]:
        """The rules' actions, to the letter."""
        found = await self.call("elbv2", "DescribeRules", RuleArns=list(self.scenery.rules))
        return [rule["Actions"] for rule in found["Rules"]]

    async def scaling(self) -> Any:  # noqa: ANN401 - AWS's own shapes
        """Blue's scalable target."""
        asked = {"ServiceNamespace": "ecs", "ResourceIds": [f"service/prod/{self.name}"]}
        found = await self.call("application-autoscaling", "DescribeScalableTargets", **asked)
        return found["ScalableTargets"]

    async def guests(self) -> list[str]:
        """What Teal made for this service and is still there: services and target groups."""
        arns = (await self.call("ecs", "ListServices", cluster="prod"))["serviceArns"]
        services = [arn.rpartition("/")[2] for arn in arns if f"/{self.name}-" in arn]
        groups = (await self.call("elbv2", "DescribeTargetGroups"))["TargetGroups"]
        names = [group["TargetGroupName"] for group in groups]
        return services + [name for name in names if f"teal-{self.name}-" in name]

    async def state(self) -> dict[str, Any]:
        """What a rollout has to leave as it was: blue without its revision, its rules, its scaling, no guest."""
        blue = await self.blue()
        kept = ("serviceArn", "status", "desiredCount", "tags", "deploymentConfiguration", "loadBalancers")
        return {
            **{name: blue.get(name) for name in kept},
            "rules": await self.rules(),
            "scaling": await self.scaling(),
            "guests": await self.guests(),
        }

    async def changes(self, before: dict[str, Any]) -> list[str]:
        """What is not as it was, in words; looks again for a moment, since a read may answer an older state."""
        for _ in range(STALE_LOOKS):
            now = await self.state()
            found = [
                f"{name}: {now[name]}, was {before[name]}" for name in before if now[name] != before[name]
            ]
            if not found:
                return []
            await asyncio.sleep(LOOK_SECONDS)
        return found

    async def event(self, words: str, limit: float = LONGEST_SECONDS) -> str:
        """Wait for an event with these words. Raises TimeoutError with all events there were."""
        events: list[str] = []
        try:
            async with asyncio.timeout(limit):
                while not (found := [event for event in events if words in event]):
                    await asyncio.sleep(LOOK_SECONDS)
                    events = await self.events()
        except TimeoutError:
            raise TimeoutError(f"{words!r} did not come: {events}") from None
        return found[0]

    def fault(self, fault: str, **more: object) -> None:
        """Ask the sandbox for a fault, or for its end."""
        self.sandbox.control.grant(FaultRequest.of(json.dumps({"fault": fault, **more}).encode()))


class Stage:
    """Where shops are opened: each in an AWS account of its own, since engines of one account share its limits."""

    def __init__(self, folder: Path, stack: AsyncExitStack, rate: float = RATE) -> None:
        self._folder, self._stack, self._rate = folder, stack, rate

    def beside(self, stack: AsyncExitStack) -> "Stage":
        """A stage in the same folder whose shops close with this stack."""
        return Stage(self._folder, stack, self._rate)

    async def shop(self, name: str, *, is_used: bool = True, **furniture: Any) -> Shop:  # noqa: ANN401 - as furnish
        """A service that runs steadily and, if it is used, is asked all the time."""
        sandbox = await self._stack.enter_async_context(Sandbox(minute=timedelta(seconds=1), empty=True))
        port = sandbox.proxy.reserve()
        environment = {"TEAL_DEMO_VERSION": "1"}
        scenery = furnish(
            sandbox.world,
            service=name,
            listener_port=port,
            **{"desired": 2, "environment": environment, **furniture},
        )
        folder = self._folder / name
        folder.mkdir()
        load = Load(f"http://127.0.0.1:{port}/", rate=self._rate, culprit=sandbox.culprit)
        shop = Shop(sandbox, scenery, load, folder, self._stack)
        while not await is_steady(shop):  # noqa: ASYNC110 - ECS sends no event, here as on AWS
            await asyncio.sleep(LOOK_SECONDS)
        if is_used:
            await self._stack.enter_async_context(load)
        return shop


async def is_steady(shop: Shop) -> bool:
    """True once the service's only deployment is done and its targets are healthy."""
    blue = await shop.blue()
    targets = shop.sandbox.world.traffic.group(shop.scenery.target_group).targets
    states = [deployment["rolloutState"] for deployment in blue["deployments"]]
    return states == ["COMPLETED"] and [t.state for t in targets] == ["healthy"] * blue["desiredCount"]


Scene = Callable[[Stage], Coroutine[Any, Any, None]]


def play(scene: Scene, folder: Path, *, limit: float = 2 * LONGEST_SECONDS, rate: float = RATE) -> None:
    """Play one scene on a stage of its own; one that hangs fails."""

    async def bounded() -> None:
        async with asyncio.timeout(limit), AsyncExitStack() as stack:
            await scene(Stage(folder, stack, rate))

    asyncio.run(bounded())


def play_together(
    folder: Path, scenes: Sequence[Scene], *, rate: float = RATE
) -> dict[str, Exception | None]:
    """Play scenes side by side, since most of a rollout is waiting; what each raised, by its name.

    More than `SIDE_BY_SIDE` would be slowed down by each other until targets miss their health checks.
    """
    ends: dict[str, Exception | None] = {}

    async def one(scene: Scene, turn: asyncio.Semaphore) -> None:
        try:
            async with turn, asyncio.timeout(2 * LONGEST_SECONDS), AsyncExitStack() as stack:
                await scene(Stage(folder, stack, rate))
        except Exception as error:
            ends[scene.__name__] = error
        else:
            ends[scene.__name__] = None

    async def all_of_them() -> None:
        turn = asyncio.Semaphore(SIDE_BY_SIDE)
        async with asyncio.TaskGroup() as group:
            for scene in scenes:
                group.create_task(one(scene, turn), name=scene.__name__)

    asyncio.run(all_of_them())
    return ends


def play_as_subtests(folder: Path, subtests: pytest.Subtests, scenes: Sequence[Scene]) -> None:
    """Play scenes side by side; each is a subtest of its own."""
    for name, error in play_together(folder, scenes).items():
        with subtests.test(name):
            if error is not None:
                raise error
