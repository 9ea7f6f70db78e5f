"""Who is told of a rollout, and who is asked about it: a hook that lives, one that is dead, and a team's webhook."""

from datetime import timedelta
from random import Random

from orchestrator.core.cloud.probes_and_webhooks import (
    HookAccepted,
    HookNeed,
    HookSeen,
    HookTrouble,
    HookVerdict,
)
from orchestrator.core.domain.errors import Unreachable
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.verdict import Verdict
from orchestrator.notify.sink import StorePage
from orchestrator.ports.rollouts import EventSeen, Stored
from sandbox.world.world import World
from tests.support.virtual_probe import VirtualProber


class LivingHook:
    """Takes every event, and keeps what it was told."""

    name = "hook living"
    at_once = 20

    def __init__(self) -> None:
        self.told: dict[RolloutId, list[int]] = {}
        self.paged: list[StorePage] = []

    def wants(self, stored: Stored, seen: EventSeen) -> bool:
        """Everything."""
        return True

    async def tell(self, stored: Stored, events: tuple[EventSeen, ...], state: str) -> str:
        """Keep their numbers."""
        self.told.setdefault(stored.rollout.id, []).extend(seen.number for seen in events)
        return str(events[-1].number)

    async def page(self, page: StorePage) -> None:
        """Keep it."""
        self.paged.append(page)


class DeadHook:
    """Nobody is there."""

    name = "hook dead"
    at_once = 1

    def __init__(self) -> None:
        self.asked = 0

    def wants(self, stored: Stored, seen: EventSeen) -> bool:
        """Everything."""
        return True

    async def tell(self, stored: Stored, events: tuple[EventSeen, ...], state: str) -> str:
        """Never answers."""
        self.asked += 1
        raise self._silence()

    async def page(self, page: StorePage) -> None:
        """Never answers either."""
        self.asked += 1
        raise self._silence()

    def _silence(self) -> Unreachable:
        return Unreachable(what="hook dead did not answer", why="connection refused")


class TeamsSystems(VirtualProber):
    """Probes as they are in virtual time, and a webhook that is at work, in trouble or says what it thinks."""

    def __init__(self, world: World, *, seed: int, says: Verdict) -> None:
        super().__init__(world, seed=seed)
        self._draw, self._says = Random(seed), says
        self.questions = 0

    async def ask(self, need: HookNeed) -> HookSeen | None:
        """What it answers this time."""
        self.questions += 1
        chance = self._draw.random()
        if chance < 0.2:
            return HookTrouble(why="it answered 503")
        if chance < 0.35 and not need.check:
            return HookAccepted(check=f"{need.url}/later", after=timedelta(seconds=2))
        if chance < 0.5:
            return HookVerdict(verdict=Verdict.HOLD, reason="cold caches")
        return HookVerdict(verdict=self._says, reason="the checks ran")
