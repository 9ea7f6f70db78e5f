"""The statistics of `compare`: anytime-valid evidence that green is worse than blue, or that it is not.

Each process is a non-negative supermartingale that starts at 1 under its null hypothesis, whatever the rates do from
interval to interval, so that by Ville's inequality it ever exceeds 1/alpha with probability at most alpha: it may be
looked at after every interval and acted on at any time. Everything is kept as natural logarithms.

Method: likelihood ratios of the share of errors that fall on green (the common rate cancels), mixed over a grid of
ratios; related work: Lindon, Sanden and Shirikian, "Rapid Regression Detection in Software Deployments through
Sequential Testing", KDD 2022 (arXiv 2205.14762).
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

FIRST_MASS = 0.5
HAZARD = 1 / 60
CLIP = 10.0
Q_OVER_P_MAX = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
PHI_MAX = 10.0
PHI_UNKNOWN = 2.0  # taken where blue's history is too short to say
HISTORY_LEAST = 30  # intervals
HISTORY_EVENTS_LEAST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Multipliers of a margin, evenly spaced in their logarithm, both ends included."""

    lo: float
    hi: float
    n: int

    @property
    def multipliers(self) -> tuple[float, ...]:
        """The points, from ``lo`` to ``hi``."""
        return tuple(math.exp(point) for point in _log_points(self))


@lru_cache(maxsize=16)
def _log_points(grid: Grid) -> tuple[float, ...]:
    low, high = math.log(grid.lo), math.log(grid.hi)
    if grid.n == 1:
        return (low,)
    return tuple(low + (high - low) * i / (grid.n - 1) for i in range(grid.n))


