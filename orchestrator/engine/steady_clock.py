"""A clock that nobody sets: what an engine waits for comes when it is due, though the machine's clock is stepped.

It starts with the machine's and goes on with the time since the machine was started. Where somebody sets the machine's
clock, or a time service steps it, this one comes near it by a twentieth of the time that passes, never backwards, and
says so. Where the difference to AWS's clock matters more, `aws_time` knows it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from orchestrator.ports.right_to_act import Seconds, boot_seconds

COMES_NEAR = 0.05  # of the time that passes
STEP = timedelta(seconds=1)  # less is how unevenly any process is run

log = structlog.get_logger()


def machine_time() -> datetime:
    """What the machine's clock says now, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a steady clock said at a moment of the machine's life: with it another process's clock says the same."""

    at: datetime
    boot_seconds: float


class SteadyClock:
    """The time. Two in one process, or made of each other's readings on one machine, agree."""

    def __init__(
        self,
        like: Reading | None = None,
        *,
        machine: Callable[[], datetime] = machine_time,
        boot: Seconds = boot_seconds,
    ) -> None:
        """`like`: goes on from there; None: from what the machine's clock says."""
        self._machine, self._boot = machine, boot
        self._last = like or Reading(at=machine(), boot_seconds=boot())
        self._gap = machine() - self._at(boot())

    def now(self) -> datetime:
        """The present moment, UTC; never before one that was told."""
        since_boot = self._boot()
        passed = timedelta(seconds=since_boot - self._last.boot_seconds)
        gap = self._machine() - self._at(since_boot)
        if abs(gap - self._gap) > STEP:
            stepped = (gap - self._gap).total_seconds()
            log.warning(
                "machine_clock_stepped", seconds=round(stepped, 1), off_seconds=round(gap.total_seconds(), 1)
            )
        most = passed * COMES_NEAR
        nearer = max(-most, min(most, gap))
        self._last = Reading(at=self._last.at + passed + nearer, boot_seconds=since_boot)
        self._gap = gap - nearer
        return self._last.at

    def reading(self) -> Reading:
        """What it says now, for a clock of another process."""
        return Reading(at=self.now(), boot_seconds=self._last.boot_seconds)

    def _at(self, since_boot: float) -> datetime:
        return self._last.at + timedelta(seconds=since_boot - self._last.boot_seconds)
