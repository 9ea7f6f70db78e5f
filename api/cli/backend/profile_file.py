"""Writes the file of profiles as `profiles` reads it; what people wrote into it beside the keys stays."""

import re
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import replace
from typing import Any

import tomlkit

from api.cli.backend.private_file import private_file
from api.cli.backend.profiles import KEYS, STORE, Profile, config_path, profiles
from orchestrator.core.domain.errors import Invalid, Mistake, NotFound

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def known(name: str) -> Profile:
    """The profile of this name. Raises NotFound, Invalid for a file that is none."""
    for one in profiles():
        if one.name == name:
            return one
    there = ", ".join(one.name for one in profiles()) or "none yet"
    raise NotFound(
        what=f"there is no profile `{name}` in {config_path()}",
        why=f"there are: {there}",
        next_step="`teal login` or `teal profile set` makes one",
    )


def keep(profile: Profile) -> None:
    """Write one profile, in the place of the one of its name; a default of others ends where this one is it.

    Raises Invalid for a name that cannot be one, Refused where the file cannot be written.
    """
    if not is_name(profile.name):
        what = f"`{profile.name}` is no name of a profile"
        instead = f"write letters, digits, - and _; `{STORE}` always means the store on this machine"
        raise Invalid(source="profile", mistakes=[Mistake(pointer="", what=what, instead=instead)])
    others = [one for one in profiles() if one.name != profile.name]
    if profile.is_default:
        others = [replace(one, is_default=False) for one in others]
    _write([*others, profile])


def use(name: str) -> None:
    """Have one profile be the default; `store`: none. Raises NotFound."""
    if name != STORE:
        known(name)
    _write([replace(one, is_default=one.name == name) for one in profiles()])


def remove(name: str) -> Profile:
    """Take one profile out, and the token that a login kept for it. Raises NotFound."""
    gone = known(name)
    _write([one for one in profiles() if one.name != name])
    if gone.token_file == token_name(name):
        (config_path().parent / gone.token_file).unlink(missing_ok=True)
    return gone


def is_name(name: str) -> bool:
    """True if a profile may be called so."""
    return bool(NAME.fullmatch(name)) and name != STORE


def token_name(profile: str) -> str:
    """Where a login keeps a profile's token, beside the file of profiles."""
    return f"{profile}.token"


def _write(wanted: Sequence[Profile]) -> None:
    path = config_path().resolve()
    document = tomlkit.parse(path.read_text(encoding="utf-8") if path.exists() else "")
    if "profiles" not in document:
        document["profiles"] = tomlkit.table(is_super_table=True)
    tables = document["profiles"]
    assert isinstance(tables, MutableMapping), "the file was read before"
    for name in set(tables) - {one.name for one in wanted}:
        del tables[name]
    for one in wanted:
        _fill(tables.setdefault(one.name, tomlkit.table()), _values(one))
    with private_file(path, is_forced=True) as write:
        write(tomlkit.dumps(document))


def _fill(table: MutableMapping[str, Any], values: Mapping[str, str | bool]) -> None:
    """Change only what is another value, so that what stands beside the others stays."""
    for key in set(table) & set(KEYS) - set(values):
        del table[key]
    for key, value in values.items():
        if table.get(key) != value:
            table[key] = value


def _values(profile: Profile) -> dict[str, str | bool]:
    values: dict[str, str | bool] = {"server": profile.server}
    if profile.token_file:
        values["token_file"] = profile.token_file
    if profile.token_env:
        values["token_env"] = profile.token_env
    if profile.is_default:
        values["default"] = True
    return values
