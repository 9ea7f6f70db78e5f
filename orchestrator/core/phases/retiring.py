"""Green stays, as the service of record, and blue is retired (`ending: swap`).

Green is the safe side here: everything is on it, and it was watched. So blue leaves in an order in which each step is
taken only once the one before was seen: green is marked as the service of record, every rule gets its final list, green
its own deployment configuration, blue loses its tasks, and then it is kept or goes (`removing_blue`). A rollback is
possible until blue's target groups go (`bringing_blue_back`). Health judges green: while it does not do well nothing
more is taken from blue, and people are paged.
"""

from dataclasses import replace

from orchestrator.core.cloud.deployment_configuration import comparable, switched_off
from orchestrator.core.cloud.effects import PutTags, RestoreDeploymentConfiguration
from orchestrator.core.cloud.resources import GroupSeen, ServiceSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import TargetGroupArn
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL
from orchestrator.core.domain.tags import RETIRING, SERVES
from orchestrator.core.domain.text import group_name, span
from orchestrator.core.domain.verdict import Verdict
from orchestrator.core.ecs import stopped_tasks, task_definitions
from orchestrator.core.evaluation import evaluate
from orchestrator.core.gates import health
from orchestrator.core.gates.scene import Colour
from orchestrator.core.phases import last_look, removing_blue
from orchestrator.core.phases.shared_needs import (
    rules_of,
    services,
)
from orchestrator.core.rollout import late_calls
from orchestrator.core.rollout.handover import Retirement
from orchestrator.core.rollout.names import tags_of, token_of
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.scaling import swap_blue, swap_green
from orchestrator.core.scaling.capacity import all_traffic_needs
from orchestrator.core.tick import point_of_no_return
from orchestrator.core.tick.draft import LATE, TEAL, Draft
from orchestrator.core.tick.needs import Needs
from orchestrator.core.traffic import (
    leaving_rules,
    rule_looks,
    swap_rules,
    target_groups_in_use,
)
from orchestrator.core.traffic.rule_looks import Found, Look


def needs(row: Rollout) -> Needs:
    """What retiring must see."""
    retirement = row.retirement
    is_swapped = retirement is not None and retirement.swapped_at is not None
    is_drained = retirement is not None and retirement.drained_from is not None
    groups = [group_name(pair.blue) for pair in row.pairs] if row.blue and row.blue.is_own else []
    scaling = swap_blue.needs(row)
    return replace(
        services(row, row.known.green.name),
        scaling=scaling.scaling,
        green_scales=scaling.green_scales,
        drivers=scaling.drivers,
        alarms=scaling.alarms,
        rules=rules_of(row, are_tests_read=True),
        groups=tuple(groups if is_swapped else [pair.green_name for pair in row.pairs]),
        balancers=target_groups_in_use.balancers(row)
        if is_drained
        else tuple(dict.fromkeys(pair.load_balancer for pair in row.pairs)),
        revisions=task_definitions.needs(row),
    )


def retire(draft: Draft) -> None:
    """One tick of retiring."""
    if draft.row.retirement is None:
        token = token_of(draft.row, "blue again")
        draft.change(retirement=Retirement(token=token, desired=all_traffic_needs(draft)))
    point_of_no_return.note_absence(draft)
    looks = swap_rules.take_looks(draft)
    rule_looks.hold_for(draft, looks)
    stopped_tasks.tell(draft, Colour.GREEN)
    _judge_green(draft)
    _limit(draft)
    # Each asks for what is missing and says what it waits for; the next begins once it waits for nothing.
    waiting = (
        _mark(draft)
        or _swap_rules(draft, looks)
        or _configure_green(draft)
        or _own_scaling(draft)
        or swap_blue.stop(draft)
        or removing_blue.drain(draft)
        or removing_blue.part(draft)
        or task_definitions.remove(draft, Phase.SUCCEEDED, may_come_late=False, is_green_kept=True)
        or removing_blue.clear(draft)
        or _tag_as_service_of_record(draft)
    )
    draft.change(waiting_for=waiting or (draft.holds[0].clears_when if draft.holds else ""))
    if not waiting and not draft.holds:
        _end(draft)


def _end(draft: Draft) -> None:
    row = draft.row
    blue = (
        f"{row.known.blue.name} is deleted"
        if removing_blue.goes(row)
        else f"{row.known.blue.name} is kept without tasks"
    )
    reason = f"{row.known.green.name} serves in its place; {blue}"
    draft.end(reason, TEAL)
    draft.move(Phase.SUCCEEDED, reason)
    left = f"{removing_blue.kept_groups(row)}{target_groups_in_use.in_words(row)}"
    found = last_look.compare_swapped(draft)
    words = f"{Phase.SUCCEEDED}: {reason}{left}{found.sentence}"
    draft.tell(
        EventKind.ENDED,
        words,
        phase=Phase.SUCCEEDED.value,
        reason=reason,
        serves=row.known.green.name,
        is_blue_deleted=removing_blue.goes(row),
        differs=found.as_json,
        not_compared=", ".join(found.unread),
    )


def _judge_green(draft: Draft) -> None:
    """Green serves everybody: while it is not well, what is left of blue is kept."""
    spec = draft.row.spec.gates.health
    if not spec.on:
        return
    answer = health.judge(spec, evaluate.scene_of(draft, Colour.GREEN))
    evaluate.keep(draft, (answer,))
    if answer.verdict is Verdict.PASS:
        return
    is_bad = answer.verdict is Verdict.FAIL
    clears = answer.clears_when or "green is healthy again, or a person rolls back"
    draft.hold(
        HoldKind.FAILED if is_bad else HoldKind.GATE, f"{answer.gate}: {answer.reason}", clears_when=clears
    )
    if is_bad:
        draft.page(
            f"green fails and serves all traffic: {answer.reason}; nothing more is taken from blue. "
            f"`teal rollback {draft.row.id}` gives blue its tasks and the traffic back",
            about="green fails",
        )


