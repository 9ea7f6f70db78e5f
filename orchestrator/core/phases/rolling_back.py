"""The way back: all traffic to blue first, everything else later. It never gives up.

Before settling has touched blue this is one write a rule. Once blue was given the new revision, the weights stay as
they are until blue runs its former revision again, in place, and then all traffic goes to it; and where green was put
in its place, until blue is back (`bringing_blue_back`).
"""

from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.core.analysis import bake
from orchestrator.core.cloud.effects import PutTags, ScaleService, WriteRule
from orchestrator.core.cloud.forward_action import read_forward
from orchestrator.core.cloud.readiness import cannot_take_all
from orchestrator.core.cloud.resources import Absent, GroupSeen, RuleSeen, ServiceSeen
from orchestrator.core.domain import tags
from orchestrator.core.domain.commands import Actor
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Json
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL, NONE
from orchestrator.core.domain.text import counted, span
from orchestrator.core.ecs import former_task_definition
from orchestrator.core.gates.scene import Colour
from orchestrator.core.phases import blue_former, bringing_blue_back, removing_green, went_back
from orchestrator.core.phases.shared_needs import (
    base,
)
from orchestrator.core.rollout import rule_lists
from orchestrator.core.rollout.handover import End
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.rule_state import RuleState
from orchestrator.core.tick.draft import TEAL, Draft, TurnBack, targets_of
from orchestrator.core.tick.needs import Needs
from orchestrator.core.traffic import leaving_rules, rule_looks, rules

STUCK = timedelta(minutes=1)  # so long may it take until all traffic is on a blue that is as it was


def needs(row: Rollout, now: datetime) -> Needs:
    """What rolling back must see: as little as can be until all traffic is on blue."""
    is_on_blue = row.end is not None and row.end.traffic_on_blue_at is not None
    return removing_green.needs(row, now) if is_on_blue or row.blue is None else way_back_needs(row)


def way_back_needs(row: Rollout) -> Needs:
    """What bringing all traffic back must see: the rules, and blue only once something was done to it."""
    asked = replace(base(row), is_urgent=True)
    if not row.handover.attempts and row.blue_loss is None and not bringing_blue_back.is_wanted(row):
        return asked
    return replace(
        asked,
        blue=row.known.blue.name,
        green=row.known.green.name,
        targets=tuple(pair.blue for pair in row.pairs),
        revisions=former_task_definition.needs(row),
    )


def begin(draft: Draft, turn: TurnBack) -> None:
    """Roll back, from where the tick was when it turned back, and take the first step of the way in the same tick."""
    draft.drop_what_followed(turn)
    draft.end(turn.reason, turn.by)
    draft.tell(
        EventKind.ROLLBACK_DECIDED, f"rolling back: {turn.reason}", by=turn.by.name, source=turn.by.source
    )
    draft.move(Phase.ROLLING_BACK, turn.reason)
    bake.forget(draft)
    draft.change(waiting_for="", failed="", paged=())
    draft.change(paused_by=None, pause_reason="")  # a pause stops advance; a rollback is never behind it
    take_back(draft)


def taken_back_by(draft: Draft) -> str:
    """Who rolled this rollout back with AWS alone, and why, as a tag on green says; empty: nobody did.

    The weights alone cannot say it where green has none yet, or where a killed engine never read its write back.
    """
    row = draft.row
    if row.phase is Phase.ROLLING_BACK or row.green is None or row.green.is_leaving:
        return ""
    for seen in (draft.seen.green, *draft.seen.groups.values()):
        if isinstance(seen, ServiceSeen | GroupSeen) and seen.tags.get(tags.ROLLOUT) == row.id:
            words = seen.tags.get(tags.TAKEN_BACK, "")
            if words:
                return words
    return ""


def as_tagged(words: str) -> tuple[str, Actor]:
    """The reason to roll back, and by whom, as the tag on green says it."""
    if words.startswith(tags.BY_TEAL):
        said = words.removeprefix(tags.BY_TEAL)
        return (
            f"green's tag says that it was rolled back already, and the store does not know it: {said}",
            TEAL,
        )
    return f"rolled back with AWS alone by {words}", Actor(name=words.partition(":")[0], source="aws")


def take_back(draft: Draft) -> None:
    """One tick of the way back."""
    end = draft.row.end
    if end is not None and (waiting := went_back.agrees_on_the_way_back(draft)):
        draft.change(waiting_for=waiting)
        _page_if_stuck(draft, end)
        return
    _tag_as_taken_back(draft)
    if end is not None and end.traffic_on_blue_at is None:
        if not _is_blue_as_before(draft) or not _is_all_on_blue(draft):
            _page_if_stuck(draft, end)
            return
        _tell_on_blue(draft, end)
    removing_green.leave(draft, Phase.ROLLED_BACK)
    _page_if_left(draft)


def _tag_as_taken_back(draft: Draft) -> None:
    """Have green say that it was rolled back, for a store that does not know it: no older row gives it traffic again.

    Never in the tick that decides it, whose writes give blue its traffic.
    """
    row, seen, end = draft.row, draft.seen.green, draft.row.end
    green = row.green
    if end is None or green is None or not green.arn or green.is_leaving:
        return
    if draft.before.phase is not Phase.ROLLING_BACK:
        return
    if seen is None or (isinstance(seen, ServiceSeen) and tags.TAKEN_BACK not in seen.tags):
        value = tags.value_of(f"{tags.BY_TEAL}{end.reason}")
        put = PutTags(service=green.arn, groups=(), tags=((tags.TAKEN_BACK, value),))
        draft.ask(put, f"tag {green.name} as rolled back")


