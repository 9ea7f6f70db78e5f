"""The clouds that the contract suite holds to the same expectations, and the stage they look at."""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar, cast

from orchestrator.aws.client.botocore import open_wire
from orchestrator.aws.client.call import Caller, Patience
from orchestrator.aws.cloud import AwsCloud
from orchestrator.core.cloud.effects import Effect
from orchestrator.core.cloud.resources import RuleSeen
from orchestrator.core.cloud.survey import Survey
from orchestrator.core.tick.needs import Needs, RuleNeed, SurveyNeed
from orchestrator.core.tick.seen import Seen
from orchestrator.ports.cloud import Cloud
from sandbox.scenarios.scenery import Scenery, furnish, register, until_steady
from sandbox.wire.skin import Response, Skin
from sandbox.world import AwsRefusal, CallLost, World, WorldSettings
from tests.contract.moto_cloud import MotoAccount, as_world
from tests.support.direct_transport import DirectTransport
from tests.support.inprocess_wire import attach, session_class

T = TypeVar("T")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Aws(Protocol):
    """What stands for AWS behind a cloud: a World, or moto."""

    @property
    def account(self) -> str: ...
    @property
    def region(self) -> str: ...
    def advance(self, to: timedelta, /) -> None: ...
    def call(self, service: str, operation: str, params: dict[str, Any], /) -> dict[str, Any]: ...


class Way(Protocol):
    """A way from the adapters to what stands for AWS."""

    def stage(self, runner: asyncio.Runner, **scenery: Any) -> "Stage":  # noqa: ANN401 - furnish's own keywords
        """A new AWS with a service in it, and the cloud on it; an earlier one is not used any more."""
        ...


class Direct:
    """The adapters on the World itself, as simulations use them."""

    def stage(self, runner: asyncio.Runner, **scenery: Any) -> "Stage":  # noqa: ANN401 - furnish's own keywords
        """A World, and the cloud on it."""
        world, built = _furnished(**scenery)
        transport = DirectTransport(world.call, refusal=AwsRefusal, lost=CallLost)
        cloud = AwsCloud(Caller(transport, patience=Patience.once()), region=world.region)
        return Stage(world, built, cloud, runner)


class Wired:
    """The adapters on real clients, which are dear to make and so made once; a skin answers in process."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._stack = AsyncExitStack()
        self._skin = _AnySkin()
        self._cloud: Cloud | None = None

    def stage(self, runner: asyncio.Runner, **scenery: Any) -> "Stage":  # noqa: ANN401 - furnish's own keywords
        """A World, and the cloud on its wire skin."""
        world, built = _furnished(**scenery)
        return Stage(world, built, self._to(Skin(world), world.region), runner)

    def _to(self, skin: Skin, region: str) -> Cloud:
        """The cloud, now on this skin."""
        self._skin.now = skin
        if self._cloud is None:
            self._cloud = self._runner.run(self._open(region))
        return self._cloud

    def close(self) -> None:
        """Close the clients."""
        self._runner.run(self._stack.aclose())

    async def _open(self, region: str) -> Cloud:
        opened = open_wire(
            region,
            http_session=session_class(self._skin),
            on_cloudwatch=lambda client: attach(client, self._skin),
        )
        transport = await self._stack.enter_async_context(opened)
        return AwsCloud(Caller(transport, patience=Patience.once()), region=region)


class ByMoto(Wired):
    """The same clients on moto, which furnishes itself from the same calls."""

    def stage(self, runner: asyncio.Runner, **scenery: Any) -> "Stage":  # noqa: ANN401 - furnish's own keywords
        """An account in moto, and the cloud on it."""
        account = MotoAccount()
        built = furnish(as_world(account), **scenery)
        return Stage(account, built, self._to(account.skin, account.region), runner)


class _AnySkin(Skin):
    """Speaks for whichever AWS is looked at now."""

    def __init__(self) -> None:
        self.now: Skin | None = None

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        assert self.now is not None
        return self.now.handle(method, path, headers, body)

    async def handle_patiently(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        assert self.now is not None
        return await self.now.handle_patiently(method, path, headers, body)


@dataclass(frozen=True, slots=True)
class Stage:
    """An AWS with a steady service in it, and a cloud on it, for synchronous tests."""

    aws: Aws
    scenery: Scenery
    cloud: Cloud
    runner: asyncio.Runner

    @property
    def world(self) -> World:
        """The World, for its clock, its faults and its log: tests that use them are marked `world`."""
        assert isinstance(self.aws, World)
        return self.aws

    def advance(self, duration: timedelta) -> None:
        """Let time pass, where there is time."""
        self.aws.advance(duration)

    def furnish(self, **scenery: Any) -> None:  # noqa: ANN401 - furnish's own keywords
        """Have another service beside this one."""
        built = furnish(cast(World, self.aws), **scenery)
        if isinstance(self.aws, World):
            until_steady(self.aws, built)

    def register(self, environment: Mapping[str, str] | None = None) -> str:
        """Register the service's next revision; its ARN."""
        world = cast(World, self.aws)  # which is only called
        return register(world, family=self.scenery.service, environment=environment)

    def survey(self, **changes: object) -> Survey:
        """A survey of the service, its needs changed as said."""
        scenery = self.scenery
        need = SurveyNeed(
            cluster=scenery.cluster,
            service=scenery.service,
            task_definition=scenery.task_definition,
            rules=(),
            alarms=scenery.alarms,
        )
        return self._run(self.cloud.survey(replace(need, **changes)))  # type: ignore[arg-type] # SurveyNeed's fields

    def observe(self, **needs: object) -> Seen:
        """A look at the service's cluster."""
        return self._run(self.cloud.observe(Needs(cluster=self.scenery.cluster_arn, **needs)))  # type: ignore[arg-type] # Needs' fields

    def perform(self, effect: Effect) -> None:
        """Carry an effect out."""
        self._run(self.cloud.perform(effect))

    def rule(self, number: int = 0) -> RuleSeen:
        """One of the service's rules, as it is now."""
        need = RuleNeed(arn=self.scenery.rules[number], listener=self.scenery.listeners[0], is_default=False)  # type: ignore[arg-type] # ARNs
        seen = self.observe(rules=(need,)).rules[need.arn]
        assert isinstance(seen, RuleSeen)
        return seen

    def call(self, api: str, operation: str, **params: object) -> dict[str, Any]:
        """What somebody else does or reads, past the adapters."""
        return self.aws.call(api, operation, params)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)


def _furnished(**scenery: Any) -> tuple[World, Scenery]:  # noqa: ANN401 - furnish's own keywords
    """A World that holds every call and answer to AWS's shapes, with a steady service in it."""
    settings = replace(WorldSettings.kind(), validate=True)
    world = World(start=NOON, settings=settings)
    world.behaviour.start, world.behaviour.start_spread = timedelta(seconds=3), timedelta(0)
    built = furnish(world, **scenery)
    until_steady(world, built)
    return world, built


def set_stage(way: Way, runner: asyncio.Runner, **scenery: Any) -> Stage:  # noqa: ANN401 - furnish's own keywords
    """A stage on a World that holds every call and answer to AWS's shapes."""
    return way.stage(runner, **scenery)


def ways() -> Iterator[str]:
    """The names of the ways to a World, for parametrising."""
    yield from ("direct", "wired")
