"""What doors may ask for: start a rollout, look before one, give a command. One set for every door."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator import preflight
from orchestrator.core.apply_commands import refusal
from orchestrator.core.cloud.definition_differences import short
from orchestrator.core.cloud.survey import Finding, Survey
from orchestrator.core.domain.calendar import Freeze
from orchestrator.core.domain.commands import Actor, Command, CommandKind
from orchestrator.core.domain.errors import Conflict, NotFound, Refused, Unfit
from orchestrator.core.domain.events import Event, EventKind
from orchestrator.core.domain.ids import RolloutId, Tenths
from orchestrator.core.domain.plan import percent
from orchestrator.core.ownership.claims import claims_of
from orchestrator.core.phases.pending import survey_need
from orchestrator.core.preflight.environment import surroundings_need
from orchestrator.core.preflight.reserved_capacity import reserved
from orchestrator.core.rollout.rollout import Lasted, Rollout
from orchestrator.core.rollout.spec import Spec
from orchestrator.engine import service_of_record, start_keys
from orchestrator.engine.active_rollouts import active
from orchestrator.engine.calendar import Calendar
from orchestrator.engine.names import meant, no_rollout
from orchestrator.ports.clock import Clock
from orchestrator.ports.cloud import ByAccount, PreflightCloud
from orchestrator.ports.commands import CommandInbox, CommandSeen
from orchestrator.ports.outbound import AddressRules
from orchestrator.ports.rollouts import Filter, RolloutNames, RolloutPages, Stored
from orchestrator.ports.starts import StartStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """What is known before anything is touched."""

    spec: Spec
    survey: Survey
    findings: tuple[Finding, ...]


def new_id(spec: Spec) -> RolloutId:
    """A rollout's id: the service's name, which people recognise, and eight hexadecimal characters."""
    return RolloutId(f"{spec.service.service}-{secrets.token_hex(4)}")


async def look_before(
    spec: Spec,
    *,
    cloud: ByAccount[PreflightCloud],
    clock: Clock,
    registries: Sequence[str] = (),
    freezes: Sequence[Freeze] = (),
    addresses: AddressRules | None = None,
    others: Sequence[Rollout] = (),
    known: str = "",
) -> Preflight:
    """Read everything a rollout would start from and say what speaks against it; only reads. Raises Outside.

    `registries`: patterns of the images that may run, of the server's settings; empty: any. `freezes`: of the
    operators' calendar, for this service. `addresses`: where probes and webhooks may go. `others`: the store's active
    rollouts, which have been promised room.
    `known`: the ECS service that serves, as the store knows. Raises Invalid for an account without settings.
    """
    there = cloud.of(spec.account)
    need = survey_need(_draft_of(spec, Actor(name=""), clock), clock.now(), known)
    survey = await there.survey(need)
    around = await there.look_around(surroundings_need(spec, survey), clock.now())
    findings = preflight.findings(
        spec,
        survey,
        now=clock.now(),
        registries=registries,
        freezes=freezes,
        refuses=addresses.refusal if addresses else None,
        around=around,
        reserved=reserved(others, account=spec.account, service=str(spec.service)),
    )
    return Preflight(spec=spec, survey=survey, findings=findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What a start answers. ``is_replayed``: its key had started this rollout before."""

    stored: Stored
    is_replayed: bool