def _is_blue_as_before(draft: Draft) -> bool:
    """True once blue is what it was, whatever has been done to it; at once where nothing has."""
    if draft.row.handover.attempts and not blue_former.is_steady_again(draft):
        return False
    if draft.row.blue_loss is not None and not _has_blue_its_tasks(draft):
        return False
    return not bringing_blue_back.is_wanted(draft.row) or bringing_blue_back.is_blue_back(draft)


def _page_if_stuck(draft: Draft, end: End) -> None:
    """Page people while traffic does not come to blue as fast as it should; Teal goes on trying for ever."""
    row = draft.row
    has_blue_to_start = row.handover.attempts or row.blue_loss or bringing_blue_back.is_wanted(row)
    longest = row.spec.limits.provision if has_blue_to_start else STUCK
    if draft.now >= end.at + longest:
        why = draft.holds[0].reason if draft.holds else f"it waits for {row.waiting.waiting_for}"
        draft.page(
            f"rolling back for {span(longest)}, and blue does not have all traffic yet: {why}",
            about="traffic",
        )


def _page_if_left(draft: Draft) -> None:
    """Page people where traffic is on blue and what Teal made does not go: AWS refuses, or something is in its way.

    What an end waits for with a time at which it is over is nothing to call anybody for.
    """
    row = draft.row
    on_blue = row.end.traffic_on_blue_at if row.end else None
    if row.phase is not Phase.ROLLING_BACK or on_blue is None:
        return
    drain = row.spec.drain
    longest = row.spec.limits.hold + drain.after + drain.slices * drain.every + leaving_rules.slowest(row)
    if draft.now >= on_blue + longest and not blue_former.may_be_taken_off(draft):
        why = draft.seen.failures[0].why if draft.seen.failures else row.waiting.waiting_for
        draft.page(
            f"all traffic is on blue for {span(longest)}, and not all that Teal made is gone: {why}",
            about="left",
        )


def _has_blue_its_tasks(draft: Draft) -> bool:
    """True once a blue that somebody scaled to nothing could take all traffic; asks for its former count until then."""
    row, blue, seen = draft.row, draft.row.blue, draft.seen.blue
    if blue is None or (isinstance(seen, ServiceSeen) and row.handover.attempts):
        draft.change(blue_loss=None)
        return True
    if isinstance(seen, ServiceSeen) and seen.desired < blue.desired:
        scale = ScaleService(cluster=blue.cluster, service=blue.name, desired=blue.desired)
        draft.ask(scale, f"give blue its {counted(blue.desired, 'task')} back, before it gets traffic")
    former = seen.task_definition if isinstance(seen, ServiceSeen) else blue.former
    why = cannot_take_all(seen, former, targets_of(draft, Colour.BLUE), blue.desired)
    if not why:
        draft.change(blue_loss=None)
        return True
    draft.change(waiting_for=f"blue to have its tasks again: {why}")
    return False


def _tell_on_blue(draft: Draft, end: End) -> None:
    draft.change(
        end=replace(end, traffic_on_blue_at=draft.now),
        on_blue_since=draft.now,
        is_way_clear=True,
        paged=(),
        waiting_for="green to be removed",
    )
    seconds = round((draft.now - end.at).total_seconds(), 3)
    draft.tell(
        EventKind.TRAFFIC_ON_BLUE,
        f"all traffic is on blue, {seconds:g} s after the decision",
        seconds=seconds,
    )


def _is_all_on_blue(draft: Draft) -> bool:
    """True once no rule gives green anything; asks for the writes that are missing, each from this tick's read.

    Only blue's and green's weights change: whatever somebody else did to a rule meanwhile stays.
    """
    done = True
    states = []
    for rule in draft.row.rules:
        green = rule_lists.green_of(draft.row, rule)
        verified, doubted = rule.verified, None
        match rule_looks.read(draft, rule):
            case str():
                done = False
            case Absent():
                verified = None
            case RuleSeen() as found:
                forward = read_forward(found.actions)
                weight = forward.weight(green) if forward and green else None
                if forward and weight:
                    done = False
                    _write_blue(draft, rule, found.actions, weight / sum(w.weight for w in forward.groups))
                elif doubted := rule_looks.doubted_on_the_way_back(draft, rule, found):
                    done = False
                    mine = rule_lists.listed(draft.row, rule, NONE)
                    _write_blue(draft, rule, mine, (rule.wanted or NONE) / ALL)
                else:
                    verified = None if weight is None else NONE
        if verified != rule.verified:
            draft.tell(
                EventKind.WEIGHT_VERIFIED, f"{rule.name} gives green nothing", rule=rule.arn, green_tenths=0
            )
        wanted = NONE if rule.wanted else rule.wanted
        states.append(replace(rule, verified=verified, wanted=wanted, doubted_since=doubted))
    draft.change(rules=tuple(states), waiting_for="" if done else "all traffic on blue, read back")
    return done


def _harm(row: Rollout, share: float) -> float:
    """About how many requests green gets in one period by this share, by blue's last hour; unknown: one in all."""
    requests = row.evidence.history[-1].requests if row.evidence.history else 0
    return max(1.0, requests) * share


def _write_blue(draft: Draft, rule: RuleState, held: Json, share: float) -> None:
    green = rule_lists.known_green_of(draft.row, rule)
    actions, weight = rules.without_traffic(rule, held, green)
    effect = WriteRule(
        rule=rule.arn,
        listener=rule.listener,
        is_default=rule.is_default,
        actions=actions,
        green=weight,
        to_safety=True,
        harm=_harm(draft.row, share),
    )
    draft.ask(effect, f"give blue all traffic on {rule.name}")
