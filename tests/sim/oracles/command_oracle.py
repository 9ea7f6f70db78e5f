"""What a person asked for and the door accepted: it is answered once, soon, and has its effect where it is applied."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.core.domain.commands import Command
from sandbox.world.kernel.log import CallRecord
from tests.sim.oracles.case import SLACK, Case
from tests.sim.oracles.duties import Duties
from tests.sim.oracles.told import Line

ANSWERED = timedelta(seconds=8)  # from the door's answer until the log says what became of it
EFFECT = timedelta(seconds=6)  # from there until it has had its effect
EVIDENCE = ("guard:", "alarms:", "compare:", "metric:")  # gates whose holds a promotion waives
MOVED = timedelta(seconds=16)  # until a promoted step is left, where nothing is said to hold it


@dataclass(frozen=True, slots=True)
class Given:
    """A command that the door accepted."""

    command: Command
    at: datetime


class CommandOracle:
    """Knows what was accepted, and reads what became of it."""

    def __init__(self, case: Case, duties: Duties) -> None:
        self.case, self.duties = case, duties
        self.given: list[Given] = []  # accepted
        self._asked: dict[str, Command] = {}  # by key: given, and not refused
        self._abandoned_at: datetime | None = None

    def asked(self, command: Command) -> None:
        """Somebody gives a command: it may be answered before the door's answer has arrived."""
        self._asked[command.key] = command

    def refused(self, command: Command) -> None:
        """The door refused it."""
        self._asked.pop(command.key, None)

    def accepted(self, command: Command) -> None:
        """The door accepted a command just now."""
        self.given.append(Given(command, self.case.world.now))
        words = f"{command.kind} by {command.by.name}"
        count = sum(f"{one.command.kind} by {one.command.by.name}" == words for one in self.given)
        self.duties.owe(
            "command answered",
            command.key,
            f"{words} was accepted",
            within=ANSWERED,
            is_met=lambda: self._answers(words) >= count,
        )

    def _answers(self, words: str) -> int:
        kinds = ("command_applied", "command_overtaken")
        starts = (f"{words}:", words)
        return sum(
            line.kind in kinds and (line.text == words or line.text.startswith(starts[0]))
            for line in self.case.told.lines
        )

    def reads(self, line: Line) -> None:
        """A new line of the log."""
        if line.kind not in ("command_applied", "command_overtaken"):
            return
        kind, _, rest = line.text.partition(" by ")
        name = rest.partition(":")[0]
        words = f"{kind} by {name}"
        asked = sum(f"{one.kind} by {one.by.name}" == words for one in self._asked.values())
        if self._answers(words) > asked:
            self.case.says("command answered", f"{words} was answered more often than it was given")
        if line.kind == "command_applied":
            self._owe_effect(kind, name, line)

    def _owe_effect(self, kind: str, name: str, line: Line) -> None:
        case, number = self.case, len(case_lines(self.case))
        match kind:
            case "rollback" | "reject" if case.is_early:
                self.duties.owe(
                    "rollback by command",
                    number,
                    f"{line.text} was applied",
                    within=EFFECT,
                    is_met=lambda: case.told.turned_back is not None and case.is_all_on_blue(),
                    is_void=lambda: case.told.ended is not None,
                )
            case "rollback" | "reject":
                self.duties.owe(
                    "rollback by command",
                    number,
                    f"{line.text} was applied",
                    within=EFFECT,
                    is_met=lambda: case.told.turned_back is not None or case.told.ended is not None,
                )
            case "back":
                self._owe_back(name, line, number)
            case "promote":
                was, at = case.least, line.at
                self.duties.owe(
                    "promote by command",
                    number,
                    f"{line.text} was applied, nothing holds",
                    within=MOVED,
                    is_met=lambda: (
                        case.least > was + SLACK
                        or not case.is_early
                        or self._is_held(at)
                        or self._is_watched_enough(was, at)
                    ),
                    is_void=lambda: self._is_overtaken(at),
                )
            case "resume":
                at = line.at
                self.duties.owe(
                    "resume by command",
                    number,
                    f"{line.text} was applied",
                    within=EFFECT,
                    is_met=lambda: not any(one.startswith("paused by") for one in case.told.standing),
                    is_void=lambda: case.told.is_paused or case.told.ended is not None,
                )
                if any(one.startswith("blue did not take") for one in case.told.standing):
                    self.duties.owe(
                        "resume by command",
                        (number, "update"),
                        f"{line.text} was applied where blue had not taken the revision",
                        within=2 * EFFECT,
                        is_met=lambda: (case.updated_at or at) > at or self._is_held_besides(),
                        is_void=lambda: case.told.turned_back is not None or case.told.is_paused,
                    )
            case "abandon":
                self._abandoned_at = line.at
            case _:
                pass

    def _is_overtaken(self, since: datetime) -> bool:
        """Whether it turned back, ended, or was taken to an earlier step by somebody after a promotion."""
        told, back = self.case.told, self.case.told.last_given("back")
        return told.turned_back is not None or told.ended is not None or (back is not None and back >= since)

    def _is_watched_enough(self, was: float, since: datetime) -> bool:
        """Where green stays, blue is not touched after the last step: the log alone says that the watch is over."""
        has_all = self.case.file.ending.is_swap and was > 1 - SLACK
        return has_all and self.case.told.says("step_passed", since=since)

    def _is_held_besides(self) -> bool:
        return any(not one.startswith("blue did not take") for one in self.case.told.standing)

    def _is_held(self, since: datetime) -> bool:
        """Whether anything is said to hold, or did since, that a promotion does not waive."""
        told = self.case.told
        reasons = [line.text for line in told.lines if line.kind in ("held", "paged") and line.at >= since]
        return any(not one.startswith(EVIDENCE) for one in (*told.standing, *reasons))

    def _owe_back(self, name: str, line: Line, number: int) -> None:
        case = self.case
        given = [
            one.command for one in self.given if one.command.kind == "back" and one.command.by.name == name
        ]
        shares = [command.to / 1000 for command in given if command.to is not None]
        if not shares or not case.is_early:
            return
        self.duties.owe(
            "back by command",
            number,
            f"{line.text} was applied",
            within=EFFECT,
            is_met=lambda: case.most <= max(shares) + SLACK,
            is_void=lambda: case.told.ended is not None or bool(case.edited),
        )

    def hears(self, record: CallRecord, *, is_teal: bool) -> None:
        """A write arrived: nothing may be written once somebody has abandoned the rollout."""
        if not is_teal or self._abandoned_at is None:
            return
        self.case.says("abandon by command", f"{record.operation} after it was abandoned")

    def end(self) -> None:
        """Every accepted command was answered."""
        for one in self.given:
            words = f"{one.command.kind} by {one.command.by.name}"
            accepted = sum(f"{each.command.kind} by {each.command.by.name}" == words for each in self.given)
            if self._answers(words) < accepted:
                self.case.says("command answered", f"{words} was accepted and never answered")


def case_lines(case: Case) -> list[Line]:
    """The log so far."""
    return case.told.lines
