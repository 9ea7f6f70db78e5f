"""The log explains the state: what it says is so, is so; what it says was read, AWS answered."""

import re
from datetime import timedelta

from tests.sim.oracles.case import SLACK, Case
from tests.sim.oracles.duties import Duties
from tests.sim.oracles.evidence import FRESH, Evidence
from tests.sim.oracles.told import Line
from tests.sim.oracles.truth import besides_weights, weights

READ_BACK = re.compile(r"green's weight on (.+) was read back: (?:([\d.]+) %|its first list)")
AT_ONCE = timedelta(seconds=5)


class LogOracle:
    """Reads each line as it is written."""

    def __init__(self, case: Case, evidence: Evidence, duties: Duties) -> None:
        self.case, self.evidence, self.duties = case, evidence, duties

    def reads(self, line: Line) -> None:
        """A new line."""
        match line.kind:
            case "weight_verified":
                self._check_read_back(line)
            case "traffic_on_blue":
                has_served = self.case.served_at is not None
                if has_served and not all(self._answers(arn, 0.0, line) for arn in self.case.rules):
                    self.case.says("said as read", f"no answer showed it: {line.text}")
            case "rollback_decided":
                self._owe_rollback(line)
            case _:
                pass

    def _check_read_back(self, line: Line) -> None:
        found = READ_BACK.match(line.text)
        if found is None:
            return
        arn = next((arn for arn, name in self.case.names.items() if found[1].startswith(name)), None)
        if arn is not None and not self._answers(arn, float(found[2] or 0) / 100, line):
            self.case.says("said as read", f"no answer showed it: {line.text}")

    def _answers(self, arn: str, wanted: float, line: Line) -> bool:
        """Whether an answer of a little before the line shows this share of a rule."""
        for at, actions in self.evidence.rule_actions.get(arn, []):
            found = weights(actions)
            mine, theirs = found.get(self.case.green_group or "", 0), found.get(self.case.blue_group, 0)
            part = mine / (mine + theirs) if mine + theirs else 0.0
            if line.at - at <= FRESH and abs(part - wanted) < SLACK:
                return True
        return False

    def _owe_rollback(self, line: Line) -> None:
        case = self.case
        if case.file.ending.is_swap:
            return
        if case.is_early:
            self.duties.owe(
                "rollback at once",
                line.at,
                f"it turned back ({line.text})",
                within=AT_ONCE,
                is_met=case.is_all_on_blue,
                is_void=lambda: case.is_abandoned,
            )
            return
        former, at = case.scenery.task_definition, line.at
        self.duties.owe(
            "former at once",
            line.at,
            f"it turned back ({line.text})",
            within=2 * AT_ONCE,
            is_met=lambda: case.blue().definition.arn == former or (case.updated_at or at) > at,
            is_void=lambda: case.is_abandoned,
        )

    def end(self) -> None:
        """The last line names what is not as it was."""
        case, last = self.case, self.case.told.ended
        if last is None:
            return
        for arn in set(case.rules) - case.edited_afterwards:
            is_same = case.truth.rule(arn) == case.before[arn]
            told = last.text.partition("; not ")[2]  # as it was, or compared
            says_so = case.names[arn] in told or case.file.ending.is_swap
            if not is_same and not says_so and not self._is_same_but_in_form(arn):
                words = f"{case.names[arn]} differs, and it says: {last.text}"
                case.says("the end says what differs", words)

    def _is_same_but_in_form(self, arn: str) -> bool:
        """A rule that somebody else wrote in another form says the same to AWS and to people."""
        case = self.case
        before, after = case.before[arn].actions, case.truth.rule(arn).actions
        was, now = weights(before), weights(after)
        mine = {group: weight / sum(was.values()) for group, weight in was.items() if weight}
        theirs = {group: weight / sum(now.values()) for group, weight in now.items() if weight}
        is_alike = besides_weights(before, *was) == besides_weights(after, *was)
        return arn in case.edited and is_alike and mine == theirs
