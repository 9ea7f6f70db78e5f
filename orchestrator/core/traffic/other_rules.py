"""Rules that appear beside the ones a rollout moves: put in front of them, or leading to blue alone.

Neither is Teal's to write. Who would only see evidence stay away, or users who never meet green, is told by name: each
listener is read whole again once a period (more seldom while watching, and once more before its end). What was there
when the rollout began is known from preflight and is not told again.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.core.cloud.forward_action import read_forward
from orchestrator.core.cloud.resources import Absent, RuleSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import ListenerArn
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.draft import Draft
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.rule_state import Listing

MOVING = frozenset(
    {Phase.PREPARING, Phase.PROVISIONING, Phase.SHIFTING, Phase.WATCHING, Phase.SETTLING, Phase.RETIRING}
)
WATCHING_PERIODS = 5
PRIORITY_MAX = 50_000


def need(row: Rollout, now: datetime) -> tuple[ListenerArn, ...]:
    """The listeners to read whole now."""
    if row.phase not in MOVING or (row.listed_at is not None and now < row.listed_at + _interval(row)):
        return ()
    return tuple(dict.fromkeys(rule.listener for rule in row.rules))


def _interval(row: Rollout) -> timedelta:
    period = row.spec.metrics.period
    if row.phase is not Phase.WATCHING:
        return period
    is_ending = row.bake.done + 2 * period >= row.plan.steps[row.step].bake
    return period if is_ending else WATCHING_PERIODS * period


def take(draft: Draft) -> None:
    """Compare what the listeners hold with what they held at first, and tell every newcomer once."""
    _note_lost(draft)
    read = {arn: seen for arn, seen in draft.seen.listings.items() if isinstance(seen, tuple)}
    if not read:
        return
    known = {listing.listener: listing for listing in draft.row.listings}
    for listener, seen in read.items():
        now = _listing(draft.row, listener, seen)
        was = known.get(listener)
        if was is not None:
            _tell(draft, was, now, seen)
            now = replace(
                now,
                front=tuple(dict.fromkeys((*was.front, *now.front))),
                carriers=tuple(dict.fromkeys((*was.carriers, *now.carriers))),
            )
        elif not draft.row.spec.rules:
            # Every rule that carries blue is in the rollout: one that is not came after the rules were first read.
            _tell(draft, replace(now, carriers=()), now, seen)
        known[listener] = now
    draft.change(listings=tuple(known.values()), listed_at=draft.now)


def _note_lost(draft: Draft) -> None:
    """Know which listeners are gone: their rules went with them, and can be written no more."""
    seen = draft.seen.listings
    if not seen:
        return
    lost = {arn for arn, found in seen.items() if isinstance(found, Absent)}
    kept = (arn for arn in draft.row.lost_listeners if not isinstance(seen.get(arn), tuple))
    draft.change(lost_listeners=tuple(dict.fromkeys((*kept, *sorted(lost)))))
    if lost:
        draft.change(listed_at=draft.now)


def _listing(row: Rollout, listener: ListenerArn, seen: tuple[RuleSeen, ...]) -> Listing:
    ours = {rule.arn for rule in (*row.rules, *row.test_rules)}
    blues = {pair.blue for pair in row.pairs}
    moved = {rule.arn for rule in row.rules}
    last = max((_place(rule) for rule in seen if rule.arn in moved), default=0)
    foreign = [rule for rule in seen if rule.arn not in ours]
    return Listing(
        listener=listener,
        front=tuple(_id(rule) for rule in foreign if _place(rule) < last),
        carriers=tuple(
            _id(rule)
            for rule in foreign
            if (forward := read_forward(rule.actions)) and any(forward.weight(blue) for blue in blues)
        ),
    )


def _tell(draft: Draft, was: Listing, now: Listing, seen: tuple[RuleSeen, ...]) -> None:
    names = {_id(rule): rule for rule in seen}
    for rule_id, words in _news(draft.row, was, now):
        rule = names[rule_id]
        draft.tell(EventKind.DRIFT_FOUND, f"{rule.name} {words}; Teal leaves it as it is", rule=rule.arn)


def _news(row: Rollout, was: Listing, now: Listing) -> Iterator[tuple[str, str]]:
    service = row.spec.service
    for rule_id in now.carriers:
        if rule_id not in was.carriers:
            yield rule_id, f"leads to blue of {service} since a moment ago: its users never meet green"
    for rule_id in now.front:
        if rule_id not in was.front and rule_id not in now.carriers:
            yield (
                rule_id,
                "was put in front of a rule of this rollout: what it takes is missing from both colours",
            )


def _place(rule: RuleSeen) -> int:
    """By which requests meet the rules: the lowest first, the default one last."""
    return PRIORITY_MAX + 1 if rule.is_default else int(rule.priority)


def _id(rule: RuleSeen) -> str:
    return rule.arn.rpartition("/")[2]
