"""Blue's former revision, where somebody has deregistered it since: registered again, by the images that ran then.

ECS gives no service a revision that is INACTIVE, so without it a rollback in settling could not give blue back what it
ran. Teal kept the whole definition and its images' digests before it touched anything.
"""

from dataclasses import replace

from orchestrator.core.cloud.effects import RegisterRevision
from orchestrator.core.cloud.survey import NewRevision
from orchestrator.core.domain import tags
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Json, TaskDefinitionArn, revision_name
from orchestrator.core.ecs import task_definitions
from orchestrator.core.rollout.colours import Registration
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.tick.draft import Draft
from orchestrator.core.tick.needs import RevisionsNeed

GONE = "inactive"  # ECS UpdateService, ClientException: "TaskDefinition is inactive"


def needs(row: Rollout) -> tuple[RevisionsNeed, ...]:
    """The family to look through until the former revision is there again."""
    return tuple(
        RevisionsNeed(family=each.revision.family, after=each.revision.newest)
        for each in row.revisions.registrations
        if each.is_former and each.arn is None
    )


def is_under_way(draft: Draft, update: str) -> bool:
    """True until blue's former revision can be given to it; `update`: the key of the effect that gives it."""
    row, blue = draft.row, draft.row.blue
    if blue is None or not blue.former_template:
        return False
    known = next((each for each in row.revisions.registrations if each.is_former), None)
    if known is None:
        if not any(f.key == update and f.is_final and GONE in f.why.lower() for f in draft.seen.failures):
            return False
        known = Registration(revision=_again(blue.former, row), is_former=True)
        draft.change(registrations=(*row.revisions.registrations, known))
        draft.wake_by(draft.now)
    if known.arn is not None:
        return False
    _look_for(draft, known)
    return True


def _again(former: TaskDefinitionArn, row: Rollout) -> NewRevision:
    family, _, number = former.rpartition("/")[2].rpartition(":")
    return NewRevision(family=family, newest=int(number), template=Json(row.known.blue.former_template))


def _look_for(draft: Draft, known: Registration) -> None:
    row, blue, family = draft.row, draft.blue, known.revision.family
    draft.change(waiting_for=f"{revision_name(blue.former)}, which was deregistered, to be registered again")
    seen = task_definitions.read(draft, family)
    if isinstance(seen, str):
        return
    own = [r.arn for r in seen if _is_it(r.tags, row, blue.former)]
    if not own:
        made = (
            (tags.MANAGED, "true"),
            (tags.ROLLOUT, row.id),
            (tags.SERVICE, row.spec.service.path),
            (tags.FORMER, blue.former),
        )
        effect = RegisterRevision(family=family, template=known.revision.template, tags=made)
        draft.ask(effect, f"register {revision_name(blue.former)} again, by its images' digests")
        return
    words = f"{revision_name(own[0])} is registered in place of {revision_name(blue.former)}, for blue to go back to"
    draft.tell(EventKind.REVISION_REGISTERED, words, task_definition=own[0])
    done = (replace(each, arn=own[0]) if each.is_former else each for each in row.revisions.registrations)
    draft.change(registrations=tuple(done), blue=replace(blue, former=own[0]))
    draft.wake_by(draft.now)


def _is_it(found: object, row: Rollout, former: TaskDefinitionArn) -> bool:
    """True for the one that was registered in the former's place: the rollout may have registered others."""
    return isinstance(found, dict) and found.get(tags.ROLLOUT) == row.id and found.get(tags.FORMER) == former
