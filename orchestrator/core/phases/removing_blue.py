"""Blue leaves: its tasks stop, and then it is kept without any, or goes with the target groups that Teal made.

A blue that Teal did not make goes only with `ending: {swap: delete}`, and its target groups stay in any case. One that
an earlier swap left is Teal's own and always goes: a hundred swaps in a row leave one service.
"""

from dataclasses import replace
from datetime import timedelta

from orchestrator.core.cloud.deregistration_delay import longest_delay
from orchestrator.core.cloud.effects import DeleteService, PutTags, RemoveTags, ScaleService, Tags
from orchestrator.core.cloud.resources import Absent, GroupSeen, ServiceSeen, TargetsSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.tags import MANAGED, ROLLOUT, SERVICE
from orchestrator.core.domain.text import counted, group_name
from orchestrator.core.rollout.handover import Retirement
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.spec import Ending
from orchestrator.core.scaling import swap_blue
from orchestrator.core.scaling.capacity import all_traffic_needs
from orchestrator.core.tick import point_of_no_return
from orchestrator.core.tick.draft import Draft
from orchestrator.core.traffic import target_groups_in_use

SECOND_LOOK = "a second look at blue, which was not found"


def goes(row: Rollout) -> bool:
    """True if blue is deleted at the end, rather than kept without tasks."""
    return row.spec.ending is Ending.DELETE or (row.blue is not None and row.blue.is_own)


def delay(row: Rollout) -> timedelta:
    """How long a target of blue keeps its connections once it is to leave."""
    return longest_delay(pair.attributes for pair in row.pairs)


def drain(draft: Draft) -> str:
    """What blue's tasks still wait for; empty once none runs and its target groups are empty."""
    retirement = draft.retirement
    if retirement.is_gone or retirement.is_deleting:
        return ""
    blue = _read(draft)
    if isinstance(blue, str):
        return blue
    if not retirement.is_empty:
        return _stop(draft, blue, retirement)
    if blue.desired:
        words = f"somebody scaled blue to {counted(blue.desired, 'task')} again: it is left as it is"
        draft.hold(HoldKind.DRIFT, words, clears_when="its desired count is 0 again, or a person rolls back")
        return "blue's desired count to be 0"
    if blue.running or blue.pending:
        return f"blue's last {counted(blue.running + blue.pending, 'task')} to stop"
    return _targets(draft)


def _stop(draft: Draft, blue: ServiceSeen, retirement: Retirement) -> str:
    if blue.desired == 0:
        draft.change(retirement=replace(retirement, is_empty=True))
        draft.wake_by(draft.now)
        return "blue's tasks to stop"
    if draft.holds:
        return "blue's tasks to be stopped"
    if retirement.drained_from is None:
        retirement = replace(
            retirement, drained_from=draft.now, desired=all_traffic_needs(draft), count=blue.desired
        )
        tasks = counted(retirement.desired, "task")
        words = f"{blue.name} is drained: its {tasks} stop, and a rollback gives them back"
        draft.tell(EventKind.BLUE_DRAINED, words, service=blue.name, desired=retirement.desired)
    draft.change(retirement=replace(retirement, asked_at=draft.now))
    effect = ScaleService(cluster=blue.cluster, service=blue.name, desired=0)
    draft.ask(effect, f"stop blue's tasks: {blue.name}")
    return "blue's tasks to stop"


def _read(draft: Draft) -> ServiceSeen | str:
    """Blue as seen, or what is waited for, in words; empty once it is gone."""
    seen: ServiceSeen | Absent | str = draft.must_read(draft.seen.blue, "blue")
    if isinstance(seen, Absent):
        if not (draft.retirement.is_deleting or point_of_no_return.is_blue_gone(draft)):
            return SECOND_LOOK
        draft.change(retirement=replace(draft.retirement, is_gone=True))
        return ""
    return seen


def _targets(draft: Draft) -> str:
    for pair in draft.row.pairs:
        name = group_name(pair.blue)
        match draft.read(draft.seen.targets.get(pair.blue), f"the targets of {name}"):
            case str() as waiting:
                return waiting
            case TargetsSeen() as seen if left := seen.registered + seen.draining:
                return f"{counted(left, 'target')} of blue to leave {name}"
            case TargetsSeen() | Absent():
                pass
    return ""


