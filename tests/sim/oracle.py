"""Holds every step of a simulation to the promises, by its own reading of the World's log and state.

It shares no judgement with the core: shares are fractions, evidence is what the log's answers held, and what Teal
means to do is known only from the committed row's phase and events.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from orchestrator.core.domain.commands import Command, CommandState
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Ending
from orchestrator.store.memory.store import MemoryStore
from sandbox.scenarios.scenery import Scenery
from sandbox.world.kernel.log import CallRecord
from sandbox.world.world import World
from tests.sim.case import Case
from tests.sim.evidence import Evidence
from tests.sim.process import Process
from tests.sim.rule_oracle import RuleOracle
from tests.sim.thing_oracle import ThingOracle
from tests.sim.truth import share
from tests.support.virtual_traffic import VirtualTraffic

EXCUSED = timedelta(minutes=3)  # for noticing within a period, also where AWS is away or an engine dies


class Oracle(Case):
    """Looks on. `look` is called after every call and every movement of time."""

    def __init__(
        self, world: World, store: MemoryStore, rollout: RolloutId, scenery: Scenery, revision: str
    ) -> None:
        super().__init__(world, store, rollout, scenery, revision)
        self.groups_before = set(self.truth.groups())
        self.scaling_before = self.scaling()
        self.scales_before, self.alarms_before = self.scales(), self.truth.alarms()
        self.accepted: list[Command] = []
        self.evidence = Evidence(world, scenery)
        self.writes = RuleOracle(self, self.evidence)
        self.things = ThingOracle(self)
        self._caller: Process | None = None
        self._read = len(world.log)
        self._failed = ""
        self._kept_from = world.now
        self.traffic: VirtualTraffic | None = None
        self.is_store_written: Callable[[], bool] = lambda: True
        self._kept = 0  # tasks of blue at the last look

    def excuse_shrinking(self) -> None:
        """Somebody else let blue scale in again: it may, until Teal has noticed and suspends it anew."""
        self._kept_from = self.world.now + EXCUSED

    def hears(self, process: Process | None) -> None:
        """The process whose call arrives next at the World; None: it was made."""
        if process is None:
            self.look()  # the call that was made is still its caller's
        self._caller = process

    # after every step --------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Check every call that arrived since the last look."""
        log, failed = self.world.log, self.row.waiting.failed
        if self._failed and not failed:
            self.evidence.begins_anew()
        self._failed = failed
        self._check_blue_kept()
        while self._read < len(log):
            record = log[self._read]
            self._read += 1
            self.evidence.hears(record)
            if record.answer is not None and record.service != "sts":
                self._check(record)

    def _check(self, record: CallRecord) -> None:
        is_late = record.error is not None and "late" in str(record.error)
        if record.operation.startswith(("Describe", "List", "Get")):
            return
        if not is_late:
            self._is_the_one_writer(record)
        if record.operation in ("ModifyRule", "ModifyListener"):
            self.writes.check(record, is_teal=not is_late)
        else:
            self.things.check(record, is_late=is_late)

    def _check_blue_kept(self) -> None:
        """Promise 4: from the moment its scale-in is suspended until the watch has passed, blue never shrinks."""
        blue, phase = self.truth.service(self.scenery.service), self.row.phase
        if blue is None or phase not in (Phase.SHIFTING, Phase.WATCHING) or not self.scaling_before:
            self._kept = 0
            return
        if blue.desired < self._kept and self.world.now >= self._kept_from:
            self.breaks(4, f"blue shrank from {self._kept} to {blue.desired} tasks in {phase}")
        self._kept = blue.desired

    def _is_the_one_writer(self, record: CallRecord) -> None:
        """Promise 5: only who holds the row writes; nobody can hold one while the store takes no writes."""
        if self.is_store_written() and self._caller is not None and self.writer != self._caller.owner:
            self.breaks(5, f"{record.operation} by {self._caller.owner} while {self.writer} holds the row")

    # at the end --------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """What must be so a minute after the end."""
        if self.row.phase is Phase.ABANDONED:
            return
        if self.row.phase is Phase.SUCCEEDED and self.row.spec.ending.is_swap:
            self._end_of_swap()
            self._check_commands()
            self._check_accusations()
            return
        for arn in self.rules:
            is_same = self.truth.rule(arn) == self.before[arn]
            if not is_same and arn not in self.edited:
                self.breaks(8, f"{arn} is not as it was: {self.before[arn]} -> {self.truth.rule(arn)}")
            if share(self.truth.rule(arn).actions, self.blue_group) <= 0:
                self.breaks(3, f"{arn} gives blue nothing at the end")
        left = {name for arn, name in self.truth.groups().items() if arn not in self.groups_before}
        left |= {s.name for s in self.truth.services() if s.name != self.scenery.service}
        left |= set(self.truth.active_revisions(f"{self.scenery.service}-green"))
        left |= {f"the scaling of {name}" for name in self.truth.scalable_targets()} - {
            f"the scaling of {self.scenery.service}"
        }
        left |= self.truth.alarms().keys() - self.alarms_before.keys()
        if left:
            self.breaks(6, f"left behind: {', '.join(sorted(left))}")
        if self.scaling() != self.scaling_before and not self.things.is_scaling_edited:
            self.breaks(7, f"blue's scaling was {self.scaling_before} and is {self.scaling()}")
        if self.scales() != self.scales_before:
            self.breaks(7, f"blue's policies were {self.scales_before} and are {self.scales()}")
        if changed := [n for n, was in self.alarms_before.items() if self.truth.alarms().get(n) != was]:
            self.breaks(7, f"alarms were changed: {', '.join(changed)}")
        self._check_blue_at_end()
        self._check_commands()
        self._check_accusations()

    def _end_of_swap(self) -> None:
        """Green and its groups are what is left, in blue's place to the letter; blue has no task, or is gone."""
        row, green_group = self.row, self.green_group or ""
        assert row.green is not None
        for arn in self.rules:
            was, now = self.before[arn], self.truth.rule(arn)
            wanted = replace(was, actions=was.actions.replace(self.blue_group, green_group))
            if now != wanted:
                self.breaks(8, f"{arn} is not as it was with green in blue's place: {wanted} -> {now}")
        left = {arn for arn in self.truth.groups() if arn not in self.groups_before} - {green_group}
        services = {one.name: one for one in self.truth.services()}
        left |= services.keys() - {self.scenery.service, row.green.name}
        if left:
            self.breaks(6, f"left behind: {', '.join(sorted(left))}")
        green, blue = services.get(row.green.name), services.get(self.scenery.service)
        if green is None or not self.truth.runs_only(row.green.name, self.revision):
            self.breaks(3, f"{row.green.name} does not run {self.revision} alone")
        elif green.tags.get("teal:serves") != "true":
            self.breaks(6, f"{row.green.name} is not marked as the service of record")
        if row.spec.ending is Ending.DELETE and blue is not None:
            self.breaks(6, "blue was to be deleted and is there")
        if row.spec.ending is Ending.KEEP and (blue is None or blue.desired or blue.tags.get("teal:managed")):
            self.breaks(6, f"blue was to be kept without tasks, and untagged: {blue}")

    def _check_blue_at_end(self) -> None:
        blue = self.blue()
        wanted = self.revision if self.row.phase is Phase.SUCCEEDED else self.scenery.task_definition
        if blue.definition.arn != wanted:
            self.breaks(3, f"{self.row.phase}, and blue is on {blue.definition.arn}")
        if json.dumps(blue.configuration, sort_keys=True) != self.configuration_before:
            self.breaks(7, f"blue's deployment configuration is {blue.configuration}")
        if not self.scaling_before and blue.desired != self.desired_before:
            self.breaks(7, f"blue had {self.desired_before} tasks and has {blue.desired}")

    def _check_accusations(self) -> None:
        """Promises 10 and 11: a change of a rule is said to be somebody's only where somebody changed it."""
        for event in self.events:
            facts = dict(event.facts)
            if event.kind is EventKind.DRIFT_FOUND and facts.get("rule") in {*self.rules} - self.edited:
                self.breaks(10, f"nobody changed the rule: {event.message}")
        end = self.row.end
        if end is not None and end.by.name == "somebody" and not self.edited:
            self.breaks(11, f"nobody changed a rule: {end.reason}")

    def _check_commands(self) -> None:
        kept = self.store._rows[self.rollout].commands
        for command in self.accepted:
            if command.key not in kept:
                self.breaks(9, f"{command.kind} was accepted and lost")
            elif kept[command.key].state is CommandState.ACCEPTED:
                self.breaks(9, f"{command.kind} was accepted and never answered")
