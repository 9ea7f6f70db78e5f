"""`watch` and `wait`: follow a rollout that an engine elsewhere moves."""

import asyncio
import sys
from datetime import timedelta

import click

from api.cli.backend.backend import Reads
from api.cli.backend.open import open_door
from api.cli.following.follow import looks, pause
from api.cli.following.live import screen_for
from api.cli.following.reconnect import PatientDoor
from api.cli.options.shell_completion import rollout_argument
from api.cli.output.output import emit, json_option, say, span_text
from api.cli.output.quantities import DURATION
from api.cli.process.exit_codes import GAVE_UP, exit_code
from api.client.goals import Goal, goal_of
from orchestrator.engine.views.rollout_values import RolloutView


@click.command("watch")
@rollout_argument
@click.option("--timeout", type=DURATION, help="Give up waiting after this long (exit 4).")
@json_option
def watch_command(name: str, timeout: timedelta | None, as_json: bool) -> None:
    """Follow a rollout until it ends; exits 0 if it succeeded, 3 if it was rolled back.

    It only looks: the rollout moves while `teal serve` or `teal deploy` runs somewhere. Ctrl-C stops looking. A server
    that is away is asked again for half a minute, with --timeout for as long as that.
    """
    sys.exit(asyncio.run(watch(name, timeout=timeout, as_json=as_json)))


async def watch(name: str, *, timeout: timedelta | None, as_json: bool) -> int:  # noqa: ASYNC109 - a person's limit
    """Follow a rollout on the screen until it ends; returns the exit code."""
    async with open_door() as door:
        # Without a time of its own it tells at once that nothing is at the server's address.
        asked = name if timeout else (await door.get(name)).id
        return await follow(door, asked, timeout=timeout, as_json=as_json)


async def follow(door: Reads, name: str, *, timeout: timedelta | None, as_json: bool) -> int:  # noqa: ASYNC109 - a person's limit
    """Follow a rollout until it ends; returns the exit code.

    A server that is away is waited for: as long as the timeout says, without one for a moment. Raises Unreachable once
    it has been away for too long.
    """
    screen = screen_for(err=as_json)
    patient = PatientDoor(door, screen.say, limit=timeout)
    view: RolloutView | None = None
    try:
        async with asyncio.timeout(timeout.total_seconds() if timeout else None):
            rollout = (await patient.get(name)).id
            async for look in looks(patient, rollout, enough=asyncio.Event()):
                view = look.view
                screen.show(look)
    except TimeoutError:
        rollout = (await patient.last_seen(name)).id
        screen.say(
            f"{rollout} has not ended within {_limit(timeout)}: it goes on; `teal watch {rollout}` looks again"
        )
        view = None
    finally:
        screen.close()
    final = view or await patient.last_seen(name)
    if as_json:
        emit(final)
    return exit_code(final) if view else GAVE_UP


def _limit(timeout: timedelta | None) -> str:
    return span_text(timeout.total_seconds()) if timeout else "its time"


class UntilType(click.ParamType["Goal"]):
    """``step:2``, ``approval`` or ``done``."""

    name = "until"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Goal:
        """The goal, or a usage error that names what can be written."""
        if isinstance(value, Goal):
            return value
        try:
            return goal_of(str(value))
        except ValueError as error:
            return self.fail(str(error), param, ctx)


@click.command("wait")
@rollout_argument
@click.option(
    "--until", "until", type=UntilType(), default="done", help="step:N, approval or done (default)."
)
@click.option("--timeout", type=DURATION, help="Give up waiting after this long (exit 4).")
@json_option
def wait_command(name: str, until: Goal, timeout: timedelta | None, as_json: bool) -> None:
    """Wait silently until a rollout has come so far.

    Exits 0 when it has, 3 at once if it is rolled back instead, 1 if it ended without, 4 after --timeout. A server
    that is away is asked again for half a minute, with --timeout for as long as that.
    """
    sys.exit(asyncio.run(_wait(name, until, timeout=timeout, as_json=as_json)))


async def _wait(name: str, until: Goal, *, timeout: timedelta | None, as_json: bool) -> int:  # noqa: ASYNC109 - a person's limit
    async with open_door() as door:
        patient, code = PatientDoor(door, _tell, limit=timeout), GAVE_UP
        try:
            async with asyncio.timeout(timeout.total_seconds() if timeout else None):
                view = await (patient if timeout else door).get(name)
                if until.is_beyond(view):
                    raise click.UsageError(
                        f"{view.id} has {len(view.steps)} steps; {until.words} never comes"
                    )
                view, code = await _until(patient, view.id, until)
        except TimeoutError:
            view = await patient.last_seen(name)
            click.echo(
                f"{view.id} has not come to {until.words} within {_limit(timeout)}: it is {view.phase}",
                err=True,
            )
    if as_json:
        emit(view)
    return code


def _tell(text: str) -> None:
    say(text, err=True)


async def _until(door: Reads, rollout: str, until: Goal) -> tuple[RolloutView, int]:
    never = asyncio.Event()
    while True:
        view = await door.get(rollout)
        if until.is_reached(view):
            return view, exit_code(view) if until.words == "done" else 0
        if until.is_lost(view):
            say(f"{view.id} will not come to {until.words}: {view.phase}: {view.reason}", err=True)
            return view, exit_code(view) or 1
        await pause(never, 0.25)
