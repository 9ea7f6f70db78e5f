"""A service rolled out again and again, well and badly, with engines that die: nothing grows, nothing is left."""

from collections.abc import Iterator

import pytest

from orchestrator.ports.rollouts import Filter
from tests.cases.looks import active_revisions, definition_of, live_services, service_of
from tests.support.again import ENDS_WELL, Deployed, Way, deploy_again_and_again
from tests.support.everything import (
    OF_A_NEW_REVISION,
    OF_RELEASES,
    OF_TIME,
    Answers,
    difference,
    everything,
    sorted_out,
)
from tests.support.rehearsal import Rehearsal

pytestmark = pytest.mark.long  # all of it, so that one process plays the story for all of them

TIMES = 2 * len(Way)
GROWTH = 1.1  # how much more the second of a way may take than the first: bakes end at other moments


def look(stage: Rehearsal) -> Answers:
    return everything(lambda service, operation, params: stage.world.call(service, operation, params))


@pytest.fixture(scope="module")
def played() -> Iterator[tuple[Rehearsal, Answers, tuple[Deployed, ...]]]:
    """The stage after all rollouts, what was described before them, and how each went."""
    with Rehearsal() as stage:
        stage.let_run(60 * stage.world.minute)  # a row keeps blue's last hour: all rows have a whole one
        before = look(stage)
        yield stage, before, deploy_again_and_again(stage, TIMES)


Played = tuple[Rehearsal, Answers, tuple[Deployed, ...]]


def test_every_rollout_ends_as_it_has_to(played: Played) -> None:
    stage, _, deployed = played
    assert [one for one in deployed if not one.is_right] == []
    last = [one for one in deployed if one.way in ENDS_WELL][-1]
    assert service_of(stage)["taskDefinition"] == last.revision


def test_nothing_is_left_but_the_revisions_that_releases_registered(played: Played) -> None:
    stage, before, deployed = played
    _, others = sorted_out(difference(before, look(stage)), OF_A_NEW_REVISION | OF_RELEASES | OF_TIME)
    assert others == []
    assert live_services(stage) == ["checkout"]
    assert len(active_revisions(stage, "checkout")) == 1 + len(deployed), "each release has registered one"
    assert active_revisions(stage, "checkout-green") == []
    images = [one for one in deployed if one.way is Way.GOOD_WITH_IMAGES][-1]
    tags = definition_of(stage, images.revision)["tags"]
    assert len([name for name in tags if name.startswith("teal:")]) == 3, "copied tags never pile up"
    active, _ = stage.run(stage.store.list(Filter(is_active=True), limit=1))
    assert active == ()


def test_no_rollout_takes_more_than_those_before_it(played: Played) -> None:
    _, _, deployed = played
    by_chance = {
        Way.KILLED,
        Way.KILLED_TWICE,
        Way.BAD,
    }  # when it is killed or found out says how much it takes
    for way in Way:
        first, second = (one for one in deployed if one.way is way)
        assert second.row_bytes <= GROWTH * first.row_bytes, way
        if way not in by_chance:
            assert second.calls <= GROWTH * first.calls, way
            assert second.events <= GROWTH * first.events, way


def test_users_never_meet_a_load_balancer_without_a_target(played: Played) -> None:
    stage, _, _ = played
    totals = stage.traffic.totals
    assert (totals.rejected, totals.unanswered.total()) == (0, 0)
