"""What differs between two task definitions, container by container, without anything that is kept secret."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

HIDDEN = "(hidden)"
SECRET_NAME = re.compile(
    r"pass(word|wd|phrase|code)?($|[^a-z])|pwd|secret|token|credential|private|api.?key|access.?key|auth|dsn"
    r"|signing|encryption|connection.?string",
    re.IGNORECASE,
)
"""Names whose values are never shown, although whoever wrote them did not keep them as secrets."""
USERINFO = re.compile(r"(?<=://)[^/\s@]+@")
ASSIGNED = re.compile(r"(?P<name>-{0,2}[\w.-]+)=(?P<value>.*)", re.DOTALL)
VALUE = r"""(?P<value>"[^"]*"|'[^']*'|[^\s;&|]+)"""
WITHIN = (
    re.compile(rf"(?P<name>[\w.-]+)(?P<by>=){VALUE}"),
    re.compile(rf"(?P<name>(?<![\w.-])--?[\w.-]+)(?P<by>\s+(?!-)){VALUE}"),
)
"""In a script that is one word of a command: what is assigned, and what follows an option."""
SHORT_MAX = 12  # differences that are named in one line

OF_TASK = {
    "cpu": "CPU units",
    "memory": "memory",
    "taskRoleArn": "task role",
    "executionRoleArn": "execution role",
    "networkMode": "network mode",
}
OF_CONTAINER = {
    "image": "image",
    "cpu": "CPU units",
    "memory": "memory",
    "memoryReservation": "memory reservation",
    "user": "user",
    "essential": "essential",
    "workingDirectory": "working directory",
    "stopTimeout": "stop timeout",
}
APART = ("name", "containerDefinitions", "family", "tags", "environment", "secrets", "portMappings")
COMMANDS = {"command": "command", "entryPoint": "entry point"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that differs. ``container`` empty: of the whole task.

    ``before`` and ``after``: None where it is not there, ``(hidden)`` for what is not shown.
    """

    container: str
    field: str  # image, environment, secret, port, CPU units …
    name: str = ""  # of the variable, the secret, the port
    before: str | None = None
    after: str | None = None


def differences(former: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Everything that differs between two task definitions as RegisterTaskDefinition takes them.

    A secret is told by its name and where it is read from, never by its value. An environment value is hidden where
    its name looks secret, and so is what stands for a user in an address. Of other settings only their name is told.
    """
    return (*_of_task(former, wanted), *_of_containers(former, wanted))


def short(found: Sequence[Difference]) -> str:
    """The same in one line, by names alone: ``checkout: image, environment LOG_LEVEL; task: memory``."""
    if not found:
        return ""
    parts: dict[str, list[str]] = {}
    for one in found[:SHORT_MAX]:
        parts.setdefault(one.container or "task", []).append(f"{one.field} {one.name}".strip())
    more = f"; and {len(found) - SHORT_MAX} more" if len(found) > SHORT_MAX else ""
    return "; ".join(f"{owner}: {', '.join(names)}" for owner, names in parts.items()) + more


def _of_task(former: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[Difference]:
    if former.get("family") != wanted.get("family"):
        yield _change("", "family", former.get("family"), wanted.get("family"))
    yield from _settings("", OF_TASK, former, wanted)


def _of_containers(former: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = _by_name(former.get("containerDefinitions")), _by_name(wanted.get("containerDefinitions"))
    for name in dict.fromkeys([*before, *after]):
        if name not in after:
            yield Difference(container=name, field="container", before=before[name].get("image", ""))
        elif name not in before:
            yield Difference(container=name, field="container", after=after[name].get("image", ""))
        else:
            yield from _of_container(name, before[name], after[name])


def _of_container(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    named = {
        "environment": (_environment(before), _environment(after)),
        "secret": (_secrets(before), _secrets(after)),
        "port": (_ports(before), _ports(after)),
    }
    yield from _settings(name, OF_CONTAINER, before, after)
    for field, (old, new) in named.items():
        for key in dict.fromkeys([*old, *new]):
            if old.get(key) != new.get(key):
                shows = _hiding(key) if field == "environment" else _as_it_is
                yield Difference(
                    container=name,
                    field=field,
                    name=key,
                    before=shows(old.get(key)),
                    after=shows(new.get(key)),
                )
    for key, field in COMMANDS.items():
        if (before.get(key) or []) != (after.get(key) or []):
            yield Difference(
                container=name, field=field, before=_command(before.get(key)), after=_command(after.get(key))
            )


def _settings(
    container: str, known: Mapping[str, str], before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Difference]:
    for key, field in known.items():
        if before.get(key) != after.get(key):
            yield _change(container, field, before.get(key), after.get(key))
    others = [key for key in dict.fromkeys([*before, *after]) if key not in (*known, *APART, *COMMANDS)]
    for key in others:
        if (before.get(key) or None) != (after.get(key) or None):
            yield Difference(
                container=container,
                field=key,
                before=HIDDEN if before.get(key) else None,
                after=HIDDEN if after.get(key) else None,
            )


def _change(container: str, field: str, before: object, after: object) -> Difference:
    return Difference(container=container, field=field, before=_text(before), after=_text(after))


def _text(value: object) -> str | None:
    if value is None:
        return None
    return value if isinstance(value, str) else json.dumps(value)


def _by_name(containers: Sequence[Mapping[str, Any]] | None) -> dict[str, Mapping[str, Any]]:
    return {one["name"]: one for one in containers or ()}


def _environment(container: Mapping[str, Any]) -> dict[str, str]:
    return {one["name"]: one.get("value", "") for one in container.get("environment") or ()}


def _secrets(container: Mapping[str, Any]) -> dict[str, str]:
    return {one["name"]: one.get("valueFrom", "") for one in container.get("secrets") or ()}


def _ports(container: Mapping[str, Any]) -> dict[str, str]:
    """By port and protocol; what else a mapping says is its value."""
    return {
        f"{one.get('containerPort', one.get('containerPortRange', ''))}/{one.get('protocol', 'tcp')}": (
            " ".join(
                f"{key} {value}" for key in ("name", "appProtocol", "hostPort") if (value := one.get(key))
            )
            or "open"
        )
        for one in container.get("portMappings") or ()
    }


def _as_it_is(value: str | None) -> str | None:
    return value


def _hiding(name: str) -> Callable[[str | None], str | None]:
    """How the values of a variable are shown."""

    def shown(value: str | None) -> str | None:
        if value is None:
            return None
        return HIDDEN if SECRET_NAME.search(name) else USERINFO.sub(f"{HIDDEN}@", value)

    return shown


def _command(words: Sequence[str] | None) -> str | None:
    """A command's words, without what follows an option whose name looks secret."""
    if not words:
        return None
    shown, is_secret_next = [], False
    for word in words:
        assigned = ASSIGNED.fullmatch(word)
        if is_secret_next and not word.startswith("-"):
            shown.append(HIDDEN)
        elif assigned and SECRET_NAME.search(assigned["name"]):
            shown.append(f"{assigned['name']}={HIDDEN}")
        else:
            text = USERINFO.sub(f"{HIDDEN}@", word)
            for pattern in WITHIN:
                text = pattern.sub(_hidden_within, text)
            shown.append(text)
        is_secret_next = word.startswith("-") and "=" not in word and bool(SECRET_NAME.search(word))
    return " ".join(shown)


def _hidden_within(found: re.Match[str]) -> str:
    """In a word that is a script of its own: what is assigned to a secret, or follows an option of such a name."""
    if SECRET_NAME.search(found["name"]):
        return f"{found['name']}{found['by']}{HIDDEN}"
    return found[0]
