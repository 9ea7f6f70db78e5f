"""One tick of one rollout: look, decide, commit, perform, in this order and under one lease.

The intention is on disk before the first call that changes anything, so a crash between any two lines is repaired by
the next tick. A tick's deadline ends before its lease can pass on, and no effect is begun once the lease is stale.

One kind of write does not wait for the disk: where the store cannot be written, blue is still given all traffic that a
rollback gives it. A crash then finds what somebody gave blue, which is taken for a rollback: the same end.
"""

import asyncio
from collections.abc import Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import structlog

from orchestrator import preflight
from orchestrator.core.cloud.effects import Effect, WriteRule, is_to_safety, scalable_target
from orchestrator.core.cloud.resources import Unread
from orchestrator.core.cloud.survey import Finding, Severity, Survey
from orchestrator.core.decide import decide
from orchestrator.core.domain.commands import Command
from orchestrator.core.domain.errors import (
    Conflict,
    Denied,
    Lost,
    Missing,
    Outside,
    Rejected,
    TealError,
    Unreachable,
    Unwritable,
)
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.ownership.claims import claims_of
from orchestrator.core.ownership.session_policy import scope_of
from orchestrator.core.rollout.rollout import Decision, Rollout
from orchestrator.core.rollout.soundness import contradiction
from orchestrator.core.tick.needs import SurveyNeed
from orchestrator.core.tick.seen import Failure, Results, Seen, Unrecorded
from orchestrator.core.what_to_read import ENDING, needs_of
from orchestrator.engine import service_of_record
from orchestrator.engine.calendar import Calendar
from orchestrator.engine.metric_sources import Sources, ask_sources, missing, of_cloudwatch
from orchestrator.engine.missing_account import cloud_of
from orchestrator.engine.outbound_requests import probe_and_ask
from orchestrator.ports.clock import Clock
from orchestrator.ports.cloud import ByAccount, Performer, TickCloud
from orchestrator.ports.leases import Leased, TickStore
from orchestrator.ports.outbound import Outward
from orchestrator.ports.right_to_act import Seconds, acting_until, boot_seconds

NOTHING_KNOWN = Results()
LEASE = timedelta(seconds=30)
RENEW_BEFORE = timedelta(seconds=20)  # a tick starts with at least this much of its lease left
DEADLINE = timedelta(seconds=15)
SURVEY_LONGEST = timedelta(seconds=12)
CALL_LONGEST = timedelta(seconds=8)  # connect, read, and what lies between: no call outlives its lease

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """What one tick did, and the lease it leaves."""

    leased: Leased
    decision: Decision
    results: Results
    is_recorded: bool = True  # False: the store could not be written, and the row is as it was
    unrecorded: Unrecorded | None = None  # what was done nevertheless


class Overtaken(Exception):
    """A command to end the rollout came while a tick still looked, and waits for none of what that reads.

    Nothing was decided, committed or written: the tick is to begin anew, with `commands`.
    """

    def __init__(self, commands: tuple[Command, ...]) -> None:
        self.commands = commands
        super().__init__(", ".join(command.kind.value for command in commands))


class Look:
    """A look under way. It goes on until it has read everything, or until a command to end the rollout comes."""

    def __init__(self, commands: tuple[Command, ...]) -> None:
        self._is_for_the_end = any(command.kind in ENDING for command in commands)
        self._scope = asyncio.timeout(None)
        self._overtaken_by: tuple[Command, ...] = ()

    async def read(self, reading: Coroutine[Any, Any, Seen]) -> Seen:
        """What was read. Raises Overtaken."""
        try:
            async with self._scope:
                return await reading
        except TimeoutError:
            if self._scope.expired():
                raise Overtaken(self._overtaken_by) from None
            raise

    def hear(self, commands: tuple[Command, ...]) -> None:
        """End the look if one of these ends the rollout, unless it was begun for such a one: many delay nothing."""
        if self._is_for_the_end or self._overtaken_by:
            return
        if any(command.kind in ENDING for command in commands):
            self._overtaken_by = commands
            self._scope.reschedule(asyncio.get_running_loop().time())


