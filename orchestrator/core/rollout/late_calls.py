"""Calls that AWS may still carry out: decided and perhaps sent, and not known to be answered.

A time-out bounds how long a caller waits, never the call: a frozen process sends it later, a network delivers it later.
What bounds it is the age of its signature, which AWS names in its refusals ("Signature expired: … - 5 min."): five
minutes in those of ECS and Elastic Load Balancing.
"""

from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from orchestrator.core.cloud.effects import Effect, UpdateService, WriteRule, is_rule_write, rule_write_key
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.rollout.rollout import Rollout, Ticks, Unanswered

SIGNATURE_AGE = timedelta(minutes=5)  # of a signature that ECS and Elastic Load Balancing take
SIGNED_WITHIN = timedelta(seconds=15)  # of the decision: a tick ends by then
SKEW = timedelta(minutes=5)  # that a clock may be ahead of AWS's when it signs: AWS takes no signature beyond
KEPT = 4  # of one call that is asked for again and again; the oldest are refused soonest


def _is_watched(effect: Effect) -> bool:
    """True for calls that would change something for users if AWS carried them out late."""
    return isinstance(effect, WriteRule | UpdateService)


def with_asked(ticks: Ticks, effect: Effect, now: datetime) -> tuple[Unanswered, ...]:
    """What may be carried out once this tick has asked for an effect."""
    if not _is_watched(effect):
        return ticks.unanswered
    same = [one for one in ticks.unanswered if one.key == effect.key]
    others = [one for one in ticks.unanswered if one.key != effect.key]
    until = now + SIGNED_WITHIN + SKEW + SIGNATURE_AGE
    return (*others, *same[1 - KEPT :], Unanswered(key=effect.key, at=now, until=until))


def without_answered(ticks: Ticks, answered: AbstractSet[str], now: datetime) -> tuple[Unanswered, ...]:
    """What may still be carried out. `answered`: keys of what the last tick asked for and AWS accepted or refused."""
    return tuple(
        one
        for one in ticks.unanswered
        if now < one.until and (one.at != ticks.ticked_at or one.key not in answered)
    )


def may_be_carried_out(row: Rollout, key: str) -> bool:
    """True if a call by this key may still be carried out, or may have been without anybody's knowing."""
    return any(one.key == key for one in row.ticks.unanswered)


def earlier_rule_writes_until(row: Rollout, *, last: Tenths) -> datetime | None:
    """Until when a write of a rule may be carried out that is not the `last` one, by its share; None: none may."""
    last_writes = {rule_write_key(rule.arn, last) for rule in (*row.rules, *row.test_rules)}
    late = [
        one.until for one in row.ticks.unanswered if is_rule_write(one.key) and one.key not in last_writes
    ]
    return max(late, default=None)
