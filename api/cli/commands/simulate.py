"""`simulate`: what a plan is worth, before the release."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli.backend.profiles import target
from api.cli.output.output import emit, json_option, table
from orchestrator import bootstrap

if TYPE_CHECKING:
    from orchestrator.core.analysis.detectable_regression import Measured
    from orchestrator.core.rollout.spec import Spec
    from orchestrator.simulate.defects import Defect
    from orchestrator.simulate.report import Row, Simulation
    from orchestrator.simulate.traffic import Demand

RUNS, RUNS_MAX = 200, 20_000
RATE_MIN, RATE_MAX = 1e-6, 1_000_000.0


def _rate(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    if value is not None and not RATE_MIN <= value <= RATE_MAX:
        least = f"more than 0 (at least {RATE_MIN:f})"
        raise click.BadParameter(f"{value:g} is out of range: write {least} and at most {RATE_MAX:,.0f}")
    return value


def _errors(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    text = value.strip()
    try:
        share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no share: write one such as 0.1% or 0.001") from None
    if not 0 <= share < 1:
        raise click.BadParameter(f"{value} is no share of requests: write one from 0 to less than 1, or 0.1%")
    return share


def _list_defects(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Print what there is and end, for `--defect help`."""
    if "help" in value and not ctx.resilient_parsing:
        from orchestrator.simulate.defects import MEANINGS

        for line in table(("DEFECT", "WHAT IT IS"), [(one.value, words) for one, words in MEANINGS.items()]):
            click.echo(line)
        ctx.exit(0)
    return value


@click.command("simulate")
@click.option(
    "--file", "-f", "path", type=click.Path(path_type=Path), required=True, help="The rollout file."
)
@click.option(
    "--rps",
    type=float,
    callback=_rate,
    help="Requests a second. Default: those of the service's last hour, read from CloudWatch.",
)
@click.option(
    "--error-rate",
    callback=_errors,
    help="Share of requests that fails anyway, such as 0.1%. Default: as --rps; with --rps, 0.1%.",
)
@click.option(
    "--defect",
    "defects",
    multiple=True,
    is_eager=True,
    callback=_list_defects,
    help="Only this defect; may be repeated. `--defect help` lists them.",
)
@click.option(
    "--runs", type=click.IntRange(1, RUNS_MAX), default=RUNS, show_default=True, help="Rollouts a defect."
)
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed is the same traffic."
)
@click.option("--plot", type=click.Path(path_type=Path), help="Draw harm against time into this SVG file.")
@click.option(
    "--paths",
    type=click.Path(path_type=Path),
    help="Draw green's weight in one rollout a defect into this SVG file.",
)
@click.option("--alone", is_flag=True, help="Without the alternatives and without advice.")
@json_option
def simulate_command(  # noqa: PLR0913, PLR0917 - one parameter an option
    path: Path,
    rps: float | None,
    error_rate: float | None,
    defects: tuple[str, ...],
    runs: int,
    seed: int,
    plot: Path | None,
    paths: Path | None,
    alone: bool,
    as_json: bool,
) -> None:
    """Try a plan on simulated releases: what a bad one would cost, and how soon it would be found.

    Runs the real decision core against simulated traffic with CloudWatch's delays, once for each defect, beside
    what others would do with the same traffic. Harm is in requests, and in percent of one minute of all traffic.

    How much traffic there is, and how much of it fails anyway, is read from CloudWatch (by the server, where there is
    one) unless --rps says it. Exits 2 if it can neither be read nor was said.
    """
    from orchestrator.config import load_file
    from orchestrator.simulate.report import simulate

    spec, wanted = load_file(path), _defects(defects)
    load, measured = _load(spec, rps, error_rate)
    report = simulate(
        spec,
        load,
        runs=runs,
        seed=seed,
        defects=wanted,
        with_rivals=not alone,
        with_advice=not alone,
    )
    report = replace(report, measured=measured)
    if plot is not None:
        from orchestrator.simulate.plot import svg

        plot.write_text(svg(report), encoding="utf-8")
    if paths is not None:
        from orchestrator.simulate.paths import svg as drawn

        paths.write_text(drawn(spec, load, wanted, seed=seed), encoding="utf-8")
    if as_json:
        emit(report)
        return
    for line in _lines(report):
        click.echo(line)
    for path_drawn in (plot, paths):
        if path_drawn is not None:
            click.echo(f"drawn into {path_drawn}")


