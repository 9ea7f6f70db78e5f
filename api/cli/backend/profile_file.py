"""Writes the file of profiles as `profiles` reads it; what people wrote into it beside the keys stays."""

import json
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from api.cli.backend.private_file import private_file
from api.cli.backend.profiles import KEYS, STORE, Profile, config_path, profiles
from orchestrator.core.domain.errors import Invalid, Mistake, NotFound

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HEAD = re.compile(r"\s*\[\s*profiles\s*\.\s*[\"']?([A-Za-z0-9_-]+)[\"']?\s*\]\s*(#.*)?")
_KEY = re.compile(rf"\s*({'|'.join(KEYS)})\s*=")


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
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    text = _edited(before, {one.name: one for one in wanted})
    if _read(text) != {one.name: _values(one) for one in wanted}:  # written in another way than by tables
        text = _edited("", {one.name: one for one in wanted})
    with private_file(path, is_forced=True) as write:
        write(text)


def _read(text: str) -> object:
    try:
        return tomllib.loads(text).get("profiles", {})
    except tomllib.TOMLDecodeError:
        return None


def _edited(text: str, wanted: dict[str, Profile]) -> str:
    parts: list[str] = []
    for name, lines in _tables(text.splitlines()):
        if name is None:
            parts += lines
        elif name in wanted:
            parts += _table(lines, wanted.pop(name))
    for one in wanted.values():
        parts += [*([""] if parts and parts[-1] else []), *_table([f"[profiles.{one.name}]"], one)]
    return "\n".join(parts).strip("\n") + "\n" if parts else ""


def _tables(lines: Iterable[str]) -> list[tuple[str | None, list[str]]]:
    """The text in tables by their profile's name; what stands before the first, and other tables, by None."""
    found: list[tuple[str | None, list[str]]] = [(None, [])]
    for line in lines:
        if line.lstrip().startswith("["):
            head = _HEAD.fullmatch(line)
            found.append((head[1] if head else None, []))
        found[-1][1].append(line)
    return found


def _table(lines: list[str], profile: Profile) -> list[str]:
    values = {
        key: f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in _values(profile).items()
    }
    kept: list[str] = []
    for line in lines:
        key = _KEY.match(line)
        if key is None:
            kept.append(line)
        elif key[1] in values:
            written = values.pop(key[1])
            kept.append(
                line if _read(f"[profiles.x]\n{line}") == _read(f"[profiles.x]\n{written}") else written
            )
    end = len(kept)
    while not kept[end - 1].strip():
        end -= 1
    return [*kept[:end], *values.values(), *kept[end:]]


def _values(profile: Profile) -> dict[str, str | bool]:
    values: dict[str, str | bool] = {"server": profile.server}
    if profile.token_file:
        values["token_file"] = profile.token_file
    if profile.token_env:
        values["token_env"] = profile.token_env
    if profile.is_default:
        values["default"] = True
    return values
