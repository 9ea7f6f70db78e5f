"""What is known to speak against green is followed by all traffic on blue, and how soon; and never without cause.

Known is what an answer of AWS said. Only what no way of looking at it could let pass counts here: every reading of a
period beyond any bound, looks that agree for longer than an old answer lasts.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from orchestrator.core.rollout.spec import OnFailure
from sandbox.world.kernel.log import CallRecord
from tests.sim.oracles.case import SLACK, Case
from tests.sim.oracles.duties import Duties
from tests.sim.oracles.evidence import Evidence, Period
from tests.sim.oracles.rule_oracle import RuleOracle

WITHIN = timedelta(seconds=5)  # from the answer until blue has all traffic: the rest of one tick
MARGIN = timedelta(seconds=3)  # in which a written weight may not be known to Teal yet
LOOKED = timedelta(seconds=18)  # the same of what only time makes final: until the next look, a period later
OLD_ANSWERS = timedelta(seconds=17)  # a target group that only begins may be an old answer for so long
ALARM_OVER = 5.0  # the threshold of the service's alarm, twice in a row


class FailureOracle:
    """Listens to the answers, and waits for what must follow."""

    def __init__(self, case: Case, evidence: Evidence, rules: RuleOracle, duties: Duties) -> None:
        self.case, self.evidence, self.rules, self.duties = case, evidence, rules, duties
        self.alarms_at_start: dict[str, str] = case.truth.alarm_states()
        self._had_healthy_since_traffic = True

    def look(self) -> None:
        """Whether green has had a healthy target ever since it has traffic."""
        case = self.case
        if case.most <= 0:
            self._had_healthy_since_traffic = True
        elif case.green_group and case.truth.healthy(case.green_group) == 0:
            self._had_healthy_since_traffic = False

    def hears(self, record: CallRecord) -> None:
        """An answer came: what does it say?"""
        case = self.case
        if record.error is not None or case.told.turned_back or case.told.ended:
            return
        if case.is_early and case.most > 0:
            for oracle, how in self._against(record):
                self._owe(oracle, how)
        elif not case.is_early and record.operation == "GetMetricData" and SLACK < case.most < 1 - SLACK:
            self._judge_blue()
        if record.operation == "DescribeServices" and case.is_early and case.green:
            newest = self.evidence.newest(case.green)
            if newest is not None and newest.state == "FAILED":
                self._owe("green that gave up", "ECS was seen to have given up on green")

    def _against(self, record: CallRecord) -> Iterator[tuple[str, str]]:
        match record.operation:
            case "GetMetricData":
                yield from self._by_periods()
            case "DescribeAlarms":
                yield from self._by_alarms()
            case "DescribeTargetHealth" if record.params["TargetGroupArn"] == self.case.green_group:
                yield from self._by_targets()
            case _:
                pass

    def _owe(self, oracle: str, how: str) -> None:
        case, now = self.case, self.case.world.now
        within = LOOKED if oracle == "breaching alarm" else WITHIN
        case.known_at = now
        if case.file.on_failure is OnFailure.HOLD and oracle != "green that gave up":
            start = now - OLD_ANSWERS * 2
            self.duties.owe(
                oracle,
                how,
                how,
                within=within,
                is_met=lambda: (
                    case.told.says("gate_answered", since=start, words=": fail:")
                    or self._holds()
                    or self._is_left_to_people()
                ),
                is_void=lambda: not case.is_early or bool(case.told.turned_back or case.told.ended),
            )
            return
        self.duties.owe(
            oracle,
            how,
            how,
            within=within,
            is_met=lambda: (
                (case.told.turned_back is not None and case.is_all_on_blue()) or self._is_left_to_people()
            ),
            is_void=lambda: case.told.ended is not None or not case.is_early,
        )

    def _is_left_to_people(self) -> bool:
        """Where the file says that green's start cannot be undone: a failure is said to be a person's to take back."""
        words, told = "only a person may roll back", self.case.told
        if not self.case.file.one_way:
            return False
        is_said = any(line.kind == "paged" and words in line.text for line in told.lines)
        return (is_said and self._holds()) or any(words in reason for reason in told.standing)

    def _holds(self) -> bool:
        gates = ("guard: ", "health: ", "alarms: ", "compare: ")
        return any(
            reason.startswith(gates) and "waits for" not in reason for reason in self.case.told.standing
        )

    # what speaks against green -----------------------------------------------------------------------------------

    def _by_periods(self) -> Iterator[tuple[str, str]]:
        for at, period in self._steady_periods():
            if period.convicts() and self._is_final(at):
                yield "FAIL turns back", f"the period from {at:%H:%M:%S} spoke against green"
        names = set(self.case.scenery.alarms)
        if not names or self.case.truth.alarms().keys() < names or self._fired_at_start(names):
            return
        told = dict(self._steady_periods())
        for at in told:
            following = told.get(at + self.case.world.minute)
            if following is None or not self._is_final(at + self.case.world.minute):
                continue
            both = (told[at], following)
            is_over = all((one.of_green.errors_least or 0) > ALARM_OVER + 1 for one in both)
            if is_over and not any(one.blue_errors_most for one in both):
                yield "breaching alarm", f"{names} breached for green from {at:%H:%M:%S} on"

    def _steady_periods(self) -> Iterator[tuple[datetime, Period]]:
        changed, told = self.rules.changed_at, self.case.told
        if changed is None:
            return
        since = max((at for at in (changed, told.last_given("resume", "back")) if at), default=changed)
        for at, period in self.evidence.whole(since + self.case.world.minute / 3):
            if at + 12 * self.case.world.minute > self.case.world.now:
                yield at, period

    def _is_final(self, at: datetime) -> bool:
        """Whether a period is old enough, by the newest answer, for no further answer to be waited for."""
        newest = self.evidence.periods[at].newest
        return newest is not None and newest.at >= at + 3 * self.case.world.minute

    def _fired_at_start(self, names: set[str]) -> bool:
        return any(self.alarms_at_start.get(name) == "ALARM" for name in names)

    def _by_alarms(self) -> Iterator[tuple[str, str]]:
        for name, state in self.evidence.alarms.items():
            is_seeing = name not in self.case.scenery.alarms and name in self.case.alarms
            has_settled = self.case.served_at is not None and self._served_for() > MARGIN
            if is_seeing and state == "ALARM" and self.alarms_at_start.get(name) != "ALARM" and has_settled:
                yield "firing alarm", f"{name} was seen in ALARM"

    def _served_for(self) -> timedelta:
        entered = self.rules.first_traffic_at
        return self.case.world.now - entered if entered is not None else timedelta(0)

    def _by_targets(self) -> Iterator[tuple[str, str]]:
        looks = self.evidence.health.get(self.case.green_group or "", [])
        others = self.evidence.health.get(self.case.blue_group, [])
        first = looks[-1]
        for look in reversed(looks):
            if look.healthy or look.is_unused:
                break
            first = look
        if looks[-1].healthy or looks[-1].is_unused or self._served_for() < MARGIN:
            return
        resumed = self.case.told.last_given("resume", "back")
        first_at = max(first.at, resumed or first.at, (self.rules.first_traffic_at or first.at) + MARGIN)
        is_beginning = any(look.is_beginning for look in looks if look.at >= first.at)
        longest = OLD_ANSWERS if is_beginning else self.case.world.minute / 3
        blue_is_well = others and all(look.healthy for look in others if look.at >= first.at - OLD_ANSWERS)
        if blue_is_well and looks[-1].at - first_at >= longest and self._is_undisturbed(first_at):
            yield "no healthy target", f"green had traffic and no healthy target from {first.at:%H:%M:%S} on"

    def _is_undisturbed(self, since: datetime) -> bool:
        return self.duties.disturbed_at < since

    # settling ----------------------------------------------------------------------------------------------------

    def _judge_blue(self) -> None:
        case = self.case
        if case.told.turned_back or case.file.ending.is_swap:
            return
        for at, period in self._steady_periods():
            if period.convicts(is_of_blue=True) and self._is_final(at):
                case.blue_failed_at = case.world.now
                was = case.least
                self.duties.owe(
                    "FAIL in settling",
                    at,
                    f"the period from {at:%H:%M:%S} spoke against blue in settling",
                    within=WITHIN,
                    is_met=lambda was=was: case.least > was + SLACK,  # type: ignore[misc]
                    is_void=lambda: case.told.turned_back is not None or case.told.ended is not None,
                )

    # never without cause -----------------------------------------------------------------------------------------

    def check_reason(self, text: str) -> None:
        """A rollback that was just decided: was it so?"""
        case = self.case
        if "targets is healthy" in text and "takes traffic" in text and self._had_healthy_since_traffic:
            case.says("true reasons", f"green always had a healthy target: {text}")
        if "nobody approved" in text and case.was_approved():
            case.says("approve by command", f"somebody had: {text}")
