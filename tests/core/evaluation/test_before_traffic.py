"""Before the first traffic: blue could take everything back, the rules are as written, and time is not up."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.effects import SetScaling
from orchestrator.core.cloud.resources import Absent, RuleSeen, TargetsSeen, Unread
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.spec import OnDrift
from orchestrator.core.scaling.target_values import suspended
from tests.builders import BLUE_GROUP, FORMER, NOON, OTHER_GROUP, RULE, WANTED, forward, good_alarm, good_rule
from tests.core.stages import (
    GREEN_GROUP,
    GREEN_NAME,
    MINUTE,
    OPERATOR,
    SCALING,
    a_command,
    at,
    blue,
    commanded,
    held,
    only,
    recorded,
    row,
    rule_seen,
    seen_of,
    service,
    spec,
    written,
)

UNREAD = Unread(why="a test")
POLL = timedelta(seconds=15)
HALF_READY = {"green": service(GREEN_NAME, WANTED, running=2)}


def provisioning(**changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    """Green was asked for and is in every rule at weight 0."""
    return row(Phase.PROVISIONING, weight=0, **changes)


def ready(**changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    """Green was ready in one look already."""
    return provisioning(**{"ready_since": NOON - MINUTE, **changes})


def foreign() -> RuleSeen:
    """The rule after somebody gave half of its requests to another group."""
    return good_rule(actions=forward((BLUE_GROUP, 500), (GREEN_GROUP, 0), (OTHER_GROUP, 500)))


# blue can take everything back -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "seen", "phase", "holds"),
    [
        pytest.param({}, {}, Phase.SHIFTING, set(), id="all is well"),
        pytest.param({"paused_by": OPERATOR}, {}, Phase.PROVISIONING, {HoldKind.PAUSED}, id="paused"),
        pytest.param({}, {"blue": UNREAD}, Phase.PROVISIONING, {HoldKind.CAPACITY}, id="blue is unread"),
        pytest.param({}, {"blue": Absent()}, Phase.PROVISIONING, {HoldKind.CAPACITY}, id="blue is gone"),
        pytest.param(
            {},
            {"blue": service("checkout", WANTED)},
            Phase.PROVISIONING,
            {HoldKind.CAPACITY},
            id="blue runs something else",
        ),
        pytest.param(
            {},
            {"blue": service("checkout", FORMER, desired=2, running=2)},
            Phase.PROVISIONING,
            {HoldKind.CAPACITY},
            id="blue has shrunk",
        ),
        pytest.param(
            {},
            {"targets": {BLUE_GROUP: TargetsSeen(healthy=2), GREEN_GROUP: TargetsSeen(healthy=3)}},
            Phase.PROVISIONING,
            {HoldKind.CAPACITY},
            id="a target of blue is not healthy",
        ),
        pytest.param(
            {}, {"rules": {RULE: UNREAD}}, Phase.PROVISIONING, {HoldKind.AWS}, id="a rule is unread"
        ),
        pytest.param({}, {"scaling": UNREAD}, Phase.PROVISIONING, {HoldKind.AWS}, id="scaling is unread"),
        pytest.param({}, {"scaling": None}, Phase.PROVISIONING, set(), id="scaling was not looked at"),
        pytest.param({}, {"scaling": Absent()}, Phase.SHIFTING, set(), id="blue's scaling is gone"),
        pytest.param({}, {"scaling": SCALING}, Phase.PROVISIONING, set(), id="scale-in is still on"),
        pytest.param(
            {},
            {"scaling": replace(SCALING, max_capacity=20)},
            Phase.PROVISIONING,
            {HoldKind.SCALING},
            id="somebody changed scaling",
        ),
        pytest.param({"blue": blue(scaling=None)}, {"scaling": None}, Phase.SHIFTING, set(), id="no scaling"),
    ],
)
def test_no_traffic_starts_unless_blue_could_take_everything_back(
    changes: Mapping[str, Any], seen: Mapping[str, Any], phase: Phase, holds: set[HoldKind]
) -> None:
    known = ready(**changes)
    decision = at(known, seen_of(known, **seen))
    assert (decision.rollout.phase, held(decision)) == (phase, holds)


def test_scale_in_is_suspended_and_nothing_else_of_blues_scaling_touched() -> None:
    known = provisioning(is_scaling_touched=False)
    decision = at(known, seen_of(known, scaling=SCALING))
    assert only(decision, SetScaling).wanted == suspended(SCALING)
    assert decision.rollout.blue_scaling.is_scaling_touched, (
        "on disk before it is written: the way out restores it"
    )


def test_scale_in_that_is_never_seen_suspended_ends_it_at_the_limit() -> None:
    known = ready(phase_since=NOON - 16 * MINUTE)
    decision = at(known, seen_of(known, scaling=SCALING))
    assert decision.rollout.phase is Phase.ROLLING_BACK
    assert decision.rollout.end is not None
    assert "still waiting for: blue's scale-in to be suspended" in decision.rollout.end.reason


def test_an_alarm_that_fired_before_the_start_asks_for_a_person_first() -> None:
    known = ready(blue=blue(alarms=(good_alarm(state="ALARM"),)))
    decision = at(known)
    assert (decision.rollout.phase, held(decision)) == (Phase.PROVISIONING, {HoldKind.APPROVAL})
    assert commanded(known, a_command(CommandKind.APPROVE)).rollout.phase is Phase.SHIFTING


# the rules meanwhile -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weight", "writes"),
    [
        pytest.param(100, [0], id="somebody gave green traffic"),
        pytest.param(None, [0], id="somebody took green out"),
        pytest.param(0, [], id="as it was"),
    ],
)
def test_green_stays_on_every_rule_with_nothing(weight: int | None, writes: list[int]) -> None:
    known = provisioning()
    decision = at(known, seen_of(known, rules={RULE: rule_seen(known, weight)}))
    assert written(decision) == writes
    assert (HoldKind.DRIFT in held(decision)) is bool(weight)


def test_green_that_somebody_took_out_without_traffic_is_put_in_again_and_that_is_said() -> None:
    known = provisioning()
    decision = at(known, seen_of(known, rules={RULE: rule_seen(known, None)}))
    (words,) = [event.message for event in decision.events if event.kind is EventKind.DRIFT_FOUND]
    assert words.endswith("somebody took green out, which had no traffic there; it is put in again")


@pytest.mark.parametrize(
    ("on_drift", "phase", "holds"),
    [
        (OnDrift.HOLD, Phase.PROVISIONING, {HoldKind.DRIFT}),
        (OnDrift.ROLLBACK, Phase.ROLLING_BACK, set()),
    ],
)
def test_a_foreign_change_before_traffic_does_what_the_file_says(
    on_drift: OnDrift, phase: Phase, holds: set[HoldKind]
) -> None:
    known = ready(spec=spec(on_drift=on_drift))
    decision = at(known, seen_of(known, rules={RULE: foreign()}))
    assert (decision.rollout.phase, held(decision)) == (phase, holds)


def test_a_foreign_change_that_the_file_accepts_holds_one_look_and_traffic_starts() -> None:
    known = ready(spec=spec(on_drift=OnDrift.ACCEPT))
    seen = seen_of(known, rules={RULE: foreign()})
    accepted = at(known, seen)
    assert OTHER_GROUP in accepted.rollout.rules[0].base
    assert at(accepted.rollout, seen, now=NOON + POLL).rollout.phase is Phase.SHIFTING


# limits.provision --------------------------------------------------------------------------------------------------


def test_time_that_people_paused_does_not_count_towards_the_limit() -> None:
    known = provisioning(phase_since=NOON - 10 * MINUTE, paused_by=OPERATOR, ticked_at=NOON)
    now = NOON
    for _ in range(40):
        now += POLL
        known = at(known, seen_of(known, **HALF_READY), now=now).rollout
    assert known.pause.paused_for == 10 * MINUTE
    resumed = at(
        known, seen_of(known, **HALF_READY, commands=(a_command(CommandKind.RESUME),)), now=now + POLL
    ).rollout
    assert (resumed.pause.paused_by, resumed.phase) == (None, Phase.PROVISIONING), (
        "20 minutes, of which 10 count"
    )
    assert resumed.pause.paused_for == 10 * MINUTE + POLL
    over = NOON + 15 * MINUTE + 2 * POLL
    ended = at(resumed, seen_of(resumed, **HALF_READY), now=over)
    assert EventKind.ROLLBACK_DECIDED in recorded(ended)


def test_a_pause_during_which_nobody_ticked_counts_whole() -> None:
    known = provisioning(phase_since=NOON - 60 * MINUTE, paused_by=OPERATOR, ticked_at=NOON - 50 * MINUTE)
    seen = seen_of(known, **HALF_READY, commands=(a_command(CommandKind.RESUME),))
    resumed = at(known, seen).rollout
    assert (resumed.phase, resumed.pause.paused_for) == (Phase.PROVISIONING, 50 * MINUTE)
