"""`evidence`: recompute what a comparison came to, from a rollout's events or from series of intervals."""

from pathlib import Path

import click

from api.cli.output.output import emit, json_option, table

DISAGREES = 1


@click.command("evidence")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@click.pass_context
def evidence_command(ctx: click.Context, file: Path, as_json: bool) -> None:
    """Recompute the evidence that green is worse than blue, so that anyone can check the arithmetic.

    FILE holds what `teal events ID --json` printed, or series of intervals: one object, a list of them, or
    {"vectors": […], "absolute_vectors": […]}. Evidence is a natural logarithm: 4.6 is 100 to 1.

    \b
    teal events prod/checkout --json > events.json
    teal evidence events.json

    Exits 1 if a rollout recorded another evidence than its events give.
    """
    from orchestrator.config.evidence_file import weigh_file

    found = weigh_file(file)
    if as_json:
        emit([{"name": one.name, "log_e": one.log_e} for one in found])
    elif any(one.recorded is not None for one in found):
        rows = [
            (one.name, f"{one.log_e:.6f}", _recorded(one.recorded), "agrees" if one.agrees else "DIFFERS")
            for one in found
        ]
        for line in table(("STREAM", "LOG E", "RECORDED", ""), rows):
            click.echo(line)
    else:
        for line in table(("SERIES", "LOG E"), [(one.name, f"{one.log_e:.6f}") for one in found]):
            click.echo(line)
    if not all(one.agrees for one in found):
        ctx.exit(DISAGREES)


def _recorded(value: float | None) -> str:
    return "–" if value is None else f"{value:.6f}"
