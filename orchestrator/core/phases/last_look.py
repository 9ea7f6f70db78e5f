"""What an end leaves as it was, and what it does not: the first look at everything held against the last one.

The last sentence of a rollout says only what was compared. What cannot be read at the end is waited for a moment and
then said not to have been compared; no end hangs on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.core.cloud.deployment_configuration import comparable
from orchestrator.core.cloud.forward_action import canonical, says_the_same, with_group
from orchestrator.core.cloud.resources import Absent, RuleSeen, ScalesSeen, ScalingSeen, ServiceSeen, Unread
from orchestrator.core.domain.ids import TargetGroupArn, TaskDefinitionArn, revision_name
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.text import counted
from orchestrator.core.rollout import rule_lists
from orchestrator.core.rollout.rule_state import RuleState
from orchestrator.core.tick import point_of_no_return
from orchestrator.core.tick.draft import Draft
from orchestrator.core.traffic import rule_differences

LONGEST = timedelta(minutes=1)  # that an end waits for what it cannot read
WORDS = {
    "min_capacity": "minimum",
    "max_capacity": "maximum",
    "scale_in_suspended": "scale-in",
    "scale_out_suspended": "scale-out",
    "scheduled_suspended": "scheduled scaling",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as it was: its name, and what it was and is, in words."""

    what: str
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.what}: {self.was} → {self.now}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was compared, what of it differs, and what could not be read."""

    compared: tuple[str, ...]
    differs: tuple[Difference, ...]
    unread: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What the last sentence says of the rest."""
        if not (self.compared or self.unread):
            return ""
        of = f" (compared: {', '.join(self.compared)})" if self.compared else ""
        words = f"; the rest is as it was{of}" if self.compared else ""
        if self.differs:
            words = f"; not as it was: {'; '.join(map(str, self.differs))}{of}"
        return words + (
            f"; not compared, since it could not be read: {', '.join(self.unread)}" if self.unread else ""
        )

    @property
    def as_json(self) -> str:
        """The differences for programs: a JSON list of objects with `what`, `was` and `now`."""
        return canonical([{"what": one.what, "was": one.was, "now": one.now} for one in self.differs])


def waits(draft: Draft) -> str:
    """What the end still waits for, in words; empty once everything was read, or it has waited long enough."""
    missing = _unread(draft)
    if not missing:
        return ""
    since = draft.row.way_out.comparing_since or draft.now
    draft.change(comparing_since=since)
    return "" if draft.now >= since + LONGEST else f"a last look at {missing[0]}"


def compare(draft: Draft, end: Phase) -> Comparison:
    """The row as first read, held against what this tick saw."""
    row = draft.row
    if row.blue is None or row.green is None:
        return Comparison(compared=(), differs=(), unread=())
    unread = _unread(draft)
    rules = [rule for rule in (*row.rules, *row.test_rules) if rule.name not in unread]
    found: list[Difference] = []
    for rule in rules:
        found += _rule(draft, rule)
    compared = [counted(len(rules), "rule")] if rules else []
    if "blue" not in unread:
        found += _service(draft, end)
        count = [] if row.blue.scaling is not None else ["desired count"]
        compared.append(f"blue's revision, {''.join(f'{one}, ' for one in count)}deployment configuration")
    bounds = row.blue.scaling if "blue's scaling" not in unread else None
    if bounds is not None and not point_of_no_return.is_blue_deleted(draft):
        found += _scaling(bounds, draft.seen.scaling)
        compared.append("blue's scaling bounds and suspensions")
    return Comparison(compared=tuple(compared), differs=tuple(found), unread=unread)


