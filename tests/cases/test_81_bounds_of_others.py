"""Case 81: whatever others set of a scalable target or a count, in either colour, is there after every way out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId, Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import Plan, Step
from orchestrator.core.rollout.rollout import HoldKind
from orchestrator.core.rollout.spec import Ending
from tests.cases.looks import service_of
from tests.cases.scaling_stage import DIMENSION, LIFTED, TWO_PERIODS, scaled, somebody, target_of
from tests.support.rehearsal import Rehearsal

SUSPENSIONS = {
    "DynamicScalingInSuspended": True,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}
HALF = Plan(
    name="halves",
    steps=(
        Step(weight=Tenths(500), bake=timedelta(seconds=40)),
        Step(weight=Tenths(1000), bake=timedelta(seconds=30)),
    ),
)
CHANGES: Mapping[str, Mapping[str, Any]] = {
    "a lower minimum": {"MinCapacity": 1},
    "a higher minimum": {"MinCapacity": 4},
    "a lower maximum": {"MaxCapacity": 8},
    "a higher maximum": {"MaxCapacity": 20},
    "scale-out suspended": {"SuspendedState": {**SUSPENSIONS, "DynamicScalingOutSuspended": True}},
    "schedules suspended": {"SuspendedState": {**SUSPENSIONS, "ScheduledScalingSuspended": True}},
    "all of it at once": {"MinCapacity": 1, "MaxCapacity": 9, "SuspendedState": LIFTED},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way out: what is done once others have changed something while green has half of the traffic."""

    out: Callable[[Rehearsal, RolloutId], None]
    end: Phase
    ending: Ending = Ending.SETTLE


def on(stage: Rehearsal, rollout: RolloutId) -> None:
    """A person lets it go on with what was set."""
    if any(hold.kind is HoldKind.SCALING for hold in stage.row(rollout).waiting.holds):
        stage.command(rollout, CommandKind.RESUME)
    stage.until(rollout)


def back(*phases: Phase) -> Callable[[Rehearsal, RolloutId], None]:
    """A person rolls back; first it goes on into one of these phases, if any."""

    def out(stage: Rehearsal, rollout: RolloutId) -> None:
        if phases:
            stage.command(rollout, CommandKind.RESUME)
            stage.until(rollout, *phases)
            stage.let_run(timedelta(seconds=5))
        stage.command(rollout, CommandKind.ROLLBACK)
        stage.until(rollout)

    return out


WAYS = {
    "settle": Way(out=on, end=Phase.SUCCEEDED),
    "swap: keep": Way(out=on, end=Phase.SUCCEEDED, ending=Ending.KEEP),
    "swap: delete": Way(out=on, end=Phase.SUCCEEDED, ending=Ending.DELETE),
    "rollback at half": Way(out=back(), end=Phase.ROLLED_BACK),
    "rollback while watching": Way(out=back(Phase.WATCHING), end=Phase.ROLLED_BACK),
    "rollback while settling": Way(out=back(Phase.SETTLING), end=Phase.ROLLED_BACK),
    "rollback while retiring": Way(out=back(Phase.RETIRING), end=Phase.ROLLED_BACK, ending=Ending.KEEP),
}


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    """A service whose schedule makes Teal raise blue's minimum from 2 to 3."""
    with Rehearsal() as rehearsal:
        scaled(rehearsal, "cpu", "evening")
        yield rehearsal


def at_half(stage: Rehearsal, **changes: Any) -> RolloutId:  # noqa: ANN401 - the fields of Spec
    """A rollout whose green has half of the traffic, read back."""
    rollout = stage.start(stage.spec(stage.revision(), plan=HALF, **changes))
    stage.until(rollout, Phase.SHIFTING)
    while stage.row(rollout).green_weight != Tenths(500):
        stage.let_run(timedelta(seconds=1))
    stage.let_run(timedelta(seconds=2))
    return rollout


def values_of(stage: Rehearsal, service: str = "checkout") -> dict[str, Any]:
    """Bounds and suspensions of a target."""
    known = target_of(stage, service)
    return {name: known[name] for name in ("MinCapacity", "MaxCapacity", "SuspendedState")}