FAIL_GRID = Grid(lo=1.25, hi=60.0, n=40)
PROMOTE_GRID = Grid(lo=0.2, hi=0.8, n=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One interval of one stream: requests of each colour, and those of them that count as events (errors, slow…).

    Raises ValueError for a negative count. An error answered in the next interval may make events exceed requests.
    """

    green_requests: int
    blue_requests: int
    green_events: int
    blue_events: int

    def __post_init__(self) -> None:
        for name in ("green_requests", "blue_requests", "green_events", "blue_events"):
            value = getattr(self, name)
            if not value >= 0 or math.isinf(value) or value != int(value):
                raise ValueError(f"{name} is {value}, and must be a whole number from 0 up")

    @property
    def events(self) -> int:
        """Events of both colours."""
        return self.green_events + self.blue_events

    @property
    def share(self) -> float:
        """Green's realised share of the requests; 0 without any."""
        total = self.green_requests + self.blue_requests
        return self.green_requests / total if total else 0.0

    @property
    def is_informative(self) -> bool:
        """True if both colours had requests: else nothing can be compared."""
        return self.green_requests > 0 and self.blue_requests > 0


def log_ratio(green: int, events: int, share: float, *, margin: float, multiplier: float) -> float:
    """One interval's log-likelihood ratio of "green's rate is margin x multiplier times blue's" to "margin times".

    ``green`` of ``events`` fell on green, which had ``share`` of the requests. Its expectation's exponential is at
    most 1 for every true ratio on the null's side of the margin. Raises ValueError for impossible input.
    """
    if not 0 <= green <= events:
        raise ValueError(f"{green} of {events} events cannot be green's")
    if not 0 <= share <= 1:
        raise ValueError(f"a share of {share} is not between 0 and 1")
    return _log_ratio_of(green, events, share, margin)(math.log(multiplier))


def _log_ratio_of(green: int, events: int, share: float, margin: float) -> Callable[[float], float]:
    """The log-likelihood ratio as a function of the logarithm of the multiplier."""
    scaled, near = share * margin, math.log1p(share * (margin - 1))
    return lambda point: green * point - events * (math.log1p(scaled * math.exp(point) - share) - near)


def _ratios(sample: Sample, margin: float, grid: Grid) -> tuple[float, ...]:
    """The interval's log-likelihood ratio at each point of a grid."""
    if not sample.events:
        return (0.0,) * grid.n
    log_ratio = _log_ratio_of(sample.green_events, sample.events, sample.share, margin)
    return tuple(log_ratio(point) for point in _log_points(grid))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """The plain process: log-likelihood ratios summed over intervals, mixed over a grid. No start time, no clip."""

    margin: float
    phi: float
    grid: Grid
    sums: tuple[float, ...] = ()  # one a grid point; empty: no informative interval yet
    intervals: int = 0  # informative ones

    def add(self, sample: Sample) -> "Sums":
        """The process one interval on; an interval without both colours changes nothing."""
        if not sample.is_informative:
            return self
        ratios = _ratios(sample, self.margin, self.grid)
        before = self.sums or (0.0,) * self.grid.n
        return replace(
            self,
            sums=tuple(a + b for a, b in zip(before, ratios, strict=True)),
            intervals=self.intervals + 1,
        )

    @property
    def log_e(self) -> float:
        """The evidence, tempered by phi."""
        return log_mean_exp([total / self.phi for total in self.sums]) if self.sums else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """The process with an unknown start: a mixture over the interval in which green became worse, each factor clipped.

    Carrying the plain sum through healthy intervals runs up a debt that a late regression has to pay back first; here
    a part of the prior mass enters in every interval. The clip lets one interval multiply the evidence by ten at most.
    """

    margin: float
    phi: float
    grid: Grid = FAIL_GRID
    first_mass: float = FIRST_MASS
    hazard: float = HAZARD
    clip: float | None = CLIP
    log_masses: tuple[float, ...] = ()  # ln M, one a grid point; empty: no informative interval yet
    intervals: int = 0  # informative ones
    green_events: int = 0  # in them

    def add(self, sample: Sample) -> "Onset":
        """The process one interval on; an interval without both colours changes nothing, not even its count."""
        if not sample.is_informative:
            return self
        ceiling = math.inf if self.clip is None else math.log(self.clip)
        entering = math.log(self._entering(self.intervals + 1))
        before = self.log_masses or (-math.inf,) * self.grid.n
        return replace(
            self,
            log_masses=tuple(
                log_add_exp(mass, entering) + min(ratio / self.phi, ceiling)
                for mass, ratio in zip(before, _ratios(sample, self.margin, self.grid), strict=True)
            ),
            intervals=self.intervals + 1,
            green_events=self.green_events + sample.green_events,
        )

    def _entering(self, interval: int) -> float:
        """The prior mass of a start in this interval, from 1."""
        if interval == 1:
            return self.first_mass
        return (1 - self.first_mass) * self.hazard * (1 - self.hazard) ** (interval - 2)

    @property
    def log_e(self) -> float:
        """The evidence: the mean over the grid, and the mass that has not entered yet."""
        if not self.log_masses:
            return 0.0
        waiting = math.log1p(-self.first_mass) + (self.intervals - 1) * math.log1p(-self.hazard)
        return log_add_exp(log_mean_exp(self.log_masses), waiting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Absolute:
    """Evidence that green's event rate is below ``p_max``, whatever blue's is; the way where errors are too few."""

    p_max: float
    phi: float
    parts: tuple[float, ...] = Q_OVER_P_MAX  # the alternatives, as shares of p_max
    requests: int = 0
    events: int = 0

    def add(self, sample: Sample) -> "Absolute":
        """The process one interval on."""
        return self.add_green(requests=sample.green_requests, events=sample.green_events)

    def add_green(self, *, requests: int, events: int) -> "Absolute":
        """The process one interval on, of which green's side alone is known."""
        return replace(self, requests=self.requests + requests, events=self.events + events)

    @property
    def log_e(self) -> float:
        """The evidence, tempered by phi."""
        return log_mean_exp([self._log(part) for part in self.parts]) if self.requests else 0.0

    def _log(self, part: float) -> float:
        if part == 0 and self.events:
            return -math.inf
        of_events = self.events * math.log(part) if part else 0.0
        return (of_events + self.requests * self.p_max * (1 - part)) / self.phi


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispersion:
    """How much more than independent events blue's counts vary. ``phi`` is what the evidence is divided by."""

    phi: float
    estimate: float | None  # before it was clamped; None: too little history

    @property
    def is_beyond(self) -> bool:
        """True if events cluster more than the evidence allows for: false failures may then exceed alpha."""
        return self.estimate is not None and self.estimate > PHI_MAX


def dispersion(history: Sequence[tuple[int, int]]) -> Dispersion:
    """Dispersion of consecutive intervals' (events, requests) on blue, before green has traffic.

    Pooled squared differences of the rates over what independent events would give: neither drift nor noise in the
    amount of traffic inflates it, and small counts do not bias it. At constant traffic it is the sum of
    (x - x')^2 over the sum of x + x'. Shared spikes inflate it, which the comparison need not fear, so it is clamped
    to 1…10.
    """
    known = [(events, requests) for events, requests in history if requests]
    if len(known) <= HISTORY_LEAST or sum(events for events, _ in known) < HISTORY_EVENTS_LEAST:
        return Dispersion(phi=PHI_UNKNOWN, estimate=None)
    squares = sum((b / m - a / n) ** 2 for (a, n), (b, m) in pairwise(known))
    expected = sum((a + b) / (n + m) * (1 / n + 1 / m) for (a, n), (b, m) in pairwise(known))
    estimate = squares / expected if expected else 1.0
    return Dispersion(phi=min(PHI_MAX, max(1.0, estimate)), estimate=estimate)


def log_add_exp(a: float, b: float) -> float:
    """``ln(e^a + e^b)`` without overflow; either may be minus infinity."""
    high, low = max(a, b), min(a, b)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))


def log_mean_exp(values: Iterable[float]) -> float:
    """``ln`` of the mean of ``e^value`` without overflow."""
    found = tuple(values)
    high = max(found)
    if high == -math.inf:
        return high
    return high + math.log(math.fsum(math.exp(value - high) for value in found) / len(found))