def to_safety_at_once(before: Rollout, decision: Decision) -> tuple[WriteRule, ...]:
    """The writes of a decision that need no record: they give blue all traffic of rules that the committed row knows.

    Only on the way back from before settling. Later a write to safety may raise green, which a row that does not know
    of it would take for somebody else's.
    """
    is_way_back = (
        before.phase is Phase.ROLLING_BACK and before.retirement is None and not before.handover.attempts
    )
    if decision.rollout.phase is not Phase.ROLLING_BACK or not (
        before.phase.blue_is_safe_side or is_way_back
    ):
        return ()
    known = {rule.arn for rule in before.rules}
    return tuple(
        effect
        for effect in decision.effects
        if isinstance(effect, WriteRule)
        and is_to_safety(effect)
        and effect.rule in known
        and not effect.green
    )


def _side_by_side(effects: Sequence[Effect]) -> list[list[Effect]]:
    """Effects in groups that may run beside each other: a scalable target takes one write at a time."""
    groups: dict[object, list[Effect]] = {}
    for number, effect in enumerate(effects):
        groups.setdefault(scalable_target(effect) or number, []).append(effect)
    return list(groups.values())


def _results(told: Mapping[str, Failure | None]) -> Results:
    return Results(
        failures=tuple(failure for failure in told.values() if failure is not None),
        answered=frozenset(key for key, failure in told.items() if failure is None or failure.is_answer),
    )


