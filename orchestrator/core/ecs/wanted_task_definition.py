"""The revision that blue is to take over, where somebody deregisters it meanwhile: registered again, in time.

ECS gives no service a revision that is INACTIVE, and what runs by it goes on: so it would show only once blue is to
take it, with all users on green. It is looked at while traffic moves, and registered again by what ECS shows of it.
"""

from dataclasses import replace
from datetime import datetime

from orchestrator.core.cloud.effects import RegisterRevision
from orchestrator.core.cloud.resources import Absent, DefinitionSeen
from orchestrator.core.cloud.survey import NewRevision
from orchestrator.core.domain import tags
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import TaskDefinitionArn, revision_name
from orchestrator.core.domain.phases import Phase
from orchestrator.core.ecs import task_definitions
from orchestrator.core.rollout.colours import Registration
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.tick.draft import Draft
from orchestrator.core.tick.needs import Needs, RevisionsNeed

WATCHING_PERIODS = 5
MOVING = frozenset({Phase.SHIFTING, Phase.WATCHING})


def with_needs(asked: Needs, row: Rollout, now: datetime) -> Needs:
    """With a look at the revision that blue is to take over, where it is time for one."""
    known = _registering(row)
    if known is not None:
        family = RevisionsNeed(family=known.revision.family, after=known.revision.newest)
        return replace(asked, revisions=(*asked.revisions, family))
    return replace(asked, definition=row.known.green.for_blue) if _is_due(row, now) else asked


def keep(draft: Draft) -> bool:
    """True while nothing speaks against giving blue the revision; what can be done about it is asked for, and holds."""
    row = draft.row
    known = _registering(row)
    if known is not None:
        return _register(draft, known)
    if draft.seen.definition is None:
        return row.revisions.inactive_since is None
    name = revision_name(row.known.green.for_blue)
    seen: DefinitionSeen | Absent | str = draft.read(draft.seen.definition, name)
    if isinstance(seen, str):
        return False
    if isinstance(seen, DefinitionSeen) and seen.status == "ACTIVE":
        draft.change(active_seen_at=draft.now, inactive_since=None)
        return True
    since = row.revisions.inactive_since or draft.now
    draft.change(inactive_since=since)
    if not draft.is_agreed(since):
        draft.change(waiting_for=f"a second look at {name}, which was not seen ACTIVE")
        draft.wake_by(since + row.spec.metrics.look_gap)
        return False
    if isinstance(seen, Absent) or seen.status != "INACTIVE":
        return _hold_lost(draft, name)
    known = Registration(revision=_again(seen), is_wanted=True)
    draft.change(registrations=(*row.revisions.registrations, known))
    draft.wake_by(draft.now)
    return _register(draft, known)


def _is_due(row: Rollout, now: datetime) -> bool:
    green, blue = row.known.green, row.known.blue
    if row.spec.ending.is_swap or not green.for_blue or green.for_blue == blue.former:
        return False
    if row.phase is Phase.SETTLING:
        return not row.handover.attempts or not row.handover.attempts[-1].is_taken
    seen_at, period = row.revisions.active_seen_at, row.spec.metrics.period
    between = WATCHING_PERIODS * period if row.phase is Phase.WATCHING else period
    is_doubted = seen_at is None or row.revisions.inactive_since is not None
    return row.phase in MOVING and (is_doubted or seen_at is None or now >= seen_at + between)


def _registering(row: Rollout) -> Registration | None:
    return next((each for each in row.revisions.registrations if each.is_wanted and each.arn is None), None)


def _again(seen: DefinitionSeen) -> NewRevision:
    family, _, number = seen.arn.rpartition("/")[2].rpartition(":")
    return NewRevision(family=family, newest=int(number), template=seen.template)


def _hold_lost(draft: Draft, name: str) -> bool:
    words = f"{name}, which blue is to take over, was deleted: blue cannot be given it, nor can it be registered again"
    draft.hold(HoldKind.BLUE, words, clears_when="a person rolls back; a rollout of another revision follows")
    if draft.row.phase is Phase.SETTLING:
        draft.page(
            f"{words}; green serves. `teal rollback {draft.row.id}` goes back", about="task definition"
        )
    return False


def _register(draft: Draft, known: Registration) -> bool:
    row, family = draft.row, known.revision.family
    gone = row.known.green.for_blue
    own_tags = ((tags.MANAGED, "true"), (tags.ROLLOUT, row.id), (tags.SERVICE, row.spec.service.path))
    effect = RegisterRevision(family=family, template=known.revision.template, tags=own_tags)
    words = (
        f"{revision_name(gone)}, which blue is to take over, was deregistered: it is registered again first"
    )
    # The same hold as that of a refusal: one that lasts, and is told once.
    draft.hold(HoldKind.AWS, words, clears_when=f"AWS accepts: {effect.key}")
    draft.change(waiting_for=f"{revision_name(gone)}, which was deregistered, to be registered again")
    seen = task_definitions.read(draft, family)
    if isinstance(seen, str):
        return False
    others = {each.arn for each in row.revisions.registrations}
    own = [
        found.arn
        for found in seen
        if found.tags.get(tags.ROLLOUT) == row.id
        and tags.FORMER not in found.tags
        and found.arn not in others
    ]
    if not own:
        draft.ask(effect, f"register {revision_name(gone)} again")
        return False
    _take(draft, known, gone, own[0])
    return False


def _take(draft: Draft, known: Registration, gone: TaskDefinitionArn, new: TaskDefinitionArn) -> None:
    row = draft.row
    words = f"{revision_name(new)} is registered in place of {revision_name(gone)}, for blue to take over"
    draft.tell(EventKind.REVISION_REGISTERED, words, task_definition=new)
    registrations = (
        replace(each, arn=new) if each == known else each for each in row.revisions.registrations
    )
    attempts = (
        replace(each, task_definition=new) if each.task_definition == gone and not each.is_taken else each
        for each in row.handover.attempts
    )
    draft.change(
        registrations=tuple(registrations),
        green=replace(row.known.green, blues=new),
        attempts=tuple(attempts),
        active_seen_at=draft.now,
        inactive_since=None,
    )
    draft.wake_by(draft.now)
