"""One rollout of each defect as a picture: green's weight over time, and how it ended."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from html import escape
from math import log10

from orchestrator.core.domain.plan import ALL, NONE
from orchestrator.core.rollout.spec import Spec
from orchestrator.simulate.defects import Defect
from orchestrator.simulate.plot import COLOURS
from orchestrator.simulate.scope import foreseen, horizon_of, simulated
from orchestrator.simulate.teal import Outcome, roll_out
from orchestrator.simulate.traffic import Demand

WIDTH, HEIGHT, LEFT, TOP, LINE = 760, 300, 60, 20, 20
LOWEST = 1  # tenths of a percent, at the bottom of the picture
MARKS = (1, 10, 100, 1000)
MINUTES_LEAST = 10.0
TICKS = 6


def svg(spec: Spec, load: Demand, defects: Sequence[Defect], *, seed: int) -> str:
    """Green's weight in one rollout a defect: minutes across, weight up (logarithmic). Raises Invalid as `simulate`."""
    ours, _ = simulated(spec)
    horizon = horizon_of(foreseen(ours, load))
    runs = [(defect, roll_out(ours, load, defect, seed=seed, horizon=horizon)) for defect in defects]
    right = max(MINUTES_LEAST, *(_minutes(run.lasted) for _, run in runs))
    height = TOP + HEIGHT + 2 * LINE + LINE * len(runs) + 10
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            'font-family="system-ui, sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
            *_axes(right),
            *(part for number, (defect, run) in enumerate(runs) for part in _run(number, defect, run, right)),
            "</svg>",
            "",
        ]
    )


def _minutes(duration: timedelta) -> float:
    return duration / timedelta(minutes=1)


def _across(minutes: float, right: float) -> float:
    return LEFT + (WIDTH - LEFT - 20) * minutes / right


def _up(tenths: float) -> float:
    return TOP + HEIGHT * (1 - (log10(max(tenths, LOWEST)) - log10(LOWEST)) / (log10(ALL) - log10(LOWEST)))


def _axes(right: float) -> Iterator[str]:
    for mark in MARKS:
        y = _up(mark)
        yield f'<line x1="{LEFT}" x2="{WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e5e7eb"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{mark / 10:g} %</text>'
    for tick in range(TICKS):
        minutes = round(right * tick / (TICKS - 1))
        x = _across(min(minutes, right), right)
        yield f'<text x="{x:.1f}" y="{TOP + HEIGHT + 16}" text-anchor="middle">{minutes}</text>'
    yield (
        f'<text x="{LEFT}" y="{TOP + HEIGHT + 34}" fill="#57534e">'
        "minutes since green's first request; up: green's weight</text>"
    )


def _run(number: int, defect: Defect, run: Outcome, right: float) -> Iterator[str]:
    colour = COLOURS[number % len(COLOURS)]
    points, before = [], 0
    for at, weight in run.weights:
        x = _across(min(_minutes(at), right), right)
        points += [f"{x:.1f},{_up(before):.1f}", f"{x:.1f},{_up(weight):.1f}"]
        before = weight
    end = _across(_minutes(run.lasted), right)
    points.append(f"{end:.1f},{_up(before):.1f}")
    yield f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
    y = TOP + HEIGHT + 2 * LINE + LINE * (number + 1)
    yield f'<line x1="{LEFT}" x2="{LEFT + 24}" y1="{y - 4}" y2="{y - 4}" stroke="{colour}" stroke-width="2.5"/>'
    yield f'<text x="{LEFT + 32}" y="{y}">{escape(f"{defect.value}: {_words(run)}")}</text>'


def _words(run: Outcome) -> str:
    if run.is_rolled_back:
        largest = max((weight for _, weight in run.weights), default=NONE) / 10
        after = f"rolled back after {_minutes(run.lasted):.1f} min"
        return f"{after}; green had {largest:g} % at most, and {run.harm:,} requests were hurt"
    if run.full_after is None:
        return f"not at full weight after {_minutes(run.lasted):.0f} min"
    return (
        f"at full weight after {_minutes(run.full_after):.1f} min, over after {_minutes(run.lasted):.1f} min"
    )
