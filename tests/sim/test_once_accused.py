"""Seeds that an oracle once complained of though nothing was wrong, and their stories by hand: nobody complains now."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.plan import Plan, Step
from tests.sim.beside import Beside
from tests.sim.run import complaint, play_seed
from tests.sim.scenario import Mishap, PlannedCommand, Scenario, scenario_of
from tests.sim.stage import Played, play

ONCE_ACCUSED = (7000092, 7000706, 7001023, 7001545, 7002259, 7002267, 7002293)
PLAN = Plan(
    name="custom",
    steps=(
        Step(weight=Tenths(333), bake=timedelta(seconds=20)),
        Step(weight=Tenths(667), bake=timedelta(seconds=20)),
        Step(weight=Tenths(1000), bake=timedelta(seconds=20)),
    ),
)


def quiet() -> Scenario:
    """A good release that meets nothing."""
    drawn = replace(scenario_of(0), green={}, plan=PLAN, blue_in_settling="good", beside=Beside())
    drawn = replace(drawn, deaths=(), faults=(), outages=(), edits=(), commands=(), mishaps=(), starts=())
    return replace(
        drawn, requests_per_second=40, scalable=False, tricky=False, behind=0.0, workers=1, room=None
    )


def seconds_of(played: Played, words: str) -> float:
    """When the log first said this, in seconds after the start of the play."""
    lines = played.story.splitlines()
    moments = [line.split(" ", 1)[0] for line in (lines[0], next(line for line in lines if words in line))]
    began, said = (datetime.fromisoformat(f"2026-03-02T{moment}") for moment in moments)
    return (said - began).total_seconds()


@pytest.mark.long
@pytest.mark.parametrize("seed", ONCE_ACCUSED)
def test_nobody_complains_of_a_seed_that_was_once_accused_wrongly(seed: int) -> None:
    played = play_seed(seed)
    assert not played.broken, complaint(played)


@pytest.mark.long
def test_a_promotion_in_the_moment_in_which_a_step_is_written_waives_one_step_or_the_next() -> None:
    moment = seconds_of(play(quiet()), "every rule is to have green at 66.7 %")
    for tenths in range(-10, 10, 2):
        given = PlannedCommand(at=moment + tenths / 10, kind=CommandKind.PROMOTE)
        played = play(replace(quiet(), commands=(given,)))
        assert not played.broken, (tenths, complaint(played), played.story)


@pytest.mark.long
def test_a_deployment_of_somebody_between_teals_look_and_its_write_is_nobodys_fault() -> None:
    moment = seconds_of(play(quiet()), "every rule is to have green at 90 %")
    for tenths in range(-10, 10, 2):
        mishap = Mishap(at=moment + tenths / 10, what="is deployed")
        played = play(replace(quiet(), mishaps=(mishap,)))
        assert not played.broken, (tenths, complaint(played), played.story)
