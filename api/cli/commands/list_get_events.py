"""`list`, `get` and `events`: what the store or server knows."""

from collections.abc import Iterator
from datetime import UTC, datetime

import click

from api.cli.backend.backend import EVENTS_A_PAGE, Which
from api.cli.backend.open_shows import open_shows
from api.cli.options.shell_completion import rollout_argument
from api.cli.options.shell_completion import services as complete_services
from api.cli.output.output import (
    clock_text,
    emit,
    output_option,
    percent_text,
    say,
    span_text,
    table,
    wants_wide,
    width_of,
)
from api.cli.output.rollout_sheet import painted, sheet
from orchestrator.core.domain.phases import Phase
from orchestrator.engine.views.event_values import event_view
from orchestrator.engine.views.rollout_values import RolloutView
from orchestrator.ports.rollouts import EventSeen

WIDE = ("BY", "FROM", "TO", "BLUE", "GREEN'S SERVICE", "RULES")
HEAD = ("ID", "SERVICE", "PHASE", "GREEN", "STEP", "STARTED", "REMARK")


@click.command("list")
@click.option(
    "--service",
    default="",
    metavar="CLUSTER/NAME",
    shell_complete=complete_services,
    help="Only rollouts of this service.",
)
@click.option("--phase", type=click.Choice([phase.value for phase in Phase]), help="Only in this phase.")
@click.option("--active", is_flag=True, help="Only those that have not ended.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="At most so many.")
@output_option(has_wide=True)
def list_command(service: str, phase: str | None, active: bool, limit: int, as_json: bool) -> None:
    """List rollouts, the newest first. With --json: {"rollouts": [...]}, each as `get --json` prints it."""
    which = Which(
        service=service,
        phase=Phase(phase) if phase else None,
        is_active=True if active else None,
        limit=limit,
    )
    views = open_shows().list(which)
    if as_json:
        emit({"rollouts": views})
    elif not views:
        click.echo("no rollouts yet: `teal deploy` starts one" if which == Which(limit=limit) else "none")
    else:
        head, row = ((*HEAD[:-1], *WIDE, HEAD[-1]), _wide) if wants_wide() else (HEAD, _row)
        click.echo("\n".join(table(head, [row(view) for view in views])))


def _row(view: RolloutView) -> tuple[str, ...]:
    ago = span_text((datetime.now(UTC) - view.created_at).total_seconds())
    held = next((f"held: {hold.reason}" for hold in view.holds), "")
    waits = held or (f"waits for {view.waiting_for}" if view.waiting_for else "")
    return (
        view.id,
        view.service,
        view.phase,
        percent_text(view.green_percent),
        f"{view.step}/{len(view.steps)}",
        f"{ago} ago",
        waits if view.is_active else view.reason,
    )


def _wide(view: RolloutView) -> tuple[str, ...]:
    *first, remark = _row(view)
    rules = " ".join(rule.arn for rule in view.rules)
    names = (
        view.author,
        view.former or "–",
        view.revision,
        view.blue or "–",
        view.green or "–",
        rules or "–",
    )
    return (*first, *names, remark)


@click.command("get")
@rollout_argument
@output_option(has_wide=True)
def get_command(name: str, as_json: bool) -> None:
    """Show one rollout: phase, weights seen and wanted, plan, gates with their reasons, holds."""
    view = open_shows().get(name)
    if as_json:
        emit(view)
        return
    for line in sheet(view, datetime.now(UTC), width=width_of()):
        click.echo(painted(line))
    if wants_wide():
        for more in _more(view):
            say(more)
    if view.accepts:
        click.echo(f"accepts  {', '.join(view.accepts)}")


def _more(view: RolloutView) -> Iterator[str]:
    """Who and what, with whole names."""
    yield f"by       {view.author}, {view.created_at:%Y-%m-%d %H:%M:%S}Z"
    yield f"from     {view.former or 'not read yet'}"
    yield f"to       {view.revision}"
    yield f"blue     {view.blue or 'not read yet'}"
    yield f"green    {view.green or 'not made yet'}"
    for rule in view.rules:
        yield f"rule     {rule.arn} {percent_text(rule.green_percent)}"


@click.command("events")
@rollout_argument
@click.option("--follow", "-f", is_flag=True, help="Go on as events come, until the rollout has ended.")
@click.option("--after", type=click.IntRange(min=0), default=0, help="Only events after this number.")
@output_option()
def events_command(name: str, follow: bool, after: int, as_json: bool) -> None:
    """Show a rollout's audit log, oldest first. With --json: one line an event."""
    if follow:
        import asyncio

        asyncio.run(_follow(name, after=after, as_json=as_json))
        return
    shows = open_shows()
    rollout = shows.get(name).id
    while page := shows.events(rollout, after):
        _print(page, as_json=as_json)
        after = page[-1].number
        if len(page) < EVENTS_A_PAGE:
            return


async def _follow(name: str, *, after: int, as_json: bool) -> None:
    import asyncio

    from api.cli.backend.open import open_door
    from api.cli.following.follow import looks
    from api.cli.following.reconnect import PatientDoor

    async with open_door() as door:
        rollout = (await door.get(name)).id
        patient = PatientDoor(door, lambda text: say(text, err=True))
        async for look in looks(patient, rollout, enough=asyncio.Event(), after=after):
            _print(look.events, as_json=as_json)


def _print(events: tuple[EventSeen, ...], *, as_json: bool) -> None:
    if as_json:
        for seen in events:
            emit(event_view(seen))
        return
    for seen in events:
        event = seen.event
        say(f"{seen.number:4}  {clock_text(event.at)}  {event.kind.value:17}  {event.message}")
