"""`init`: a rollout file from what runs, commented, so that a first rollout takes two commands."""

import asyncio
import os
import sys
from pathlib import Path

import click

from api.cli.output.init_result import STANDARD_OUTPUT, Beginnings, Begun, NotBegun, tell
from api.cli.output.output import emit, json_option
from orchestrator import bootstrap
from orchestrator.core.cloud.survey import Finding, Severity
from orchestrator.core.domain.errors import Outside, Refused
from orchestrator.core.rollout.spec import ServiceName
from orchestrator.ports.clock import Clock
from orchestrator.ports.cloud import PreflightCloud
from orchestrator.ports.initial_service import RunningService

FINDINGS = 2
HERE = "rollout.yaml"


@click.command("init")
@click.option("--service", metavar="CLUSTER/NAME", help="The service to write a rollout file for.")
@click.option("--all", "cluster", metavar="CLUSTER", help="One file for each service of a cluster instead.")
@click.option(
    "--task-definition",
    metavar="FAMILY:REV",
    help="The revision to name (default: the newest, to be checked by you).",
)
@click.option("--account", default="", metavar="ALIAS", help="An account of the settings (TEAL_SETTINGS).")
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    help="Where to write: a file (default: rollout.yaml; - for standard output), with --all a folder (default: here).",
)
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@json_option
def init_command(
    service: str | None,
    cluster: str | None,
    task_definition: str | None,
    account: str,
    output: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write a rollout file from what runs: rules, alarms, scaling and traffic, with the reason of every choice.

    Reads AWS with the credentials of the environment, and changes nothing there. A service that cannot be rolled out
    gets no file: what speaks against it is said, with what to do. Exits 2 if --service cannot be rolled out.
    """
    if bool(service) == bool(cluster):
        raise click.UsageError("Say for what: --service CLUSTER/NAME, or --all CLUSTER")
    if cluster and task_definition:
        raise click.UsageError("--task-definition cannot stand beside --all: services run different ones")
    writing = _Writing(output, is_many=bool(cluster), is_forced=force, as_json=as_json)
    made = asyncio.run(_begin(service or "", cluster or "", account, task_definition or "", writing))
    if as_json:
        emit(made)
    else:
        tell(made)
    sys.exit(FINDINGS if service and made.refused else 0)


class _Writing:
    """Where the files go. Nothing that is there is overwritten unless it was said."""

    def __init__(self, output: str | None, *, is_many: bool, is_forced: bool, as_json: bool) -> None:
        self._output = output or ("." if is_many else HERE)
        self._is_many, self._is_forced = is_many, is_forced
        if self._output == STANDARD_OUTPUT and (is_many or as_json):
            raise click.UsageError("--output - writes one file for people: name a file or a folder instead")

    def path(self, service: str) -> str:
        """Where the file of this service is to be."""
        return str(Path(self._output) / f"{service}.yaml") if self._is_many else self._output

    def check(self, service: str) -> None:
        """Raise Refused if a file is there that must stay."""
        path = self.path(service)
        if path != STANDARD_OUTPUT and os.path.lexists(path) and not self._is_forced:
            raise Refused(
                what=f"{path} is there already",
                why="what people wrote into it would be lost",
                next_step="name another file with --output, or overwrite it with --force",
            )

    def write(self, service: str, text: str) -> str:
        """Write a file whole or not at all; its path."""
        path = self.path(service)
        if path == STANDARD_OUTPUT:
            click.echo(text, nl=False)
            return path
        self.check(service)
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            beside = Path(f"{path}.{os.getpid()}.part")
            beside.write_text(text, encoding="utf-8")
            beside.replace(path)
        except OSError as error:
            raise Refused(
                what=f"{path} cannot be written",
                why=error.strerror or str(error),
                next_step="name another file with --output",
            ) from error
        return path


async def _begin(
    service: str, cluster: str, account: str, task_definition: str, writing: _Writing
) -> Beginnings:
    clock = bootstrap.SystemClock()
    async with bootstrap.open_scout(account) as (cloud, scout):
        if service:
            name = _named(service, task_definition, account)
            writing.check(name.service)
            names = [name]
        else:
            found = await scout.services(cluster)
            names = [ServiceName(cluster=cluster, service=one, account=account) for one in found]
            for one in names:
                writing.check(one.service)
        made = [
            await _one(name, cloud, scout, clock, task_definition, writing, is_many=not service)
            for name in names
        ]
    return Beginnings(
        written=tuple(one for one in made if isinstance(one, Begun)),
        refused=tuple(one for one in made if isinstance(one, NotBegun)),
    )


def _named(service: str, task_definition: str, account: str) -> ServiceName:
    """The service that is meant. Raises Invalid for what is no name."""
    from orchestrator import config

    given = f"{account}:{service}" if account and ":" not in service else service
    return config.minimal(given, task_definition or "x:1").service


async def _one(
    name: ServiceName,
    cloud: PreflightCloud,
    scout: RunningService,
    clock: Clock,
    task_definition: str,
    writing: _Writing,
    *,
    is_many: bool,
) -> Begun | NotBegun:
    """The file of one service, or what speaks against it. Raises Outside for a service that was asked for by name."""
    from orchestrator.config.rollout_file.commented import write
    from orchestrator.config.rollout_file.proposal import propose
    from orchestrator.engine.initial_service import look_at

    try:
        found = await look_at(name, cloud=cloud, scout=scout, clock=clock, task_definition=task_definition)
    except Outside as error:
        if not is_many:
            raise
        unread = Finding(
            severity=Severity.ERROR,
            code=error.code,
            what=error.what,
            why=error.why,
            next_step=error.next_step,
        )
        return NotBegun(service=str(name), findings=(unread,))
    proposal = propose(found, clock.now())
    if proposal.refused:
        return NotBegun(service=str(name), findings=proposal.refused)
    spec = proposal.spec
    return Begun(
        service=str(name),
        file=writing.write(name.service, write(proposal)),
        task_definition=spec.task_definition,
        plan=spec.plan.name,
        alarms=tuple(alarm.name for alarm in spec.gates.alarms.alarms),
        is_ready=not proposal.lacks_revision,
        is_unchecked=not task_definition and not proposal.lacks_revision,
        warnings=tuple(one for one in proposal.findings if one.severity is Severity.WARNING),
    )