def part(draft: Draft) -> str:
    """What blue's service still waits for; empty once it is kept for good, or gone."""
    row, retirement = draft.row, draft.retirement
    if not goes(row) or retirement.is_gone:
        return ""
    blue = _read(draft)
    if isinstance(blue, str):
        return blue
    if blue.status != "ACTIVE":
        return "blue to be gone"
    if draft.holds:
        return "blue to be deleted"
    if blue.tags.get(MANAGED) != "true":
        # IAM may let Teal delete only what carries this tag: the file asked for it, and so it is put on blue.
        draft.change(retirement=replace(retirement, is_tagged=True))
        put = PutTags(service=blue.arn, groups=(), tags=tags_to_go(row))
        draft.ask(put, f"tag {blue.name}, which is to be deleted")
        return "blue's tags"
    if waiting := swap_blue.take_away(draft):
        return waiting
    retirement = draft.retirement
    draft.change(retirement=replace(retirement, is_deleting=True, asked_at=draft.now))
    draft.ask(DeleteService(cluster=blue.cluster, service=blue.name), f"delete blue: {blue.name}")
    return "blue to be deleted"


def tags_to_go(row: Rollout) -> Tags:
    """Tags for a blue that Teal did not make, by which a policy tells that Teal may make and delete it."""
    return ((MANAGED, "true"), (ROLLOUT, row.id), (SERVICE, row.spec.service.path))


def clear(draft: Draft) -> str:
    """What blue's target groups still wait for; empty once those that Teal made are gone, or left to a rule."""
    row = draft.row
    if row.blue is None or not row.blue.is_own:
        return ""
    for pair in row.pairs:
        retirement = draft.retirement
        if pair.blue in (*retirement.cleared, *draft.row.way_out.left):
            continue
        name = group_name(pair.blue)
        match draft.read(draft.seen.groups.get(name), name):
            case str() as waiting:
                return waiting
            case GroupSeen() as seen if seen.tags.get(MANAGED) == "true" and seen.arn == pair.blue:
                if draft.holds and not draft.seen.failures:
                    return f"target group {name} to be deleted"
                draft.change(retirement=replace(retirement, is_clearing=True))
                if waiting := target_groups_in_use.delete(draft, pair.blue, pair.load_balancer):
                    return waiting
            case GroupSeen() | Absent():
                draft.change(retirement=replace(retirement, cleared=(*retirement.cleared, pair.blue)))
    return ""


def to_restore(draft: Draft) -> ServiceSeen | Absent | str:
    """Blue as seen, to be as it was; Absent: it is gone, and needs nothing; or what is waited for, in words."""
    seen: ServiceSeen | Absent | str = draft.read(draft.seen.blue, "blue")
    return SECOND_LOOK if isinstance(seen, Absent) and not point_of_no_return.is_blue_gone(draft) else seen


def untag(draft: Draft) -> str:
    """What the tags that let blue be deleted still wait for; empty once they are off it."""
    row = draft.row
    if row.retirement is None or not row.retirement.is_tagged or row.blue is None or row.blue.is_own:
        return ""
    seen = to_restore(draft)
    if not isinstance(seen, ServiceSeen):
        return seen if isinstance(seen, str) else ""
    if seen.tags.get(ROLLOUT) != row.id:
        return ""
    effect = RemoveTags(service=seen.arn, names=(MANAGED, ROLLOUT, SERVICE))
    draft.ask(effect, f"remove Teal's tags from {seen.name}")
    return "blue's tags to be removed"


def left_while_retiring(row: Rollout) -> list[str]:
    """What an abandoned rollout leaves of blue, where it was being retired: in words, if anything."""
    retirement = row.retirement
    if retirement is None or row.blue is None or retirement.drained_from is None:
        return []
    had = f"{row.blue.name}, which had {counted(retirement.desired, 'task')}"
    return [f"{had} and may be deleted" if retirement.is_deleting else f"{had} and has none"]


def kept_groups(row: Rollout) -> str:
    """Which of blue's target groups stay because Teal did not make them, in words; empty: none."""
    if row.blue is None or row.blue.is_own:
        return ""
    names = ", ".join(dict.fromkeys(group_name(pair.blue) for pair in row.pairs))
    return f"; {names} stays, which Teal did not make and no rule of this rollout uses any more"
