"""Revisions that a rollout registers by itself: blue's own with other images, and one that knows it is green.

ECS RegisterTaskDefinition has no token, so what was registered is found again by its tags among the revisions that
are newer than those at the start. Whatever Teal registered goes when green goes, but for the one that blue took over.
"""

from dataclasses import replace

from orchestrator.core.cloud.effects import DeregisterRevision, RegisterRevision, Tags
from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import RevisionSeen, ServiceSeen
from orchestrator.core.domain import tags
from orchestrator.core.domain.events import EventKind, Record
from orchestrator.core.domain.ids import TaskDefinitionArn, revision_name
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.colours import Registration
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.tick.draft import Draft
from orchestrator.core.tick.needs import RevisionsNeed


def needs(row: Rollout) -> tuple[RevisionsNeed, ...]:
    """The families to look through: until what is needed is registered, and again until the rest is gone."""
    if row.phase is Phase.PREPARING:
        open_ones = [each for each in row.revisions.registrations if each.arn is None]
    else:
        open_ones = [each for each in row.revisions.registrations if not each.is_cleared]
    return tuple(RevisionsNeed(family=e.revision.family, after=e.revision.newest) for e in open_ones)


def images_need(row: Rollout) -> str:
    """The service whose resolved images are to be read: green at its second look, where the file names images."""
    wants = row.spec.images and not row.revisions.images and row.progress.ready_since is not None
    return row.green.name if wants and row.green is not None else ""


def register(draft: Draft, own_tags: Tags) -> bool:
    """True once every revision that the rollout needs is registered; asks for those that are missing until then."""
    if not draft.row.revisions.registrations:
        return True
    draft.change(
        registrations=tuple(_registered(draft, each, own_tags) for each in draft.row.revisions.registrations)
    )
    row = draft.row
    if not all(each.arn for each in row.revisions.registrations):
        draft.change(waiting_for="the new revision to be registered")
        return False
    arns = {each.revision.is_greens_own: each.arn for each in row.revisions.registrations}
    blues = arns.get(False) or row.known.green.for_blue
    greens = arns.get(True) or blues
    apart = None if blues == greens else blues
    draft.change(green=replace(row.known.green, task_definition=greens, blues=apart))
    return True


def _registered(draft: Draft, known: Registration, own_tags: Tags) -> Registration:
    if known.arn is not None:
        return known
    family = known.revision.family
    seen = read(draft, family)
    if isinstance(seen, str):
        return known
    own = _own(draft, seen)
    if not own:
        effect = RegisterRevision(family=family, template=known.revision.template, tags=own_tags)
        draft.ask(effect, f"register a revision of {family}")
        return known
    name = revision_name(own[0].arn)
    whose = "which only green runs" if known.revision.is_greens_own else "which blue is to take over"
    draft.tell(EventKind.REVISION_REGISTERED, f"{name} is registered, {whose}", task_definition=own[0].arn)
    return replace(known, arn=own[0].arn)


def read(draft: Draft, family: str) -> tuple[RevisionSeen, ...] | str:
    """The revisions of a family since the rollout began, or what is waited for, in words."""
    return draft.read(draft.seen.revisions.get(family), f"the revisions of {family}")


def _own(draft: Draft, seen: tuple[RevisionSeen, ...]) -> list[RevisionSeen]:
    return [revision for revision in seen if revision.tags.get(tags.ROLLOUT) == draft.row.id]


def keep_images(draft: Draft) -> None:
    """Keep what ECS resolved green's images to: a tag may be moved, a digest says for ever what ran."""
    seen = draft.seen.images
    if not isinstance(seen, tuple) or not seen or draft.row.revisions.images:
        return
    draft.change(images=seen)
    body = canonical({image.container: {"image": image.image, "digest": image.digest} for image in seen})
    draft.records.append(Record(key="images", at=draft.now, kind="images", body=body))
    words = ", ".join(
        f"{image.container} runs {image.image} ({image.digest or 'no digest'})" for image in seen
    )
    draft.tell(
        EventKind.IMAGES_RESOLVED, words, **{f"digest.{image.container}": image.digest for image in seen}
    )


def remove(draft: Draft, end: Phase, *, may_come_late: bool, is_green_kept: bool = False) -> str:
    """What the registered revisions still wait for; empty once nothing of them is left but what blue took over.

    `may_come_late`: a registration that was sent may still be on its way. `is_green_kept`: green stays, and with it
    the revision that it runs.
    """
    row = draft.row
    left = [each for each in row.revisions.registrations if not each.is_cleared]
    if not left or (row.green is not None and not row.green.is_gone and not is_green_kept):
        return "green to be gone" if left else ""
    taken = {row.green.for_blue} if row.green is not None and end is Phase.SUCCEEDED else set()
    if row.green is not None and is_green_kept:
        taken.add(row.green.task_definition)
    if row.blue is not None:
        taken.add(row.blue.former)
    if isinstance(draft.seen.blue, ServiceSeen):
        taken.add(draft.seen.blue.task_definition)
    waiting = ""
    cleared = []
    for each in row.revisions.registrations:
        why = "" if each.is_cleared else _remove(draft, each, frozenset(taken), may_come_late)
        waiting = waiting or why
        cleared.append(replace(each, is_cleared=not why))
    draft.change(registrations=tuple(cleared))
    return waiting


def _remove(
    draft: Draft, known: Registration, taken: frozenset[TaskDefinitionArn], may_come_late: bool
) -> str:
    seen = read(draft, known.revision.family)
    if isinstance(seen, str):
        return seen
    own = [revision.arn for revision in _own(draft, seen) if revision.arn not in taken]
    for arn in own:
        draft.ask(DeregisterRevision(revision=arn), f"deregister {revision_name(arn)}")
    if own:
        return f"{revision_name(own[0])} to be deregistered"
    return "a registration that may still be in flight" if may_come_late else ""
