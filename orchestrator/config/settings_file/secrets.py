"""Secrets, which the settings file only points to: ``{env: NAME}`` or ``{file: /path}``.

Nothing here ever puts a secret, or what might be one by mistake, into a message.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.config.text.yaml_document import Document, Value, step_into
from orchestrator.core.domain.errors import Mistake
from orchestrator.settings import Secret

BYTES_MAX = 64 * 1024
ENV_NAME = re.compile(
    r"[A-Z_][A-Z0-9_]{0,99}", re.ASCII
)  # small letters are refused: a secret often has some
POINT_TO_IT = "keep it outside the file: {env: NAME} or {file: /path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What a settings file's pointers led to, by JSON pointer, and why some led nowhere."""

    found: Mapping[str, Secret] = field(repr=False)
    mistakes: tuple[Mistake, ...]


def secrets_of(document: Document, environment: Mapping[str, str]) -> Secrets:
    """Follow every well-formed pointer to a secret; what is malformed has its own mistake elsewhere."""
    found: dict[str, Secret] = {}
    mistakes: list[Mistake] = []
    for pointer, place in _places(document.value):
        try:
            text = _read(place, environment)
        except ValueError as error:
            what, instead = error.args
            mistakes.append(document.mistake(pointer, f"{_name(pointer)}: {what}", instead))
        else:
            found[pointer] = Secret(text)
    return Secrets(found=found, mistakes=tuple(mistakes))


def _places(settings: Value) -> Iterator[tuple[str, dict[str, Value]]]:
    """Every place for a secret that holds one well-formed pointer to it."""
    if not isinstance(settings, dict):
        return
    slack, hooks = settings.get("slack"), settings.get("hooks")
    candidates = (
        [(f"/slack/{key}", slack.get(key)) for key in ("token", "signing_secret")]
        if isinstance(slack, dict)
        else []
    )
    if isinstance(hooks, list):
        for index, hook in enumerate(hooks):
            if isinstance(hook, dict):
                candidates.append((f"{step_into('/hooks', index)}/secret", hook.get("secret")))
    servers = settings.get("prometheus")
    if isinstance(servers, dict):
        for name, server in servers.items():
            if isinstance(server, dict):
                candidates.append((f"{step_into('/prometheus', name)}/token", server.get("token")))
    for pointer, value in candidates:
        if isinstance(value, dict) and len(value) == 1:
            (kind, target), *_ = value.items()
            is_env = kind == "env" and isinstance(target, str) and ENV_NAME.fullmatch(target)
            if is_env or (kind == "file" and isinstance(target, str) and target.startswith("/")):
                yield pointer, value


def _read(place: Mapping[str, Value], environment: Mapping[str, str]) -> str:
    if "env" in place:
        name = str(place["env"])
        text = environment.get(name, "")
        if not text:
            raise ValueError(f"the environment has no {name}", f"set {name} where Teal is started")
    else:
        name = str(place["file"])
        text = _file(Path(name))
    if not text.isprintable() or text != text.strip():
        raise ValueError(
            f"what {name} holds is no secret: it has a space at an end, or a line break or another control "
            "character within",
            "store the secret alone, on one line",
        )
    return text


def _file(path: Path) -> str:
    """A secret's file without its trailing newline. Raises ValueError if others may read it or it is unfit."""
    try:
        # A pipe would keep the open waiting for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be opened"
        raise ValueError(f"{path} cannot be read: {reason}", "name a file that Teal may read") from error
    try:
        mode = os.fstat(descriptor).st_mode  # of the very file that is read
        if not stat.S_ISREG(mode):
            raise ValueError(f"{path} is no file", "name a file that holds the secret alone")
        if mode & stat.S_IRWXO:
            raise ValueError(f"{path} is open to every user of this machine", f"close it: chmod o-rwx {path}")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            raw = file.read(BYTES_MAX + 1)
    finally:
        os.close(descriptor)
    if len(raw) > BYTES_MAX:
        raise ValueError(f"{path} is larger than 64 KiB", "name a file that holds the secret alone")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8", "name a file that holds the secret as text") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise ValueError(f"{path} is empty", "write the secret into it")
    return text


def _name(pointer: str) -> str:
    """A pointer as people say it: ``hooks[1].secret``, counted from 1."""
    parts = pointer.removeprefix("/").split("/")
    return "".join(f"[{int(part) + 1}]" if part.isdecimal() else f".{part}" for part in parts).removeprefix(
        "."
    )
