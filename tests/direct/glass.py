"""A rehearsal whose engine can be killed, and a direct rollback beside it through real clients on the wire skin."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from orchestrator.aws.client.botocore import open_wire
from orchestrator.aws.client.call import Caller
from orchestrator.aws.cloud import AwsCloud
from orchestrator.core.break_glass.snapshot import Place
from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import ServiceName
from orchestrator.engine.direct_rollback import DirectEnd, DirectRun
from orchestrator.ports.break_glass import Direct
from sandbox.wire.skin import Skin
from tests.support.inprocess_wire import attach, session_class
from tests.support.rehearsal import Rehearsal

BLINK = 0.05
BY = "operator: the server is away"


class Glass(Rehearsal):
    """One service with its users, an engine that may die, and a person with AWS credentials."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - a Rehearsal's
        super().__init__(**settings)
        self.told: list[str] = []
        self._open = AsyncExitStack()
        self.direct: Direct = self.run(self._clients())
        self.before = self.letter

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self._open.aclose())
        super().__exit__(kind, error, trace)

    def __enter__(self) -> Self:
        return self

    @property
    def name(self) -> ServiceName:
        """The service of record."""
        return ServiceName(cluster=self.scenery.cluster, service=self.scenery.service)

    @property
    def letter(self) -> tuple[str, ...]:
        """What a rollout has to leave as it was: rules, blue, scaling, and what else there is."""
        blue = self.blue()
        kept = ("taskDefinition", "desiredCount", "deploymentConfiguration", "tags")
        scaling = self.world.call(
            "application-autoscaling", "DescribeScalableTargets", {"ServiceNamespace": "ecs"}
        )
        groups = self.world.call("elbv2", "DescribeTargetGroups", {})["TargetGroups"]
        return (
            canonical([rule["Actions"] for rule in self.rules()]),
            canonical({name: blue.get(name) for name in kept}),
            canonical(scaling["ScalableTargets"]),
            canonical([group["TargetGroupName"] for group in groups]),
            canonical(
                self.world.call("ecs", "ListServices", {"cluster": self.scenery.cluster})["serviceArns"]
            ),
        )

    def rules(self) -> list[dict[str, Any]]:
        """Every rule that carries the service, as described."""
        found = self.world.call("elbv2", "DescribeRules", {"RuleArns": list(self.scenery.rules)})
        return list(found["Rules"])

    def weights(self) -> list[dict[str, int]]:
        """Each rule's weights by target group."""
        return [
            {
                group["TargetGroupArn"]: group["Weight"]
                for group in rule["Actions"][-1]["ForwardConfig"]["TargetGroups"]
            }
            for rule in self.rules()
        ]

    def all_is_on_blue(self) -> bool:
        """True if no rule gives anything but blue (and groups that Teal does not know) any traffic."""
        foreign = getattr(self, "foreign", "")
        return all(
            not weight or group in (self.scenery.target_group, foreign)
            for rule in self.weights()
            for group, weight in rule.items()
        )

    def blue(self) -> dict[str, Any]:
        """Blue as DescribeServices shows it."""
        asked = {
            "cluster": self.scenery.cluster,
            "services": [self.scenery.service],
            "include": ["TAGS"],
        }
        services: list[dict[str, Any]] = self.world.call("ecs", "DescribeServices", asked)["services"]
        return services[0]

    def die_when(
        self,
        rollout: RolloutId,
        moment: Callable[[Rollout], object],
        *,
        within: timedelta = timedelta(minutes=20),
    ) -> Rollout:
        """Let the engine run until the row is so, and kill it there, in the middle of whatever it does."""
        return self.run(self._die_when(rollout, moment, within))

    def look(self) -> Place:
        """What a direct rollback sees."""
        return self.run(self._bringing().look())

    def bring_home(self, *, within: timedelta = timedelta(minutes=20)) -> DirectEnd:
        """A direct rollback, to its end."""

        async def bounded() -> DirectEnd:
            async with asyncio.timeout(within.total_seconds()):
                return await self._bringing().run(by=BY)

        return self.run(bounded())

    def _bringing(self) -> DirectRun:
        return DirectRun(self.direct, self.name, clock=self.clock, tell=self.told.append)

    async def _die_when(
        self, rollout: RolloutId, moment: Callable[[Rollout], object], within: timedelta
    ) -> Rollout:
        engine = asyncio.get_running_loop().create_task(self._new_worker().run(asyncio.Event()))
        try:
            async with asyncio.timeout(within.total_seconds()):
                while not moment(row := (await self.store.load(rollout)).rollout):  # noqa: ASYNC110 - another task moves it
                    await asyncio.sleep(BLINK)
        finally:
            engine.cancel()
            await asyncio.gather(engine, return_exceptions=True)
        return row

    async def _clients(self) -> Direct:
        skin = Skin(self.world)
        opened = open_wire(
            self.world.region,
            http_session=session_class(skin),
            on_cloudwatch=lambda client: attach(client, skin),
        )
        transport = await self._open.enter_async_context(opened)
        return AwsCloud(Caller(transport, chance=lambda: 0.5), region=self.world.region).direct()
