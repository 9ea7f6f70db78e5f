"""The promises, for any row and anything that may be seen: Hypothesis looks for what breaks them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.cloud.effects import (
    PutAlarm,
    PutScalingPolicy,
    PutScheduledAction,
    SetScaling,
    UpdateService,
    WriteRule,
)
from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import (
    Absent,
    DriverSeen,
    PolicySeen,
    ScalesSeen,
    ScalingSeen,
    ScheduleSeen,
    TargetsSeen,
    Unread,
)
from orchestrator.core.decide import decide
from orchestrator.core.domain.commands import ACCEPTED, CommandKind, CommandState
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import TargetGroupArn, Tenths
from orchestrator.core.domain.phases import LEGAL, Phase
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.handover import Holding
from orchestrator.core.rollout.rollout import Decision, Rollout
from orchestrator.core.rollout.spec import Capacity, LimitThen, OnDrift, OnFailure
from orchestrator.core.scaling.target_values import suspended
from orchestrator.core.tick.seen import Failure, Seen
from tests.builders import BLUE_GROUP, FORMER, NOON, OTHER_GROUP, RULE, WANTED, forward, good_alarm, good_rule
from tests.core.stages import (
    GREEN_GROUP,
    GREEN_NAME,
    SCALING,
    a_command,
    attempt,
    baked,
    group,
    metrics,
    rolling_back,
    row,
    rule_seen,
    seen_of,
    service,
    settling,
    spec,
    tags_on_green,
)

T = TypeVar("T")
ROWS: list[Callable[[], Rollout]] = [
    lambda: row(Phase.PENDING),
    lambda: row(Phase.PREPARING),
    lambda: row(Phase.PROVISIONING, weight=0),
    lambda: row(Phase.SHIFTING, weight=0),
    lambda: row(Phase.SHIFTING, weight=100, step=1),
    lambda: baked(2),
    lambda: baked(9),
    lambda: baked(9, step=1),
    lambda: baked(31, phase=Phase.WATCHING, step=2),
    lambda: settling(attempts=0),
    lambda: settling(),
    lambda: settling(900, is_homeward=True),
    lambda: settling(0, is_homeward=True, step=2),
    lambda: settling(0, is_way_clear=True),
    lambda: rolling_back(0),
    lambda: rolling_back(500),
    lambda: rolling_back(1000, attempts=(attempt(),)),
    lambda: rolling_back(900, attempts=(attempt(), attempt(number=2, task_definition=FORMER))),
]
UNREAD, ABSENT = Unread(why="a test"), Absent()
TARGETS = (
    SCALING,
    suspended(SCALING),
    replace(suspended(SCALING), min_capacity=5),
    replace(SCALING, min_capacity=1, max_capacity=2),
    replace(SCALING, max_capacity=20, scale_out_suspended=True),
)
HOLDINGS = (
    Holding(base=SCALING, written=(TARGETS[1],), verified=TARGETS[1]),
    Holding(base=SCALING, floor=5, written=(TARGETS[1], TARGETS[2]), verified=TARGETS[1], is_foreign=True),
)
SCALES = ScalesSeen(
    target=SCALING,
    policies=(
        PolicySeen(name="cpu", kind="TargetTrackingScaling", configuration=canonical({}), arn="arn:cpu"),
        PolicySeen(name="steps", kind="StepScaling", configuration=canonical({}), arn="arn:steps"),
    ),
    schedules=(ScheduleSeen(name="night", schedule="rate(1 day)", min_capacity=1, max_capacity=2),),
    drivers=(DriverSeen(name="busy", settings=canonical({}), actions=(("AlarmActions", ("arn:steps",)),)),),
)


def rows() -> st.SearchStrategy[Rollout]:
    """Rows in every phase, with the file's choices and what a row may carry drawn."""
    files = st.builds(
        spec,
        on_failure=st.sampled_from(OnFailure),
        on_drift=st.sampled_from(OnDrift),
        limits=st.sampled_from(LimitThen).map(lambda then: replace(spec().limits, then=then)),
    )
    changes = st.fixed_dictionaries(
        {
            "spec": files,
            "paused_by": st.sampled_from((None, a_command(CommandKind.PAUSE).by)),
            "failed": st.sampled_from(("", "guard: a test")),
            "held": st.sampled_from((timedelta(0), timedelta(hours=3))),
            "waived_step": st.sampled_from((None, 0, 1)),
            "ready_since": st.sampled_from((None, NOON - timedelta(minutes=2))),
            "holding": st.sampled_from((None, *HOLDINGS)),
        }
    )
    parts = st.tuples(st.booleans(), st.booleans(), st.booleans(), st.sampled_from(Capacity))

    def built(
        made: Callable[[], Rollout], more: dict[str, object], how: tuple[bool, bool, bool, Capacity]
    ) -> Rollout:
        known = changed(made(), **more)  # type: ignore[arg-type]  # replace checks the names itself
        known = replace(known, spec=replace(known.spec, capacity=how[3]))
        if how[0] and known.blue is not None and known.green is not None:
            green = replace(
                known.green, is_scaling_asked=how[1], is_scaling_given=how[1] and how[2], alarms=("teal-a",)
            )
            known = changed(known, blue=replace(known.blue, scales=SCALES), green=green)
        return known if known.phase is not Phase.ROLLING_BACK else changed(known, paused_by=None, failed="")

    return st.builds(built, st.sampled_from(ROWS), changes, parts)


