"""Rules that appear beside the ones that a rollout moves."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.cloud.resources import RuleSeen, Unread
from orchestrator.core.domain.ids import RuleArn
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.changes import changed
from orchestrator.core.tick.draft import Draft
from orchestrator.core.tick.seen import Seen
from orchestrator.core.traffic import other_rules
from tests.builders import BLUE_GROUP, LISTENER, NOON, OTHER_GROUP, forward, good_rule
from tests.core.stages import baked


def neighbour(number: int, *, group: str = OTHER_GROUP) -> RuleSeen:
    rule = good_rule(actions=forward((group, 1)), priority=str(number))
    return replace(rule, arn=RuleArn(f"{rule.arn.rpartition('/')[0]}/{number:016x}"))


def messages_of(*later: RuleSeen, first: tuple[RuleSeen, ...] = ()) -> list[str]:
    draft = Draft(baked(), Seen(listings={LISTENER: (good_rule(), *first)}), NOON)
    other_rules.take(draft)
    again = Draft(draft.row, Seen(listings={LISTENER: (good_rule(), *later)}), NOON)
    other_rules.take(again)
    twice = Draft(again.row, Seen(listings={LISTENER: (good_rule(), *later)}), NOON)
    other_rules.take(twice)
    assert not twice.events, "what was told is not told again"
    return [event.message for event in again.events]


def test_a_rule_put_in_front_is_named() -> None:
    (words,) = messages_of(neighbour(5))
    assert words.startswith("rule 5 of load balancer")
    assert "takes precedence" in words


def test_a_rule_that_leads_to_blue_alone_is_named() -> None:
    (words,) = messages_of(neighbour(4000, group=BLUE_GROUP))
    assert "its users never reach green" in words


@pytest.mark.parametrize("rule", [neighbour(4000), neighbour(5)])
def test_what_was_there_at_first_or_comes_later_in_the_order_is_not_named(rule: RuleSeen) -> None:
    assert not messages_of(rule, first=(neighbour(5),))


def test_a_listener_that_cannot_be_read_is_asked_again() -> None:
    draft = Draft(baked(), Seen(listings={LISTENER: Unread(why="throttled")}), NOON)
    other_rules.take(draft)
    assert other_rules.need(draft.row, NOON) == (LISTENER,)


def test_listeners_are_read_whole_once_a_period_and_not_on_the_way_back() -> None:
    row = changed(baked(), listed_at=NOON)
    period = row.spec.metrics.period
    assert not other_rules.need(row, NOON + period - timedelta(seconds=1))
    assert other_rules.need(row, NOON + period) == (LISTENER,)
    assert not other_rules.need(replace(row, phase=Phase.ROLLING_BACK), NOON + period)
