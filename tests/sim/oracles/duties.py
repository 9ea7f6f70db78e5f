"""What must happen in time, once there is reason for it: in undisturbed time, while an engine lives and AWS answers.

A call that failed, a silence longer than any between two looks, and another process at work each begin the time anew:
what is promised "within an interval" is promised of whoever can look.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.sim.oracles.case import Case

SILENT = timedelta(seconds=12.5)  # no engine is silent for so long: it looks once a period at least


@dataclass(slots=True, kw_only=True)
class Duty:
    """One thing that must happen. `is_met`: it has. `is_void`: it need not any more."""

    oracle: str
    how: str
    within: timedelta
    due: datetime
    is_met: Callable[[], bool]
    is_void: Callable[[], bool]


class Duties:
    """Everything that is owed."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._owed: list[Duty] = []
        self._keys: set[object] = set()
        self._last: datetime | None = None
        self._owner = ""
        self.disturbed_at = case.world.now  # the last time that something was in the way

    def owe(
        self,
        oracle: str,
        key: object,
        how: str,
        *,
        within: timedelta,
        is_met: Callable[[], bool],
        is_void: Callable[[], bool] = lambda: False,
    ) -> None:
        """From now on this must happen in time; the same `key` again is the same duty."""
        if (oracle, key) in self._keys:
            return
        self._keys.add((oracle, key))
        due = self._case.world.now + within
        self._owed.append(
            Duty(oracle=oracle, how=how, within=within, due=due, is_met=is_met, is_void=is_void)
        )

    def look(self) -> None:
        """Strike out what is done."""
        if self._owed:
            self._owed = [duty for duty in self._owed if not duty.is_void() and not duty.is_met()]

    def disturb(self, at: datetime) -> None:
        """Something is in the way: what is owed is owed from now on."""
        self.disturbed_at = at
        for duty in self._owed:
            duty.due = max(duty.due, at + duty.within)

    def heard(self, at: datetime, owner: str, *, has_failed: bool) -> None:
        """A call of an engine's arrived: somebody is there to do what is owed."""
        is_back = self._last is None or at - self._last > SILENT or owner != self._owner
        self._last, self._owner = at, owner
        if is_back or has_failed:
            self.disturb(at)
        late = [duty for duty in self._owed if at > duty.due]
        for duty in late:
            self._case.says(
                duty.oracle, f"{duty.how}, and {duty.within.total_seconds():g} s later nothing was done"
            )
        if late:
            self._owed = [duty for duty in self._owed if duty not in late]