def sights(known: Rollout) -> st.SearchStrategy[Seen]:
    """Anything that may be seen of a row: good, bad, missing, unreadable, changed by somebody."""
    revisions = st.sampled_from((FORMER, WANTED))

    def services(name: str) -> st.SearchStrategy[object]:
        running = st.builds(
            lambda revision, desired, running, state: service(
                name, revision, desired=desired, running=running, status=state
            ),
            revisions,
            st.sampled_from((3, 3, 0, 5)),
            st.integers(0, 4),
            st.sampled_from(("ACTIVE", "ACTIVE", "DRAINING")),
        )
        return st.one_of(running, st.sampled_from((UNREAD, ABSENT, None)))

    actions = st.sampled_from(
        (
            forward((BLUE_GROUP, 1)),
            forward((OTHER_GROUP, 1)),
            *(forward((BLUE_GROUP, 1000 - w), (GREEN_GROUP, w)) for w in (1, 100, 500, 700, 999)),
        )
    )
    seen_rules = st.one_of(
        st.just(rule_seen(known) if known.rules else good_rule()),
        actions.map(lambda given: good_rule(actions=given)),
        st.sampled_from((UNREAD, ABSENT)),
    )
    targets = st.one_of(
        st.builds(TargetsSeen, healthy=st.integers(0, 4), unhealthy=st.integers(0, 2)),
        st.sampled_from((UNREAD, ABSENT)),
    )
    counts = st.tuples(st.sampled_from((0, 30, 200)), st.sampled_from((0, 20)))
    return st.builds(
        lambda **given: seen_of(known, **given),
        commands=st.lists(st.sampled_from(CommandKind).map(a_command), max_size=2).map(
            lambda ws: tuple(replace(w, key=str(n)) for n, w in enumerate(ws))
        ),
        failures=st.sampled_from(((), (Failure(key="write_rule x", why="a test", is_final=True),))),
        rules=seen_rules.map(lambda seen: {RULE: seen}),
        blue=services("checkout"),
        green=services(GREEN_NAME),
        groups=st.sampled_from((group(tags=tags_on_green(known)), group(tags={}), ABSENT, UNREAD)).map(
            lambda seen: {pair.green_name: seen for pair in known.pairs}
        ),
        targets=st.tuples(targets, targets).map(lambda two: {BLUE_GROUP: two[0], GREEN_GROUP: two[1]}),
        scaling=st.sampled_from((*TARGETS, ABSENT, UNREAD, None)),
        green_scaling=st.sampled_from((*TARGETS, ABSENT, UNREAD, None)),
        green_scales=st.sampled_from(
            (ScalesSeen(), replace(SCALES, target=TARGETS[1]), SCALES, UNREAD, None)
        ),
        alarms=st.sampled_from(("OK", "ALARM", "INSUFFICIENT_DATA")).map(
            lambda state: {"checkout-5xx": good_alarm(state=state), "teal-a": good_alarm(state=state)}
        ),
        metrics=st.tuples(counts, counts).map(lambda two: metrics(known, green=two[0], blue=two[1])),
    )


@st.composite
def situations(draw: st.DrawFn) -> tuple[Rollout, Seen]:
    known = draw(rows())
    return known, draw(sights(known))


def writes(decision: Decision) -> list[WriteRule]:
    return [effect for effect in decision.effects if isinstance(effect, WriteRule)]


