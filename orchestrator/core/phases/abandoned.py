"""What an abandoned rollout leaves of blue: what each thing is now, what it was, and the command to put it back.

From the row alone, as the last ticks read it: abandoning waits for no read.
"""

import json
from collections.abc import Iterator

from orchestrator.core.cloud.aws_commands import aws, register_target
from orchestrator.core.cloud.forward_action import as_writable, forward_of, says_the_same
from orchestrator.core.domain.ids import revision_name
from orchestrator.core.domain.text import group_name
from orchestrator.core.rollout import rule_lists
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.scaling import target_values


def left_of_blue(row: Rollout) -> Iterator[str]:
    """Each thing that Teal has changed and not put back, in words with its command."""
    if row.blue is None:
        return
    yield from _rules(row)
    yield from _scaling(row)
    yield from _service(row)


def _rules(row: Rollout) -> Iterator[str]:
    for rule in (*row.rules, *row.test_rules):
        now = rule_lists.listed(row, rule, rule.verified)
        if rule.verified is None or says_the_same(now, rule.base):
            continue
        weights = "/".join(f"{group_name(w.group)} {w.weight}" for w in forward_of(now).groups)
        was = "/".join(f"{group_name(w.group)} {w.weight}" for w in forward_of(rule.base).groups)
        actions = as_writable(rule.base)
        command = (
            aws("elbv2", "modify-listener", listener_arn=rule.listener, default_actions=actions)
            if rule.is_default
            else aws("elbv2", "modify-rule", rule_arn=rule.arn, actions=actions)
        )
        yield f"{rule.name} forwards to {weights}, and to {was} at first: {command}"


def _scaling(row: Rollout) -> Iterator[str]:
    blue = row.known.blue
    if blue.scaling is None or not row.blue_scaling.is_scaling_touched:
        return
    known = target_values.held(row)
    now, end = known.verified or target_values.wanted(known), target_values.kept(known)
    if now == end:
        return
    words = "; ".join(target_values.differences(now, end))
    command = register_target(f"{row.spec.service.cluster}/{blue.name}", end)
    yield f"blue's scaling: {words}: {command}"


def _service(row: Rollout) -> Iterator[str]:
    blue, cluster = row.known.blue, row.spec.service.cluster
    if row.handover.is_configuration_touched:
        configuration = json.dumps(json.loads(blue.deployment_configuration), separators=(",", ":"))
        command = aws(
            "ecs",
            "update-service",
            cluster=cluster,
            service=blue.name,
            deployment_configuration=configuration,
        )
        yield f"blue's deployment alarms and its breaker's rollback may be off: {command}"
    if not row.handover.attempts:
        return
    last = row.handover.attempts[-1]
    if last.task_definition != blue.former:
        command = aws(
            "ecs", "update-service", cluster=cluster, service=blue.name, task_definition=blue.former
        )
        ran = f"which ran {revision_name(blue.former)}"
        yield f"blue, {ran}, was given {revision_name(last.task_definition)}: to go back, {command}"
    if blue.scaling is None and last.desired != last.desired_before:
        command = aws(
            "ecs",
            "update-service",
            cluster=cluster,
            service=blue.name,
            desired_count=str(last.desired_before),
        )
        yield f"blue's desired count is {last.desired} and was {last.desired_before}: {command}"
