"""What an abandoned rollout leaves: what each thing is now, what it was, and the commands to put it back.

From the row alone, as the last ticks read it: abandoning waits for no read. A write that was not read back may have
landed, so its command is named too. Where green has taken blue's place for good, nothing of green is named for removal.
"""

import json
from collections.abc import Iterator

from orchestrator.core.cloud import aws_commands
from orchestrator.core.cloud.aws_commands import aws
from orchestrator.core.cloud.forward_action import forward_of, says_the_same
from orchestrator.core.domain.ids import Json, revision_name
from orchestrator.core.domain.text import group_name
from orchestrator.core.rollout import rule_lists
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.rule_state import RuleState
from orchestrator.core.scaling import target_values

Changed = tuple[str, str]  # what is not as it was, in words, and the command to put it back


def left_of_blue(row: Rollout) -> Iterator[str]:
    """Each thing that Teal has changed and not put back, in words with its command."""
    if row.blue is not None:
        yield from (f"{words}: {command}" for words, command in (*_revision(row), *_rules(row), *_rest(row)))


def commands(row: Rollout) -> Iterator[str]:
    """Every command that puts all as it was first, in order: blue's revision, then the rules, green's end, the rest."""
    if row.blue is None:
        return
    revision = [command for _, command in _revision(row)]
    yield from revision
    if revision:
        yield aws_commands.wait_until_stable(row.spec.service.cluster, row.blue.name)
    yield from (command for _, command in _rules(row))
    yield from without_green(row)
    yield from (command for _, command in _rest(row))


def without_green(row: Rollout) -> Iterator[str]:
    """The commands that remove what the rollout made, in order; none where green serves in blue's place."""
    green, cluster = row.green, row.spec.service.cluster
    if green is None or row.retirement is not None:
        return
    if green.is_scaling_asked and not green.is_scaling_gone:
        yield aws_commands.deregister_target(f"{cluster}/{green.name}")
        if green.alarms:
            yield aws_commands.delete_alarms(green.alarms)
    if green.is_asked and not green.is_gone:
        yield aws_commands.delete_service(cluster, green.name)
    for pair in row.pairs:
        if pair.green is not None and not pair.is_deleted:
            yield aws("elbv2", "delete-target-group", target_group_arn=pair.green)
    for each in row.revisions.registrations:
        if each.arn and not each.is_cleared and not each.is_former:
            yield aws("ecs", "deregister-task-definition", task_definition=revision_name(each.arn))


def _rules(row: Rollout) -> Iterator[Changed]:
    for rule in (*row.rules, *row.test_rules):
        weight = rule.wanted if rule.verified is None else rule.verified
        if weight is None:
            continue
        now = rule_lists.listed(row, rule, weight)
        if not says_the_same(now, rule.base):
            yield _rule(rule, now)


def _rule(rule: RuleState, now: Json) -> Changed:
    weights = "/".join(f"{group_name(w.group)} {w.weight}" for w in forward_of(now).groups)
    was = "/".join(f"{group_name(w.group)} {w.weight}" for w in forward_of(rule.base).groups)
    command = aws_commands.write_rule(rule.arn, rule.listener, is_default=rule.is_default, actions=rule.base)
    forwards = "may forward" if rule.verified is None else "forwards"
    return f"{rule.name} {forwards} to {weights}, and to {was} at first", command


def _revision(row: Rollout) -> Iterator[Changed]:
    """Blue's revision, where settling has given it another: it comes first, since the rules lead to it."""
    if row.blue is None or not row.handover.attempts:
        return
    last, former = row.handover.attempts[-1], row.blue.former
    if last.task_definition != former:
        command = aws_commands.update_service(row.spec.service.cluster, row.blue.name, task_definition=former)
        words = f"blue, which ran {revision_name(former)}, was given {revision_name(last.task_definition)}"
        yield f"{words}: to go back", command


def _rest(row: Rollout) -> Iterator[Changed]:
    yield from _scaling(row)
    yield from _service(row)


def _scaling(row: Rollout) -> Iterator[Changed]:
    blue = row.known.blue
    if blue.scaling is None or not row.blue_scaling.is_scaling_touched:
        return
    known = target_values.held(row)
    now, end = known.verified or target_values.wanted(known), target_values.kept(known)
    if now == end:
        return
    words = "; ".join(target_values.differences(now, end))
    command = aws_commands.register_target(f"{row.spec.service.cluster}/{blue.name}", end)
    yield f"blue's scaling: {words}", command


def _service(row: Rollout) -> Iterator[Changed]:
    blue, cluster = row.known.blue, row.spec.service.cluster
    if row.handover.is_configuration_touched:
        before = row.handover.theirs_configuration or blue.deployment_configuration
        configuration = json.dumps(json.loads(before), separators=(",", ":"))
        command = aws_commands.update_service(cluster, blue.name, deployment_configuration=configuration)
        yield "blue's deployment alarms and its breaker's rollback may be off", command
    if not row.handover.attempts or blue.scaling is not None:
        return
    last = row.handover.attempts[-1]
    if last.desired != last.desired_before:
        words = f"blue's desired count is {last.desired} and was {last.desired_before}"
        yield words, aws_commands.update_service(cluster, blue.name, desired_count=str(last.desired_before))
