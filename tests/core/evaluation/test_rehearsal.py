"""Before users reach green: test rules that point at it, batches that are sent, and questions that are put."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.cloud.effects import WriteRule
from orchestrator.core.cloud.probes_and_webhooks import ProbeAnswer, ProbeSeen
from orchestrator.core.cloud.resources import Absent, RuleSeen, Unread
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.ids import RuleArn
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL, NONE
from orchestrator.core.gates.gathered import Batch, Probed
from orchestrator.core.gates.probe import ProbeSpec
from orchestrator.core.gates.registry import GatesSpec
from orchestrator.core.gates.webhook import WebhookSpec
from orchestrator.core.rollout import rule_lists
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.rollout import Decision, HoldKind, Rollout
from orchestrator.core.what_to_read import needs_of
from tests.builders import BLUE_GROUP, NOON, OTHER_GROUP, RULE, forward, good_rule
from tests.core.stages import (
    GREEN_GROUP,
    a_command,
    at,
    commanded,
    held,
    rolling_back,
    row,
    rule,
    rule_seen,
    seen_of,
    spec,
)

TEST_RULE = RuleArn(RULE.replace("9683b2d02a6cabee", "0123456789abcdef"))
READY_SINCE = NOON - timedelta(minutes=2)
GATES = GatesSpec(probe=ProbeSpec(url="https://test.internal", count=40, warm_up=0))
THEIRS = forward((OTHER_GROUP, 1))


def provisioned(verified: int | None = None, **changes: Any) -> Rollout:  # noqa: ANN401 - the fields of Rollout
    """Green is ready; its test rule is at `verified` (None: where it forwarded at first)."""
    given = {
        "spec": spec(gates=GATES),
        "ready_since": READY_SINCE,
        "test_rules": (rule(verified, arn=TEST_RULE),),
        "history": (),
        **changes,
    }
    return row(Phase.PROVISIONING, weight=NONE, **given)


def side(known: Rollout, weight: int | None, **changes: object) -> RuleSeen:
    seen = replace(rule_seen(known, weight), arn=TEST_RULE)
    return replace(seen, **changes)  # type: ignore[arg-type]  # replace checks the names itself


def decided(known: Rollout, test_rule: RuleSeen | Absent | Unread, **more: object) -> Decision:
    seen: Mapping[RuleArn, object] = {**{r.arn: rule_seen(known) for r in known.rules}, TEST_RULE: test_rule}
    return at(known, seen_of(known, rules=seen, **more))


def side_writes(decision: Decision) -> list[WriteRule]:
    return [e for e in decision.effects if isinstance(e, WriteRule) and e.rule == TEST_RULE]


def test_a_test_rule_is_pointed_at_green_once_green_is_ready_and_not_before() -> None:
    known = provisioned()
    (write,) = side_writes(decided(known, side(known, None)))
    assert write.actions == rule_lists.listed(known, known.test_rules[0], ALL)
    assert side_writes(decided(changed(known, ready_since=None), side(known, None))) == []


def test_users_rules_are_not_touched_by_it() -> None:
    known = provisioned()
    decision = decided(known, side(known, None))
    assert [e.rule for e in decision.effects if isinstance(e, WriteRule)] == [TEST_RULE]
    assert decision.rollout.green_weight == NONE


@pytest.mark.parametrize(
    ("seen", "hold"),
    [
        (Unread(why="a test"), HoldKind.AWS),
        (Absent(), HoldKind.DRIFT),
        (replace(good_rule(), arn=TEST_RULE, actions=THEIRS), HoldKind.DRIFT),
        (replace(good_rule(), arn=TEST_RULE, priority="11"), HoldKind.DRIFT),
    ],
)
@pytest.mark.parametrize("verified", [None, 1000])
def test_a_test_rule_that_is_unread_gone_or_changed_holds_and_is_not_written(
    verified: int | None, seen: RuleSeen | Absent | Unread, hold: HoldKind
) -> None:
    decision = decided(provisioned(verified), seen)
    assert side_writes(decision) == []
    assert hold in held(decision)
    assert decision.rollout.phase is Phase.PROVISIONING


def test_nothing_is_sent_until_the_test_rule_steers_the_whole_load_balancer() -> None:
    known = provisioned(1000)
    first = decided(known, side(known, ALL)).rollout
    assert first.checks.probed == Probed(since=NOON)
    later = changed(first, probed=Probed(since=NOON - timedelta(seconds=10)))
    assert decided(later, side(later, ALL)).rollout.checks.probed == replace(
        later.checks.probed or Probed(since=NOON), batch=Batch(number=1, first=0, count=30, is_warm_up=False)
    )


def probing() -> Rollout:
    batch = Batch(number=2, first=30, count=10, is_warm_up=False)
    probed = Probed(since=NOON - timedelta(minutes=1), answered=30, batches=1, batch=batch)
    return provisioned(1000, probed=probed)


def test_a_batch_is_on_disk_before_it_is_sent_and_bears_the_same_key_when_it_is_sent_again() -> None:
    known = probing()
    once, again = (needs_of(known, (), now).probe for now in (NOON, NOON + timedelta(minutes=5)))
    assert once == again
    assert once is not None
    assert (once.key, once.first, once.count) == (f"{known.id}/before-traffic/probe/1-2", 30, 10)


def test_a_batch_of_which_nothing_is_known_is_sent_again_and_counted_once() -> None:
    known = probing()
    kept = decided(known, side(known, ALL)).rollout
    assert kept.checks.probed == known.checks.probed
    need = needs_of(known, (), NOON).probe
    assert need is not None
    answers = tuple(ProbeAnswer(path="/", status=200, seconds=0.01) for _ in range(10))
    decision = decided(kept, side(known, ALL), probe=ProbeSeen(key=need.key, answers=answers))
    assert decision.rollout.checks.probed is not None
    assert decision.rollout.checks.probed.answered == 40
    assert decision.rollout.phase is Phase.SHIFTING
    late = decided(decision.rollout, side(known, ALL), probe=ProbeSeen(key=need.key, answers=answers))
    assert late.rollout.checks.probed == decision.rollout.checks.probed


def test_what_a_batch_shows_is_kept_also_if_green_is_not_ready_any_more() -> None:
    known = probing()
    need = needs_of(known, (), NOON).probe
    assert need is not None
    bad = tuple(ProbeAnswer(path="/", status=500) for _ in range(10))
    seen = ProbeSeen(key=need.key, answers=bad)
    decision = decided(known, side(known, ALL), probe=seen, green=Unread(why="a test"))
    assert decision.rollout.checks.probed is not None
    assert decision.rollout.checks.probed.failed == 10
    assert decision.records[-1].kind == "probe"


@pytest.mark.parametrize("weight", [None, 0])
def test_answers_that_came_while_the_test_rule_led_elsewhere_are_not_counted(weight: int | None) -> None:
    known = probing()
    need = needs_of(known, (), NOON).probe
    assert need is not None
    seen = ProbeSeen(key=need.key, answers=tuple(ProbeAnswer(path="/", status=200) for _ in range(10)))
    decision = decided(known, side(known, weight), probe=seen)
    assert decision.rollout.checks.probed is not None
    assert (decision.rollout.checks.probed.answered, decision.rollout.phase) == (30, Phase.PROVISIONING)


def test_a_rollback_asks_nobody_anything_and_reads_only_the_rules() -> None:
    known = provisioned(1000, spec=spec(gates=replace(GATES, webhooks=(WebhookSpec(url="https://a.b"),))))
    needs = needs_of(known, (a_command(CommandKind.ROLLBACK),), NOON)
    assert (needs.probe, needs.hooks) == (None, ())
    assert [need.arn for need in needs.rules] == [RULE]
    decision = commanded(known, a_command(CommandKind.ROLLBACK))
    assert decision.rollout.phase is Phase.ROLLING_BACK


# the way out -------------------------------------------------------------------------------------------------------


def leaving(verified: int | None = 1000) -> Rollout:
    made = rolling_back(0, test_rules=(rule(verified, arn=TEST_RULE),))
    assert made.end is not None
    return changed(made, end=replace(made.end, traffic_on_blue_at=NOON), on_blue_since=NOON)


def test_on_the_way_out_it_gets_its_first_list_back_to_the_letter() -> None:
    known = leaving()
    (write,) = side_writes(decided(known, side(known, ALL)))
    assert write.actions == known.test_rules[0].base
    assert not write.to_safety


def test_somebodys_list_stays_and_only_greens_group_is_taken_out_of_it() -> None:
    known = leaving()
    mixed = side(
        known, None, actions=forward((OTHER_GROUP, 3), (BLUE_GROUP, 0), (GREEN_GROUP, 2)), priority="11"
    )
    (write,) = side_writes(decided(known, mixed))
    assert write.actions == forward((OTHER_GROUP, 3), (BLUE_GROUP, 2)).replace(
        f'"TargetGroupArn":"{OTHER_GROUP}","Type"', '"Type"'
    )
    theirs = decided(known, side(known, None, actions=THEIRS))
    assert side_writes(theirs) == []
    assert any(event.message.endswith("left as it is") for event in theirs.events)


def test_green_does_not_go_while_a_test_rule_could_not_be_read() -> None:
    decision = decided(leaving(), Unread(why="a test"))
    assert [e.rule for e in decision.effects if isinstance(e, WriteRule)] == [RULE]
    assert all(isinstance(e, WriteRule) for e in decision.effects), "green stays until then"
    assert HoldKind.AWS in held(decision)