async def start(  # noqa: PLR0913 - most have a default: what the server's settings say
    spec: Spec,
    *,
    author: Actor,
    key: str,
    store: StartStore,
    cloud: ByAccount[PreflightCloud],
    clock: Clock,
    registries: Sequence[str] = (),
    calendar: Calendar | None = None,
    addresses: AddressRules | None = None,
) -> Begun:
    """Start a rollout once its preflight finds nothing against it; `registries` as `look_before` takes them.

    `calendar` None: the store's. The same `key` of the same author for the same service again is answered with the
    rollout it started. Raises Refused where that was another file's, Conflict if the service or a rule is held by
    another rollout, Unfit with preflight's errors, Invalid for an account that the settings do not have, Outside if
    AWS could not be read. Nothing is made on AWS yet.
    """
    kept = start_keys.kept(key, author, spec.service)
    known = await start_keys.started_by(key, author, spec.service, store=store, now=clock.now())
    if known is not None:
        if known.rollout.spec != spec:
            raise Refused(
                what=f"key `{key}` already started {known.rollout.id}",
                why="that rollout was asked for with another file",
                next_step="use a new key for another rollout",
            )
        return Begun(stored=known, is_replayed=True)
    holder = await store.find_active(str(spec.service))
    if holder is not None:
        raise Conflict(
            what=f"{spec.service} has an active rollout, {holder.rollout.id} ({holder.rollout.phase})",
            why="nothing was started for this start, and nothing waits: it is not begun when that one ends",
            next_step=f"start again once {holder.rollout.id} has ended (`teal status {holder.rollout.id}`), or roll it "
            f"back: `teal rollback {holder.rollout.id}`",
            holder=holder.rollout.id,
        )
    freezes = await (calendar or Calendar(store, clock)).of(spec.service)
    others = await active(store)
    found = await look_before(
        spec,
        cloud=cloud,
        clock=clock,
        registries=registries,
        freezes=freezes,
        addresses=addresses,
        others=others,
        known=await service_of_record.known(store, str(spec.service)),
    )
    row = replace(_draft_of(spec, author, clock), lasted_before=await _lasted_before(store, spec))
    claims = claims_of(row, found.survey)
    _refuse_held(claims, others)
    errors = preflight.refusing(found.findings, spec)
    if errors:
        raise Unfit(
            what=f"{spec.service} cannot be rolled out",
            findings=[words_of(finding) for finding in errors],
        )
    events = (_started(found, author, clock.now()), *_overriding(spec, author, clock.now()))
    made = await store.create(row, claims=claims, key=kept, events=events, wake_at=clock.now())
    return Begun(stored=made, is_replayed=made.rollout.id != row.id)


def _started(found: Preflight, author: Actor, at: datetime) -> Event:
    spec, revision = found.spec, found.survey.revision
    images = ", ".join(f"{container}={image}" for container, image in revision.images) if revision else ""
    forced = ", which blue runs already" if spec.is_forced else ""
    return Event(
        kind=EventKind.STARTED,
        at=at,
        message=f"{author.name} starts {spec.service} to {spec.revision}{forced} with plan {spec.plan.name}"
        + "".join(f", {name} {text}" for name, text in spec.labels),
        facts=(
            ("by", author.name),
            ("source", author.source),
            ("task_definition", spec.revision),
            ("images", images),
            ("differences", short(found.survey.differences or ())),
            *((f"label.{name}", text) for name, text in spec.labels),
        ),
    )


def _overriding(spec: Spec, author: Actor, at: datetime) -> tuple[Event, ...]:
    """That neither window nor freeze binds the rollout, by whom and why."""
    if not spec.override:
        return ()
    event = Event(
        kind=EventKind.WINDOW_OVERRIDDEN,
        at=at,
        message=f"{author.name} overrides windows and freezes: {spec.override}",
        facts=(("by", author.name), ("source", author.source), ("reason", spec.override)),
    )
    return (event,)


def _refuse_held(claims: frozenset[str], others: Sequence[Rollout]) -> None:
    """Raise Conflict if an active rollout of this store moves one of these rules.

    Its target group stands in the rule already, which preflight would find without being able to say whose it is.
    """
    for holder in others:
        known = (*holder.rules, *holder.test_rules)
        taken = next((rule for rule in known if rule.arn in claims), None)
        if taken is not None:
            raise Conflict(
                what=f"{taken.name} is moved by {holder.id} of {holder.spec.service} ({holder.phase})",
                why="a rule has one writer",
                next_step=f"wait for it, or roll it back: `teal rollback {holder.id}`",
                holder=holder.id,
            )


def words_of(finding: Finding) -> str:
    """A finding as one line: what, why, what to do."""
    return ": ".join(part for part in (finding.what, finding.why, finding.next_step) if part)


def _draft_of(spec: Spec, author: Actor, clock: Clock) -> Rollout:
    now = clock.now()
    return Rollout(id=new_id(spec), spec=spec, author=author, created_at=now, phase_since=now)


