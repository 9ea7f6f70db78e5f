"""Which server commands go to, and with which token: from `--profile`, the environment, or the file of profiles.

The file is ``teal/config.toml`` in the user's configuration directory (XDG Base Directory). What it says about a
token is where the token is, never the token itself, so that the file can be shown and shared.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click

from orchestrator.core.domain.errors import Invalid, Mistake

STORE = "store"
"""The profile that every installation has: no server, the store on this machine."""
KEYS = ("server", "token_file", "token_env", "default")
TOKEN_BYTES_MAX = 16_384  # an OIDC token with many groups is long


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where commands go. ``server`` empty: the store. ``origin`` says in words who said so."""

    server: str = ""
    token: str = field(default="", repr=False)
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One server by a short name."""

    name: str
    server: str
    token_file: str = ""
    token_env: str = ""
    is_default: bool = False


def config_path() -> Path:
    """The file of profiles."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    # A relative path is to be ignored (XDG Base Directory).
    folder = Path(base) if os.path.isabs(base) else Path.home() / ".config"
    return folder / "teal" / "config.toml"


def target() -> Target:
    """Where this command goes: `--profile`, else TEAL_SERVER, TEAL_PROFILE, the default profile, or the store.

    TEAL_TOKEN and TEAL_TOKEN_FILE stand above a profile's token; a profile's token goes to its own server alone.
    Raises Invalid.
    """
    context = click.get_current_context(silent=True)
    named = (context.find_root().params.get("profile") if context else None) or ""
    server = os.environ.get("TEAL_SERVER", "").strip()
    if server and not named:
        return Target(server=server, token=_token_of_environment(), origin="TEAL_SERVER")
    origin = "--profile" if named else "TEAL_PROFILE"
    wanted = named or os.environ.get("TEAL_PROFILE", "").strip()
    if wanted == STORE:
        return Target(origin=origin)
    profile = _wanted(wanted, origin)
    if profile is None:
        return Target()
    token = _token_of_environment() or _token_of(profile)
    return Target(server=profile.server, token=token, origin=f"profile {profile.name} of {config_path()}")


def _wanted(name: str, origin: str) -> Profile | None:
    """The profile of this name, or without one the default. Raises Invalid if there is none of the name."""
    known = profiles()
    if not name:
        return next((one for one in known if one.is_default), None)
    for one in known:
        if one.name == name:
            return one
    there = ", ".join([*(one.name for one in known), STORE])
    raise _wrong(
        origin, f"there is no profile `{name}`", f"name one of: {there}; they are in {config_path()}"
    )


def profiles() -> tuple[Profile, ...]:
    """Every profile of the file; none if there is no file. Raises Invalid with all mistakes in it."""
    path = config_path()
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise _wrong(str(path), f"cannot be read: {error.strerror}", "see to its permissions") from error
    import tomllib

    try:
        document = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong(
            str(path), f"is no TOML: {error}", 'write [profiles.prod] and server = "https://…"'
        ) from error
    mistakes = [
        Mistake(pointer=f"/{key}", what=f"unknown key `{key}`", instead="write [profiles.NAME]")
        for key in document
        if key != "profiles"
    ]
    tables = document.get("profiles", {})
    if not isinstance(tables, dict):
        tables = {}
        mistakes.append(Mistake(pointer="/profiles", what="is no table", instead="write [profiles.NAME]"))
    for name, table in tables.items():
        mistakes += _mistakes(name, table)
    defaults = [n for n, t in tables.items() if isinstance(t, dict) and t.get("default") is True]
    if len(defaults) > 1:
        what = f"{' and '.join(defaults)} are both the default"
        mistakes.append(Mistake(pointer="/profiles", what=what, instead="leave default = true in one"))
    if mistakes:
        raise Invalid(source=str(path), mistakes=mistakes)
    return tuple(_profile(name, table) for name, table in tables.items())


def _mistakes(name: str, table: object) -> list[Mistake]:
    at = f"/profiles/{name}"
    if not isinstance(table, dict):
        return [Mistake(pointer=at, what="is no table", instead=f"write [profiles.{name}]")]
    found = []
    if name == STORE:
        what = f"`{STORE}` always means the store on this machine"
        found.append(Mistake(pointer=at, what=what, instead="give it another name"))
    for key, value in table.items():
        if key == "token":
            what, instead = (
                "the token itself does not belong here",
                'write token_file = "…" or token_env = "…"',
            )
            found.append(Mistake(pointer=f"{at}/{key}", what=what, instead=instead))
        elif key not in KEYS:
            what = f"unknown key `{key}`"
            found.append(Mistake(pointer=f"{at}/{key}", what=what, instead=f"known are {', '.join(KEYS)}"))
        elif not isinstance(value, bool if key == "default" else str):
            instead = "write true or false" if key == "default" else "write it in quotes"
            found.append(Mistake(pointer=f"{at}/{key}", what="is of the wrong kind", instead=instead))
    if not table.get("server"):
        found.append(Mistake(pointer=at, what="names no server", instead='write server = "https://…"'))
    if table.get("token_file") and table.get("token_env"):
        what = "names both token_file and token_env"
        found.append(Mistake(pointer=at, what=what, instead="leave one of them"))
    return found


def _profile(name: str, table: Mapping[str, object]) -> Profile:
    return Profile(
        name=name,
        server=str(table["server"]),
        token_file=str(table.get("token_file", "")),
        token_env=str(table.get("token_env", "")),
        is_default=table.get("default") is True,
    )


def _token_of_environment() -> str:
    given = os.environ.get("TEAL_TOKEN", "").strip()
    if given:
        return token_checked(given, "TEAL_TOKEN")
    path = os.environ.get("TEAL_TOKEN_FILE", "").strip()
    return token_in(Path(path).expanduser(), "TEAL_TOKEN_FILE") if path else ""


def _token_of(profile: Profile) -> str:
    at = f"{config_path()}/profiles/{profile.name}"
    if profile.token_file:
        # A relative path is relative to the file that names it.
        return token_in(config_path().parent / Path(profile.token_file).expanduser(), f"{at}/token_file")
    if profile.token_env:
        given = os.environ.get(profile.token_env, "").strip()
        if not given:
            raise _wrong(
                f"{at}/token_env", f"{profile.token_env} is not set", f"export {profile.token_env}=…"
            )
        return token_checked(given, profile.token_env)
    return ""


def token_in(path: Path, source: str) -> str:
    """The token in a file that only its owner can reach. Raises Invalid."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(TOKEN_BYTES_MAX + 1)
    except OSError as error:
        raise _wrong(source, f"{path} cannot be read: {error.strerror}", "name the token's file") from error
    if mode & 0o077:
        what = f"{path} can be reached by others than its owner (mode {mode & 0o777:03o})"
        raise _wrong(source, what, f"chmod 600 {path}")
    if len(text) > TOKEN_BYTES_MAX:
        raise _wrong(source, f"{path} is too large for a token", "name the file that holds the token alone")
    return token_checked(text.decode("utf-8", "replace").strip(), f"{source} ({path})")


def token_checked(token: str, source: str) -> str:
    """A text that may be a token, whosever it is. Raises Invalid."""
    if len(token) > TOKEN_BYTES_MAX:
        raise _wrong(source, "is too large for a token", "write the token alone")
    if not token or not all("!" <= character <= "~" for character in token):
        raise _wrong(source, "holds no token", "write the token alone, on one line")
    return token


def _wrong(source: str, what: str, instead: str) -> Invalid:
    return Invalid(source=source, mistakes=[Mistake(pointer="", what=what, instead=instead)])
