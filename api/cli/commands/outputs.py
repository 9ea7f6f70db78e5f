"""`outputs`: the names of what serves, as one flat map of strings, for infrastructure code."""

import json
import sys

import click

from api.cli.backend.open_shows import open_shows
from api.cli.options.shell_completion import services as complete_services
from api.cli.output.output import emit, json_option
from orchestrator.core.domain.errors import Invalid, Mistake, NotFound
from orchestrator.engine.views.service_values import ServiceView, ServingView

QUERY_MAX = 10_000  # characters of a query on standard input
UNKNOWN = ServingView(
    name="",
    arn="",
    target_groups=(),
    task_definition="",
    former_name="",
    is_former_kept=False,
    former_task_definition="",
    rollout="",
)


@click.command("outputs")
@click.option(
    "--service",
    "name",
    default="",
    metavar="NAME",
    shell_complete=complete_services,
    help="cluster/service as its rollout file names it. Default: `service` of the query on standard input.",
)
@click.option(
    "--allow-unknown",
    is_flag=True,
    help="Print empty values, rather than fail, for a service that no rollout has read yet.",
)
@json_option
def outputs_command(name: str, allow_unknown: bool, as_json: bool) -> None:
    """Print the names of what serves under a service's name: the ECS service, its target groups, its revision.

    After `ending: {swap: …}` these are not the names that the service was made with. Every value is a text, as
    Terraform's external data source wants it: a list is written with commas between, yes and no as true and false.
    That data source sends its query on standard input: without --service it is read there, and the answer is JSON.
    """
    query = {} if name else _query()
    name = name or query.get("service", "")
    if not name:
        raise click.UsageError(
            'name the service: --service cluster/service, or {"service": …} on standard input'
        )
    allows = allow_unknown or query.get("allow_unknown") == "true"
    values = outputs_of(name, _look(name, allows=allows))
    if as_json or query:
        emit(values)
    else:
        width = max(len(key) for key in values)
        click.echo("\n".join(f"{key.ljust(width)}  {value}".rstrip() for key, value in values.items()))


def outputs_of(name: str, found: ServiceView | None) -> dict[str, str]:
    """The flat map; every value is empty where nobody knows who serves."""
    serving = found.serving if found is not None and found.serving is not None else UNKNOWN
    return {
        "service": found.name if found is not None else name,
        "service_name": serving.name,
        "service_arn": serving.arn,
        "task_definition": serving.task_definition,
        "target_group_arn": serving.target_groups[0] if serving.target_groups else "",
        "target_group_arns": ",".join(serving.target_groups),
        "former_service_name": serving.former_name,
        "former_service_kept": str(serving.is_former_kept).lower() if serving.former_name else "",
        "former_task_definition": serving.former_task_definition,
        "rollout": serving.rollout,
    }


def _look(name: str, *, allows: bool) -> ServiceView | None:
    try:
        found = open_shows().service(name)
    except NotFound:
        if allows:
            return None
        raise
    if found.serving is None and not allows:
        raise NotFound(
            what=f"who serves {found.name} is not known",
            why="its newest rollout was abandoned, or has not read the service yet",
            next_step="see `teal preflight`, or take empty values with --allow-unknown",
        )
    return found


def _query() -> dict[str, str]:
    """The query that Terraform sends: an object of texts. A terminal sends none."""
    if sys.stdin.isatty():
        return {}
    text = sys.stdin.read(QUERY_MAX + 1)
    if not text.strip():
        return {}
    try:
        found = json.loads(text) if len(text) <= QUERY_MAX else None
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        what, instead = "the query is no JSON object of texts", 'write {"service": "prod/checkout"}'
        raise Invalid(
            source="standard input", mistakes=(Mistake(pointer="", what=what, instead=instead, line=1),)
        )
    return found
