"""The start: what is read of blue, the names on disk before anything is made, and green's place on every rule."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.effects import ConfigureTargetGroup, CreateTargetGroup, WriteRule
from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import Absent, GroupSeen, Unread
from orchestrator.core.cloud.survey import Finding, Severity
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.tags import FIRST_BLUE
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.names import short_id, tags_of
from orchestrator.core.rollout.rollout import Decision, HoldKind, Rollout
from orchestrator.core.rollout.spec import OnDrift, ServiceName
from orchestrator.core.traffic.discovery import in_scope
from tests.builders import (
    BLUE_GROUP,
    DEFAULT_RULE,
    FORMER,
    LISTENER,
    NOON,
    OTHER_GROUP,
    RULE,
    WANTED,
    default_rule,
    forward,
    good_blue,
    good_group,
    good_rule,
    good_spec,
    good_survey,
)
from tests.core.stages import (
    GREEN_GROUP,
    MINUTE,
    OPERATOR,
    SCALING,
    a_hold,
    asked,
    at,
    group,
    held,
    only,
    recorded,
    row,
    rule,
    rule_seen,
    seen_of,
    spec,
    written,
)

UNREAD = Unread(why="a test")
NAME = "teal-checkout-0a1b2c3d-0"
REFUSED = Finding(severity=Severity.ERROR, code="a-test", what="the service is not for this")
WARNED = Finding(severity=Severity.WARNING, code="a-test", what="the service is unusual")
LONG_SERVICE = "checkout-for-guests-abroad"


def pending(**changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    return row(Phase.PENDING, **changes)


def read(known: Rollout | None = None, **changes: Any) -> Decision:  # noqa: ANN401 - the fields of Seen
    """The first tick of a rollout, in which this is seen."""
    known = known or pending()
    return at(known, seen_of(known, **changes))


def hung(weight: int | None, **changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    """Preparing, with green's group made and set up, and this read back on the rule."""
    made = row(Phase.PREPARING, weight=weight)
    pairs = tuple(replace(pair, green=GREEN_GROUP) for pair in made.pairs)
    return changed(made, **{"pairs": pairs, "rules": (rule(weight, 0),), **changes})


# pending -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "seen", "phase", "holds"),
    [
        pytest.param(pending(), {}, Phase.PREPARING, set(), id="blue was read"),
        pytest.param(pending(), {"findings": (WARNED,)}, Phase.PREPARING, set(), id="a warning"),
        pytest.param(pending(), {"findings": (REFUSED,)}, Phase.PENDING, {HoldKind.BLUE}, id="refused"),
        pytest.param(pending(), {"survey": UNREAD}, Phase.PENDING, {HoldKind.AWS}, id="unread"),
        pytest.param(pending(), {"survey": None}, Phase.PENDING, {HoldKind.AWS}, id="not looked at"),
        pytest.param(pending(paused_by=OPERATOR), {}, Phase.PENDING, {HoldKind.PAUSED}, id="paused"),
    ],
)
def test_a_rollout_begins_once_blue_was_read(
    known: Rollout, seen: Mapping[str, Any], phase: Phase, holds: set[HoldKind]
) -> None:
    decision = read(known, **seen)
    assert (decision.rollout.phase, held(decision)) == (phase, holds)
    assert decision.effects == (), "nothing is made before its name is on disk"
    assert (decision.rollout.blue is None) is (phase is Phase.PENDING)


def test_every_error_of_preflight_is_said_in_the_hold() -> None:
    also = replace(REFUSED, what="its rule redirects")
    (hold,) = read(findings=(REFUSED, WARNED, also)).rollout.waiting.holds
    assert hold.reason == "preflight refuses: the service is not for this; its rule redirects"


def test_what_was_read_of_blue_is_kept_as_it_was() -> None:
    decision = read()
    blue, seen = decision.rollout.blue, good_blue()
    assert blue is not None
    assert (blue.former, blue.desired, blue.scaling) == (FORMER, 3, SCALING)
    assert blue.deployment_configuration == seen.deployment_configuration
    (state,) = decision.rollout.rules
    assert (state.base, state.verified, state.wanted) == (good_rule().actions, None, None)
    assert state.blue_group == BLUE_GROUP
    assert [record.key for record in decision.records] == ["snapshot"]
    assert {EventKind.BLUE_READ, EventKind.PHASE_CHANGED} <= recorded(decision)


