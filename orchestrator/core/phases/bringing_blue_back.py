"""Blue is called back from its retirement: a rollback after green was put in its place.

The weights stay as they are until blue could take everything: its target groups are in the rules again at weight 0
(only then are its targets checked), its tasks run again, or the service is made anew from the request it was first
made like. Then the way back is the one of every rollback, and what was put on blue is taken off it.
"""

from dataclasses import replace
from datetime import timedelta

from orchestrator.core.cloud.effects import CreateService, ScaleService
from orchestrator.core.cloud.forward_action import read_forward, says_the_same, with_stickiness, with_weights
from orchestrator.core.cloud.readiness import cannot_take_all, not_ready
from orchestrator.core.cloud.resources import Absent, RuleSeen, ServiceSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.plan import ALL
from orchestrator.core.domain.text import counted, span
from orchestrator.core.gates.scene import Colour
from orchestrator.core.phases import removing_blue
from orchestrator.core.rollout import rule_lists
from orchestrator.core.rollout.handover import Retirement
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.rule_state import RuleState
from orchestrator.core.tick.draft import LATE, Draft, targets_of
from orchestrator.core.traffic import rule_looks, rules, swap_rules


def is_wanted(row: Rollout) -> bool:
    """True where blue may have left the rules, or lost its tasks: it must come back before traffic can."""
    return row.retirement is not None and row.retirement.is_swapping


def is_blue_back(draft: Draft) -> bool:
    """True once blue runs steadily with as many tasks as it had and could take everything, in two looks."""
    _tell(draft)
    is_in_rules = _is_blue_in_rules(draft)
    waiting = _service(draft) or (
        "" if is_in_rules else "blue's target groups on every rule again, at weight 0"
    )
    row, retirement = draft.row, draft.retirement
    if not waiting:
        targets = targets_of(draft, Colour.BLUE)
        waiting = not_ready(draft.seen.blue, row.known.blue.former, targets, now=draft.now, quiet=draft.poll)
        waiting = waiting or cannot_take_all(
            draft.seen.blue, row.known.blue.former, targets, max(retirement.desired, 1)
        )
    late = retirement.asked_at
    if not waiting and late is not None and draft.now < late + LATE:
        # A call that stops or deletes blue may still be on its way: steady does not count until it cannot be.
        waiting = "calls that may still be in flight"
        draft.wake_by(late + LATE)
    return draft.is_ready_twice("blue", f"blue to be back: {waiting}" if waiting else "")


def _tell(draft: Draft) -> None:
    """Say once what it takes, and about how long."""
    row, retirement = draft.row, draft.retirement
    if retirement.returning_from is not None:
        return
    draft.change(retirement=replace(retirement, returning_from=draft.now))
    is_full = retirement.drained_from is None
    if is_full:
        words = "blue has all its tasks and is in the rules again: it takes all traffic back"
    else:
        how = "is created again with" if retirement.is_deleting else "gets back"
        words = f"blue {how} {counted(retirement.desired, 'task')}"
    words += f", which takes about {span(expected(row))}; green serves until blue is ready"
    draft.tell(
        EventKind.BLUE_CALLED_BACK, words, desired=retirement.desired, is_made_anew=retirement.is_deleting
    )


def expected(row: Rollout) -> timedelta:
    """About how long blue takes to be ready: as long as green took, and no less than a late call may take."""
    least = LATE + row.spec.metrics.look_gap
    if row.retirement is None or row.retirement.drained_from is None or row.green is None:
        return least if is_wanted(row) else timedelta(0)
    return max(least, row.green.started_in or least)


# the rules --------------------------------------------------------------------------------------------------------


def _is_blue_in_rules(draft: Draft) -> bool:
    """True once blue's group is in every rule that green's is in; asks for it at weight 0."""
    done = True
    for rule in draft.row.rules:
        green = rule_lists.green_of(draft.row, rule)
        match rule_looks.read(draft, rule):
            case str():
                done = False
            case Absent():
                pass
            case RuleSeen() as found:
                forward = read_forward(found.actions)
                if forward is None or green is None or forward.weight(green) is None:
                    continue  # somebody took green out of it: it is not green's any more
                if forward.weight(rule.blue_group) is None:
                    done = False
                    _write(draft, rule, found)
    return done


def _write(draft: Draft, rule: RuleState, seen: RuleSeen) -> None:
    green = rule_lists.known_green_of(draft.row, rule)
    if says_the_same(seen.actions, swap_rules.final(draft.row, rule)):
        actions = rule_lists.listed(draft.row, rule, ALL)
    else:
        lent = rule.lent_stickiness_s
        ground = with_stickiness(seen.actions, lent) if lent else seen.actions
        actions = with_weights(ground, blue=rule.blue_group, green=green, weight=ALL)
    write = rules.write_of(rule, actions, ALL, to_safety=False, expects=seen.actions)
    rules.ask_write(draft, rule, write, words="blue's target group again, at weight 0")


# the service ------------------------------------------------------------------------------------------------------


def _service(draft: Draft) -> str:
    """What blue's service still waits for before its tasks can be counted; asks for them."""
    retirement = draft.retirement
    seen: ServiceSeen | Absent | str = draft.must_read(draft.seen.blue, "blue", kind=HoldKind.BLUE)
    match seen:
        case str() as waiting:
            return waiting
        case Absent():
            return _make_anew(draft, retirement)
        case ServiceSeen(status="ACTIVE"):
            if seen.desired < retirement.desired:
                effect = ScaleService(cluster=seen.cluster, service=seen.name, desired=retirement.desired)
                draft.ask(effect, f"give blue its {counted(retirement.desired, 'task')} back")
                return f"{counted(retirement.desired, 'task')} of blue"
            return ""
        case ServiceSeen():
            return "its name to be free again: the service is still draining"


def _make_anew(draft: Draft, retirement: Retirement) -> str:
    """Blue's stored request and its former revision; ECS keeps a deleted service's name until it is INACTIVE."""
    row = draft.row
    effect = CreateService(
        cluster=row.known.blue.cluster,
        name=row.known.blue.name,
        template=row.known.blue.template,
        task_definition=row.known.blue.former,
        desired=retirement.desired,
        groups=tuple((pair.blue, pair.blue) for pair in row.pairs),
        token=retirement.token,
        tags=row.known.blue.tags or removing_blue.tags_to_go(row),
    )
    draft.change(retirement=replace(retirement, is_tagged=True))
    # It is made with green's deployment configuration, which watches nothing; blue's own follows once it serves.
    draft.change(is_configuration_touched=True)
    draft.ask(effect, f"create blue again: {row.known.blue.name} with {counted(retirement.desired, 'task')}")
    return "blue to be created again"
