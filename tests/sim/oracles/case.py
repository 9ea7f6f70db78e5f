"""What the oracle's parts share: what people asked for, what was before, what is so now, and what was broken.

None of it is Teal's: the file and the commands are people's, the state and the calls are the World's, and the audit log
is read as text (`told`).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from orchestrator.core.domain.events import Event
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.store.memory.store import MemoryStore
from sandbox.scenarios.scenery import Scenery
from sandbox.world.ecs.resources import Service
from sandbox.world.world import World
from tests.sim.oracles.promises import ORACLES
from tests.sim.oracles.told import Line, Told
from tests.sim.oracles.truth import RuleTruth, Truth, weights
from tests.sim.scenario import Scenario

SLACK = 0.0021  # of a share: weights are whole numbers


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that was broken: which, when, and how. `oracle`: who says so; empty: the play itself."""

    promise: int
    at: datetime
    how: str
    oracle: str = ""

    def __str__(self) -> str:
        """One line."""
        return f"{self.at:%H:%M:%S.%f} promise {self.promise}: {self.how}"


class Case:
    """One rollout in one World, as it was before the first tick and as it is now."""

    def __init__(
        self,
        world: World,
        store: MemoryStore,
        rollout: RolloutId,
        scenery: Scenery,
        revision: str,
        file: Scenario,
        truth: Truth | None = None,
    ) -> None:
        """`truth`: how the World is looked into; None: whole."""
        self.world, self.store, self.rollout = world, store, rollout
        self.scenery, self.revision, self.file = scenery, revision, file
        self.truth = truth or Truth(world)
        self.told = Told()
        self.blue_group = scenery.target_group
        self.green_group: str | None = None
        self.green: str | None = None  # its service, once it was made
        self.rules = list(scenery.rules)
        self.before: dict[str, RuleTruth] = {arn: self.truth.rule(arn) for arn in self.rules}
        self.names = {arn: self._name(arn) for arn in self.rules}
        self.shares = dict.fromkeys(self.rules, 0.0)  # green's, of blue and green together, as written now
        self.desired_before = self.blue().desired
        self.scaling_before = self.scaling()
        self.configuration_before = json.dumps(self.blue().configuration, sort_keys=True)
        self.edited: set[str] = set()  # rules that a rival wrote
        self.edited_afterwards: set[str] = set()  # the same once the rollout had ended
        self.made: set[str] = set()  # names and ARNs of what Teal made
        self.touched_at: datetime | None = None  # blue was given another revision, or Teal tried to
        self.emptied_at: datetime | None = None  # blue was asked to run no task
        self.served_at: datetime | None = None  # green was given traffic then, the last time
        self.stopped_at: datetime | None = None  # green's tasks were told to stop, the last time
        self.left_at: datetime | None = None  # the last rule stopped giving green any, the last time
        self.updated_at: datetime | None = None  # blue was asked to change, the last time
        self.known_at: datetime | None = None  # green was known to be bad, the last time
        self.blue_failed_at: datetime | None = None  # the same of blue, in settling
        self.alarms: tuple[str, ...] = ()  # that the file names besides the scenery's
        self.clock_error = timedelta(0)  # an engine's clock may be wrong by so much, as the stage says
        self.broken: list[Broken] = []

    @property
    def row(self) -> Rollout:
        """The row as committed: for whoever stages the play. No oracle reads it."""
        return self.store._rows[self.rollout].rollout

    @property
    def events(self) -> Iterator[Event]:
        """The audit log so far."""
        return (seen.event for seen in self.store._rows[self.rollout].events)

    def read_log(self) -> list[Line]:
        """The lines that were written since the last reading."""
        known = len(self.told.lines)
        if len(self.store._rows[self.rollout].events) == known:
            return []
        return self.told.hear(islice(self.events, known, None))

    def says(self, oracle: str, how: str) -> None:
        """An oracle's complaint."""
        self.breaks(ORACLES[oracle].promise, how, oracle=oracle)

    def breaks(self, promise: int, how: str, *, oracle: str = "") -> None:
        """Note a broken promise, once."""
        if not any((b.promise, b.how) == (promise, how) for b in self.broken):
            self.broken.append(Broken(promise, self.world.now, how, oracle))

    @property
    def is_early(self) -> bool:
        """Until blue is touched, all traffic goes back to it by one write, and blue is the safe side."""
        return self.touched_at is None

    @property
    def is_abandoned(self) -> bool:
        """Whether somebody has abandoned it."""
        return self.told.ended is not None and self.told.ended.text.startswith("abandoned")

    def was_approved(self) -> bool:
        """Whether somebody approved since the log last said which share green is to have."""
        last = self.told.wants[-1].number if self.told.wants else 0
        return self.told.given_between("approve", last, len(self.told.lines))

    def share_of(self, rule: RuleTruth) -> float:
        """Green's share of blue and green together on a rule like this."""
        found = weights(rule.actions)
        mine, theirs = found.get(self.green_group or "", 0), found.get(self.blue_group, 0)
        return mine / (mine + theirs) if mine + theirs else 0.0

    @property
    def most(self) -> float:
        """Green's largest share on any rule."""
        return max(self.shares.values())

    @property
    def least(self) -> float:
        """Green's smallest share on any rule."""
        return min(self.shares.values())

    def is_all_on_blue(self) -> bool:
        """Whether no rule gives green anything."""
        return self.most <= 0

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

    def may_scale_in(self) -> bool:
        """Whether blue scales by itself, and may have fewer tasks for it."""
        target = self.truth.scalable_target(self.scenery.cluster, self.scenery.service)
        return target is not None and not target.suspended.get("DynamicScalingInSuspended", False)

    def _name(self, arn: str) -> str:
        """How people call a rule: by its priority."""
        is_default = any(arn == self.truth.default_rule_of(one) for one in self.scenery.listeners)
        return "the default rule of" if is_default else f"rule {self.truth.rule(arn).priority} of"