def test_every_name_is_on_disk_before_anything_is_made() -> None:
    survey = good_survey(groups=(good_group(), good_group(arn=OTHER_GROUP, name="legacy")))
    made = read(survey=survey).rollout
    assert made.green is not None
    assert (made.green.name, made.green.task_definition) == ("checkout-0a1b2c3d", WANTED)
    assert (made.green.desired, made.green.is_asked) == (3, False)
    assert [pair.green_name for pair in made.pairs] == [NAME, "teal-checkout-0a1b2c3d-1"]
    assert [pair.green for pair in made.pairs] == [None, None]


def test_two_rollouts_of_one_service_make_green_by_two_tokens() -> None:
    first, second = read().rollout.green, read(pending(id=RolloutId("checkout-99999999"))).rollout.green
    assert first is not None
    assert second is not None
    assert first.token != second.token
    assert first == read().rollout.green, "the same rollout gives the same token"


@pytest.mark.parametrize("service", ["checkout", LONG_SERVICE, "under_scored_name", "a" * 255])
def test_a_target_groups_name_is_one_that_aws_takes(service: str) -> None:
    known = pending(spec=spec(service=ServiceName(cluster="prod", service=service)))
    made = read(known, survey=good_survey(blue=good_blue(name=service))).rollout
    (pair,) = made.pairs
    assert made.green is not None
    assert len(made.green.name) <= 255
    assert len(pair.green_name) <= 32
    assert pair.green_name.replace("-", "").isalnum()
    assert pair.green_name.endswith("-0a1b2c3d-0")


@pytest.mark.parametrize(
    ("named", "chosen"),
    [
        ((), [RULE, DEFAULT_RULE]),
        ((RULE,), [RULE]),
        ((LISTENER,), [DEFAULT_RULE]),
        ((LISTENER, RULE), [RULE, DEFAULT_RULE]),
    ],
)
def test_a_rollout_moves_the_rules_that_the_file_names_or_all(
    named: tuple[str, ...], chosen: list[str]
) -> None:
    survey = good_survey(rules=(good_rule(), default_rule()))
    assert [seen.arn for seen in in_scope(good_spec(rules=named), survey)] == chosen


def test_the_group_of_blue_is_found_among_others_in_a_rule() -> None:
    mixed = good_rule(actions=forward((OTHER_GROUP, 1), (BLUE_GROUP, 3)))
    (state,) = read(survey=good_survey(rules=(mixed,))).rollout.rules
    assert state.blue_group == BLUE_GROUP


def test_the_short_id_is_the_end_of_the_rollouts_id() -> None:
    assert short_id(RolloutId("check-out-0a1b2c3d")) == "0a1b2c3d"


# preparing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "seen", "effects"),
    [
        pytest.param(row(Phase.PREPARING), {}, ["create_target_group"], id="no group yet"),
        pytest.param(
            row(Phase.PREPARING),
            {"groups": {NAME: group(attributes={}, load_balancers=())}},
            ["configure_target_group"],
            id="the group's attributes are not blue's yet",
        ),
        pytest.param(
            row(Phase.PREPARING),
            {"groups": {NAME: group(load_balancers=())}},
            ["write_rule"],
            id="the group is set up, and is in no rule",
        ),
        pytest.param(
            hung(None), {"rules": {RULE: good_rule()}}, ["write_rule"], id="the write does not show"
        ),
        pytest.param(hung(0), {"groups": {NAME: group(load_balancers=())}}, [], id="its place does not show"),
        pytest.param(row(Phase.PREPARING), {"groups": {}}, [], id="the group was not looked at"),
        pytest.param(row(Phase.PREPARING), {"groups": {NAME: UNREAD}}, [], id="the group is unread"),
        pytest.param(
            row(Phase.PREPARING),
            {"rules": {RULE: UNREAD}, "groups": {NAME: group(load_balancers=())}},
            [],
            id="the rule is unread",
        ),
    ],
)
def test_green_is_given_its_place_one_thing_after_another(
    known: Rollout, seen: Mapping[str, Any], effects: list[str]
) -> None:
    decision = at(known, seen_of(known, **seen))
    assert decision.rollout.phase is Phase.PREPARING
    assert asked(decision) == effects
    assert all(weight == 0 for weight in written(decision)), "no user meets green"


