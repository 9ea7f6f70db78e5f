"""What must be so at the end, and that there is one: nothing stands for ever without a person being told."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.core.rollout.spec import Ending, LimitThen
from tests.sim.oracles.case import Case
from tests.sim.oracles.duties import Duties
from tests.sim.oracles.truth import share

HELD_LONGEST = timedelta(minutes=3)  # as the file of every play says
SETTLED_LONGEST = timedelta(minutes=6)
LATE_CALLS = timedelta(minutes=7)  # the longest that anything waits for calls that AWS may still carry out
AUTO_BAKE = timedelta(minutes=2)  # of a plan that Teal makes itself
STOOD = timedelta(minutes=6)  # without a move: then nothing moves any more without a person
BESIDES = timedelta(
    seconds=90
)  # a limit is looked at in a tick, and counts only time in which it was looked at


class EndOracle:
    """Looks at what stands still, and at the end."""

    def __init__(self, case: Case, duties: Duties) -> None:
        self.case, self.duties = case, duties
        self.groups_before = set(case.truth.groups())
        self.scales_before, self.alarms_before = case.scales(), case.truth.alarms()

    def look(self) -> None:
        """Promise 12: whoever stands longer than his limits has called for a person."""
        case, told, now = self.case, self.case.told, self.case.world.now
        if told.ended or told.is_paused or told.moved_at is None or case.is_abandoned:
            return
        longest = LATE_CALLS if told.turned_back or self.case.told.is_home else SETTLED_LONGEST
        if case.is_early and told.turned_back is None:
            longest = HELD_LONGEST + max((step.bake for step in case.file.plan.steps), default=AUTO_BAKE)
        since = max(told.moved_at, self.duties.disturbed_at)
        is_called = told.called_at is not None and told.called_at >= told.moved_at
        if now - since > longest + BESIDES and not is_called:
            words = f"nothing moved since {told.moved_at:%H:%M:%S}, and nobody was called"
            case.says("people are called", words)

    def is_for_a_person(self) -> bool:
        """Whether only a person can be what it waits for, who was called, or has paused it."""
        case, told = self.case, self.case.told
        if case.file.is_attended or told.turned_back is not None:
            return False
        if told.is_paused:
            return True
        is_left = case.file.one_way or case.file.hold_then is LimitThen.HOLD
        is_standing = not case.is_early or is_left
        return is_standing and any(line.kind == "paged" for line in told.lines)

    def stands(self) -> bool:
        """Whether it has long been a person's turn, and nothing moves."""
        moved_at = self.case.told.moved_at
        has_stood = moved_at is not None and self.case.world.now - moved_at > STOOD
        return has_stood and self.is_for_a_person()

    def unended(self, began: datetime) -> None:
        """The play is over, and the rollout is not."""
        case, lines = self.case, self.case.told.lines
        if not self.is_for_a_person():
            last = lines[-1].text if lines else "no line"
            case.says("it ends", f"it did not end within {case.world.now - began}: {last}")

    def end(self) -> None:
        """What must be so a minute after the end."""
        case = self.case
        if case.is_abandoned or case.told.ended is None:
            return
        is_good = case.told.ended.text.startswith("succeeded")
        if is_good and case.file.ending.is_swap:
            self._end_of_swap()
            return
        for arn in case.rules:
            is_same = case.truth.rule(arn) == case.before[arn]
            if not is_same and arn not in case.edited:
                words = f"{arn} is not as it was: {case.before[arn]} -> {case.truth.rule(arn)}"
                case.says("rules as they were", words)
            if share(case.truth.rule(arn).actions, case.blue_group) <= 0:
                case.says("blue after all", f"{arn} gives blue nothing at the end")
        self._check_left()
        if case.scales() != self.scales_before:
            words = f"blue's policies were {self.scales_before} and are {case.scales()}"
            case.says("scaling as it was", words)
        alarms = case.truth.alarms()
        if changed := [name for name, was in self.alarms_before.items() if alarms.get(name) != was]:
            case.says("only its own", f"alarms were changed: {', '.join(changed)}")
        self._check_blue(is_good=is_good)

    def _check_left(self) -> None:
        case = self.case
        left = {name for arn, name in case.truth.groups().items() if arn not in self.groups_before}
        left |= {s.name for s in case.truth.services() if s.name != case.scenery.service}
        left |= set(case.truth.active_revisions(f"{case.scenery.service}-green"))
        left |= {f"the scaling of {name}" for name in case.truth.scalable_targets()} - {
            f"the scaling of {case.scenery.service}"
        }
        left |= case.truth.alarms().keys() - self.alarms_before.keys()
        if left:
            case.says("nothing left", f"left behind: {', '.join(sorted(left))}")

    def _check_blue(self, *, is_good: bool) -> None:
        case = self.case
        blue, wanted = case.blue(), case.revision if is_good else case.scenery.task_definition
        if blue.definition.arn != wanted:
            end = case.told.ended.text.partition(":")[0] if case.told.ended else ""
            case.says("blue after all", f"{end}, and blue is on {blue.definition.arn}")
        if json.dumps(blue.configuration, sort_keys=True) != case.configuration_before:
            case.says("size as it was", f"blue's deployment configuration is {blue.configuration}")
        if not case.scaling_before and blue.desired != case.desired_before:
            words = f"blue had {case.desired_before} tasks and has {blue.desired}"
            case.says("size as it was", words)

    def _end_of_swap(self) -> None:
        """Green and its groups are what is left, in blue's place to the letter; blue has no task, or is gone."""
        case, green_group, name = self.case, self.case.green_group or "", self.case.green or ""
        for arn in case.rules:
            was, now = case.before[arn], case.truth.rule(arn)
            wanted = replace(was, actions=was.actions.replace(case.blue_group, green_group))
            if now != wanted:
                words = f"{arn} is not as it was with green in blue's place: {wanted} -> {now}"
                case.says("rules as they were", words)
        left = {arn for arn in case.truth.groups() if arn not in self.groups_before} - {green_group}
        services = {one.name: one for one in case.truth.services()}
        left |= services.keys() - {case.scenery.service, name}
        if left:
            case.says("nothing left", f"left behind: {', '.join(sorted(left))}")
        green, blue = services.get(name), services.get(case.scenery.service)
        if green is None or not case.truth.runs_only(name, case.revision):
            case.says("blue after all", f"{name} does not run {case.revision} alone")
        elif green.tags.get("teal:serves") != "true":
            case.says("tagged", f"{name} is not marked as the service of record")
        if case.file.ending is Ending.DELETE and blue is not None:
            case.says("nothing left", "blue was to be deleted and is there")
        if case.file.ending is Ending.KEEP and (
            blue is None or blue.desired or blue.tags.get("teal:managed")
        ):
            case.says("nothing left", f"blue was to be kept without tasks, and untagged: {blue}")
