"""The rollout that a command line asks for: a file, or the least of one spelt out in options."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from orchestrator.core.spec import Spec

Wrapped = TypeVar("Wrapped", bound=Callable[..., Any])


def rollout_options(command: Wrapped) -> Wrapped:
    """``-f FILE``, or ``--service`` with ``--task-definition`` and perhaps ``--plan``."""
    for option in (
        click.option("--plan", help="With --service: canary (default), linear or instant."),
        click.option("--task-definition", metavar="FAMILY:REV", help="With --service: the revision to run."),
        click.option("--service", metavar="CLUSTER/NAME", help="The service of record, instead of a file."),
        click.option(
            "-f", "--file", "file", metavar="FILE", help="The rollout file; - reads standard input."
        ),
    ):
        command = option(command)
    return command


def spec_of(*, file: str | None, service: str | None, task_definition: str | None, plan: str | None) -> Spec:
    """The spec that the options ask for. Raises Invalid with every mistake; click.UsageError if they do not fit."""
    from orchestrator import config

    if file is not None:
        given = {"--service": service, "--task-definition": task_definition, "--plan": plan}
        extra = [name for name, value in given.items() if value]
        if extra:
            raise click.UsageError(f"{', '.join(extra)} cannot stand beside -f: write it in the file")
        return config.load_text(sys.stdin.read(), "-") if file == "-" else config.load_file(file)
    if not service or not task_definition:
        raise click.UsageError(
            "Say what to roll out: -f FILE, or --service CLUSTER/NAME --task-definition FAMILY:REV"
        )
    return config.minimal(service, task_definition, **({"plan": plan} if plan else {}))