def test_a_group_is_made_like_blues_and_tagged() -> None:
    known = row(Phase.PREPARING)
    decision = at(known)
    effect = only(decision, CreateTargetGroup)
    assert (effect.name, effect.template) == (NAME, good_group().template)
    assert effect.tags == (*tags_of(known), (FIRST_BLUE, "tasks=3 min=2 max=10"))
    assert ("teal:rollout", known.id) in effect.tags
    assert decision.rollout.ticks.created_last == NOON


def test_only_the_attributes_that_differ_are_set() -> None:
    wanted = {"deregistration_delay.timeout_seconds": "30", "slow_start.duration_seconds": "60"}
    known = row(Phase.PREPARING)
    known = replace(known, pairs=tuple(replace(pair, attributes=canonical(wanted)) for pair in known.pairs))
    effect = only(at(known, seen_of(known, groups={NAME: group()})), ConfigureTargetGroup)
    assert (effect.group, effect.attributes) == (GREEN_GROUP, (("slow_start.duration_seconds", "60"),))


def test_green_hangs_on_a_rule_with_nothing_and_blue_keeps_everything() -> None:
    known = row(Phase.PREPARING)
    effect = only(at(known, seen_of(known, groups={NAME: group(load_balancers=())})), WriteRule)
    assert (effect.green, effect.to_safety) == (0, False)
    assert effect.actions == rule_seen(hung(0)).actions


@pytest.mark.parametrize(
    ("changes", "seen", "phase"),
    [
        pytest.param({}, {}, Phase.PROVISIONING, id="everything is seen"),
        pytest.param({"paused_by": OPERATOR}, {}, Phase.PREPARING, id="paused"),
        pytest.param({}, {"rules": {RULE: UNREAD}}, Phase.PREPARING, id="a rule is unread"),
        pytest.param({}, {"rules": {RULE: Absent()}}, Phase.PREPARING, id="a rule is gone"),
        pytest.param({}, {"groups": {NAME: UNREAD}}, Phase.PREPARING, id="the group is unread"),
        pytest.param({}, {"groups": {NAME: Absent()}}, Phase.PREPARING, id="the group is gone"),
        pytest.param(
            {}, {"groups": {NAME: group(load_balancers=())}}, Phase.PREPARING, id="it hangs nowhere"
        ),
    ],
)
def test_provisioning_begins_once_green_is_seen_on_every_rule(
    changes: Mapping[str, Any], seen: Mapping[str, Any], phase: Phase
) -> None:
    known = hung(0, **changes)
    assert at(known, seen_of(known, **seen)).rollout.phase is phase


def test_a_second_rule_without_green_keeps_it_from_going_on() -> None:
    second = replace(rule(None, 0), arn=DEFAULT_RULE, is_default=True)
    second = replace(second, conditions=canonical(["default", "[]"]))
    known = hung(0, rules=(rule(0), second))
    decision = at(known, seen_of(known, rules={RULE: rule_seen(known, 0), DEFAULT_RULE: default_rule()}))
    assert decision.rollout.phase is Phase.PREPARING
    assert only(decision, WriteRule).rule == DEFAULT_RULE


@pytest.mark.parametrize("tags", [{}, {"teal:rollout": "checkout-99999999"}])
def test_somebody_elses_group_is_never_taken_but_another_name_is(tags: dict[str, str]) -> None:
    known = row(Phase.PREPARING)
    decision = at(known, seen_of(known, groups={NAME: group(tags=tags)}))
    assert not decision.effects
    (pair,) = decision.rollout.pairs
    assert (pair.green_name, pair.green) == ("teal-checkout-0a1b2c3d-10", None)
    following = at(decision.rollout, seen_of(decision.rollout), now=NOON + MINUTE)
    assert only(following, CreateTargetGroup).name == pair.green_name


