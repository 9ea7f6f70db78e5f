"""What `init` wrote and what not: for programs as values, for people as words."""

from dataclasses import dataclass

import click

from api.cli.output.output import say
from orchestrator.core.cloud.survey import Finding

STANDARD_OUTPUT = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A rollout file that `init` wrote. ``is_ready`` false: it still names the revision that runs already."""

    service: str
    file: str  # - : standard output of a run without --json
    task_definition: str
    plan: str
    alarms: tuple[str, ...]
    is_ready: bool
    warnings: tuple[Finding, ...]
    is_unchecked: bool  # the revision is named because it is the family's newest, not because anybody said so


@dataclass(frozen=True, slots=True, kw_only=True)
class NotBegun:
    """A service that cannot be rolled out, and why."""

    service: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginnings:
    """What `init` wrote, and which services it could not write a file for."""

    written: tuple[Begun, ...]
    refused: tuple[NotBegun, ...]


def tell(made: Beginnings) -> None:
    """What was written and what not, for people; on standard error, since the file may be on standard output."""
    for one in made.written:
        alarms = f"alarms {', '.join(one.alarms)}" if one.alarms else "no alarm"
        say(f"{one.service}: {one.file}: {one.task_definition}, plan {one.plan}, {alarms}", err=True)
        for finding in one.warnings:
            say(f"  warning  {finding.what}: {finding.why}", err=True)
        if one.is_unchecked and one.is_ready:
            say(
                f"  warning  {one.task_definition} is named because it is the newest: nobody has checked it; "
                f"`teal diff -f {one.file}` shows what it changes",
                err=True,
            )
        if not one.is_ready:
            say("  it runs already: write the revision to release into the file", err=True)
    for refused in made.refused:
        say(f"{refused.service}: cannot be rolled out", err=True)
        for finding in refused.findings:
            say(f"  {finding.what}: {finding.why}", err=True)
            say(f"    {finding.next_step}", err=True)
    if len(made.written) == 1 and not made.refused and made.written[0].file != STANDARD_OUTPUT:
        file = made.written[0].file
        click.echo(
            f"\nLook before you start: teal preflight -f {file}\nThen: teal deploy -f {file}", err=True
        )
    elif len(made.written) + len(made.refused) > 1:
        click.echo(f"\n{len(made.written)} written, {len(made.refused)} cannot be rolled out", err=True)
    elif not made.written and not made.refused:
        click.echo("there is no service in this cluster", err=True)
