"""Holds every write of a rule to the promises: who may be given more, when, and what else stays as it is."""

from datetime import datetime, timedelta

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.phases import Phase
from sandbox.world.kernel.log import CallRecord
from tests.sim.case import EARLY, SLACK, Case
from tests.sim.evidence import Evidence
from tests.sim.truth import RuleTruth, besides_weights, share, weights

UNSEEN = timedelta(seconds=2)  # a read may be so much older than the write that follows it


class RuleOracle:
    """Looks at the rules after every write."""

    def __init__(self, case: Case, evidence: Evidence) -> None:
        self.case, self.evidence = case, evidence
        self._now = dict(case.before)  # each rule as it was after the last look
        self._edited_at: dict[str, datetime] = {}

    def excuse(self, arn: str) -> None:
        """Somebody else just wrote this rule."""
        self.case.edited.add(arn)
        self._edited_at[arn] = self.case.world.now
        self._now[arn] = self.case.truth.rule(arn)

    def check(self, record: CallRecord, *, is_teal: bool) -> None:
        """Hold one write of a rule to promises 1, 3 and 8."""
        arn = record.params.get("RuleArn") or self.case.truth.default_rule_of(record.params["ListenerArn"])
        was, now = self._now[arn], self.case.truth.rule(arn)
        self._now[arn] = now
        known = weights(now.actions).keys() | weights(was.actions).keys()
        green = next((g for g in known if g in self.case.made), self.case.green_group)
        self.case.green_group = green
        before, after = self._shares(was, green or ""), self._shares(now, green or "")
        if is_teal:
            self._check_the_rest(arn, was, now, green or "")
            if after > before + SLACK:
                self._check_growth_of_green(arn, after)
            if after < before - SLACK:
                self._check_growth_of_blue(arn, before, after)
        if is_teal and abs(after - self.evidence.share) > SLACK:
            steps = self.case.row.spec.plan.steps
            step = steps[min(self.case.row.step, len(steps) - 1)]
            self.evidence.changed(after, step=step.weight / 1000)

    def _shares(self, rule: RuleTruth, green: str) -> float:
        """Green's share of blue and green together."""
        found = weights(rule.actions)
        mine, theirs = found.get(green, 0), found.get(self.case.blue_group, 0)
        return mine / (mine + theirs) if mine + theirs else 0.0

    def _check_the_rest(self, arn: str, was: RuleTruth, now: RuleTruth, green: str) -> None:
        """Promise 8: whatever a rule holds besides the two weights stays as it is.

        A write that follows a rival's edit too closely to have seen it cannot be told apart by AWS: it is excused.
        """
        if self._was_just_edited(arn):
            return
        if (was.conditions, was.priority) != (now.conditions, now.priority):
            self.case.breaks(8, f"{arn}: its conditions or its priority were changed")
        ours = (self.case.blue_group, green)
        if besides_weights(was.actions, *ours) != besides_weights(now.actions, *ours):
            self.case.breaks(
                8, f"{arn}: something besides the weights was changed: {was.actions} -> {now.actions}"
            )
        for group in weights(now.actions).keys() - set(ours):
            change = share(now.actions, group) - share(self.case.before[arn].actions, group)
            if abs(change) > SLACK and arn not in self.case.edited:
                self.case.breaks(8, f"{arn}: {group} got another share")

    def _was_just_edited(self, arn: str) -> bool:
        """True if a rival wrote the rule so lately that Teal's write may follow an older reading."""
        return arn in self._edited_at and self.case.world.now - self._edited_at[arn] < UNSEEN

    def _check_growth_of_green(self, arn: str, share_now: float) -> None:
        row = self.case.row
        if row.phase in (Phase.ROLLING_BACK, Phase.ROLLED_BACK) and not self.case.is_blue_updated:
            self.case.breaks(3, f"{arn}: green was given {share_now:.1%} while rolling back")
        elif row.phase in EARLY and not self._was_just_edited(arn):
            if row.failed:
                self.case.breaks(3, f"{arn}: green was given {share_now:.1%} after a failure: {row.failed}")
            self._check_ready_for_green(arn)
            promoted = self._applied_at(CommandKind.PROMOTE)
            against = self.evidence.against_growth(row, promoted_at=promoted)
            for how in against:
                self.case.breaks(1, f"{arn}: green was given {share_now:.1%}, but {how}")

    def _applied_at(self, kind: CommandKind) -> datetime | None:
        """When a person's command of this kind was applied last."""
        applied = (e for e in self.case.events if e.kind is EventKind.COMMAND_APPLIED)
        return max((e.at for e in applied if ("command", kind.value) in e.facts), default=None)

    def _check_ready_for_green(self, arn: str) -> None:
        green = self.case.row.green
        service = self.case.truth.service(green.name) if green else None
        if service is None or self.evidence.seen_healthy(self.case.green_group or "") < max(
            service.desired, 1
        ):
            self.case.breaks(1, f"{arn}: green grew while its targets were not seen healthy")
        if self.evidence.seen_healthy(self.case.blue_group) < self.case.desired_before:
            self.case.breaks(1, f"{arn}: green grew while blue could not take everything back")
        if self.case.blue().definition.arn != self.case.scenery.task_definition:
            self.case.breaks(1, f"{arn}: green grew while blue was on another revision")

    def _check_growth_of_blue(self, arn: str, before: float, after: float) -> None:
        """In settling blue is the receiver; in any other phase more for blue is always safe."""
        row = self.case.row
        if row.phase is Phase.SETTLING and not row.is_way_clear:
            if row.failed:
                self.case.breaks(3, f"{arn}: blue was given more after it failed in settling: {row.failed}")
            if not self.case.truth.runs_only(self.case.scenery.service, self.case.revision):
                self.case.breaks(1, f"{arn}: blue was given traffic before it was steady on the new revision")
            if self.evidence.seen_healthy(self.case.blue_group) < self.case.blue().desired:
                self.case.breaks(1, f"{arn}: blue was given traffic while its targets were not seen healthy")
        is_former = self.case.truth.runs_only(self.case.scenery.service, self.case.scenery.task_definition)
        if row.phase is Phase.ROLLING_BACK and self.case.is_blue_updated and not is_former:
            self.case.breaks(3, f"{arn}: traffic went back before blue was on its former revision")
        is_recalled = row.retirement is not None and row.retirement.is_swapping
        healthy = self.evidence.seen_healthy(self.case.blue_group)
        if row.phase is Phase.ROLLING_BACK and is_recalled and healthy < self.case.desired_before:
            self.case.breaks(4, f"{arn}: traffic went back to a blue with {healthy} healthy targets")
        if row.phase is Phase.ROLLING_BACK and after > SLACK:
            self.case.breaks(3, f"{arn}: a rollback wrote {after:.1%} for green, from {before:.1%}")