def with_change(before: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A target as it has to be at the end: as before, with what others set; Teal's own suspension lifted."""
    state = dict(change.get("SuspendedState", before["SuspendedState"]))
    return {**before, **change, "SuspendedState": {**state, "DynamicScalingInSuspended": False}}


@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize("change", list(CHANGES))
def test_case_81_what_others_set_of_blues_target_is_there_after_every_way_out(
    stage: Rehearsal, change: str, way: str
) -> None:
    before = values_of(stage)
    rollout = at_half(stage, ending=WAYS[way].ending)
    somebody(stage, **CHANGES[change])
    stage.let_run(TWO_PERIODS)
    WAYS[way].out(stage, rollout)
    row = stage.row(rollout)
    assert row.phase is WAYS[way].end, stage.story(rollout)
    assert row.green is not None
    serves = row.green.name if row.phase is Phase.SUCCEEDED and row.spec.ending.is_swap else "checkout"
    assert values_of(stage, serves) == with_change(before, CHANGES[change]), stage.story(rollout)


def test_case_81_a_bound_below_what_all_traffic_needs_is_raised_again_and_the_hold_stays(
    stage: Rehearsal,
) -> None:
    rollout = at_half(stage)
    somebody(stage, MinCapacity=1, SuspendedState=LIFTED)
    stage.let_run(3 * TWO_PERIODS)
    assert values_of(stage)["MinCapacity"] == 3, "blue could not take all users with fewer"
    (hold,) = [one for one in stage.row(rollout).waiting.holds if one.kind is HoldKind.SCALING]
    assert "1 to 12 tasks instead of 2 to 12" in hold.reason
    assert "Teal keeps it at 3 to 12 until the end" in hold.reason
    told = [seen.event.message for seen in stage.events(rollout, EventKind.DRIFT_FOUND)]
    assert len([words for words in told if "blue's scaling" in words]) == 1, "said once"
    assert not [
        seen for seen in stage.events(rollout, EventKind.HOLD_CLEARED) if "scaling" in seen.event.message
    ]


def test_case_81_an_abandoned_rollout_names_what_blue_has_and_the_command_to_put_it_back(
    stage: Rehearsal,
) -> None:
    rollout = at_half(stage)
    stage.command(rollout, CommandKind.ABANDON)
    stage.until(rollout)
    (ended,) = stage.events(rollout, EventKind.ENDED)
    words = ended.event.message
    assert "3 to 12 tasks instead of 2 to 12; scale-in is suspended" in words
    assert "--min-capacity 2 --max-capacity 12" in words
    assert "rule 1000 of load balancer prod-lb forwards to checkout-blue" in words
    assert "aws elbv2 modify-rule" in words


def greens(stage: Rehearsal, rollout: RolloutId, **params: object) -> str:
    """Somebody registers green's target anew; green's name."""
    green = stage.row(rollout).green
    assert green is not None
    resource = f"service/prod/{green.name}"
    key = {"ServiceNamespace": "ecs", "ResourceId": resource, "ScalableDimension": DIMENSION}
    stage.world.call("application-autoscaling", "RegisterScalableTarget", {**key, **params})
    return green.name


@pytest.mark.parametrize("change", [name for name in CHANGES if name != "all of it at once"])
@pytest.mark.parametrize("ending", [Ending.KEEP, Ending.DELETE])
def test_case_81_what_others_set_of_greens_target_is_there_where_green_stays(
    stage: Rehearsal, change: str, ending: Ending
) -> None:
    before = values_of(stage)
    rollout = at_half(stage, ending=ending)
    name = greens(stage, rollout, **CHANGES[change])
    stage.let_run(TWO_PERIODS)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert values_of(stage, name) == with_change(before, CHANGES[change]), stage.story(rollout)


STAYS = [way for way in WAYS if not way.startswith("swap")]  # after a swap blue has no tasks, or is gone
COUNTS = [(way, 5) for way in STAYS]
COUNTS += [("rollback at half", 2)]  # with fewer blue could not take all users: it holds


@pytest.mark.parametrize(("way", "count"), COUNTS)
def test_case_81_a_count_that_others_set_of_a_blue_without_scaling_is_there_at_the_end(
    way: str, count: int
) -> None:
    with Rehearsal(scalable=False) as stage:
        rollout = at_half(stage, ending=WAYS[way].ending)
        stage.world.call(
            "ecs", "UpdateService", {"cluster": "prod", "service": "checkout", "desiredCount": count}
        )
        stage.let_run(TWO_PERIODS)
        if way.startswith("rollback while"):
            stage.until(rollout, *[phase for phase in Phase if phase.value == way.rpartition(" ")[2]])
            stage.let_run(timedelta(seconds=5))
            stage.command(rollout, CommandKind.ROLLBACK)
            stage.until(rollout)
        else:
            WAYS[way].out(stage, rollout)
        row = stage.row(rollout)
        assert row.phase is WAYS[way].end, stage.story(rollout)
        assert service_of(stage)["desiredCount"] == count, stage.story(rollout)


@pytest.mark.parametrize("count", [2, 5])
def test_case_81_a_count_that_others_set_between_two_updates_of_blue_is_there_at_the_end(count: int) -> None:
    with Rehearsal(scalable=False) as stage:
        rollout = at_half(stage)
        stage.until(rollout, Phase.SETTLING)
        while not stage.row(rollout).handover.attempts:
            stage.let_run(timedelta(seconds=1))
        stage.let_run(timedelta(seconds=3))
        stage.world.call(
            "ecs", "UpdateService", {"cluster": "prod", "service": "checkout", "desiredCount": count}
        )
        stage.command(rollout, CommandKind.ROLLBACK)
        assert stage.until(rollout).phase is Phase.ROLLED_BACK, stage.story(rollout)
        assert service_of(stage)["desiredCount"] == count, stage.story(rollout)
