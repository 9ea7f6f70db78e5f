"""When the datapoints of a load balancer's minutes could be read, and whether they changed afterwards."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(slots=True, kw_only=True)
class Datapoint:
    """One period of one series, as it was read again and again."""

    series: str
    period_end: datetime
    first_read: datetime
    values: list[tuple[datetime, float]] = field(default_factory=list)  # each value when it was first read

    @property
    def delay(self) -> timedelta:
        """From the period's end until it could be read."""
        return self.first_read - self.period_end

    @property
    def settled_after(self) -> timedelta:
        """From the period's end until its last value could be read."""
        return self.values[-1][0] - self.period_end

    @property
    def is_revised(self) -> bool:
        """True if it was read with another value later."""
        return len(self.values) > 1


class Datapoints:
    """Every datapoint of the run. A period that had begun before anybody looked says nothing and is left out."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, datetime], Datapoint] = {}
        self._since: dict[str, datetime] = {}

    def saw(self, series: str, found: dict[datetime, float], *, now: datetime, period: timedelta) -> None:
        """One read: the values by the start of their period. A period that has not ended yet is left out."""
        since = self._since.setdefault(series, now)
        for start, value in found.items():
            end = start + period
            if end > now or end <= since:
                continue
            known = self._all.setdefault(
                (series, start), Datapoint(series=series, period_end=end, first_read=now)
            )
            if not known.values or known.values[-1][1] != value:
                known.values.append((now, value))

    def __iter__(self) -> Iterator[Datapoint]:
        """In the order in which they were first read."""
        return iter(self._all.values())