class Ticker:
    """Takes one rollout one tick further."""

    def __init__(
        self,
        store: TickStore,
        cloud: ByAccount[TickCloud],
        clock: Clock,
        *,
        registries: Sequence[str] = (),
        calendar: Calendar | None = None,
        outward: Outward | None = None,
        sources: Sources | None = None,
    ) -> None:
        """`registries`: patterns of the images that revisions may run; empty: any. `calendar` None: the store's.

        `outward`: what sends probes and questions to webhooks; None: nothing does, and their gates hold.
        `sources`: metric sources besides CloudWatch, by name.
        """
        self.store, self.cloud, self.clock = store, cloud, clock
        self.registries = tuple(registries)
        self.calendar = calendar or Calendar(store, clock)
        self.outward = outward
        self.sources: Sources = sources or {}
        self.boot: Seconds = boot_seconds
        """By which a lease ends for what is sent: a clock that nobody sets."""
        self._looks: dict[RolloutId, Look] = {}

    @property
    def looking_at(self) -> Collection[RolloutId]:
        """The rollouts that ticks are looking at now, and have decided nothing about yet."""
        return self._looks.keys()

    def hear(self, waiting: Mapping[RolloutId, tuple[Command, ...]]) -> None:
        """Commands that wait, by rollout: a look at one that is to be ended is not waited for."""
        for rollout, commands in waiting.items():
            if rollout in self._looks:
                self._looks[rollout].hear(commands)

    async def tick(
        self, leased: Leased, results: Results = NOTHING_KNOWN, unrecorded: Unrecorded | None = None
    ) -> Ticked:
        """Look, decide, commit, perform. Raises Lost if the row has passed on, TimeoutError past the deadline, and
        Overtaken where a command to end the rollout is heard of before anything was decided.

        `results`: what became of the effects that the last tick asked for. `unrecorded`: what was done since the row
        was committed. Where the store cannot be written, nothing but `to_safety_at_once` is performed.
        """
        async with asyncio.timeout(DEADLINE.total_seconds()):
            began = self.boot()
            if leased.until - self.clock.now() < RENEW_BEFORE:
                leased = await self.store.renew(leased, now=self.clock.now(), ttl=LEASE)
            row = leased.stored.rollout
            ends = began + (leased.until - self.clock.now()).total_seconds()
            broken = contradiction(row)
            assert not broken, f"the row of {row.id} as it was read cannot be acted on: {broken}"
            self._looks[row.id] = look = Look(leased.commands)
            try:
                seen = await look.read(self._look(row, leased))
            finally:
                if (
                    self._looks.get(row.id) is look
                ):  # not another's, begun where this one has outlived its lease
                    del self._looks[row.id]
            decision = self._decide(row, seen, results, unrecorded)
            written = await self._committed(leased, decision)
            if written is not None:
                self._echo(decision, written)
                with acting_until(ends, clock=self.boot):
                    results = await self._perform(decision, written)
                return Ticked(leased=written, decision=decision, results=results)
        return await self._go_to_safety(leased, row, decision, ends)

    async def look_on(
        self,
        looked: Leased,
        committed: Rollout,
        results: Results = NOTHING_KNOWN,
        unrecorded: Unrecorded | None = None,
    ) -> Ticked:
        """A tick while the store cannot be written, for whoever is sure to act alone: nothing is committed.

        `looked`: the row as the last such tick left it. `committed`: as the store has it.
        """
        ends = self.boot() + LEASE.total_seconds()
        async with asyncio.timeout(DEADLINE.total_seconds()):
            seen = await self._look(looked.stored.rollout, looked)
        decision = self._decide(looked.stored.rollout, seen, results, unrecorded)
        return await self._go_to_safety(looked, committed, decision, ends)

    def _decide(self, row: Rollout, seen: Seen, results: Results, unrecorded: Unrecorded | None) -> Decision:
        seen = replace(seen, failures=results.failures, answered=results.answered, unrecorded=unrecorded)
        return decide(row, seen, self.clock.now())

    async def _committed(self, leased: Leased, decision: Decision) -> Leased | None:
        """The lease after the commit; None: the store took no write.

        One whose outcome is not known is read back; what cannot be read was not kept.
        """
        try:
            return await self.store.commit(leased, decision)
        except Unwritable as why:
            log.error("commit_failed", rollout=decision.rollout.id, why=str(why))
        try:
            stored = await self.store.load(decision.rollout.id)
        except TealError:
            return None
        is_mine = stored.version == leased.stored.version + 1 and stored.rollout == decision.rollout
        return replace(leased, stored=stored, commands=()) if is_mine else None

    async def _go_to_safety(
        self, leased: Leased, committed: Rollout, decision: Decision, ends: float
    ) -> Ticked:
        """Perform what needs no record, as long as the right to act lasts (`ends`, of the boot-time clock).

        No deadline ends this: what was written must be known, and each call has its own.
        """
        effects = to_safety_at_once(committed, decision)
        cloud = cloud_of(self.cloud, committed.spec.account).within(scope_of(committed))
        with acting_until(ends, clock=self.boot):
            async with asyncio.TaskGroup() as group:
                tasks = {effect.key: group.create_task(self._attempt(effect, cloud)) for effect in effects}
        results = _results({key: task.result() for key, task in tasks.items()})
        refused = {failure.key for failure in results.failures if failure.is_answer}
        rules = tuple(effect.rule for effect in effects if effect.key not in refused)
        done, end = None, decision.rollout.end
        if rules and end is not None:
            done = Unrecorded(at=self.clock.now(), reason=end.reason, by=end.by, rules=rules)
            log.error("acted_unrecorded", rollout=committed.id, reason=end.reason, rules=", ".join(rules))
        return Ticked(leased=leased, decision=decision, results=results, is_recorded=False, unrecorded=done)

    async def _look(self, row: Rollout, leased: Leased) -> Seen:
        freezes = await self.calendar.of(row.spec.service)
        needs = needs_of(row, leased.commands, self.clock.now(), freezes)
        survey: Survey | Unread | None = None
        findings: tuple[Finding, ...] = ()
        if needs.survey is not None:
            survey, findings = await self._survey(row, needs.survey)
        async with asyncio.TaskGroup() as group:
            looked = group.create_task(
                cloud_of(self.cloud, row.spec.account).observe(replace(of_cloudwatch(needs), survey=None))
            )
            elsewhere = group.create_task(ask_sources(self.sources, needs))
            asked = group.create_task(probe_and_ask(self.outward, needs))
        probe, hooks = asked.result()
        found = looked.result()
        seen = replace(found, probe=probe, hooks=hooks, metrics={**found.metrics, **elsewhere.result()})
        return replace(seen, commands=leased.commands, survey=survey, findings=findings, freezes=freezes)

    async def _survey(self, row: Rollout, need: SurveyNeed) -> tuple[Survey | Unread, tuple[Finding, ...]]:
        known = await service_of_record.known(self.store, str(row.spec.service))
        try:
            async with asyncio.timeout(SURVEY_LONGEST.total_seconds()):
                survey = await cloud_of(self.cloud, row.spec.account).survey(replace(need, known=known))
        except Outside as why:
            return Unread(why=str(why), is_denied=isinstance(why, Denied)), ()
        except TimeoutError:
            return Unread(why=f"not all of it came within {SURVEY_LONGEST.total_seconds():g} s"), ()
        findings = preflight.findings(
            row.spec,
            survey,
            now=self.clock.now(),
            registries=self.registries,
            freezes=None,
            refuses=self.outward.refusal if self.outward else None,
        )
        findings = (*findings, *self._without_source(row))
        if not preflight.errors(findings):
            try:
                await self.store.claim(row.id, claims_of(row, survey))
            except Conflict as taken:
                findings = (*findings, Finding(severity=Severity.ERROR, code="taken", what=str(taken)))
        return survey, findings

    def _without_source(self, row: Rollout) -> tuple[Finding, ...]:
        """Refuses a rollout whose counts nobody could read."""
        spec = row.spec
        named = dict.fromkeys((spec.metrics.source, *(one.source for one in spec.gates.metrics)))
        return tuple(
            Finding(
                severity=Severity.ERROR,
                code="no-metric-source",
                what=missing(name, self.sources),
                next_step="ask an operator to add it under prometheus in the settings, or name no source",
            )
            for name in named
            if name and name not in self.sources
        )

    async def _perform(self, decision: Decision, leased: Leased) -> Results:
        """Writes to safety first, waiting for no other; the rest beside each other. Each fails alone."""
        if not decision.effects:
            return NOTHING_KNOWN
        row = decision.rollout
        cloud = cloud_of(self.cloud, row.spec.account).within(scope_of(row))
        first = [effect for effect in decision.effects if is_to_safety(effect)]
        rest = [effect for effect in decision.effects if not is_to_safety(effect)]
        told = {
            **await self._attempt_all(first, cloud, leased),
            **await self._attempt_all(rest, cloud, leased),
        }
        return _results(told)

    async def _attempt_all(
        self, effects: Sequence[Effect], cloud: Performer, leased: Leased
    ) -> dict[str, Failure | None]:
        """What was attempted, by the effect's key."""
        if effects and self.clock.now() + CALL_LONGEST > leased.until:
            raise Lost(
                what=f"{effects[0].key} was not begun", why="the lease would pass on before it could end"
            )
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._attempt_in_turn(some, cloud, leased))
                for some in _side_by_side(effects)
            ]
        return {key: failure for task in tasks for key, failure in task.result().items()}

    async def _attempt_in_turn(
        self, effects: Sequence[Effect], cloud: Performer, leased: Leased
    ) -> dict[str, Failure | None]:
        """One after the other, as far as the lease lasts; what is left over the next look asks for again."""
        told: dict[str, Failure | None] = {}
        for effect in effects:
            if effect is not effects[0] and self.clock.now() + CALL_LONGEST > leased.until:
                break
            told[effect.key] = await self._attempt(effect, cloud)
        return told

    async def _attempt(self, effect: Effect, cloud: Performer) -> Failure | None:
        try:
            await cloud.perform(effect)
        except Outside as why:
            log.warning("effect_failed", effect=effect.key, why=str(why), code=why.code)
            return Failure(
                key=effect.key,
                why=str(why),
                is_final=isinstance(why, Rejected),
                is_missing=isinstance(why, Missing),
                is_answer=not isinstance(why, Unreachable),
            )
        return None

    def _echo(self, decision: Decision, leased: Leased) -> None:
        """The log line is the echo of what was committed to the audit log."""
        for event in decision.events:
            log.info(
                event.kind.value,
                rollout=decision.rollout.id,
                service=str(decision.rollout.spec.service),
                fence=leased.fence,
                message=event.message,
            )
