"""A store that went back in time: nothing is made again, no traffic goes to green for it, and every row ends right.

A rollout is played to one point of its life, its store put back to an earlier one, and the engine started again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import HoldKind
from orchestrator.core.rollout.spec import Ending
from tests.cases.looks import live_services, service_of
from tests.support.earlier_store import EarlierStoreStage

START = "pending"
MADE = ("CreateService", "CreateTargetGroup", "RegisterTaskDefinition")
EARLY = (
    "preparing",
    "provisioning",
    "provisioning, green asked for",
    "shifting",
    "shifting, green has traffic",
)
BEFORE = (*EARLY, "watching")
SETTLING = (
    "settling",
    "settling, blue is updated",
    "settling, blue is steady",
    "settling, traffic returns",
    "settling, green leaves",
)
RETIRING = ("retiring", "retiring, green is in blue's place", "retiring, blue is empty")
GONE_BACK = ("rolling_back", "rolling_back, all is on blue", "rolled_back")


def pairs_of(points: tuple[str, ...], later: tuple[str, ...]) -> list[tuple[str, str]]:
    """Every earlier point with every later one."""
    return [(was, now) for was in points for now in later if was != now]


WITH_TRAFFIC = pairs_of(EARLY, ("shifting, green has traffic", "watching"))


class Played:
    """A rollout at a point of its life, over a store that knows it as it was at an earlier one."""

    def __init__(self, stage: EarlierStoreStage, rollout: RolloutId) -> None:
        self.stage, self.rollout = stage, rollout
        self.since, self.share = len(stage.world.log), stage.share()

    def phase(self) -> Phase:
        return self.stage.row(self.rollout).phase

    def made(self) -> list[str]:
        """What was made on AWS since the store was put back."""
        return [one for one in self.stage.writes(self.since) if one in MADE]

    def ends(self, within: timedelta = timedelta(minutes=20)) -> Phase:
        """Let it go on, with no traffic for green beyond what it had; how it ended."""
        for share in self.stage.shares_until(self.rollout, within=within):
            assert share <= self.share + 0.002, self.story()
            self.share = min(self.share, share)
        return self.phase()

    def story(self) -> str:
        return self.stage.story(self.rollout)

    def everybody_was_served(self) -> bool:
        totals = self.stage.traffic.totals
        return not totals.rejected and not totals.unanswered.total()


@contextmanager
def played(
    was: str,
    now: str,
    *,
    ending: Ending = Ending.SETTLE,
    turns_at: str = "",
    is_marked: bool = True,
) -> Iterator[Played]:
    """`turns_at`: a person rolls back there, on the way to `now`."""
    with EarlierStoreStage() as stage:
        rollout = stage.start(stage.spec(stage.revision(), ending=ending))
        stage.store.kept[START] = stage.store.copy_of(rollout)
        if turns_at:
            stage.until_point(rollout, turns_at)
            stage.store.is_halted = False
            stage.command(rollout, CommandKind.ROLLBACK)
        if now != START:
            stage.until_point(rollout, now)
        stage.put_back(rollout, was, is_marked=is_marked)
        yield Played(stage, rollout)


# a rollout that agrees goes on ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "at", ["provisioning, green asked for", "shifting", "shifting, green has traffic", "watching"]
)
@pytest.mark.parametrize("ending", [Ending.SETTLE, Ending.DELETE])
def test_a_rollout_that_agrees_goes_on_by_itself_and_ends_right(at: str, ending: Ending) -> None:
    with played(at, at, ending=ending) as one:
        one.stage.let_run(timedelta(minutes=20))
        assert one.phase() is Phase.SUCCEEDED, one.story()
        assert one.everybody_was_served()
        told = [seen.event.message for seen in one.stage.events(one.rollout, EventKind.STORE_WENT_BACK)]
        assert len(told) == 1, one.story()
        assert "goes on from there" in told[0]


@pytest.mark.parametrize("at", SETTLING)
def test_a_rollout_that_settles_goes_on_from_where_its_rules_are(at: str) -> None:
    with played(at, at) as one:
        assert one.ends() is Phase.SUCCEEDED, one.story()
        assert not one.made()
        assert one.everybody_was_served()


@pytest.mark.parametrize("at", [*RETIRING, "retiring, blue is deleted"])
def test_a_rollout_that_retires_blue_goes_on_from_what_is_left_of_it(at: str) -> None:
    with played(at, at, ending=Ending.DELETE) as one:
        one.stage.let_run(timedelta(minutes=20))
        assert one.phase() is Phase.SUCCEEDED, one.story()
        assert not one.made()
        assert one.everybody_was_served()


@pytest.mark.parametrize("at", GONE_BACK[:2])
def test_a_rollback_goes_on(at: str) -> None:
    with played(at, at, turns_at="shifting, green has traffic") as one:
        assert one.ends() is Phase.ROLLED_BACK, one.story()
        assert not one.made()
        assert live_services(one.stage) == ["checkout"]


@pytest.mark.parametrize(("was", "now"), WITH_TRAFFIC)
def test_one_that_was_further_on_loses_the_weight_that_the_store_does_not_know_and_comes_there_again(
    was: str, now: str
) -> None:
    with played(was, now) as one:
        one.stage.let_run(timedelta(minutes=20))
        assert one.phase() is Phase.SUCCEEDED, one.story()
        assert not one.made()
        assert one.everybody_was_served()
        assert "somebody" not in one.story()


# green is gone ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("was", [*BEFORE, "rolling_back"])
def test_what_was_rolled_back_since_ends_rolled_back_and_makes_no_green_again(was: str) -> None:
    turns = "shifting, green has traffic" if was != "watching" else "watching"
    with played(was, "rolled_back", turns_at=turns) as one:
        assert one.ends() is Phase.ROLLED_BACK, one.story()
        assert not one.made()
        assert live_services(one.stage) == ["checkout"]
        assert one.everybody_was_served()


@pytest.mark.parametrize("was", EARLY)
def test_a_rollback_under_way_is_gone_on_with_by_a_row_that_did_not_know_it(was: str) -> None:
    """Its tag on green says so, once the writes that give blue its traffic are out."""
    with played(was, "rolling_back, all is on blue", turns_at="shifting, green has traffic") as one:
        assert one.ends() is Phase.ROLLED_BACK, one.story()
        assert not one.made()
        assert live_services(one.stage) == ["checkout"]


@pytest.mark.parametrize("was", [*BEFORE, *SETTLING])
def test_what_succeeded_since_ends_succeeded_and_is_not_undone(was: str) -> None:
    with played(was, "succeeded") as one:
        revision = service_of(one.stage)["taskDefinition"]
        assert one.ends() is Phase.SUCCEEDED, one.story()
        assert service_of(one.stage)["taskDefinition"] == revision
        assert not one.made()
        assert live_services(one.stage) == ["checkout"]
        assert one.everybody_was_served()


@pytest.mark.parametrize("was", SETTLING)
@pytest.mark.parametrize("now", GONE_BACK)
def test_a_release_that_was_rolled_back_while_blue_had_it_is_not_released_again(was: str, now: str) -> None:
    with played(was, now, turns_at=SETTLING[min(SETTLING.index(was) + 1, 3)]) as one:
        former = "checkout:1"
        one.ends()
        if one.phase() is not Phase.ROLLED_BACK:
            one.stage.command(one.rollout, CommandKind.ROLLBACK)
        assert one.ends() is Phase.ROLLED_BACK, one.story()
        assert service_of(one.stage)["taskDefinition"].endswith(former), one.story()
        assert not one.made()
        assert one.everybody_was_served()


@pytest.mark.parametrize("ending", [Ending.KEEP, Ending.DELETE])
@pytest.mark.parametrize("was", [*EARLY[1:], "watching", *RETIRING])
def test_a_green_that_serves_in_blues_place_stays_there(was: str, ending: Ending) -> None:
    with played(was, "succeeded", ending=ending) as one:
        before = live_services(one.stage)
        one.stage.let_run(timedelta(minutes=20))
        assert one.phase() is Phase.SUCCEEDED, one.story()
        assert live_services(one.stage) == before
        assert not one.made()
        assert one.stage.share() == 1
        assert one.everybody_was_served()


# blue was touched since, which the row does not know --------------------------------------------------------------


@pytest.mark.parametrize("was", EARLY)
@pytest.mark.parametrize("now", SETTLING[1:4])
def test_one_whose_watch_had_passed_waits_for_a_person_and_goes_back_whole_when_asked(
    was: str, now: str
) -> None:
    with played(was, now) as one:
        one.stage.let_run(timedelta(minutes=5))
        row = one.stage.row(one.rollout)
        (hold,) = [hold for hold in row.waiting.holds if hold.kind is HoldKind.STORE]
        assert "the store was put back to an earlier time" in hold.reason
        assert not one.stage.writes(one.since), one.story()
        (paged, *_) = one.stage.events(one.rollout, EventKind.PAGED)
        assert f"`teal rollback {one.rollout}`" in paged.event.message
        assert f"`teal abandon {one.rollout}`" in paged.event.message
        one.stage.command(one.rollout, CommandKind.ROLLBACK)
        assert one.ends() is Phase.ROLLED_BACK, one.story()
        assert service_of(one.stage)["taskDefinition"].endswith("checkout:1")
        assert live_services(one.stage) == ["checkout"]
        assert one.everybody_was_served()


@pytest.mark.parametrize("ending", [Ending.KEEP, Ending.DELETE])
@pytest.mark.parametrize("was", EARLY)
@pytest.mark.parametrize("now", RETIRING[1:])
def test_one_whose_blue_was_leaving_waits_for_a_person_and_calls_blue_back_when_asked(
    was: str, now: str, ending: Ending
) -> None:
    with played(was, now, ending=ending) as one:
        one.stage.let_run(timedelta(minutes=5))
        assert not one.stage.writes(one.since), one.story()
        one.stage.command(one.rollout, CommandKind.ROLLBACK)
        assert one.ends() is Phase.ROLLED_BACK, one.story()
        assert live_services(one.stage) == ["checkout"]
        assert one.stage.share() == 0
        assert service_of(one.stage)["desiredCount"] >= 1
        assert one.everybody_was_served()


# a rollback that is asked for -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("was", "now", "is_marked"),
    [
        *((was, now, is_marked) for was, now in WITH_TRAFFIC for is_marked in (True, False)),
        *((was, now, True) for was, now in pairs_of(EARLY, SETTLING[1:4])),
    ],
)
def test_a_rollback_asked_of_a_store_that_went_back_leads_to_blue_as_it_was(
    was: str, now: str, is_marked: bool
) -> None:
    with played(was, now, is_marked=is_marked) as one:
        one.stage.command(one.rollout, CommandKind.ROLLBACK)
        assert one.ends() is Phase.ROLLED_BACK, one.story()
        assert one.stage.share() == 0
        assert service_of(one.stage)["taskDefinition"].endswith("checkout:1")
        assert live_services(one.stage) == ["checkout"]
        assert not one.made()
        assert one.everybody_was_served()


# a store from before anything was made ----------------------------------------------------------------------------


@pytest.mark.parametrize("now", [START, "rolled_back", "succeeded"])
def test_one_that_had_made_nothing_waits_for_a_persons_word_to_begin(now: str) -> None:
    turns = "shifting, green has traffic" if now == "rolled_back" else ""
    with played(START, now, turns_at=turns) as one:
        one.stage.let_run(timedelta(minutes=5))
        assert not one.stage.writes(one.since), one.story()
        assert one.phase() is Phase.PENDING
        (paged,) = one.stage.events(one.rollout, EventKind.PAGED)
        assert f"`teal resume {one.rollout}` begins it" in paged.event.message
        if now == START:
            one.stage.command(one.rollout, CommandKind.RESUME)
            one.stage.let_run(timedelta(minutes=20))
            assert one.phase() is Phase.SUCCEEDED, one.story()
        else:
            one.stage.command(one.rollout, CommandKind.ROLLBACK)
            assert one.ends() is Phase.ROLLED_BACK, one.story()


def test_one_that_had_made_nothing_and_has_a_green_says_what_leads_back() -> None:
    with played(START, "shifting, green has traffic") as one:
        one.stage.let_run(timedelta(minutes=2))
        assert one.phase() is Phase.PENDING, one.story()
        (paged,) = one.stage.events(one.rollout, EventKind.PAGED)
        assert "`teal rollback prod/checkout --direct`" in paged.event.message
        assert not one.stage.writes(one.since), one.story()
        one.stage.command(one.rollout, CommandKind.ROLLBACK)
        one.stage.let_run(timedelta(minutes=2))
        assert one.phase() is Phase.ROLLING_BACK, "it does not say that all is on blue before it is"
        assert not one.stage.events(one.rollout, EventKind.TRAFFIC_ON_BLUE)
