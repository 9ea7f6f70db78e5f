"""Revisions that a rollout registers: asked for until they are found, and taken away with green."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.effects import DeregisterRevision, RegisterRevision
from orchestrator.core.cloud.resources import Absent, RevisionSeen, Unread
from orchestrator.core.cloud.survey import NewRevision
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Json, TaskDefinitionArn
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.colours import Registration
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.what_to_read import needs_of
from tests.builders import NOON, WANTED
from tests.core.stages import ID, at, held, recorded, rolling_back, row, rule, seen_of

PLAIN = NewRevision(family="checkout", newest=42, template=Json("{}"))
GREENS = NewRevision(family="checkout-green", newest=0, template=Json("{}"), is_greens_own=True)
PLAIN_ARN = TaskDefinitionArn(WANTED)
GREENS_ARN = TaskDefinitionArn(WANTED.replace("checkout:43", "checkout-green:1"))


def preparing(*revisions: NewRevision, **of_green: Any) -> Rollout:  # noqa: ANN401 - the fields of Green
    known = row(Phase.PREPARING)
    assert known.green is not None
    green = replace(known.green, task_definition=TaskDefinitionArn(""), **of_green)
    return changed(known, green=green, registrations=tuple(Registration(revision=one) for one in revisions))


def revision(arn: TaskDefinitionArn, rollout: str = ID) -> RevisionSeen:
    return RevisionSeen(arn=arn, tags={"teal:rollout": rollout})


def effects_of(known: Rollout, kind: type, **seen: object) -> list[Any]:
    decision = at(known, replace(seen_of(known), revisions=seen))  # type: ignore[arg-type] # by family
    return [effect for effect in decision.effects if isinstance(effect, kind)]


def test_a_revision_that_is_not_there_is_registered_with_the_rollouts_tags() -> None:
    (effect,) = effects_of(preparing(PLAIN), RegisterRevision, checkout=())
    assert (effect.family, effect.template) == ("checkout", "{}")
    assert dict(effect.tags)["teal:rollout"] == ID


def test_one_of_somebody_else_is_not_taken_for_it() -> None:
    others = (revision(PLAIN_ARN, "other-1"),)
    assert effects_of(preparing(PLAIN), RegisterRevision, checkout=others)


def test_the_first_of_its_own_is_taken_and_no_other_is_registered() -> None:
    known = preparing(PLAIN)
    later = TaskDefinitionArn(WANTED.replace(":43", ":44"))
    seen = {"checkout": (revision(PLAIN_ARN), revision(later))}
    decision = at(known, replace(seen_of(known), revisions=seen))
    assert decision.rollout.green is not None
    assert decision.rollout.green.task_definition == PLAIN_ARN
    assert decision.rollout.green.for_blue == PLAIN_ARN
    assert EventKind.REVISION_REGISTERED in recorded(decision)
    assert not any(isinstance(effect, RegisterRevision) for effect in decision.effects)


def test_green_runs_its_own_and_blue_is_to_take_the_one_without_the_colour() -> None:
    known = preparing(PLAIN, GREENS)
    seen = {"checkout": (revision(PLAIN_ARN),), "checkout-green": (revision(GREENS_ARN),)}
    green = at(known, replace(seen_of(known), revisions=seen)).rollout.green
    assert green is not None
    assert (green.task_definition, green.for_blue) == (GREENS_ARN, PLAIN_ARN)


def test_a_named_definition_stays_what_blue_takes_over() -> None:
    known = preparing(GREENS, blues=PLAIN_ARN)
    seen = {"checkout-green": (revision(GREENS_ARN),)}
    green = at(known, replace(seen_of(known), revisions=seen)).rollout.green
    assert green is not None
    assert (green.task_definition, green.for_blue) == (GREENS_ARN, PLAIN_ARN)


def test_what_cannot_be_read_holds_and_registers_nothing() -> None:
    known = preparing(PLAIN)
    decision = at(known, replace(seen_of(known), revisions={"checkout": Unread(why="denied")}))
    assert HoldKind.AWS in held(decision)
    assert not any(isinstance(effect, RegisterRevision) for effect in decision.effects)


def test_only_what_is_still_missing_is_looked_for() -> None:
    known = preparing(PLAIN, GREENS)
    first, second = known.revisions.registrations
    known = changed(known, registrations=(replace(first, arn=PLAIN_ARN), second))
    assert [need.family for need in needs_of(known, (), NOON).revisions] == ["checkout-green"]


def leaving(*revisions: tuple[NewRevision, TaskDefinitionArn]) -> Rollout:
    known = rolling_back(0, rules=(rule(None),))
    assert known.end is not None
    assert known.green is not None
    return changed(
        known,
        end=replace(known.end, traffic_on_blue_at=NOON - timedelta(minutes=5)),
        green=replace(known.green, is_gone=True),
        created_last=NOON - timedelta(minutes=10),
        registrations=tuple(Registration(revision=one, arn=arn) for one, arn in revisions),
    )


def test_after_a_rollback_everything_that_was_registered_goes() -> None:
    known = leaving((PLAIN, PLAIN_ARN), (GREENS, GREENS_ARN))
    seen = replace(
        seen_of(known),
        green=Absent(),
        revisions={"checkout": (revision(PLAIN_ARN),), "checkout-green": (revision(GREENS_ARN),)},
    )
    decision = at(known, seen)
    gone = {effect.revision for effect in decision.effects if isinstance(effect, DeregisterRevision)}
    assert gone == {PLAIN_ARN, GREENS_ARN}
    assert decision.rollout.phase is Phase.ROLLING_BACK


def test_nothing_is_deregistered_while_green_is_there() -> None:
    known = leaving((PLAIN, PLAIN_ARN))
    assert known.green is not None
    known = changed(known, green=replace(known.green, is_gone=False))
    assert not effects_of(known, DeregisterRevision, checkout=(revision(PLAIN_ARN),))


@pytest.mark.parametrize(("seconds", "waits"), [(10, True), (40, False)])
def test_a_registration_that_may_still_come_is_waited_for(seconds: int, waits: bool) -> None:
    known = changed(leaving((PLAIN, PLAIN_ARN)), created_last=NOON - timedelta(seconds=seconds))
    seen = replace(seen_of(known), green=Absent(), revisions={"checkout": ()})
    (after,) = at(known, seen).rollout.revisions.registrations
    assert after.is_cleared is not waits
