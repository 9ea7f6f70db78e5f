"""`preflight`: everything a rollout would start from, read from AWS and shown before anything is touched."""

import asyncio
import sys

import click

from api.cli.backend.profiles import target
from api.cli.options.rollout_options import Asked, rollout_options, spec_of
from api.cli.output.output import emit, output_option
from api.cli.output.preflight_sheet import lines
from api.http.json_values import PreflightView, preflight_view
from orchestrator import bootstrap
from orchestrator.core.rollout.spec import Spec
from orchestrator.engine import commands

FINDINGS = 2


@click.command("preflight")
@rollout_options
@output_option()
def preflight_command(
    asked: Asked,
    as_json: bool,
) -> None:
    """Show what a rollout would start from, and what speaks against it; only reads.

    Exits 2 if something would refuse the rollout. Warnings do not. With a server (TEAL_SERVER, or a profile) it is
    the server that looks, by its own credentials and settings.
    """
    spec = spec_of(asked)
    found = asyncio.run(look(spec))
    if as_json:
        emit(found)
    else:
        click.echo("\n".join(lines(found, asked.named)).lstrip())
    sys.exit(0 if found.is_fit else FINDINGS)


async def look(spec: Spec) -> PreflightView:
    """What a rollout would start from, as the server or this process reads it."""
    there = target()
    if there.server:
        from api.cli.backend.server import ServerDoor

        return await ServerDoor(there.server, token=there.token, origin=there.origin).preflight(spec)
    settings, clock = bootstrap.open_settings(), bootstrap.SystemClock()
    async with bootstrap.open_cloud(settings) as cloud:
        return preflight_view(
            await commands.look_before(
                spec,
                cloud=cloud,
                clock=clock,
                registries=settings.registries,
                addresses=bootstrap.outward_of(settings, clock),
                freezes=[
                    one
                    for one in settings.freezes or ()
                    if one.ends > clock.now() and one.covers(str(spec.service))
                ],
            )
        )
