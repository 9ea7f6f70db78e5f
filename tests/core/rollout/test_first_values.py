"""What green's tags say of blue and its rules as they were first, and what is made of it."""

import json
from dataclasses import replace

from orchestrator.core.cloud.resources import ScalingSeen
from orchestrator.core.domain.ids import RuleArn, TargetGroupArn
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.tags import FIRST_BLUE, FIRST_WEIGHTS, VALUE_MAX
from orchestrator.core.rollout.first_values import FirstRule, blue_of, restored, rule_of, tags_of_first
from orchestrator.core.rollout.rollout import Rollout
from tests.builders import BLUE_GROUP, OTHER_GROUP, forward
from tests.core.stages import GREEN_GROUP, row

GREENS = frozenset({GREEN_GROUP})


def shared_by(count: int) -> Rollout:
    known = row(Phase.PREPARING)
    shared = replace(known.rules[0], base=forward((OTHER_GROUP, 10), (BLUE_GROUP, 90)))
    rules = tuple(replace(shared, arn=RuleArn(f"arn:rule/{number:016x}")) for number in range(count))
    return replace(known, rules=rules)


def tags_of(known: Rollout) -> dict[str, str]:
    return dict(tags_of_first(known, known.pairs[0]))


def test_what_the_tags_say_is_what_was_read() -> None:
    known = shared_by(3)
    found = blue_of(tags_of(known))
    assert found is not None
    assert (found.tasks, found.scaling) == (known.known.blue.desired, known.known.blue.scaling)
    assert rule_of(tags_of(known), known.rules[2].arn) == FirstRule(weights=(10, 90), blue_at=1)


def test_every_suspension_is_told_and_a_blue_without_scaling_has_none() -> None:
    off = ScalingSeen(
        min_capacity=1,
        max_capacity=2,
        scale_in_suspended=True,
        scale_out_suspended=True,
        scheduled_suspended=True,
    )
    known = shared_by(1)
    assert known.colours is not None
    for scaling in (off, None):
        blue = replace(known.colours.blue, scaling=scaling)
        changed = replace(known, colours=replace(known.colours, blue=blue))
        found = blue_of(tags_of(changed))
        assert found is not None
        assert found.scaling == scaling


def test_rules_that_have_no_room_in_the_tag_are_not_known_rather_than_taken_for_simple() -> None:
    known = shared_by(60)
    tags = tags_of(known)
    assert len(tags[FIRST_WEIGHTS]) <= VALUE_MAX
    assert rule_of(tags, known.rules[0].arn) == FirstRule(weights=(10, 90), blue_at=1)
    assert rule_of(tags, known.rules[-1].arn) is None


def test_a_rule_that_has_blue_alone_needs_no_entry_and_a_green_of_an_earlier_version_says_nothing() -> None:
    known = row(Phase.PREPARING)
    assert FIRST_WEIGHTS not in tags_of(known)
    assert rule_of(tags_of(known), known.rules[0].arn) == FirstRule()
    assert (rule_of({}, known.rules[0].arn), blue_of({})) == (None, None)
    assert blue_of({FIRST_BLUE: "what=ever min=x"}) is None


def test_the_first_weights_come_back_where_others_kept_their_shares() -> None:
    now = forward((BLUE_GROUP, 450), (GREEN_GROUP, 450), (OTHER_GROUP, 100))
    first = FirstRule(weights=(10, 90), blue_at=1)
    made = restored(now, first, blue=BLUE_GROUP, greens=GREENS, is_kept=True)
    assert made is not None
    groups = json.loads(made)[0]["ForwardConfig"]["TargetGroups"]
    assert [(one["TargetGroupArn"], one["Weight"]) for one in groups] == [
        (OTHER_GROUP, 10),
        (BLUE_GROUP, 90),
        (GREEN_GROUP, 0),
    ]


def test_shares_that_somebody_else_has_changed_are_left_to_them() -> None:
    first = FirstRule(weights=(10, 90), blue_at=1)
    moved = forward((BLUE_GROUP, 300), (GREEN_GROUP, 300), (OTHER_GROUP, 400))
    added = forward((BLUE_GROUP, 450), (GREEN_GROUP, 450), (OTHER_GROUP, 100), (TargetGroupArn("g3"), 1))
    for actions in (moved, added):
        assert restored(actions, first, blue=BLUE_GROUP, greens=GREENS, is_kept=False) is None


def test_tags_that_would_give_blue_nothing_are_not_believed() -> None:
    """Whoever may tag a target group may write anything there; the way to blue must not lead past it."""
    now = forward((BLUE_GROUP, 450), (GREEN_GROUP, 450), (OTHER_GROUP, 100))
    first = FirstRule(weights=(0, 1), blue_at=0)
    assert restored(now, first, blue=BLUE_GROUP, greens=GREENS, is_kept=True) is None
    alone = forward((BLUE_GROUP, 450), (GREEN_GROUP, 550))
    assert restored(alone, FirstRule(weights=(0,)), blue=BLUE_GROUP, greens=GREENS, is_kept=True) is None
