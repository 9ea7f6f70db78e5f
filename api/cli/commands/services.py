"""`services`: what every service runs now, and how it came to that."""

from collections.abc import Iterator
from datetime import UTC, datetime

import click

from api.cli.backend.open_shows import open_shows
from api.cli.options.shell_completion import services as complete_services
from api.cli.output.output import emit, output_option, say, span_text, table, wants_wide
from orchestrator.core.domain.ids import revision_name
from orchestrator.engine.views.service_values import PastView, ServiceView

WIDE = ("BY", "SERVICE OF RECORD", "TASK DEFINITION", "TARGET GROUPS", "CHANGED")
HEAD = ("SERVICE", "SERVES", "LAST SUCCESS", "ACTIVE", "LAST ROLLOUT")
PAST_HEAD = ("ROLLOUT", "PHASE", "REVISION", "STARTED", "TOOK", "AUTHOR")


@click.command("services")
@click.argument("name", required=False, default="", shell_complete=complete_services)
@output_option(has_wide=True)
def services_command(name: str, as_json: bool) -> None:
    """Show what serves now: every service that Teal has moved, or one of them with its newest rollouts.

    NAME is cluster/service, or the service's own name where one cluster has it. Revisions are what the store knows;
    an unknown one shows as –.
    """
    if name:
        found = open_shows().service(name)
        if as_json:
            emit(found)
        else:
            for line in _sheet(found):
                say(line)
        return
    every = open_shows().services()
    if as_json:
        emit({"services": every})
    elif not every:
        click.echo("no services yet: `teal deploy` or `teal start` moves one")
    else:
        head, row = ((*HEAD, *WIDE), _wide) if wants_wide() else (HEAD, _row)
        click.echo("\n".join(table(head, [row(one) for one in every])))


def _row(one: ServiceView) -> tuple[str, ...]:
    newest = one.history[0] if one.history else None
    active = f"{one.active} ({one.active_phase})" if one.active else "–"
    return (
        one.name,
        _revision(one.serves),
        _revision(one.succeeded),
        active,
        f"{_ago(newest.started_at)}, {newest.phase}{', changed since' * bool(one.changed)}"
        if newest
        else "–",
    )


def _wide(one: ServiceView) -> tuple[str, ...]:
    serving = one.serving
    return (
        *_row(one),
        one.history[0].author if one.history else "–",
        serving.arn if serving else "–",
        one.serves or "–",
        " ".join(serving.target_groups) if serving else "–",
        one.changed or "–",
    )


def _sheet(one: ServiceView) -> list[str]:
    lines = [
        one.name,
        f"serves   {_revision(one.serves)}{_in_place(one)}",
        f"success  {_revision(one.succeeded)}",
        *([f"changed  {one.changed}"] if one.changed else []),
        f"active   {one.active} ({one.active_phase})" if one.active else "active   none",
        *(_whole(one) if wants_wide() else ()),
        "",
    ]
    return [*lines, *table(PAST_HEAD, [_past(past) for past in one.history])]


def _whole(one: ServiceView) -> Iterator[str]:
    yield f"runs     {one.serves or '–'}"
    if one.serving is not None:
        yield f"service  {one.serving.arn}"
        yield from (f"group    {arn}" for arn in one.serving.target_groups)


def _in_place(one: ServiceView) -> str:
    """Which ECS service runs it, where that is not the one of the service's own name."""
    serving = one.serving
    if serving is None or not serving.former_name:
        return ""
    left = "kept without tasks" if serving.is_former_kept else "gone"
    return f" on {serving.name}, in the place of {serving.former_name} ({left})"


def _past(past: PastView) -> tuple[str, ...]:
    took = span_text((past.ended_at - past.started_at).total_seconds()) if past.ended_at else "under way"
    return (past.id, past.phase, _revision(past.revision), _ago(past.started_at), took, past.author)


def _revision(arn: str) -> str:
    return revision_name(arn) if arn else "–"


def _ago(moment: datetime) -> str:
    return f"{span_text((datetime.now(UTC) - moment).total_seconds())} ago"
