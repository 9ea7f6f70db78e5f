"""`deploy`: a rollout with its engine in this process, from the start to the end, or from where it stands."""

import asyncio
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import click

from api.cli.backend.profiles import target
from api.cli.following.live import screen_for
from api.cli.options.rollout_options import Asked, override_option, rollout_options, spec_of
from api.cli.options.shell_completion import ended_argument
from api.cli.output.logs import quiet_logs
from api.cli.output.output import emit, json_option
from api.cli.output.quantities import DURATION
from api.cli.process.foreground_engine import Foreground
from api.cli.process.signals import OnInterrupt, Signals, has_terminal
from orchestrator import bootstrap
from orchestrator.core.domain.errors import Refused
from orchestrator.core.rollout.spec import Spec

Wrapped = TypeVar("Wrapped", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to follow the rollout, and how to say what was asked for."""

    again: str  # the command that goes on with it
    timeout: timedelta | None
    on_interrupt: OnInterrupt
    as_json: bool


def _following(command: Wrapped) -> Wrapped:
    """How to follow the rollout."""
    timeout = click.option(
        "--timeout", type=DURATION, help="Give up waiting after this long (exit 4); weights stay as they are."
    )
    on_interrupt = click.option(
        "--on-interrupt",
        type=click.Choice([choice.value for choice in OnInterrupt]),
        default=OnInterrupt.ROLLBACK.value,
        show_default=True,
        help="What a second Ctrl-C within 5 s, or SIGTERM without a terminal, does.",
    )
    return timeout(on_interrupt(json_option(command)))


@click.command("deploy")
@rollout_options
@_following
def deploy_command(
    asked: Asked,
    timeout: timedelta | None,
    on_interrupt: str,
    as_json: bool,
) -> None:
    """Roll a service out, with the engine in this process, until the end.

    On a service whose rollout is under way it goes on with that one if the file says the same, and refuses (exit 5)
    naming what differs if not. Exits 0 if it succeeded, 3 if it was rolled back.

    Ctrl-C stops watching and leaves the weights as they are (exit 130); the same command goes on later. A second
    Ctrl-C within 5 s rolls back, as does SIGTERM where there is no terminal.
    """
    _run(asked, timeout=timeout, on_interrupt=on_interrupt, as_json=as_json)


@click.command("undo")
@ended_argument
@override_option
@_following
def undo_command(
    name: str, override: str | None, timeout: timedelta | None, on_interrupt: str, as_json: bool
) -> None:
    """Go back to what ran before a rollout that ended, or before a service's last: `teal deploy --undo ID`.

    It is a rollout of its own, with plan instant, followed to its end in this process. Refused (exit 5) while a
    rollout of the service is under way: `teal rollback ID` ends that one.
    """
    asked = Asked(file=None, service=None, task_definition=None, plan=None, override=override, undo=name)
    _run(asked, timeout=timeout, on_interrupt=on_interrupt, as_json=as_json)


def _run(asked: Asked, *, timeout: timedelta | None, on_interrupt: str, as_json: bool) -> None:
    there = target()
    if there.server:
        undoing = f"--undo {asked.undo} " if asked.undo else ""
        raise Refused(
            what="`teal deploy` runs the engine in this process",
            why=f"{there.origin} names one that runs elsewhere, {there.server}",
            next_step=f"use `teal start {undoing}--watch`, or `teal -p store deploy` for the store on this machine",
        )
    spec = spec_of(asked)
    options = Options(
        again=again(asked),
        timeout=timeout,
        on_interrupt=OnInterrupt(on_interrupt),
        as_json=as_json,
    )
    quiet_logs()
    sys.exit(asyncio.run(_deploy(spec, options)))


def again(asked: Asked) -> str:
    """The command that goes on with what these options asked for."""
    words = ["teal", "deploy"]
    given = {
        "-f": asked.file,
        "--service": asked.service,
        "--task-definition": asked.task_definition,
        "--plan": asked.plan,
        "--undo": asked.undo,
    }
    for name, value in given.items():
        if value:
            words += [name, value]
    return shlex.join(words)


async def _deploy(spec: Spec, options: Options) -> int:
    signals = Signals(on_interrupt=options.on_interrupt, has_terminal=has_terminal())
    async with bootstrap.open_engine() as engine:
        with signals.heard():
            foreground = Foreground(engine, signals, again=options.again)
            rollout, is_new = await foreground.take_up(spec)
            screen = screen_for(err=options.as_json)
            try:
                if not is_new:
                    screen.say(f"{rollout} is under way: going on with it")
                code = await foreground.stay(rollout, screen, timeout=options.timeout)
            finally:
                screen.close()
        if foreground.parting:
            click.echo(foreground.parting, err=options.as_json)
        if options.as_json:
            emit(await foreground.door.get(rollout))
        return code