def test_another_name_is_new_each_time_also_where_it_is_as_long_as_may_be() -> None:
    known = pending(spec=spec(service=ServiceName(cluster="prod", service=LONG_SERVICE)))
    survey = good_survey(
        blue=good_blue(name=LONG_SERVICE), groups=(good_group(), good_group(arn=OTHER_GROUP, name="legacy"))
    )
    made = read(known, survey=survey).rollout
    names = {pair.green_name for pair in made.pairs}
    assert {len(name) for name in names} == {32}
    for _ in range(20):
        theirs: dict[str, GroupSeen] = {p.green_name: group(tags={}) for p in made.pairs}
        made = at(made, seen_of(made, groups=theirs)).rollout
        for pair in made.pairs:
            assert pair.green_name not in names
            assert len(pair.green_name) <= 32
            assert "-0a1b2c3d-" in pair.green_name, "the rollout's own part of the name stays"
            names.add(pair.green_name)


@pytest.mark.parametrize(
    ("on_drift", "phase", "holds"),
    [
        (OnDrift.HOLD, Phase.PREPARING, {HoldKind.DRIFT}),
        (OnDrift.ROLLBACK, Phase.ROLLING_BACK, set()),
    ],
)
def test_a_foreign_change_before_green_runs_does_what_the_file_says(
    on_drift: OnDrift, phase: Phase, holds: set[HoldKind]
) -> None:
    known = hung(0, spec=spec(on_drift=on_drift))
    foreign = good_rule(actions=forward((BLUE_GROUP, 500), (GREEN_GROUP, 0), (OTHER_GROUP, 500)))
    decision = at(known, seen_of(known, rules={RULE: foreign}))
    assert (decision.rollout.phase, held(decision)) == (phase, holds)


def test_a_foreign_change_that_the_file_accepts_is_the_base_and_green_hangs_beside_it() -> None:
    known = row(Phase.PREPARING, spec=spec(on_drift=OnDrift.ACCEPT))
    foreign = {RULE: good_rule(actions=forward((BLUE_GROUP, 500), (OTHER_GROUP, 500)))}
    accepted = at(known, seen_of(known, rules=foreign)).rollout
    assert OTHER_GROUP in accepted.rules[0].base
    following = at(accepted, seen_of(accepted, rules=foreign, groups={NAME: group(load_balancers=())}))
    assert following.rollout.phase is Phase.PREPARING
    assert OTHER_GROUP in only(following, WriteRule).actions


def test_a_foreign_change_that_leaves_too_few_parts_is_not_accepted_before_greens_group_is_made_either() -> (
    None
):
    """Its weights could never be written: the rollout would go on until its first step, and be stuck there."""
    known = row(Phase.PREPARING, spec=spec(on_drift=OnDrift.ACCEPT))
    assert known.pairs[0].green is None
    foreign = {RULE: good_rule(actions=forward((BLUE_GROUP, 3), (OTHER_GROUP, 500)))}
    decision = at(known, seen_of(known, rules=foreign))
    assert decision.rollout.rules[0].base == known.rules[0].base
    assert HoldKind.DRIFT in held(decision)


# limits.provision --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "phase"),
    [
        pytest.param({"phase_since": NOON - 15 * MINUTE}, Phase.PREPARING, id="at the limit"),
        pytest.param({"phase_since": NOON - 16 * MINUTE}, Phase.ROLLING_BACK, id="over it"),
        pytest.param(
            {"phase_since": NOON - 16 * MINUTE, "paused_for": 2 * MINUTE},
            Phase.PREPARING,
            id="over it, for people had paused it",
        ),
        pytest.param(
            {"phase_since": NOON - 20 * MINUTE, "paused_for": 4 * MINUTE},
            Phase.ROLLING_BACK,
            id="over it beside a pause",
        ),
        pytest.param(
            {"phase_since": NOON - 20 * MINUTE, "paused_by": OPERATOR}, Phase.PREPARING, id="paused now"
        ),
        pytest.param(
            {"phase_since": None, "created_at": NOON - 16 * MINUTE}, Phase.ROLLING_BACK, id="since the start"
        ),
    ],
)
def test_green_without_its_place_in_time_rolls_back(changes: Mapping[str, Any], phase: Phase) -> None:
    known = row(Phase.PREPARING, **changes)
    assert at(known, seen_of(known, groups={NAME: UNREAD})).rollout.phase is phase


def test_each_phase_has_its_own_time() -> None:
    known = hung(0, phase_since=NOON - 14 * MINUTE, paused_for=3 * MINUTE, holds=(a_hold(HoldKind.AWS),))
    moved = at(known).rollout
    assert (moved.phase, moved.phase_since) == (Phase.PROVISIONING, NOON)
    assert moved.pause.paused_for == timedelta(0)