def compare_swapped(draft: Draft) -> Comparison:
    """Where green stays: every rule held against its first list with green in blue's place, and green's bounds."""
    row, unread = draft.row, []
    found: list[Difference] = []
    rules = (*row.rules, *row.test_rules)
    for rule in rules:
        seen = draft.seen.rules.get(rule.arn)
        if seen is None or isinstance(seen, Unread):
            unread.append(rule.name)
        green = rule_lists.known_green_of(row, rule)
        found += _rule(draft, rule, in_blues_place=green)
    compared = [counted(len(rules) - len(unread), "rule")] if len(rules) > len(unread) else []
    scales = draft.seen.green_scales
    if row.known.blue.scaling is not None:
        if isinstance(scales, ScalesSeen):
            found += _scaling(row.known.blue.scaling, scales.target or Absent(), whose="the service's")
            compared.append("the service's scaling bounds and suspensions")
        else:
            unread.append("green's scaling")
    return Comparison(compared=tuple(compared), differs=tuple(found), unread=tuple(unread))


def _unread(draft: Draft) -> tuple[str, ...]:
    row, seen = draft.row, draft.seen
    looks: list[tuple[str, object]] = [
        (rule.name, seen.rules.get(rule.arn)) for rule in (*row.rules, *row.test_rules)
    ]
    if row.blue is not None and row.green is not None:
        looks.append(("blue", seen.blue))
        looks += [("blue's scaling", seen.scaling)] if row.blue.scaling is not None else []
    unread = [name for name, look in looks if look is None or isinstance(look, Unread)]
    if isinstance(seen.blue, Absent) and not point_of_no_return.is_blue_gone(draft):
        unread.append("blue")  # one look alone may be an old answer
    return tuple(dict.fromkeys(unread))


def _rule(
    draft: Draft, rule: RuleState, *, in_blues_place: TargetGroupArn | None = None
) -> Iterator[Difference]:
    seen = draft.seen.rules.get(rule.arn)
    if isinstance(seen, Absent):
        yield Difference(what=rule.name, was="there", now="deleted")
        return
    if not isinstance(seen, RuleSeen):
        return
    first, conditions = rule.first or rule.base, rule.first_conditions or rule.conditions
    if in_blues_place is not None:
        first = with_group(first, was=rule.blue_group, now=in_blues_place)
    if not says_the_same(seen.actions, first):
        for what, was, now in rule_differences.of_lists(first, seen.actions):
            yield Difference(what=f"{rule.name}, {what}", was=was, now=now)
    for what, was, now in rule_differences.of_conditions(conditions, rule_lists.conditions_of(seen)):
        yield Difference(what=f"{rule.name}, {what}", was=was, now=now)


def _service(draft: Draft, end: Phase) -> Iterator[Difference]:
    blue, seen = draft.blue, draft.seen.blue
    if not isinstance(seen, ServiceSeen) or point_of_no_return.is_blue_deleted(draft):
        yield Difference(what=blue.name, was="there", now="deleted")
        return
    due = draft.green.for_blue if end is Phase.SUCCEEDED else blue.former
    runs = seen.primary.task_definition if seen.primary else seen.task_definition
    if due and runs != due:
        yield Difference(what="blue's revision", was=_revision(due), now=_revision(runs))
    is_first = blue.desired == 0 and end is Phase.SUCCEEDED
    if blue.scaling is None and seen.desired != blue.desired and not is_first:
        yield Difference(what="blue's desired count", was=str(blue.desired), now=str(seen.desired))
    was, now = comparable(blue.deployment_configuration), comparable(seen.deployment_configuration)
    if was != now:
        yield Difference(what="blue's deployment configuration", was=_short(was), now=_short(now))


def _scaling(was: ScalingSeen, seen: object, whose: str = "blue's") -> Iterator[Difference]:
    if isinstance(seen, Absent):
        yield Difference(
            what=f"{whose} scaling", was=f"{was.min_capacity} to {was.max_capacity} tasks", now="removed"
        )
        return
    for name, words in WORDS.items():
        before, now = getattr(was, name), getattr(seen, name, None)
        if before != now:
            yield Difference(what=f"{whose} {words}", was=_value(before), now=_value(now))


def _value(value: object) -> str:
    return ("suspended" if value else "not suspended") if isinstance(value, bool) else str(value)


def _revision(arn: TaskDefinitionArn) -> str:
    return revision_name(arn)


def _short(value: object) -> str:
    return value if isinstance(value, str) else canonical(value)
