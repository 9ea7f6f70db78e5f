"""What became of what a rollout left: whether somebody has changed it since. Looked at, told, and left as it is.

A stack update or a colleague may give the service its former revision again, or lead a rule elsewhere, and no rollout
is there to notice. It is not Teal's to write then; people should know.
"""

from orchestrator.core.cloud.forward_action import read_forward
from orchestrator.core.cloud.resources import Absent, RuleSeen, ServiceSeen
from orchestrator.core.domain.ids import TargetGroupArn, revision_name
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.text import group_name
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.rule_lists import known_green_of
from orchestrator.core.rollout.rule_state import RuleState
from orchestrator.core.tick.needs import Needs, RuleNeed
from orchestrator.core.tick.seen import Seen

LEFT_ALONE = frozenset({Phase.ABANDONED})
"""Ends after which nobody knows how things were left."""


def needs(row: Rollout) -> Needs:
    """What to look at; empty if the rollout is under way, ended before it read blue, or left nobody knows what."""
    if row.blue is None or not row.phase.is_final or row.phase in LEFT_ALONE:
        return Needs()
    return Needs(
        rules=tuple(
            RuleNeed(arn=rule.arn, listener=rule.listener, is_default=rule.is_default) for rule in row.rules
        ),
        cluster=row.blue.cluster,
        blue=serving(row),
    )


def is_swapped(row: Rollout) -> bool:
    """True if green stayed in blue's place."""
    return row.phase is Phase.SUCCEEDED and row.spec.ending.is_swap


def serving(row: Rollout) -> str:
    """The name of the service that the rollout left with the users."""
    return row.green.name if is_swapped(row) and row.green else row.known.blue.name


def revision_left(row: Rollout) -> str:
    """The revision that the rollout left that service on, as an ARN."""
    if row.phase is not Phase.SUCCEEDED or row.green is None:
        return row.known.blue.former
    return row.green.task_definition if is_swapped(row) else row.green.for_blue


def changes(row: Rollout, seen: Seen) -> tuple[str, ...] | None:
    """What is not as the rollout left it, in words; None if something could not be read, and nothing can be said.

    Only what keeps users from the service or changes what they meet counts: conditions, stickiness and other target
    groups are the team's to change.
    """
    words = []
    for rule in row.rules:
        found = seen.rules.get(rule.arn)
        if not isinstance(found, RuleSeen | Absent):
            return None
        words.append(_of_rule(row, rule, found))
    service = seen.blue
    if not isinstance(service, ServiceSeen | Absent):
        return None
    return tuple(each for each in (*words, _of_service(row, service)) if each)


def _of_rule(row: Rollout, rule: RuleState, found: RuleSeen | Absent) -> str:
    if isinstance(found, Absent):
        return f"{rule.name} is gone"
    first = read_forward(rule.base)
    if first is None or not first.weight(rule.blue_group):
        return ""  # the service had nothing here when the rollout left it
    group = known_green_of(row, rule) if is_swapped(row) else rule.blue_group
    forward = read_forward(found.actions)
    if forward is not None and forward.weight(group):
        return ""
    return f"{rule.name} gives {group_name(group)} nothing: it forwards to {_where(found, group)}"


def _where(found: RuleSeen, group: TargetGroupArn) -> str:
    forward = read_forward(found.actions)
    if forward is None:
        return "no target group at all"
    names = [group_name(each.group) for each in forward.groups if each.weight and each.group != group]
    return ", ".join(names) or "groups without any weight"


def _of_service(row: Rollout, service: ServiceSeen | Absent) -> str:
    if isinstance(service, Absent):
        return f"{serving(row)} is gone"
    if service.primary is None or service.status != "ACTIVE":
        return f"{service.name} is {service.status}"
    wanted = revision_left(row)
    if service.primary.task_definition != wanted:
        found = revision_name(service.primary.task_definition)
        return f"{service.name} was given {found}, not by a rollout: the rollout left it on {revision_name(wanted)}"
    return ""
