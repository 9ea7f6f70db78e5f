"""The rollout that a command line asks for: a file, or the least of one spelt out in options."""

import asyncio
import functools
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any, TypeVar

import click

from api.cli.output.quantities import DURATION
from orchestrator.core.domain.errors import Unfit
from orchestrator.core.rollout.spec import Spec

_PLACE = re.compile(r"(gates\.[a-z_]+\[\d+\](?:\.[a-z_]+)*): ")
Wrapped = TypeVar("Wrapped", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the options say, each None where it was left out."""

    file: str | None
    service: str | None
    task_definition: str | None
    plan: str | None
    override: str | None
    undo: str | None = None
    force: bool = False
    wait_for_blue: timedelta | None = None

    def named(self, finding: str) -> str:
        """A finding about a place in the rollout's file with the file's name and line before it."""
        return with_line(finding, self.file)


override_option = click.option(
    "--override",
    metavar="REASON",
    help="Go beyond windows and freezes, and say why (an approver may).",
)


def rollout_options(command: Wrapped) -> Callable[..., Any]:
    """``-f FILE``, or ``--service`` with ``--task-definition`` and perhaps ``--plan``, or ``--undo``.

    ``--force``, ``--wait-for-blue`` and ``--override`` go with each of them.

    The command is given them as `asked`.
    """

    @functools.wraps(command)
    def taking(**given: Any) -> Any:  # noqa: ANN401 - whatever the command's other options are
        asked = Asked(**{field.name: given.pop(field.name) for field in fields(Asked)})
        try:
            return command(asked=asked, **given)
        except Unfit as error:
            findings = [with_line(finding, asked.file) for finding in error.findings]
            raise Unfit(what=error.what, findings=findings) from error

    taken: Callable[..., Any] = taking
    for option in (
        click.option(
            "--wait-for-blue",
            type=DURATION,
            help="Wait for so long while somebody else deploys the service, instead of being refused.",
        ),
        click.option(
            "--force",
            is_flag=True,
            help="Roll out also what the service runs already: its tasks are replaced all the same.",
        ),
        override_option,
        click.option(
            "--undo",
            metavar="ID",
            help="Instead: back to what ran before this rollout, or before a service's last.",
        ),
        click.option(
            "--plan", help="With --service: auto (default), fast, careful, canary, linear or instant."
        ),
        click.option("--task-definition", metavar="FAMILY:REV", help="With --service: the revision to run."),
        click.option("--service", metavar="CLUSTER/NAME", help="The service of record, instead of a file."),
        click.option(
            "-f", "--file", "file", metavar="FILE", help="The rollout file; - reads standard input."
        ),
    ):
        taken = option(taken)
    return taken


def with_line(finding: str, file: str | None) -> str:
    """A finding about a place in the rollout file with the file's name and line before it."""
    place = _PLACE.match(finding)
    if place is None or file is None or file == "-":
        return finding
    from orchestrator import config

    line = config.line_of(file, place[1])
    return f"{file}:{line}: {finding}" if line else finding


def spec_of(asked: Asked) -> Spec:
    """The spec that the options ask for. Raises Invalid with every mistake; click.UsageError if they do not fit."""
    spec = _written(asked)
    spec = replace(spec, is_forced=spec.is_forced or asked.force)
    if asked.wait_for_blue is not None:
        spec = replace(spec, limits=replace(spec.limits, wait_for_blue=asked.wait_for_blue))
    if asked.override is None:
        return spec
    if not asked.override.strip() or not asked.override.isprintable():
        raise click.UsageError(
            "--override needs a reason, in one line: --override 'hotfix for incident 4711'"
        )
    return replace(spec, override=asked.override.strip())


def _written(asked: Asked) -> Spec:
    from orchestrator import config

    given = {
        "--service": asked.service,
        "--task-definition": asked.task_definition,
        "--plan": asked.plan,
    }
    if asked.undo is not None:
        extra = [name for name, value in {"-f": asked.file, **given}.items() if value]
        if extra:
            raise click.UsageError(
                f"{', '.join(extra)} cannot stand beside --undo: it names all of a rollout"
            )
        return asyncio.run(_undoing(asked.undo))
    if asked.file is not None:
        extra = [name for name, value in given.items() if value]
        if extra:
            raise click.UsageError(f"{', '.join(extra)} cannot stand beside -f: write it in the file")
        return config.load_text(sys.stdin.read(), "-") if asked.file == "-" else config.load_file(asked.file)
    if not asked.service or not asked.task_definition:
        raise click.UsageError(
            "Say what to roll out: -f FILE, or --service CLUSTER/NAME --task-definition FAMILY:REV, or --undo ID"
        )
    plan = {"plan": asked.plan} if asked.plan else {}
    return config.minimal(asked.service, asked.task_definition, **plan)


async def _undoing(name: str) -> Spec:
    from api.cli.backend.open import open_door

    async with open_door() as door:
        return await door.undoing(name)
