"""`diff`: what the wanted task definition has otherwise than the one that blue runs."""

import asyncio
import sys

import click

from api.cli.commands.preflight import FINDINGS, look
from api.cli.options.rollout_options import Asked, rollout_options, spec_of
from api.cli.output.differences import NOTHING, UNKNOWN, whole
from api.cli.output.output import emit, output_option
from api.cli.output.preflight_sheet import shown
from orchestrator.core.cloud.survey import Severity
from orchestrator.core.domain.ids import revision_name


@click.command("diff")
@rollout_options
@output_option()
def diff_command(asked: Asked, as_json: bool) -> None:
    """Show what a rollout would change in the task definition, container by container; only reads.

    Images, environment, secrets by name, ports, commands, resources and roles. Values of secrets are not read. Values
    of variables whose names look secret are hidden, and of settings that are not listed here only the name is shown.
    Exits 0 whether anything differs or not, 2 where one of the two task definitions is not known.
    """
    found = asyncio.run(look(spec_of(asked)))
    if as_json:
        emit(
            {
                "service": found.service,
                "former": found.former,
                "task_definition": found.task_definition,
                "differences": found.differences,
            }
        )
    elif found.differences is None:
        click.echo(UNKNOWN)
        for finding in found.findings:
            if finding.severity == Severity.ERROR:
                click.echo("\n".join(shown(finding, asked.named)))
    else:
        former = revision_name(found.former) if found.former else "blue"
        click.echo(f"{found.service}  {former} → {revision_name(found.task_definition)}")
        click.echo("\n".join(whole(found.differences)) or NOTHING)
    sys.exit(FINDINGS if found.differences is None else 0)