@pytest.mark.long
@settings(max_examples=400, deadline=None)
@given(situation=situations())
def test_anything_that_is_seen_keeps_the_promises(situation: tuple[Rollout, Seen]) -> None:
    known, seen = situation
    decision = decide(known, seen, NOON)
    after = decision.rollout
    assert decide(known, seen, NOON) == decision, "the same input decides the same"
    _moves_follow_the_table(known, decision)
    _every_command_is_answered_once(seen, decision)
    grown = [w for w in writes(decision) if (w.green or 0) > known.green_weight and not w.to_safety]
    if grown and known.phase.blue_is_safe_side:
        assert isinstance(seen.rules[RULE], type(good_rule())), "a rule that was not read is not written"
        assert not after.waiting.failed, "green never grows after a failure"
        assert _healthy(seen, BLUE_GROUP) >= 3, "blue could take everything back"
        assert _healthy(seen, GREEN_GROUP) >= 3, "green's targets were healthy"
    if after.phase in (Phase.ROLLING_BACK, Phase.ROLLED_BACK):
        assert all(not w.green for w in writes(decision)), "a rollback never gives green anything"
    if known.phase.blue_is_safe_side:
        assert not any(isinstance(e, UpdateService) for e in decision.effects), "blue is untouched until then"


def _healthy(seen: Seen, group: TargetGroupArn) -> int:
    targets = seen.targets[group]
    return targets.healthy if isinstance(targets, TargetsSeen) else 0


def _moves_follow_the_table(known: Rollout, decision: Decision) -> None:
    facts = [dict(e.facts) for e in decision.events if e.kind in (EventKind.PHASE_CHANGED, EventKind.ENDED)]
    path = [known.phase, *(Phase(str(move.get("end") or move["phase"])) for move in facts)]
    assert path[-1] is decision.rollout.phase
    assert all(step in LEGAL for step in pairwise(path))
    assert (decision.wake_at is None) is decision.rollout.phase.is_final


def _every_command_is_answered_once(seen: Seen, decision: Decision) -> None:
    answered = [outcome.key for outcome in decision.outcomes]
    assert sorted(answered) == sorted(command.key for command in seen.commands)
    assert all(outcome.state is not CommandState.ACCEPTED for outcome in decision.outcomes)


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(situation=situations(), kind=st.sampled_from((CommandKind.ROLLBACK, CommandKind.REJECT)))
def test_a_rollback_before_settling_is_one_write_whatever_else_is_seen(
    situation: tuple[Rollout, Seen], kind: CommandKind
) -> None:
    known, seen = situation
    if not known.phase.blue_is_safe_side or kind not in ACCEPTED[known.phase]:
        return
    decision = decide(known, replace(seen, commands=(a_command(kind),)), NOON)
    assert decision.rollout.phase in (Phase.ROLLING_BACK, Phase.ROLLED_BACK)
    if not all(pair.green for pair in known.pairs):
        return  # green's groups were never committed, so no rule can hold them by Teal's doing
    for rule in known.rules:
        found = seen.rules[rule.arn]
        if isinstance(found, type(good_rule())) and f'"{GREEN_GROUP}"' in found.actions:
            assert [w.green for w in writes(decision)] in ([Tenths(0)], [None])
            assert decision.effects[0] == writes(decision)[0], "and it goes first"


@pytest.mark.parametrize("made", ROWS)
def test_nothing_seen_at_all_never_moves_traffic_up(made: Callable[[], Rollout]) -> None:
    known = made()
    decision = decide(known, Seen(), NOON)
    assert not writes(decision)
    assert decision.rollout.phase is known.phase or decision.rollout.phase is Phase.ROLLING_BACK


@pytest.mark.long
@given(situation=situations())
def test_blues_scale_in_is_never_let_go_and_its_bounds_never_lowered_while_green_has_traffic(
    situation: tuple[Rollout, Seen],
) -> None:
    known, seen = situation
    decision = decide(known, seen, NOON)
    if decision.rollout.phase not in (Phase.SHIFTING, Phase.WATCHING) or not known.green_weight:
        return
    for effect in decision.effects:
        if isinstance(effect, SetScaling) and effect.service == "checkout":
            assert effect.wanted.scale_in_suspended
            assert isinstance(seen.scaling, ScalingSeen)
            floor = (
                decision.rollout.blue_scaling.holding.floor if decision.rollout.blue_scaling.holding else 0
            )
            assert effect.wanted.min_capacity >= min(SCALING.min_capacity, seen.scaling.min_capacity)
            assert effect.wanted.min_capacity >= floor


@pytest.mark.long
@given(situation=situations())
def test_nothing_of_greens_scaling_is_made_before_it_is_recorded(situation: tuple[Rollout, Seen]) -> None:
    decision = decide(*situation, NOON)
    for effect in decision.effects:
        if isinstance(effect, PutScalingPolicy | PutScheduledAction | PutAlarm):
            assert decision.rollout.green is not None
            assert decision.rollout.green.is_scaling_asked
            assert not isinstance(effect, PutAlarm) or effect.name in decision.rollout.green.alarms
