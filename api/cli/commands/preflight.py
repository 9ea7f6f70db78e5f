"""`preflight`: everything a rollout would start from, read from AWS and shown before anything is touched."""

import asyncio
import sys

import click

from api.cli.backend.profiles import target
from api.cli.options.rollout_options import Asked, rollout_options, spec_of, with_line
from api.cli.output.differences import in_one_line
from api.cli.output.output import emit, is_coloured, json_option, percent_text, span_text, table
from api.http.json_values import PlanView, PreflightView, preflight_view
from orchestrator import bootstrap
from orchestrator.core.cloud.survey import Finding, Severity
from orchestrator.core.rollout.spec import Spec
from orchestrator.engine import commands

FINDINGS = 2
MARK = {
    Severity.ERROR: ("error", "red"),
    Severity.WARNING: ("warning", "yellow"),
    Severity.NOTE: ("found", ""),
}


@click.command("preflight")
@rollout_options
@json_option
def preflight_command(
    asked: Asked,
    as_json: bool,
) -> None:
    """Show what a rollout would start from, and what speaks against it; only reads.

    Exits 2 if something would refuse the rollout. Warnings do not. With a server (TEAL_SERVER, or a profile) it is
    the server that looks, by its own credentials and settings.
    """
    spec = spec_of(asked)
    found = asyncio.run(look(spec))
    if as_json:
        emit(found)
    else:
        _show(found, asked.file)
    sys.exit(0 if found.is_fit else FINDINGS)


async def look(spec: Spec) -> PreflightView:
    """What a rollout would start from, as the server or this process reads it."""
    there = target()
    if there.server:
        from api.cli.backend.server import ServerDoor

        return await ServerDoor(there.server, token=there.token, origin=there.origin).preflight(spec)
    settings, clock = bootstrap.open_settings(), bootstrap.SystemClock()
    async with bootstrap.open_cloud(settings) as cloud:
        return preflight_view(
            await commands.look_before(
                spec,
                cloud=cloud,
                clock=clock,
                registries=settings.registries,
                addresses=bootstrap.outward_of(settings, clock),
                freezes=[
                    one
                    for one in settings.freezes or ()
                    if one.ends > clock.now() and one.covers(str(spec.service))
                ],
            )
        )


def _show(found: PreflightView, file: str | None) -> None:
    for finding in found.findings:
        if finding.code != "step":  # the table below says it better
            for line in shown(finding, file):
                click.echo(line)
    click.echo(f"{'diff':8} {in_one_line(found.differences)}")
    if found.differences:
        click.echo(f"{'':8}   `teal diff`, with the same options, shows it whole")
    click.echo("")
    for line in table(
        ("STEP", "GREEN", "BAKE", "LASTS AT LEAST", "OVER AFTER", ""),
        [_row(r, found.plan) for r in found.plan],
    ):
        click.echo(line)
    errors = sum(finding.severity == Severity.ERROR for finding in found.findings)
    click.echo("")
    if errors and found.is_fit:
        click.echo("This rollout would wait for that to end. Nothing was touched.")
    elif errors:
        click.echo(
            f"{errors} error{'s' if errors > 1 else ''}: this rollout would be refused. Nothing was touched."
        )
    else:
        click.echo("Nothing speaks against this rollout. Nothing was touched.")


def shown(finding: Finding, file: str | None) -> list[str]:
    """A finding with its reason and its remedy."""
    word, colour = MARK[Severity(finding.severity)]
    mark = f"{word:8}"
    if colour and is_coloured():
        mark = click.style(mark, fg=colour)
    more = [text for text in (finding.why, finding.next_step) if text]
    return [f"{mark} {with_line(finding.what, file)}", *(f"{'':8}   {text}" for text in more)]


def _row(row: PlanView, rows: tuple[PlanView, ...]) -> tuple[str, ...]:
    return (
        "watch" if row is rows[-1] else str(row.number),
        percent_text(row.weight_percent),
        span_text(row.bake_seconds),
        span_text(row.lasts_seconds),
        span_text(row.ends_seconds),
        "then an approval" if row.approval else "",
    )
