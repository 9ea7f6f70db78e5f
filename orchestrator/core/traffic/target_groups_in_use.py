"""Target groups that AWS does not delete, since some rule still forwards to them: they are left, and it is said which.

Right after a rule was written AWS may still count the group as used, so a refusal alone says nothing: the load
balancer's rules are read, and only a group that one of them was seen to use is left.
"""

from orchestrator.core.cloud.effects import DeleteTargetGroup
from orchestrator.core.cloud.forward_action import read_forward
from orchestrator.core.cloud.resources import RuleSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import LoadBalancerArn, TargetGroupArn
from orchestrator.core.domain.text import group_name
from orchestrator.core.rollout.draft import Draft
from orchestrator.core.rollout.rollout import Rollout


def balancers(row: Rollout) -> tuple[LoadBalancerArn, ...]:
    """The load balancers whose rules are to be read, since a group on them could not be deleted."""
    stuck = set(row.in_use)
    found = (pair.load_balancer for pair in row.pairs if {pair.blue, pair.green} & stuck)
    return tuple(dict.fromkeys(found))


def delete(draft: Draft, group: TargetGroupArn, balancer: LoadBalancerArn) -> str:
    """What the group's deletion still waits for; empty: it is left, since a rule uses it. Asks for the deletion."""
    name, row = group_name(group), draft.row
    if group in row.left:
        return ""
    effect = DeleteTargetGroup(group=group)
    if any(failure.key == effect.key and failure.is_final for failure in draft.seen.failures):
        draft.change(in_use=tuple(dict.fromkeys((*row.in_use, group))))
        return f"a look at who still uses target group {name}"
    found = draft.seen.balancers.get(balancer)
    if group in row.in_use:
        if not isinstance(found, tuple):
            return f"a look at who still uses target group {name}"
        users = [rule for rule in found if _uses(rule, group)]
        draft.change(in_use=tuple(one for one in row.in_use if one != group))
        if users:
            words = (
                f"target group {name} is left: {', '.join(rule.name for rule in users)} still forwards to it"
            )
            draft.change(left=(*row.left, group))
            draft.tell(EventKind.DRIFT_FOUND, words, group=group, rule=users[0].arn)
            return ""
    draft.ask(effect, f"delete target group {name}")
    return f"target group {name} to be deleted"


def told(row: Rollout) -> str:
    """What is left, as the last event says it; empty: nothing."""
    names = ", ".join(group_name(group) for group in row.left)
    return f"; left since a rule still uses it: {names}" if names else ""


def _uses(rule: RuleSeen, group: TargetGroupArn) -> bool:
    forward = read_forward(rule.actions)
    return forward is not None and forward.weight(group) is not None
