"""Where green stays, its scaling becomes the service's own, and blue's goes with blue."""

from dataclasses import replace
from typing import Any

from orchestrator.core.cloud.effects import DeregisterScaling, PutScalingPolicy, SetScaling
from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import Absent, PolicySeen, ScalesSeen, ScalingSeen
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.handover import Holding
from orchestrator.core.rollout.names import names_of
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.scaling import swap_green
from orchestrator.core.scaling.policies_for_green import for_green
from orchestrator.core.scaling.target_values import suspended
from orchestrator.core.tick.draft import Draft
from tests.builders import NOON
from tests.core.stages import GREEN_NAME, SCALING, blue, row, seen_of
from tests.core.test_holds import UNREAD

TAGS = (("teal:managed", "true"),)
FORECAST = PolicySeen(
    name="forecast",
    kind="PredictiveScaling",
    configuration=canonical({"Mode": "ForecastAndScale", "MetricSpecifications": []}),
    arn="arn:blue",
)
GUEST = replace(suspended(SCALING), min_capacity=3)


def known(**changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    scales = ScalesSeen(target=SCALING, policies=(FORECAST,))
    return row(Phase.WATCHING, weight=1000, step=2, **{"blue": blue(scales=scales), **changes})


def scales_of(rollout: Rollout, target: ScalingSeen | None = GUEST) -> ScalesSeen:
    configuration = for_green(FORECAST, names_of(rollout))
    return ScalesSeen(
        target=target, policies=(replace(FORECAST, configuration=configuration, arn="arn:green"),)
    )


def draft_of(rollout: Rollout, **seen: Any) -> Draft:  # noqa: ANN401 - the fields of Seen
    return Draft(rollout, seen_of(rollout, **seen), NOON)


def test_bounds_and_suspensions_become_blues_and_forecasts_count_again() -> None:
    draft = draft_of(known(), green_scales=scales_of(known()))
    assert swap_green.make_own(draft, TAGS) == "green's scaling to be the service's own"
    target, policy = draft.effects
    assert isinstance(target, SetScaling)
    assert (target.service, target.wanted, target.tags) == (GREEN_NAME, SCALING, ())
    assert isinstance(policy, PutScalingPolicy)
    assert policy.configuration == FORECAST.configuration


def test_once_it_is_so_nothing_is_asked_for() -> None:
    own = replace(scales_of(known(), SCALING), policies=(FORECAST,))
    draft = draft_of(known(), green_scales=own)
    assert (swap_green.make_own(draft, TAGS), draft.effects) == ("", [])


def test_a_green_without_a_target_gets_one() -> None:
    draft = draft_of(known(), green_scales=ScalesSeen())
    swap_green.make_own(draft, TAGS)
    (target,) = draft.effects
    assert isinstance(target, SetScaling)
    assert (target.wanted, target.tags) == (SCALING, TAGS)


def test_bounds_that_blues_schedule_has_set_meanwhile_are_greens() -> None:
    later = replace(SCALING, min_capacity=5)
    rollout = known(holding=Holding(base=later))
    draft = draft_of(rollout, green_scales=scales_of(rollout))
    swap_green.make_own(draft, TAGS)
    assert isinstance(draft.effects[0], SetScaling)
    assert draft.effects[0].wanted == later


def test_blues_target_is_taken_away_until_it_is_gone() -> None:
    draft = draft_of(known(), scaling=SCALING)
    assert swap_green.remove_blues_scaling(draft)
    assert draft.effects == [DeregisterScaling(cluster=draft.row.blue.cluster, service="checkout")]  # type: ignore[union-attr] # it has one
    assert swap_green.remove_blues_scaling(draft_of(known(), scaling=Absent())) == ""


def test_what_cannot_be_read_holds() -> None:
    draft = draft_of(known(), green_scales=UNREAD, scaling=UNREAD)
    assert swap_green.make_own(draft, TAGS)
    assert swap_green.remove_blues_scaling(draft)
    assert {hold.kind for hold in draft.holds} == {HoldKind.AWS}
    assert not draft.effects


def test_a_service_without_scaling_needs_nothing_of_it() -> None:
    plain = known(blue=blue(scaling=None))
    draft = draft_of(plain)
    assert (
        swap_green.make_own(draft, TAGS),
        swap_green.remove_blues_scaling(draft),
        swap_green.needs(plain).scaling,
    ) == (
        "",
        "",
        "",
    )
    asked = swap_green.needs(known())
    assert (asked.scaling, asked.green_scales) == ("checkout", GREEN_NAME)
