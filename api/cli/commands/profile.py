"""`profile`: the servers that commands may go to, by short names, in the user's own file."""

from dataclasses import dataclass, replace

import click

from api.cli.backend import profile_file
from api.cli.backend.profiles import STORE, Profile, profiles
from api.cli.options.shell_completion import profiles as complete_profiles
from api.cli.output.output import emit, json_option, output_option, say, table
from api.client.requests import address_of

HEAD = ("NAME", "SERVER", "TOKEN", "DEFAULT")
_name = click.argument("name", metavar="NAME", shell_complete=complete_profiles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles:
    """Every profile of the file, in its order."""

    profiles: tuple[Profile, ...]


@click.group("profile")
def profile_command() -> None:
    """List the servers that commands may go to, and choose among them.

    They are kept in teal/config.toml in your configuration directory. `teal -p NAME …` sends one command to one of
    them, TEAL_PROFILE every command of a shell; `store` always means the store on this machine.
    """


@profile_command.command("list")
@output_option()
def list_command(as_json: bool) -> None:
    """List every profile, with where its token is."""
    found = profiles()
    if as_json:
        emit(Profiles(profiles=found))
    elif not found:
        click.echo("no profiles yet: `teal login NAME --server https://…` makes one")
    else:
        rows = [(one.name, one.server, _token(one), "default" if one.is_default else "") for one in found]
        click.echo("\n".join(table(HEAD, rows)))


@profile_command.command("show")
@_name
@output_option()
def show_command(name: str, as_json: bool) -> None:
    """Show one profile; never its token."""
    _show(profile_file.known(name), as_json=as_json)


@profile_command.command("use")
@_name
@json_option
def use_command(name: str, as_json: bool) -> None:
    """Have commands go to this profile where nothing else is said; `store` for the store on this machine."""
    profile_file.use(name)
    if as_json:
        emit(Profiles(profiles=profiles()))
    else:
        where = "the store on this machine" if name == STORE else profile_file.known(name).server
        say(f"commands go to {where} where nothing else is said")


@profile_command.command("remove")
@_name
@json_option
def remove_command(name: str, as_json: bool) -> None:
    """Take a profile out, with the token that `teal login` kept for it. The server knows the token still."""
    gone = profile_file.remove(name)
    if as_json:
        emit(gone)
    else:
        say(f"{name} ({gone.server}) is removed; `teal tokens revoke` ends a token at its server")


@profile_command.command("set")
@_name
@click.option("--server", metavar="URL", help="The server's address, such as https://teal.example.com.")
@click.option(
    "--token-file", metavar="FILE", help="A file that holds the token, relative to the profiles' own."
)
@click.option("--token-env", metavar="NAME", help="A variable of the environment that holds the token.")
@click.option("--default", "is_default", is_flag=True, help="Commands go there where nothing else is said.")
@json_option
def set_command(
    name: str,
    server: str | None,
    token_file: str | None,
    token_env: str | None,
    is_default: bool,
    as_json: bool,
) -> None:
    """Make a profile, or change what is named of one; --token-file and --token-env stand in each other's place."""
    if token_file and token_env:
        raise click.UsageError("--token-file and --token-env cannot stand beside each other")
    there = next((one for one in profiles() if one.name == name), None)
    if there is None and not server:
        raise click.UsageError(f"there is no profile {name} yet: say --server https://…")
    profile = there or Profile(name=name, server="")
    if server:
        profile = replace(profile, server=checked_address(server))
    if token_file is not None or token_env is not None:
        profile = replace(profile, token_file=token_file or "", token_env=token_env or "")
    profile = replace(profile, is_default=profile.is_default or is_default)
    profile_file.keep(profile)
    _show(profile, as_json=as_json)


def checked_address(server: str) -> str:
    """A server's address as it is kept. Raises click.UsageError that says what to write."""
    try:
        return address_of(server).url
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _show(profile: Profile, *, as_json: bool) -> None:
    if as_json:
        emit(profile)
        return
    say(f"name     {profile.name}")
    say(f"server   {profile.server}")
    say(f"token    {_token(profile)}")
    say(f"default  {'yes' if profile.is_default else 'no'}")


def _token(profile: Profile) -> str:
    if profile.token_file:
        return f"in the file {profile.token_file}"
    return f"in {profile.token_env}" if profile.token_env else "none"
