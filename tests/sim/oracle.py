"""Holds every step of a simulation to the promises, by its own reading of the World's log and state.

It shares no judgement with the core: shares are fractions, evidence is what the log's answers held, and what Teal
means to do is known only from the committed row's phase and events.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orchestrator.core.commands import Command, CommandKind, CommandState
from orchestrator.core.events import EventKind
from orchestrator.core.ids import RolloutId
from orchestrator.core.phases import Phase
from orchestrator.core.rollout import Rollout
from orchestrator.sandbox.world.ecs.state import Service
from orchestrator.sandbox.world.log import CallRecord
from orchestrator.sandbox.world.scenery import Scenery
from orchestrator.sandbox.world.world import World
from orchestrator.store.memory import MemoryStore
from tests.sim.evidence import Evidence
from tests.sim.process import Process
from tests.sim.truth import RuleTruth, Truth, besides_weights, share, weights

EARLY = (Phase.PENDING, Phase.PREPARING, Phase.PROVISIONING, Phase.SHIFTING, Phase.WATCHING)
UNSEEN = timedelta(seconds=2)  # a read may be so much older than the write that follows it
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


class Oracle:
    """Looks on. `look` is called after every call and every movement of time."""

    def __init__(
        self, world: World, store: MemoryStore, rollout: RolloutId, scenery: Scenery, revision: str
    ) -> None:
        self.world, self.store, self.rollout = world, store, rollout
        self.scenery, self.revision = scenery, revision
        self.truth = Truth(world)
        self.blue_group = scenery.target_group
        self.rules = list(scenery.rules)
        self.before: dict[str, RuleTruth] = {arn: self.truth.rule(arn) for arn in self.rules}
        self.groups_before = set(self.truth.groups())
        self.scaling_before = self._scaling()
        self.bounds = self._bounds()
        self.is_scaling_edited = False
        blue = self._blue()
        self.desired_before = blue.desired
        self.configuration_before = json.dumps(blue.configuration, sort_keys=True)
        self.broken: list[Broken] = []
        self.accepted: list[Command] = []
        self.green_group: str | None = None
        self.edited: set[str] = set()  # rules that a rival wrote
        self._edited_at: dict[str, datetime] = {}
        self.evidence = Evidence(world, scenery)
        self._caller: Process | None = None
        self._read = len(world.log)
        self._now = dict(self.before)  # each rule as it was after the last look
        self._made: set[str] = set()
        self._blue_updated = False
        self._failed = ""

    # what is known -----------------------------------------------------------------------------------------------

    @property
    def row(self) -> Rollout:
        """The row as committed."""
        return self.store._rows[self.rollout].rollout

    def breaks(self, promise: int, how: str) -> None:
        """Note a broken promise, once."""
        if not any((b.promise, b.how) == (promise, how) for b in self.broken):
            self.broken.append(Broken(promise, self.world.now, how))

    def hears(self, process: Process | None) -> None:
        """The process whose call arrives next at the World; None: it was made."""
        self._caller = process
        if process is None:
            self.look()

    def excuse_rule(self, arn: str) -> None:
        """Somebody else just wrote this rule."""
        self.edited.add(arn)
        self._edited_at[arn] = self.world.now
        self._now[arn] = self.truth.rule(arn)

    def excuse_scaling(self) -> None:
        """Somebody else just changed blue's scaling."""
        self.bounds, self.is_scaling_edited = self._bounds(), True

    def _blue(self) -> Service:
        service = self.truth.service(self.scenery.service)
        assert service is not None, "blue is gone"
        return service

    def _scaling(self) -> str:
        return self.truth.scaling(self.scenery.cluster, self.scenery.service)

    def _bounds(self) -> str:
        return self._scaling().split(" ")[0]

    # after every step --------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Check every call that arrived since the last look."""
        log, failed = self.world.log, self.row.failed
        if self._failed and not failed:
            self.evidence.begins_anew()
        self._failed = failed
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
        match record.operation:
            case "ModifyRule" | "ModifyListener":
                self._check_rule(record, is_teal=not is_late)
            case "CreateTargetGroup":
                self._check_made(record, record.params["Name"], _tags(record.params.get("Tags", ())))
            case "CreateService":
                name = record.params["serviceName"]
                self._check_made(record, name, _tags(record.params.get("tags", ()), "key", "value"))
            case "UpdateService":
                self._check_update(record)
            case "RegisterScalableTarget":
                self._check_scaling(record, is_late=is_late)
            case "DeleteService" | "DeleteTargetGroup":
                given = record.params.get("service") or record.params.get("TargetGroupArn", "")
                if given not in self._made:
                    self.breaks(6, f"{record.operation} of {given}, which Teal did not make")
            case _:
                pass

    def _is_the_one_writer(self, record: CallRecord) -> None:
        holder = self.store._rows[self.rollout].owner
        if self._caller is not None and holder != self._caller.owner:
            self.breaks(5, f"{record.operation} by {self._caller.owner} while {holder} holds the row")

    # rules -------------------------------------------------------------------------------------------------------

    def _check_rule(self, record: CallRecord, *, is_teal: bool) -> None:
        arn = record.params.get("RuleArn") or self.truth.default_rule_of(record.params["ListenerArn"])
        was, now = self._now[arn], self.truth.rule(arn)
        self._now[arn] = now
        known = weights(now.actions).keys() | weights(was.actions).keys()
        green = next((g for g in known if g in self._made), self.green_group)
        self.green_group = green
        before, after = self._shares(was, green or ""), self._shares(now, green or "")
        if is_teal:
            self._check_the_rest(arn, was, now, green or "")
            if after > before + SLACK:
                self._check_growth_of_green(arn, after)
            if after < before - SLACK:
                self._check_growth_of_blue(arn, before, after)
        if is_teal and abs(after - self.evidence.share) > SLACK:
            step = self.row.spec.plan.steps[min(self.row.step, len(self.row.spec.plan.steps) - 1)]
            self.evidence.changed(after, step=step.weight / 1000)

    def _shares(self, rule: RuleTruth, green: str) -> float:
        """Green's share of blue and green together."""
        found = weights(rule.actions)
        mine, theirs = found.get(green, 0), found.get(self.blue_group, 0)
        return mine / (mine + theirs) if mine + theirs else 0.0

    def _check_the_rest(self, arn: str, was: RuleTruth, now: RuleTruth, green: str) -> None:
        """Promise 8: whatever a rule holds besides the two weights stays as it is.

        A write that follows a rival's edit too closely to have seen it cannot be told apart by AWS: it is excused.
        """
        if self._was_just_edited(arn):
            return
        if (was.conditions, was.priority) != (now.conditions, now.priority):
            self.breaks(8, f"{arn}: its conditions or its priority were changed")
        ours = (self.blue_group, green)
        if besides_weights(was.actions, *ours) != besides_weights(now.actions, *ours):
            self.breaks(
                8, f"{arn}: something besides the weights was changed: {was.actions} -> {now.actions}"
            )
        for group in weights(now.actions).keys() - set(ours):
            change = share(now.actions, group) - share(self.before[arn].actions, group)
            if abs(change) > SLACK and arn not in self.edited:
                self.breaks(8, f"{arn}: {group} got another share")

    def _was_just_edited(self, arn: str) -> bool:
        """True if a rival wrote the rule so lately that Teal's write may follow an older reading."""
        return arn in self._edited_at and self.world.now - self._edited_at[arn] < UNSEEN

    def _check_growth_of_green(self, arn: str, share_now: float) -> None:
        row = self.row
        if row.phase in (Phase.ROLLING_BACK, Phase.ROLLED_BACK) and not self._blue_updated:
            self.breaks(3, f"{arn}: green was given {share_now:.1%} while rolling back")
        elif row.phase in EARLY and not self._was_just_edited(arn):
            if row.failed:
                self.breaks(3, f"{arn}: green was given {share_now:.1%} after a failure: {row.failed}")
            self._check_ready_for_green(arn)
            promoted = self._applied_at(CommandKind.PROMOTE)
            against = self.evidence.against_growth(row, promoted_at=promoted)
            for how in against:
                self.breaks(1, f"{arn}: green was given {share_now:.1%}, but {how}")

    def _applied_at(self, kind: CommandKind) -> datetime | None:
        """When a person's command of this kind was applied last."""
        told = (seen.event for seen in self.store._rows[self.rollout].events)
        applied = (e for e in told if e.kind is EventKind.COMMAND_APPLIED)
        return max((e.at for e in applied if ("command", kind.value) in e.facts), default=None)

    def _check_ready_for_green(self, arn: str) -> None:
        green = self.row.green
        service = self.truth.service(green.name) if green else None
        if service is None or self.evidence.seen_healthy(self.green_group or "") < max(service.desired, 1):
            self.breaks(1, f"{arn}: green grew while its targets were not seen healthy")
        if self.evidence.seen_healthy(self.blue_group) < self.desired_before:
            self.breaks(1, f"{arn}: green grew while blue could not take everything back")
        if self._blue().definition.arn != self.scenery.task_definition:
            self.breaks(1, f"{arn}: green grew while blue was on another revision")

    def _check_growth_of_blue(self, arn: str, before: float, after: float) -> None:
        """In settling blue is the receiver; in any other phase more for blue is always safe."""
        row = self.row
        if row.phase is Phase.SETTLING and not row.is_way_clear:
            if row.failed:
                self.breaks(3, f"{arn}: blue was given more after it failed in settling: {row.failed}")
            if not self.truth.runs_only(self.scenery.service, self.revision):
                self.breaks(1, f"{arn}: blue was given traffic before it was steady on the new revision")
            if self.evidence.seen_healthy(self.blue_group) < self._blue().desired:
                self.breaks(1, f"{arn}: blue was given traffic while its targets were not seen healthy")
        is_former = self.truth.runs_only(self.scenery.service, self.scenery.task_definition)
        if row.phase is Phase.ROLLING_BACK and self._blue_updated and not is_former:
            self.breaks(3, f"{arn}: traffic went back before blue was on its former revision")
        if row.phase is Phase.ROLLING_BACK and after > SLACK:
            self.breaks(3, f"{arn}: a rollback wrote {after:.1%} for green, from {before:.1%}")

    # what is made and touched ------------------------------------------------------------------------------------

    def _check_made(self, record: CallRecord, name: str, tags: Mapping[str, str]) -> None:
        row = self.row
        recorded = {pair.green_name for pair in row.pairs} | ({row.green.name} if row.green else set())
        if name not in recorded:
            self.breaks(6, f"{name} was made before it was recorded")
        if tags.get("teal:rollout") != self.rollout:
            self.breaks(6, f"{name} was made without its tag")
        answer = record.answer or {}
        self._made.add(name)
        self._made.update(g["TargetGroupArn"] for g in answer.get("TargetGroups", ()))

    def _check_update(self, record: CallRecord) -> None:
        name = record.params["service"].rsplit("/", 1)[-1]
        if name == self.scenery.service:
            self._blue_updated = self._blue_updated or "taskDefinition" in record.params
            if self.row.phase in EARLY:
                self.breaks(4, f"blue was updated in {self.row.phase}")
            if record.params.get("desiredCount", self.desired_before) < self.desired_before:
                self.breaks(4, f"blue was given {record.params['desiredCount']} tasks")
        elif name not in self._made:
            self.breaks(6, f"{name} was updated, which Teal did not make")
        elif record.params.get("desiredCount") == 0:
            shares = [share(self.truth.rule(arn).actions, self.green_group or "") for arn in self.rules]
            is_late = record.error is not None
            if max(shares) > 0 and not is_late and not self.edited:
                self.breaks(1, "green's tasks were stopped while it had traffic")

    def _check_scaling(self, record: CallRecord, *, is_late: bool) -> None:
        resource = record.params["ResourceId"]
        if resource != f"service/{self.scenery.cluster}/{self.scenery.service}":
            self.breaks(7, f"the scaling of {resource} was touched")
        if self._bounds() != self.bounds and not is_late:
            self.breaks(7, "blue's bounds were changed")
        self.bounds = self._bounds()

    # at the end --------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """What must be so a minute after the end."""
        if self.row.phase is Phase.ABANDONED:
            return
        for arn in self.rules:
            is_same = self.truth.rule(arn) == self.before[arn]
            if not is_same and arn not in self.edited:
                self.breaks(8, f"{arn} is not as it was: {self.before[arn]} -> {self.truth.rule(arn)}")
            if share(self.truth.rule(arn).actions, self.blue_group) <= 0:
                self.breaks(3, f"{arn} gives blue nothing at the end")
        left = {name for arn, name in self.truth.groups().items() if arn not in self.groups_before}
        left |= {s.name for s in self.truth.services() if s.name != self.scenery.service}
        if left:
            self.breaks(6, f"left behind: {', '.join(sorted(left))}")
        if self._scaling() != self.scaling_before and not self.is_scaling_edited:
            self.breaks(7, f"blue's scaling was {self.scaling_before} and is {self._scaling()}")
        self._check_blue_at_end()
        self._check_commands()

    def _check_blue_at_end(self) -> None:
        blue = self._blue()
        wanted = self.revision if self.row.phase is Phase.SUCCEEDED else self.scenery.task_definition
        if blue.definition.arn != wanted:
            self.breaks(3, f"{self.row.phase}, and blue is on {blue.definition.arn}")
        if json.dumps(blue.configuration, sort_keys=True) != self.configuration_before:
            self.breaks(7, f"blue's deployment configuration is {blue.configuration}")
        if not self.scaling_before and blue.desired != self.desired_before:
            self.breaks(7, f"blue had {self.desired_before} tasks and has {blue.desired}")

    def _check_commands(self) -> None:
        kept = self.store._rows[self.rollout].commands
        for command in self.accepted:
            if command.key not in kept:
                self.breaks(9, f"{command.kind} was accepted and lost")
            elif kept[command.key].state is CommandState.ACCEPTED:
                self.breaks(9, f"{command.kind} was accepted and never answered")


def _tags(found: Any, key: str = "Key", value: str = "Value") -> dict[str, str]:  # noqa: ANN401 - AWS's list
    return {tag[key]: tag.get(value, "") for tag in found}