async def _lasted_before(store: StartStore, spec: Spec) -> tuple[Lasted, ...]:
    """How long each phase took in the service's last rollout that went through it."""
    ended, _ = await store.list(Filter(service=str(spec.service), is_active=False), limit=1)
    known = {
        one.phase: one for stored in ended for one in (*stored.rollout.lasted_before, *stored.rollout.lasted)
    }
    return tuple(known.values())


def _any(_: Stored) -> None:
    """The condition of a command that has none."""


async def accept(
    rollout: RolloutId,
    command: Command,
    *,
    store: CommandInbox,
    condition: Callable[[Stored], None] = _any,
) -> CommandSeen:
    """Accept a command, to be applied by the next tick. Raises NotFound, or Refused naming the present phase.

    The same key of the same caller again is the same command; for another command (its kind, its step, how far it goes)
    or another caller it is refused. `condition` sees the row of a command that is new, before it is accepted, and
    raises to refuse it.
    """

    def check(stored: Stored) -> None:
        condition(stored)
        check_makes_sense(stored, command)

    seen = await store.add_command(rollout, command, check=check)
    if _asked(seen.command) != _asked(command):
        raise Refused(
            what=f"key `{command.key}` was already used for {_in_words(seen.command)}",
            why="one key is one command",
            next_step="use a new key for another command",
        )
    if seen.command.by.identity != command.by.identity:
        raise Refused(
            what=f"key `{command.key}` was already used for this rollout by somebody else",
            why="a key is its caller's own",
            next_step="use a new key",
        )
    return seen


def check_makes_sense(stored: Stored, command: Command) -> None:
    """Raises Refused for a command that is not accepted where the rollout stands."""
    why = refusal(stored.rollout, command)
    if why:
        raise Refused(
            what=f"{command.kind} was refused", why=why, next_step=f"see `teal get {stored.rollout.id}`"
        )


def _asked(command: Command) -> tuple[object, ...]:
    return command.kind, command.step, command.full, command.to


def _in_words(command: Command) -> str:
    """What was asked, as people type it."""
    to = "" if command.to is None else f" to {percent(command.to)}"
    step = "" if command.step is None else f" of step {command.step + 1}"
    return f"{command.kind}{to}{step}{' to the last step' if command.full else ''}"


def command(
    kind: CommandKind,
    *,
    by: Actor,
    clock: Clock,
    reason: str = "",
    key: str = "",
    step: int | None = None,
    full: bool = False,
    to: Tenths | None = None,
) -> Command:
    """A command as a door hears it; without a key of its own it gets a fresh one."""
    return Command(
        key=key or secrets.token_hex(8),
        kind=kind,
        by=by,
        at=clock.now(),
        reason=reason,
        step=step,
        full=full,
        to=to,
    )


def _every(_: str) -> bool:
    return True


async def resolve(name: str, *, store: RolloutNames, reaches: Callable[[str], bool] = _every) -> Stored:
    """A rollout by its id, or the active rollout of a service (`account:cluster/service`, or a part of that).

    `reaches` says which services there are for whoever asks. Raises NotFound; a part of a name that two services with
    active rollouts share is refused.
    """
    found = await _named(name, store, reaches)
    if found is None or not reaches(str(found.rollout.spec.service)):
        raise no_rollout(name)
    return found


async def _named(name: str, store: RolloutNames, reaches: Callable[[str], bool]) -> Stored | None:
    try:
        return await store.load(RolloutId(name))
    except NotFound:
        found = await store.find_active(name) if "/" in name else None
        if found is not None and reaches(str(found.rollout.spec.service)):
            return found
        return await _by_part(name, store, reaches)


async def _by_part(name: str, store: RolloutPages, reaches: Callable[[str], bool]) -> Stored | None:
    """The one active rollout whose service has this name without its cluster, its account, or both."""
    rows, _ = await store.list(Filter(is_active=True), limit=500)
    reached = [row for row in rows if reaches(str(row.rollout.spec.service))]
    hit = meant(name, [str(row.rollout.spec.service) for row in reached])
    return None if hit is None else reached[hit]
