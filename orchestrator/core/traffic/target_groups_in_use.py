"""Target groups that AWS does not delete, since some rule still forwards to them: they are left, and it is said which.

Right after a rule was written AWS may still count the group as used, so a refusal alone says nothing: the load
balancer's rules are read, and only a group that one of them was seen to use is left.
"""

from orchestrator.core.cloud.effects import DeleteTargetGroup
from orchestrator.core.cloud.forward_action import read_forward
from orchestrator.core.cloud.resources import Absent, RuleSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import LoadBalancerArn, TargetGroupArn
from orchestrator.core.domain.text import group_name
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.tick.draft import Draft


def balancers(row: Rollout) -> tuple[LoadBalancerArn, ...]:
    """The load balancers whose rules are to be read, since a group on them could not be deleted."""
    stuck = set(row.way_out.in_use)
    found = (pair.load_balancer for pair in row.pairs if {pair.blue, pair.green} & stuck)
    return tuple(dict.fromkeys(found))


def delete(draft: Draft, group: TargetGroupArn, balancer: LoadBalancerArn) -> str:
    """What the group's deletion still waits for; empty: it is left, since a rule uses it. Asks for the deletion."""
    name, row = group_name(group), draft.row
    if group in row.way_out.left:
        return ""
    effect = DeleteTargetGroup(group=group)
    if any(failure.key == effect.key and failure.is_final for failure in draft.seen.failures):
        draft.change(in_use=tuple(dict.fromkeys((*row.way_out.in_use, group))))
        return f"a look at who still uses target group {name}"
    if group in row.way_out.in_use:
        what = f"who still uses target group {name}"
        found: tuple[RuleSeen, ...] | Absent | str = draft.read(draft.seen.balancers.get(balancer), what)
        if not isinstance(found, tuple):
            return found if isinstance(found, str) else f"a look at {what}"
        users = [rule for rule in found if _uses(rule, group)]
        draft.change(in_use=tuple(one for one in row.way_out.in_use if one != group))
        if users:
            words = (
                f"target group {name} is left: {', '.join(rule.name for rule in users)} still forwards to it"
            )
            draft.change(left=(*row.way_out.left, group))
            draft.tell(EventKind.DRIFT_FOUND, words, group=group, rule=users[0].arn)
            return ""
    draft.ask(effect, f"delete target group {name}")
    return f"target group {name} to be deleted"


def in_words(row: Rollout) -> str:
    """What is left, as the last event says it; empty: nothing."""
    names = ", ".join(group_name(group) for group in row.way_out.left)
    return f"; left since a rule still uses it: {names}" if names else ""


def _uses(rule: RuleSeen, group: TargetGroupArn) -> bool:
    forward = read_forward(rule.actions)
    return forward is not None and forward.weight(group) is not None
