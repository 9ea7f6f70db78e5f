"""`preflight`: everything a rollout would start from, read from AWS and shown before anything is touched."""

import asyncio
import sys

import click

from api.cli.files import rollout_options, spec_of
from api.cli.output import emit, is_coloured, json_option, percent_text, span_text, table
from api.http.shapes import preflight_view
from orchestrator import bootstrap
from orchestrator.core.spec import Spec
from orchestrator.core.survey import Finding, Severity
from orchestrator.engine import commands
from orchestrator.preflight import PlanRow, plan_table

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
    file: str | None, service: str | None, task_definition: str | None, plan: str | None, as_json: bool
) -> None:
    """Show what a rollout would start from, and what speaks against it; only reads.

    Exits 2 if something would refuse the rollout. Warnings do not.
    """
    spec = spec_of(file=file, service=service, task_definition=task_definition, plan=plan)
    found = asyncio.run(_look(spec))
    errors = [finding for finding in found.findings if finding.severity is Severity.ERROR]
    if as_json:
        emit(preflight_view(found))
    else:
        _show(found.findings, plan_table(spec, found.survey.alarms))
    sys.exit(FINDINGS if errors else 0)


async def _look(spec: Spec) -> commands.Preflight:
    settings = bootstrap.open_settings()
    async with bootstrap.open_cloud(settings) as cloud:
        return await commands.look_before(
            spec, cloud=cloud, clock=bootstrap.SystemClock(), registries=settings.registries
        )


def _show(findings: tuple[Finding, ...], rows: tuple[PlanRow, ...]) -> None:
    for finding in findings:
        if finding.code != "step":  # the table below says it better
            for line in _lines(finding):
                click.echo(line)
    click.echo("")
    for line in table(
        ("STEP", "GREEN", "BAKE", "LASTS AT LEAST", "OVER AFTER", ""), [_row(r, rows) for r in rows]
    ):
        click.echo(line)
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    click.echo("")
    if errors:
        click.echo(
            f"{errors} error{'s' if errors > 1 else ''}: this rollout would be refused. Nothing was touched."
        )
    else:
        click.echo("Nothing speaks against this rollout. Nothing was touched.")


def _lines(finding: Finding) -> list[str]:
    word, colour = MARK[finding.severity]
    mark = f"{word:8}"
    if colour and is_coloured():
        mark = click.style(mark, fg=colour)
    more = [text for text in (finding.why, finding.next_step) if text]
    return [f"{mark} {finding.what}", *(f"{'':8}   {text}" for text in more)]


def _row(row: PlanRow, rows: tuple[PlanRow, ...]) -> tuple[str, ...]:
    return (
        "watch" if row is rows[-1] else str(row.number),
        percent_text(row.weight / 10),
        span_text(row.bake.total_seconds()),
        span_text(row.lasts.total_seconds()),
        span_text(row.ends.total_seconds()),
        "then an approval" if row.approval else "",
    )