def _limit(draft: Draft) -> None:
    """Page people once it has lasted too long: `limits.settle`, and no less than blue's tasks may take to stop."""
    row, retirement = draft.row, draft.row.retirement
    if row.phase_since is None or row.pause.paused_by or retirement is None:
        return
    until = row.phase_since + row.pause.paused_for + row.spec.limits.settle
    if retirement.drained_from is not None:
        until = max(until, retirement.drained_from + leaving_rules.slowest(row))
    elif retirement.swapped_at is not None:
        until = max(until, retirement.swapped_at + removing_blue.delay(row) + leaving_rules.slowest(row))
    if draft.now > until:
        waiting = row.waiting.waiting_for or "blue to be retired"
        lasted = span(until - row.phase_since - row.pause.paused_for)
        draft.page(
            f"retiring has lasted longer than {lasted}; green serves. It waits for {waiting}",
            about="too long",
        )


# green is the service of record -----------------------------------------------------------------------------------


def _mark(draft: Draft) -> str:
    """Tag green and its groups as those that serve, before any rule forgets blue."""
    row = draft.row
    if draft.retirement.swapped_at is not None:
        return ""
    green = draft.must_find(draft.seen.green, "green")
    if isinstance(green, str):
        return green
    draft.change(green=replace(row.known.green, arn=green.arn))
    groups = [draft.seen.groups.get(pair.green_name) for pair in row.pairs]
    tags = [green.tags, *(seen.tags if isinstance(seen, GroupSeen) else {} for seen in groups)]
    if all(SERVES in found for found in tags):
        return ""
    if not draft.holds:
        arns = tuple(TargetGroupArn(pair.green or "") for pair in row.pairs)
        effect = PutTags(service=green.arn, groups=arns, tags=((SERVES, RETIRING),))
        draft.ask(effect, f"tag {green.name} as the one that takes blue's place")
    return "green's tags"


def _tag_as_service_of_record(draft: Draft) -> str:
    """Tag green as the service of record, which another rollout may begin from."""
    green = draft.seen.green
    if not isinstance(green, ServiceSeen) or green.tags.get(SERVES) == "true":
        return ""
    if not draft.holds:
        arns = tuple(TargetGroupArn(pair.green or "") for pair in draft.row.pairs)
        effect = PutTags(service=green.arn, groups=arns, tags=((SERVES, "true"),))
        draft.ask(effect, f"tag {green.name} as the service of record")
    return "green's tag"


def _swap_rules(draft: Draft, looks: tuple[Look, ...]) -> str:
    """Give every rule its final list; blue keeps its tasks until its connections had time to end.

    And until no earlier write can be carried out late any more: it would give traffic to a blue without tasks.
    """
    is_done = all(swap_rules.is_final(draft.row, found) for found in looks)
    if draft.retirement.drained_from is None and not swap_rules.hold_for_rules_on_blue(draft):
        return "every rule that forwards to blue to be known, and to be this rollout's"
    if is_done:
        if draft.retirement.swapped_at is None:
            draft.change(retirement=replace(draft.retirement, is_swapping=True, swapped_at=draft.now))
            draft.tell(EventKind.TRAFFIC_ON_GREEN, "every rule has its final list: green is in blue's place")
        swapped_at = draft.retirement.swapped_at or draft.now
        # In no rule its targets may be dropped at once: what still streams from blue gets its groups' delay here.
        empty = swapped_at + max(LATE, removing_blue.delay(draft.row))
        late = late_calls.earlier_rule_writes_until(draft.row, last=ALL)
        if draft.retirement.drained_from is None and draft.now < max(empty, late or empty):
            draft.wake_by(max(empty, late or empty))
            if draft.now < empty:
                return f"the last connections to leave blue, until {empty:%H:%M:%S}Z"
            return f"a write of a rule that AWS may still carry out, until {late:%H:%M:%S}Z"
        return ""
    if not draft.holds and all(found.found is Found.AS_WRITTEN for found in looks):
        draft.change(retirement=replace(draft.retirement, is_swapping=True, swapped_at=None))
        swap_rules.write(draft, looks)
    return "every rule's final list, read back"


def _configure_green(draft: Draft) -> str:
    """Give green the deployment configuration that blue had: its alarms, and its breaker as it was set."""
    row, green = draft.row, draft.seen.green
    if draft.retirement.is_configured or not isinstance(green, ServiceSeen):
        return ""
    wanted = row.known.blue.deployment_configuration
    if comparable(green.deployment_configuration) == comparable(wanted):
        draft.change(retirement=replace(draft.retirement, is_configured=True))
        return ""
    if not draft.holds:
        restore = RestoreDeploymentConfiguration(
            cluster=row.known.blue.cluster, service=green.name, deployment_configuration=switched_off(wanted)
        )
        draft.ask(restore, "give green the deployment configuration that blue had")
    return "green's deployment configuration to be as blue's was"


def _own_scaling(draft: Draft) -> str:
    """Green's scaling becomes the service's own, before blue's is stopped."""
    row = draft.row
    if draft.retirement.drained_from is not None or draft.holds:
        return ""  # what somebody makes of it later is theirs
    return swap_green.make_own(draft, tags_of(row))
