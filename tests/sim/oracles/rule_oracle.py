"""Holds every write of a rule to the promises: who may be given more, when, and what else stays as it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.world.kernel.log import CallRecord
from tests.sim.oracles.case import SLACK, Case
from tests.sim.oracles.evidence import Evidence
from tests.sim.oracles.told import Want
from tests.sim.oracles.truth import RuleTruth, besides_weights, share, weights

UNSEEN = timedelta(seconds=2)  # a read may be so much older than the write that follows it
HOME = (0.9, 0.5, 0.0)  # green's shares as traffic comes home
LOOK_APART = 1 / 6  # of a period: two looks that are nearer are one
HASTE = 1.05
BESIDE = ("intervention_begun", "intervention_ended", "evidence_lost")  # weights that are no step's


@dataclass(slots=True)
class Entered:
    """When the share that a line of the log wanted was first and last written."""

    first: datetime
    last: datetime


class RuleOracle:
    """Looks at the rules after every write."""

    def __init__(self, case: Case, evidence: Evidence) -> None:
        self.case, self.evidence = case, evidence
        self._now = dict(case.before)  # each rule as it was after the last look
        self.edited_at: dict[str, datetime] = {}
        self.written_at: dict[str, datetime] = {}  # by Teal, the last time
        self.uncertain: set[str] = set()  # rules with a write whose outcome Teal does not know
        self.entered: dict[int, Entered] = {}  # by the number of the line that wanted it
        self.first_traffic_at: datetime | None = None  # green has had some ever since
        self.changed_at: datetime | None = None  # some rule's share changed then, by whosever hand
        self._judged: set[int] = set()
        self._came_home = False

    def excuse(self, arn: str) -> None:
        """Somebody else just wrote this rule."""
        self.case.edited.add(arn)
        self.edited_at[arn] = self.changed_at = self.case.world.now
        self._now[arn] = self.case.truth.rule(arn)
        had = self.case.most > 0
        self.case.shares[arn] = self.case.share_of(self._now[arn])
        if had and self.case.most <= 0:
            self.case.left_at = self.case.world.now

    def failed(self, record: CallRecord) -> None:
        """A write whose outcome its caller does not know: it may be carried out late."""
        self.uncertain.add(self._arn(record))

    def check(self, record: CallRecord, *, is_teal: bool) -> None:
        """Hold one write of a rule to promises 1, 3 and 8."""
        arn, case = self._arn(record), self.case
        was, now = self._now[arn], case.truth.rule(arn)
        self._now[arn] = now
        known = weights(now.actions).keys() | weights(was.actions).keys()
        case.green_group = next((g for g in known if g in case.made), case.green_group)
        before, after = case.share_of(was), case.share_of(now)
        case.shares[arn] = after
        if abs(after - before) > SLACK:
            self.changed_at = case.world.now
        if is_teal:
            self.written_at[arn] = case.world.now
            self._check_the_rest(arn, was, now)
            self._check_told(arn, after)
            if after > before + SLACK:
                self._check_growth_of_green(arn, after)
            if after < before - SLACK:
                self._check_growth_of_blue(arn, before, after)
            self._enter(after)
        self.first_traffic_at = None if case.most <= 0 else self.first_traffic_at or case.world.now
        if after > 0:
            case.served_at = case.world.now
        elif before > 0 and case.most <= 0:
            case.left_at = case.world.now
        self._check_drain(arn, was, now, is_teal=is_teal)

    def _arn(self, record: CallRecord) -> str:
        return record.params.get("RuleArn") or self.case.truth.default_rule_of(record.params["ListenerArn"])

    def _enter(self, share_now: float) -> None:
        want = self._want()
        if want is not None and abs(want.share - share_now) < SLACK:
            entered = self.entered.setdefault(want.number, Entered(self.case.world.now, self.case.world.now))
            entered.last = self.case.world.now

    def _want(self, back: int = 1) -> Want | None:
        wants = self.case.told.wants
        return wants[-back] if len(wants) >= back else None

    # promise 8 ---------------------------------------------------------------------------------------------------

    def _check_the_rest(self, arn: str, was: RuleTruth, now: RuleTruth) -> None:
        """Whatever a rule holds besides the two weights stays as it is.

        A write that follows a rival's edit too closely to have seen it cannot be told apart by AWS: it is excused.
        """
        case, green = self.case, self.case.green_group or ""
        if self.was_just_edited(arn):
            return
        if (was.conditions, was.priority) != (now.conditions, now.priority):
            case.says("the rest of a rule", f"{arn}: its conditions or its priority were changed")
        ours = (case.blue_group, green)
        if besides_weights(was.actions, *ours) != besides_weights(now.actions, *ours):
            words = f"{arn}: something besides the weights was changed: {was.actions} -> {now.actions}"
            case.says("the rest of a rule", words)
        for group in weights(now.actions).keys() - set(ours):
            change = share(now.actions, group) - share(case.before[arn].actions, group)
            if abs(change) > SLACK and arn not in case.edited:
                case.says("the rest of a rule", f"{arn}: {group} got another share")

    def was_just_edited(self, arn: str) -> bool:
        """True if a rival wrote the rule so lately that Teal's write may follow an older reading."""
        return arn in self.edited_at and self.case.world.now - self.edited_at[arn] < UNSEEN

    def _check_told(self, arn: str, share_now: float) -> None:
        """Promise 11: a share that is written was said to be wanted, or is nothing at all."""
        shares = [want.share for want in self.case.told.wants]
        if share_now > SLACK and not any(abs(share_now - wanted) < SLACK for wanted in shares):
            self.case.says("told before written", f"{arn}: {share_now:.1%} was written, which no line wanted")

    def _check_drain(self, arn: str, was: RuleTruth, now: RuleTruth, *, is_teal: bool) -> None:
        """Promise 1: green stays in a rule, without weight, until its tasks are gone; a cookie's rule cannot wait."""
        case, green = self.case, self.case.green_group or ""
        leaves = green in weights(was.actions) and green not in weights(now.actions)
        pins = '"Enabled": true' in was.actions
        if not (leaves and is_teal) or pins or case.served_at is None or self.was_just_edited(arn):
            return
        left, since = case.truth.in_use(green), case.stopped_at
        if left and (since is None or case.world.now - since < timedelta(seconds=60)):
            case.says("drain", f"{arn}: green left it while {left} of its targets had not drained")

    # green grows -------------------------------------------------------------------------------------------------

    def _check_growth_of_green(self, arn: str, share_now: float) -> None:
        case = self.case
        if case.told.turned_back and not case.file.ending.is_swap:
            words = f"{arn}: green was given {share_now:.1%} after the rollback was decided"
            case.says("no growth after rollback", words)
        if not case.is_early or case.told.turned_back or self.was_just_edited(arn):
            return
        self._check_ready_for_green(arn, share_now)
        if (
            case.known_at is not None
            and (case.told.last_given("resume", "back") or case.known_at) <= case.known_at
        ):
            words = f"{arn}: green was given {share_now:.1%} after it was known to be bad"
            case.says("no growth after FAIL", words)
        want = self._want()
        if want is None or abs(want.share - share_now) > SLACK or want.number in self._judged:
            return  # a repair, or another rule of the same step
        self._judged.add(want.number)
        for oracle, how in self._against_leaving(want):
            case.says(oracle, f"{arn}: green was given {share_now:.1%}, but {how}")

    def check_end_of_watch(self) -> None:
        """Hold the first touch of blue to what any step is held to that is left."""
        if self.case.told.turned_back:
            return
        if self.case.least < 1 - SLACK and not self.case.edited:
            self.case.says("blue untouched", f"blue was touched while green had {self.case.least:.1%}")
        for oracle, how in self._against_leaving(None):
            self.case.says(oracle, f"the watch was ended, but {how}")

    def _against_leaving(self, want: Want | None) -> Iterator[tuple[str, str]]:
        """What speaks against leaving the step before, beside green's health. `want` None: the watch is to end."""
        case, told = self.case, self.case.told
        number = len(told.lines) if want is None else want.number
        last = self._want(1 if want is None else 2)
        if told.is_paused and want is not None and self._was_paused_at(want.number):
            yield "pause", "it was paused"
        if not self.evidence.is_fresh(self.evidence.alarms_at):
            yield "fresh looks", "the alarms were not read"
        if last is None or last.share == 0:
            return
        if told.between(BESIDE, last.number, number):
            return
        step = next((s for s in case.file.plan.steps if abs(s.weight / 1000 - last.share) < SLACK), None)
        entered = self.entered.get(last.number)
        if step is None or entered is None:
            return
        is_promoted = told.given_between("promote", last.number, number)
        if want is not None:
            yield from self._against_order(last.share, want.share, is_promoted=is_promoted)
        if case.world.now - entered.first < step.bake / self._haste() and not is_promoted:
            yield "bake", f"{last.share:.1%} was held for {case.world.now - entered.first} of {step.bake}"
        first = next(each for each in told.wants if abs(each.share - last.share) < SLACK)
        if step.approval and not told.given_between("approve", first.number, number):
            yield "approval", f"nobody had approved leaving {last.share:.1%}"
        if not is_promoted:
            yield from self._against_by_evidence(entered.last)

    def _haste(self) -> float:
        """How fast an engine's clock may go: one that is set comes near by a twentieth of the time that passes."""
        return HASTE if self.case.clock_error else 1.0

    def _was_paused_at(self, number: int) -> bool:
        """Whether the newest of pause and resume before a line is a pause."""
        for line in reversed(self.case.told.lines[:number]):
            if line.kind == "command_applied" and line.text.startswith(("pause by", "resume by")):
                return line.text.startswith("pause by")
        return False

    def _against_order(self, was: float, wanted: float, *, is_promoted: bool) -> Iterator[tuple[str, str]]:
        steps = [step.weight / 1000 for step in self.case.file.plan.steps]
        following = next((weight for weight in steps if weight > was + SLACK), 1.0)
        if abs(wanted - following) > SLACK and not (is_promoted and abs(wanted - steps[-1]) < SLACK):
            yield "plan", f"after {was:.1%} the file says {following:.1%}"

    def _against_by_evidence(self, since: datetime) -> Iterator[tuple[str, str]]:
        judged_from = max(
            (at for at in (since, self.case.told.last_given("resume", "back")) if at), default=since
        )
        if any(period.speaks_against_green for _, period in self.evidence.whole(judged_from)):
            yield "evidence", "a whole period spoke against it"
        told = (period for _, period in self.evidence.whole(since - self.case.clock_error))
        if not any(period.has_requests for period in told):
            yield "evidence", "no whole period with requests was read since it grew last"

    def _check_ready_for_green(self, arn: str, share_now: float) -> None:
        case, evidence = self.case, self.evidence
        green = evidence.newest(case.green or "")
        healthy = evidence.seen_healthy(case.green_group or "")
        if green is None or healthy < max(green.desired, 1):
            case.says("healthy before growth", f"{arn}: green grew while its targets were not seen healthy")
        if evidence.seen_healthy(case.blue_group) < case.desired_before:
            case.says("room on blue", f"{arn}: green grew while blue could not take everything back")
        blue = evidence.newest(case.scenery.service)
        if blue is None or blue.definition != case.scenery.task_definition:
            case.says("room on blue", f"{arn}: green grew while blue was on another revision, or unread")
        needed = -(-case.desired_before * round(share_now * 1000) // 1000)
        if healthy < needed:
            words = f"{arn}: green was given {share_now:.1%} with {healthy} healthy of {needed} tasks"
            case.says("enough of green", words)
        if not evidence.is_fresh(evidence.rules_at.get(arn)):
            case.says("fresh looks", f"{arn}: green grew though the rule was not read")
        if case.served_at is None and not self._has_two_looks(case.green_group or "", max(needed, 1)):
            case.says("two looks before traffic", f"{arn}: green got its first traffic after one look")

    def _has_two_looks(self, group: str, least: int) -> bool:
        """Whether the newest looks, of which two are far enough apart, all found so many healthy."""
        apart, last = self.case.world.minute * LOOK_APART, None
        for look in reversed(self.evidence.health.get(group, [])):
            if look.healthy < least:
                return False
            last = last or look.at
            if last - look.at >= apart:
                return True
        return False

    # blue grows --------------------------------------------------------------------------------------------------

    def _check_growth_of_blue(self, arn: str, before: float, after: float) -> None:
        """In settling blue is the receiver; in any other phase more for blue is always safe."""
        case, evidence = self.case, self.evidence
        turned_back = case.told.turned_back
        healthy = evidence.seen_healthy(case.blue_group)
        if turned_back is not None and case.emptied_at is not None and healthy < case.desired_before:
            case.says("room on blue", f"{arn}: traffic went back to a blue with {healthy} healthy targets")
        if case.is_early:
            return
        blue = evidence.newest(case.scenery.service)
        if turned_back is not None:
            former = case.scenery.task_definition
            is_former = blue is not None and blue.is_steady_on(former)
            if not is_former and not case.truth.runs_only(case.scenery.service, former):
                words = f"{arn}: traffic went back before blue was on its former revision"
                case.says("former before traffic", words)
            if after > SLACK:
                case.says(
                    "blue after all", f"{arn}: a rollback wrote {after:.1%} for green, from {before:.1%}"
                )
        elif turned_back is None and not case.file.ending.is_swap and not self.case.told.is_home:
            self._check_home(arn)
            following = next((step for step in HOME if step < before - SLACK), 0.0)
            if after < following - SLACK and not case.edited:
                case.says("home in steps", f"{arn}: blue came from {1 - before:.1%} to {1 - after:.1%}")
            failed = case.blue_failed_at
            if failed is not None and (case.told.last_given("resume") or failed) <= failed:
                words = f"{arn}: blue was given more after it was known to be bad"
                case.says("no growth after FAIL", words)

    def _check_home(self, arn: str) -> None:
        case, evidence = self.case, self.evidence
        looks = evidence.services.get(case.scenery.service, [])
        if not looks or not evidence.is_fresh(looks[-1].at) or not looks[-1].is_steady_on(case.revision):
            words = f"{arn}: blue was given traffic before it was seen steady on the new revision"
            case.says("blue well before home", words)
        elif evidence.seen_healthy(case.blue_group) < looks[-1].desired:
            case.says("blue well before home", f"{arn}: blue was given traffic while not seen healthy")
        elif not self._came_home:
            self._came_home = True
            if not self._has_two_steady_looks():
                case.says("two looks before traffic", f"{arn}: blue got its first traffic after one look")

    def _has_two_steady_looks(self) -> bool:
        """Whether looks that followed each other, far enough apart, have found blue steady on the new revision."""
        apart, first = self.case.world.minute * LOOK_APART, None
        for look in self.evidence.services.get(self.case.scenery.service, []):
            first = (first or look.at) if look.is_steady_on(self.case.revision) else None
            if first is not None and look.at - first >= apart:
                return True
        return False
