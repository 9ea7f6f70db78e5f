"""What the oracle's parts share: what was before, what is really so, the row as committed, and what was broken."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.domain.events import Event
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.store.memory.store import MemoryStore
from sandbox.scenarios.scenery import Scenery
from sandbox.world.ecs.resources import Service
from sandbox.world.world import World
from tests.sim.truth import RuleTruth, Truth

EARLY = (Phase.PENDING, Phase.PREPARING, Phase.PROVISIONING, Phase.SHIFTING, Phase.WATCHING)
SLACK = 0.0021  # of a share: weights are whole numbers


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that was broken: which, when, and how."""

    promise: int
    at: datetime
    how: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.at:%H:%M:%S.%f} promise {self.promise}: {self.how}"


class Case:
    """One rollout in one World, as it was before the first tick and as it is now."""

    def __init__(
        self, world: World, store: MemoryStore, rollout: RolloutId, scenery: Scenery, revision: str
    ) -> None:
        self.world, self.store, self.rollout = world, store, rollout
        self.scenery, self.revision = scenery, revision
        self.truth = Truth(world)
        self.blue_group = scenery.target_group
        self.green_group: str | None = None
        self.rules = list(scenery.rules)
        self.before: dict[str, RuleTruth] = {arn: self.truth.rule(arn) for arn in self.rules}
        self.desired_before = self.blue().desired
        self.configuration_before = json.dumps(self.blue().configuration, sort_keys=True)
        self.edited: set[str] = set()  # rules that a rival wrote
        self.made: set[str] = set()  # names and ARNs of what Teal made
        self.is_blue_updated = False
        self.broken: list[Broken] = []

    @property
    def row(self) -> Rollout:
        """The row as committed."""
        return self.store._rows[self.rollout].rollout

    @property
    def writer(self) -> str | None:
        """Who holds the row."""
        return self.store._rows[self.rollout].owner

    @property
    def events(self) -> Iterator[Event]:
        """The audit log so far."""
        return (seen.event for seen in self.store._rows[self.rollout].events)

    def breaks(self, promise: int, how: str) -> None:
        """Note a broken promise, once."""
        if not any((b.promise, b.how) == (promise, how) for b in self.broken):
            self.broken.append(Broken(promise, self.world.now, how))

    def blue(self) -> Service:
        """Blue as it is."""
        service = self.truth.service(self.scenery.service)
        assert service is not None, "blue is gone"
        return service

    def scales(self) -> str:
        """Blue's policies and scheduled actions, as text that can be compared."""
        return self.truth.scales(self.scenery.cluster, self.scenery.service)

    def scaling(self) -> str:
        """Blue's scalable target, as text that can be compared."""
        return self.truth.scaling(self.scenery.cluster, self.scenery.service)
