"""The sandbox: a World in real time, AWS's API on a loopback port, and a data plane that carries its traffic.

Everything it starts ends with it: on leaving, on an error, and (its tasks hold a pipe to it) when it is killed.
"""

import asyncio
import json
import signal
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Literal, Self

from sandbox.plane.balancer.health import HealthChecks
from sandbox.plane.balancer.proxy import Proxy
from sandbox.plane.balancer.routes import Split
from sandbox.plane.clients.load import Load
from sandbox.plane.tasks.control import Control
from sandbox.plane.tasks.pool import SharedPool
from sandbox.plane.tasks.supervisor import Supervisor
from sandbox.scenarios.scenery import Scenery, furnish, register
from sandbox.wire.skin import Response, Skin
from sandbox.wire.socket import PREFIX, serve
from sandbox.world.kernel.settings import WorldSettings
from sandbox.world.world import World

DRIVE_SECONDS = 0.02  # how finely the World's clock follows the real one between calls
STEADY_SECONDS = 60.0  # more than the furnished service ever needs to start
CALLS_KEPT = 20_000
# The API takes no interval under 5 s (botocore checks that), so the sandbox checks at a fifth of what is set.
CHECK_PACE = 0.2
CREDENTIAL = "sandbox"
USERS_STAY = 24 * 3600.0  # seconds: a sandbox that is forgotten does not send for ever
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Sandbox:
    """An AWS on a laptop, as an async context manager; entered, it is ready to be used.

    ``minute`` is one CloudWatch minute (1, 5 or 10 s are periods that CloudWatch knows). ``empty`` starts without
    any resource; otherwise service prod/checkout runs ``checkout:1`` and a good ``checkout:2`` and a bad
    ``checkout:3``, which fails the share ``bad_error_rate`` of its requests, are registered; the other two fail the
    share ``error_rate``. ``port`` 0 and ``listener_port`` 0 take free ones. Raises TimeoutError if the service does
    not become steady.
    ``test_listener``: there is a second listener, which users do not come by.
    """

    def __init__(  # noqa: PLR0913 - every one has a default, and callers name what they change
        self,
        *,
        minute: timedelta = timedelta(seconds=5),
        seed: int = 0,
        empty: bool = False,
        port: int = 0,
        listener_port: int = 0,
        desired: int = 3,
        error_rate: float = 0.0,
        bad_error_rate: float = 0.2,
        split: Split = "random",
        test_listener: bool = False,
    ) -> None:
        self._minute = minute
        self._seed = seed
        self._empty = empty
        self._port = port
        self._listener_port = listener_port
        self._desired = desired
        self._error_rate = error_rate
        self._bad_error_rate = bad_error_rate
        self._split: Split = split
        self._has_test_listener = test_listener
        self._stack = AsyncExitStack()
        self._loops: list[asyncio.Task[None]] = []
        self._failure: BaseException | None = None
        self.scenery: Scenery | None = None
        """What the sandbox was furnished with; None when it is empty."""
        self.revisions: dict[str, str] = {}
        """ARNs of the task definitions `blue`, `good` and `bad`."""

    async def __aenter__(self) -> Self:
        self._owner = asyncio.current_task()
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()
        if self._failure is not None:
            raise RuntimeError("a part of the sandbox failed") from self._failure

    async def _start(self) -> None:
        self.world = World(
            start=datetime.now(UTC),
            seed=self._seed,
            minute=self._minute,
            settings=WorldSettings(log_limit=CALLS_KEPT),
            tasks=self._supervise,
        )
        await self._stack.enter_async_context(self.tasks)
        self.proxy = Proxy(self.world.traffic, split=self._split, seed=self._seed)
        await self._stack.enter_async_context(self.proxy)
        self.control = Control(self.world.traffic, self.tasks, _WorldsMisfortune(self.world))
        self.control.notes = self._notes
        self._stack.callback(self.control.close)
        self._stack.push_async_callback(self._stop_loops)
        for name, loop in self._parts().items():
            self._begin(name, loop)
        skin = Skin(self.world, before=self._catch_up)
        self.endpoint = await self._stack.enter_async_context(
            serve(skin, self._port, paths={PREFIX: self._answer})
        )
        if not self._empty:
            await self._furnish()

    def _supervise(self, world: World) -> Supervisor:
        self.tasks = Supervisor(_Reports(world))
        return self.tasks

    def _parts(self) -> dict[str, Coroutine[None, None, None]]:
        return {
            "sandbox's clock": self._drive(),
            "sandbox's listeners": self.proxy.run(),
            "what the sandbox's tasks share": SharedPool(self.world.traffic, self.tasks).run(),
            "sandbox's health checks": HealthChecks(self.world.traffic, pace=CHECK_PACE).run(),
        }

    def _begin(self, name: str, loop: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(loop, name=name)
        task.add_done_callback(self._ended)
        self._loops.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        self._failure = self._failure or task.exception()
        if (
            self._owner is not None
        ):  # nothing works without this part: whoever uses the sandbox is interrupted
            self._owner.cancel()

    async def _stop_loops(self) -> None:
        for task in self._loops:
            task.cancel()
        await asyncio.wait(self._loops)

    async def _drive(self) -> None:
        while True:
            self._catch_up()
            await asyncio.sleep(DRIVE_SECONDS)

    def _catch_up(self) -> None:
        self.world.run_until(datetime.now(UTC))

    async def _furnish(self) -> None:
        port = self._listener_port or self.proxy.reserve()
        self.scenery = scenery = furnish(
            self.world,
            desired=self._desired,
            listener_port=port,
            test_port=self.proxy.reserve() if self._has_test_listener else 0,
            draining=timedelta(seconds=2),
            environment=_application(1, self._error_rate),
        )
        good, bad = _application(2, self._error_rate), _application(3, self._bad_error_rate)
        self.revisions = {
            "blue": scenery.task_definition,
            "good": register(self.world, family=scenery.service, environment=good),
            "bad": register(self.world, family=scenery.service, environment=bad),
        }
        async with asyncio.timeout(STEADY_SECONDS):
            while not self._is_steady(scenery):  # noqa: ASYNC110 - ECS sends no event, here as on AWS
                await asyncio.sleep(0.1)

    def _is_steady(self, scenery: Scenery) -> bool:
        asked = {"cluster": scenery.cluster, "services": [scenery.service]}
        # A describe may answer what was there before the service was made, here as on AWS.
        shown = self.world.call("ecs", "DescribeServices", asked)["services"]
        states = [d["rolloutState"] for service in shown for d in service["deployments"]]
        targets = self.world.traffic.group(scenery.target_group).targets
        return states == ["COMPLETED"] and [t.state for t in targets] == ["healthy"] * self._desired

    async def _answer(self, method: str, path: str, _headers: Mapping[str, str], body: bytes) -> Response:
        self._catch_up()
        status, shown = self.control.answer(method, path, body)
        return Response(
            status=status,
            headers={"content-type": "application/json"},
            body=json.dumps(shown, indent=2).encode() + b"\n",
        )

    def _notes(self) -> dict[str, object]:
        return {
            "now": self.world.now.isoformat(),
            "minute_seconds": self._minute.total_seconds(),
            "problems": dict(self.proxy.problems),
        }

    @property
    def url(self) -> str:
        """Where the furnished service's users send their requests."""
        assert self.scenery is not None, "an empty sandbox serves nobody"
        return self._urls(self.scenery)[0]

    def _urls(self, scenery: Scenery) -> list[str]:
        return [self._url_of(arn) for arn in scenery.listeners]

    def _url_of(self, listener: str) -> str:
        ports = {view.arn: view.port for view in self.world.traffic.listeners()}
        return f"http://127.0.0.1:{ports[listener]}/"

    @property
    def test_url(self) -> str:
        """Where the test listener is."""
        assert self.scenery is not None, "an empty sandbox has no listener"
        assert self.scenery.test_listener, "this sandbox was not asked for a test listener"
        return self._url_of(self.scenery.test_listener)

    @property
    def environment(self) -> dict[str, str]:
        """What to set so that any AWS client speaks to this sandbox."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": CREDENTIAL,
            "AWS_SECRET_ACCESS_KEY": CREDENTIAL,
            "AWS_REGION": self.world.region,
            "AWS_DEFAULT_REGION": self.world.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def describe(self) -> dict[str, object]:
        """The line of `teal sandbox --json`."""
        line: dict[str, object] = {
            "endpoint": self.endpoint,
            "region": self.world.region,
            "account": self.world.account,
            "minute_seconds": self._minute.total_seconds(),
            "environment": self.environment,
            "control": f"{self.endpoint}{PREFIX}",
        }
        if self.scenery is not None:
            line |= {
                "cluster": self.scenery.cluster,
                "service": self.scenery.service,
                "listeners": self._urls(self.scenery),
                "rules": list(self.scenery.rules),
                "target_groups": [self.scenery.target_group],
                "task_definitions": {name: arn.rpartition("/")[2] for name, arn in self.revisions.items()},
                "alarms": list(self.scenery.alarms),
            }
            if self.scenery.test_listener:
                line |= {"test_listener": self.test_url, "test_rules": list(self.scenery.test_rules)}
        return line

    def culprit(self, host: str, port: int) -> str | None:
        """The revision (family:revision) of the task that died of its own fault at this address, if one did."""
        end = self.tasks.end_of(host, port)
        return None if end is None or end.told else end.revision

    def load(self, *, rate: float, seconds: float = 3600.0, in_flight: int = 256) -> Load:
        """Steady load on the furnished service, to be entered by the caller."""
        return Load(self.url, rate=rate, seconds=seconds, in_flight=in_flight, culprit=self.culprit)


def _application(version: int, error_rate: float) -> dict[str, str]:
    """The demo application's settings for one version of it."""
    fails = {"TEAL_DEMO_ERROR_RATE": f"{error_rate:g}"} if error_rate else {}
    return {"TEAL_DEMO_VERSION": f"{version}", **fails}


class _Reports:
    """The World's ears for its tasks; the World is not whole yet when its runner is made."""

    def __init__(self, world: World) -> None:
        self._world = world

    def task_running(self, arn: str, *, host: str, port: int) -> None:
        self._world.reports.task_running(arn, host=host, port=port)

    def task_stopped(self, arn: str, *, exit_code: int | None, reason: str) -> None:
        self._world.reports.task_stopped(arn, exit_code=exit_code, reason=reason)


class _WorldsMisfortune:
    """What `Control` may do to the World."""

    def __init__(self, world: World) -> None:
        self._world = world

    def no_capacity(self, *, on: bool) -> None:
        self._world.capacity.limit = 0 if on else None  # tasks that run are not touched

    def metrics(self, trouble: Literal["partial", "failed"] | None) -> None:
        self._world.metrics.settle()
        if trouble is not None:
            self._world.metrics.disturb(trouble)

    def api(self, *, throttling: bool, outage: tuple[str, ...] | Literal["all"] | None) -> None:
        faults = self._world.faults
        faults.end_outage()
        if throttling:
            faults.throttle_everything()
        if outage is not None:
            faults.outage(outage)


async def run_until_signal(
    sandbox: Sandbox, ready: Callable[[dict[str, object]], None], *, rate: float = 0.0
) -> None:
    """Run a sandbox until SIGINT or SIGTERM, in which case it ends in order and this returns.

    `ready` is called with `describe()` once it can be used. `rate`: requests a second that its users send
    meanwhile. Raises what the sandbox raises.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop.set)

    async def hold() -> None:
        async with sandbox, sandbox.load(rate=rate, seconds=USERS_STAY) if rate else nullcontext():
            ready(sandbox.describe())
            await asyncio.Event().wait()

    holding = asyncio.create_task(hold(), name="sandbox")
    stopping = asyncio.create_task(stop.wait(), name="a signal")
    await asyncio.wait({holding, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        holding.cancel()
    stopping.cancel()
    try:
        with suppress(asyncio.CancelledError):
            await holding
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