def _load(spec: "Spec", rps: float | None, error_rate: float | None) -> "tuple[Demand, Measured | None]":
    """The rates that were said, or the service's own. Raises TrafficUnknown."""
    from orchestrator.simulate.scope import demand_of
    from orchestrator.simulate.traffic import ERRORS_USUAL, Demand

    if rps is not None:
        usual = ERRORS_USUAL if error_rate is None else error_rate
        return Demand(requests_per_second=rps, error_rate=usual), None
    measured = asyncio.run(_measure(spec))
    return demand_of(measured, spec.metrics.period, error_rate), measured


async def _measure(spec: "Spec") -> "Measured":
    there = target()
    if there.server:
        from api.cli.backend.server import ServerDoor

        return await ServerDoor(there.server, token=there.token, origin=there.origin).traffic(spec)
    from orchestrator.engine.views.traffic import measure

    async with bootstrap.open_cloud() as cloud:
        return await measure(spec, cloud=cloud, clock=bootstrap.SystemClock())


def _defects(names: tuple[str, ...]) -> "tuple[Defect, ...]":
    from difflib import get_close_matches

    from orchestrator.simulate.defects import Defect

    known = [defect.value for defect in Defect]
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"write one of {', '.join(known)}"
            raise click.BadParameter(f"there is no defect {name!r}: {hint}", param_hint="--defect")
    return tuple(Defect(name) for name in names) or tuple(Defect)


def _lines(report: "Simulation") -> list[str]:
    from datetime import timedelta

    from orchestrator.core.analysis.detectable_regression import words_of

    load, seen = report.load, report.foresight
    lines = [
        f"{load.requests_per_second:.6g} requests/s, {load.error_rate:.3%} errors, {report.rows[0].runs} rollouts a "
        f"defect, seed {report.seed}",
        *_read(report),
        "",
        f"{report.plan}: harm in requests and in percent of one minute of all traffic, median and 95 %",
        *table(_HEAD, [_cells(row) for row in report.of(report.plan)]),
        "",
    ]
    if len(report.policies) > 1:
        lines += ["mean harm in percent of one minute of all traffic; good releases: share rolled back"]
        lines += [*table(*_beside(report)), ""]
    if report.limits:
        limits = ", ".join(f"{one.defect.value} {one.harm_percent:.2g} %" for one in report.limits)
        lines += [f"with minute metrics and these weights nothing does less harm than: {limits}"]
    period = timedelta(seconds=seen.load.requests / load.requests_per_second)
    lines += [f"this plan: {words_of(seen, period)}"]
    lines += [f"left out: {words}" for words in report.left_out]
    lines += [f"advice: {words}" for words in report.advice]
    return lines


def _read(report: "Simulation") -> list[str]:
    """Where the rates are from, if they were read."""
    found = report.measured
    if found is None:
        return []
    said = "" if found.load.error_rate == report.load.error_rate else "; the errors are as you said"
    when = f"{found.start:%Y-%m-%d %H:%M:%S}Z to {found.end:%H:%M:%S}Z"
    return [f"read from CloudWatch: {when}, {found.load.requests:,.0f} requests a period{said}"]


_HEAD = (
    "DEFECT",
    "HARM",
    "95 %",
    "% OF A MINUTE",
    "95 %",
    "FOUND AFTER",
    "BEFORE FULL",
    "ROLLED BACK",
    "FULL AFTER",
)


def _cells(row: "Row") -> tuple[str, ...]:
    back = f"{row.rolled_back:.1%}" + (" falsely" if row.is_false_abort and row.rolled_back else "")
    return (
        row.defect.value,
        f"{row.harm_median:,.0f}",
        f"{row.harm_p95:,.0f}",
        f"{row.harm_percent_median:.3g}",
        f"{row.harm_percent_p95:.3g}",
        "–" if row.detect_seconds_median is None else f"{row.detect_seconds_median / 60:.1f} min",
        "–" if row.is_false_abort else f"{row.before_full:.0%}",
        back,
        _minutes(row),
    )


def _minutes(row: "Row") -> str:
    return "–" if row.full_minutes_median is None else f"{row.full_minutes_median:.1f} min"


def _beside(report: "Simulation") -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """One line a policy, one column a defect."""
    defects = list(dict.fromkeys(row.defect for row in report.rows))
    rows = []
    for policy in report.policies:
        of = {row.defect: row for row in report.of(policy)}
        full = next((_minutes(row) for row in of.values() if row.full_minutes_median is not None), "–")
        cells = (
            f"({of[defect].rolled_back:.1%})"
            if of[defect].is_false_abort
            else f"{of[defect].harm_percent_mean:.3g}"
            for defect in defects
        )
        rows.append((policy, full, *cells))
    return ("POLICY", "FULL AFTER", *(defect.value.upper() for defect in defects)), rows
