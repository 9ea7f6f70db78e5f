"""`login`: keeps a token for a server under a profile, once the server has said whose it is."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import click

from api.cli.backend import profile_file
from api.cli.backend.private_file import private_file
from api.cli.backend.profiles import TOKEN_BYTES_MAX, Profile, config_path, profiles, token_checked
from api.cli.commands.profile import checked_address
from api.cli.options.shell_completion import profiles as complete_profiles
from api.cli.output.output import emit, json_option, say
from api.client import requests
from orchestrator.core.domain.errors import Refused

LOCAL = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """The profile that the token is kept under, and whom the server takes its bearer for."""

    profile: Profile
    name: str
    role: str
    services: tuple[str, ...]
    expires_at: datetime | None


@click.command("login")
@click.argument("name", metavar="[PROFILE]", required=False, default="", shell_complete=complete_profiles)
@click.option("--server", metavar="URL", help="The server's address; a profile that is there has one.")
@click.option("--default", "is_default", is_flag=True, help="Commands go there where nothing else is said.")
@json_option
@click.pass_context
def login_command(ctx: click.Context, name: str, server: str | None, is_default: bool, as_json: bool) -> None:
    """Keep a token for a server, so that commands need not be told it.

    The token is asked for without showing it, or read from standard input, and never taken as an argument, which other
    users of the machine could see. The server is asked whose it is before anything is kept: in a file beside the
    profiles that only you can read (mode 0600). PROFILE defaults to -p, TEAL_PROFILE, or the default profile.
    """
    profile = _profile(name or ctx.find_root().params.get("profile") or "", server)
    token = token_checked(_asked(profile.server), "the token")
    me = asyncio.run(_me(profile, token))
    with private_file(config_path().parent / profile_file.token_name(profile.name), is_forced=True) as write:
        write(f"{token}\n")
    kept = replace(
        profile,
        token_file=profile_file.token_name(profile.name),
        token_env="",
        is_default=profile.is_default or is_default,
    )
    profile_file.keep(kept)
    found = LoggedIn(
        profile=kept,
        name=str(me["name"]),
        role=str(me["role"]),
        services=tuple(me.get("services", ())),
        expires_at=datetime.fromisoformat(me["expires_at"]) if me.get("expires_at") else None,
    )
    if as_json:
        emit(found)
    else:
        _tell(found)


def _profile(name: str, server: str | None) -> Profile:
    """The profile to log in under, with its server. Raises click.UsageError where either is not known."""
    known = profiles()
    wanted = name or os.environ.get("TEAL_PROFILE", "").strip()
    found = next((one for one in known if (one.name == wanted if wanted else one.is_default)), None)
    if found is None and not wanted:
        raise click.UsageError("Say under which name: teal login prod --server https://teal.example.com")
    if found is None and not server:
        raise click.UsageError(f"there is no profile {wanted} yet: say --server https://teal.example.com")
    profile = found or Profile(name=wanted, server="")
    if not profile_file.is_name(profile.name):
        raise click.UsageError(f"{profile.name} is no name of a profile: write letters, digits, - and _")
    return replace(profile, server=checked_address(server)) if server else profile


def _asked(server: str) -> str:
    address = requests.address_of(server)
    if address.scheme == "http" and address.host not in LOCAL:
        say(f"{server} is addressed without TLS: whoever is between here and there sees the token", err=True)
    if sys.stdin.isatty():
        return str(click.prompt(f"Token for {server}", hide_input=True, err=True)).strip()
    return sys.stdin.read(TOKEN_BYTES_MAX + 1).strip()


async def _me(profile: Profile, token: str) -> Mapping[str, Any]:
    from api.cli.backend.server import ServerDoor

    me = await ServerDoor(profile.server, token=token, origin=f"profile {profile.name}").ask(requests.me())
    if me.get("by") == "local":
        raise Refused(
            what=f"the server at {profile.server} asks nobody for a token",
            why="so it cannot say whose this one is",
            next_step="make the server's first token with `teal tokens create`, or log in nowhere",
        )
    return me


def _tell(found: LoggedIn) -> None:
    name = found.profile.name
    until = f" until {found.expires_at:%Y-%m-%d %H:%MZ}" if found.expires_at else ""
    say(f"{found.profile.server} takes you for {found.name}, {found.role}{until}; kept as profile {name}")
    if not found.profile.is_default:
        say(f"`teal -p {name} list` goes there; `teal profile use {name}` has every command go there")
