"""Somebody else's change of a rule is noticed within an interval and said, and answered as it must be."""

from datetime import datetime, timedelta

from tests.sim.oracles.case import SLACK, Case
from tests.sim.oracles.duties import Duties
from tests.sim.oracles.rule_oracle import UNSEEN, RuleOracle
from tests.sim.oracles.told import Line
from tests.sim.oracles.truth import RuleTruth, besides_weights

NOTICED = timedelta(seconds=15)  # an interval while it is watched, and a tick
OLD_LIST = timedelta(seconds=32)  # as before, where the list may be an old answer for a quarter of a minute
SAID = ("drift_found", "held", "rollback_decided", "weight_verified", "effect_asked", "paged")


class RivalOracle:
    """Hears of each edit, from whoever made it."""

    def __init__(self, case: Case, rules: RuleOracle, duties: Duties) -> None:
        self.case, self.rules, self.duties = case, rules, duties
        self._count = 0

    def edited(self, arn: str, was: RuleTruth) -> None:
        """Somebody just wrote this rule, which was so before."""
        case, at = self.case, self.case.world.now
        now = case.truth.rule(arn)
        if case.told.turned_back or case.told.ended or self.case.told.is_home:
            return
        self._count += 1
        before, after = case.share_of(was), case.share_of(now)
        ours = (case.blue_group, case.green_group or "")
        is_other = besides_weights(was.actions, *ours) != besides_weights(now.actions, *ours)
        if not is_other and abs(before - after) < SLACK:
            return
        name = case.names[arn]
        self.duties.owe(
            "change noticed",
            self._count,
            f"somebody changed {name} the listener: {before:.1%} -> {after:.1%} for green",
            within=NOTICED,
            is_met=lambda: any(case.told.says(kind, since=at - UNSEEN, words=name) for kind in SAID),
            is_void=lambda: self._is_void(arn, at, now),
        )
        wanted = case.told.wants[-1].share if case.told.wants else 0.0
        if case.is_early and after > max(before, wanted) + SLACK:
            self.duties.owe(
                "raised green taken back",
                self._count,
                f"somebody gave green {after:.1%} on {name} the listener, from {before:.1%}",
                within=NOTICED,
                is_met=lambda: case.shares[arn] < after - SLACK,
                is_void=lambda: not case.is_early or self._is_void(arn, at, now),
            )
        if (
            case.is_early
            and not is_other
            and before > SLACK
            and after <= 0
            and self._was_read_back(arn, before)
        ):
            self.duties.owe(
                "raised blue is a rollback",
                self._count,
                f"somebody gave blue everything on {name} the listener",
                within=OLD_LIST,
                is_met=lambda: case.told.turned_back is not None,
                is_void=lambda: self._is_void(arn, at, now),
            )

    def _was_read_back(self, arn: str, share_before: float) -> bool:
        """Whether an answer showed Teal this share, and no write of its own can be what took it away."""
        if arn in self.rules.uncertain:
            return False
        written = self.rules.written_at.get(arn)
        told = self.rules.evidence.rule_actions.get(arn, [])
        return bool(told) and written is not None and told[-1][0] > written and share_before > SLACK

    def _is_void(self, arn: str, at: datetime, now: RuleTruth) -> bool:
        """It was written over too soon to be seen, somebody changed it again, or nobody moves rules any more."""
        written = self.rules.written_at.get(arn)
        is_over = written is not None and at <= written < at + UNSEEN
        is_again = self.rules.edited_at.get(arn) != at
        told = self.case.told
        return is_over or is_again or told.ended is not None or self.case.is_abandoned

    def reads(self, line: Line) -> None:
        """Promises 10 and 11: a change of a rule is said to be somebody's only where somebody changed it."""
        case = self.case
        if line.kind == "drift_found" and not line.text.startswith("somebody changed blue's scaling"):
            named = [arn for arn, name in case.names.items() if name in line.text]
            if named and not set(named) & case.edited:
                case.says("nobody is accused", f"nobody changed the rule: {line.text}")
        if (
            line.kind == "rollback_decided"
            and "somebody gave blue all traffic" in line.text
            and not case.edited
        ):
            case.says("nobody is accused", f"nobody changed a rule: {line.text}")
