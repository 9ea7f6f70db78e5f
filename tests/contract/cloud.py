"""The clouds that the contract suite holds to the same expectations, and the stage they look at."""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

from orchestrator.aws.call import Caller, Patience
from orchestrator.aws.cloud import AwsCloud
from orchestrator.aws.transport import DirectTransport
from orchestrator.aws.wire import open_wire
from orchestrator.core.effects import Effect
from orchestrator.core.needs import Needs, RuleNeed, SurveyNeed
from orchestrator.core.observed import RuleSeen
from orchestrator.core.seen import Seen
from orchestrator.core.survey import Survey
from orchestrator.ports import Cloud
from orchestrator.sandbox.wire.inprocess import attach, session_class
from orchestrator.sandbox.wire.skin import Response, Skin
from orchestrator.sandbox.world import AwsRefusal, CallLost, World, WorldSettings
from orchestrator.sandbox.world.scenery import Scenery, furnish, until_steady

T = TypeVar("T")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Way(Protocol):
    """A way from the adapters to a World."""

    def to(self, world: World) -> Cloud:
        """The cloud on this World; an earlier one is not used any more."""
        ...


class Direct:
    """The adapters on the World itself, as simulations use them."""

    def to(self, world: World) -> Cloud:
        """A cloud on this World."""
        transport = DirectTransport(world.call, refusal=AwsRefusal, lost=CallLost)
        return AwsCloud(Caller(transport, patience=Patience.once()), region=world.region)


class Wired:
    """The adapters on real clients, which are dear to make and so made once; the wire skin answers in process."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._stack = AsyncExitStack()
        self._skin = _AnySkin()
        self._cloud: Cloud | None = None

    def to(self, world: World) -> Cloud:
        """The cloud, now on this World."""
        self._skin.now = Skin(world)
        if self._cloud is None:
            self._cloud = self._runner.run(self._open(world.region))
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


class _AnySkin(Skin):
    """Speaks for whichever World is looked at now."""

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
    """A World with a steady service in it, and a cloud on it, for synchronous tests."""

    world: World
    scenery: Scenery
    cloud: Cloud
    runner: asyncio.Runner

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
        return self.world.call(api, operation, params)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)


def set_stage(way: Way, runner: asyncio.Runner, **scenery: object) -> Stage:
    """A stage on a World that holds every call and answer to AWS's shapes."""
    settings = replace(WorldSettings.kind(), validate=True)
    world = World(start=NOON, settings=settings)
    world.behaviour.start, world.behaviour.start_spread = timedelta(seconds=3), timedelta(0)
    built = furnish(world, **scenery)  # type: ignore[arg-type] # furnish's own keywords
    until_steady(world, built)
    return Stage(world, built, way.to(world), runner)


def ways() -> Iterator[str]:
    """The names of all ways, for parametrising."""
    yield from ("direct", "wired")
