"""Asks of every call that Teal makes on a World whether the printed policies allow it.

The policies are the files in docs/iam/, with the World's own names in them; what a call asks of IAM, and what a policy
says of it, is the World's to say. Calls that tests make by themselves are not Teal's.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from orchestrator.aws.client.transport import Answer
from sandbox.world.access.conditions import is_like
from sandbox.world.access.documents import Document, Request, Statement
from sandbox.world.world import World
from tests.support.direct_transport import DirectTransport

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "iam"
OF_A_SERVER = ("read", "preflight", "rollout", "options")
ROLE = "arn:aws:iam::123456789012:role/teal"
Words = Mapping[str, Sequence[str]]
Use = tuple[str, str, str]  # statement, action, resource as printed
Printed = tuple[str, Statement, Mapping[str, str]]  # its Sid, and as what each of its resources was printed


@dataclass(slots=True)
class Names:
    """What stands for the words in capitals in one World: names that were its own before any rollout's."""

    services: set[str] = field(default_factory=set)
    size: tuple[int, ...] = ()
    statements: tuple[Printed, ...] = ()
    by_action: dict[str, tuple[Printed, ...]] = field(default_factory=dict)

    def about(self, action: str) -> tuple[Printed, ...]:
        """The statements that name an action."""
        if action not in self.by_action:
            self.by_action[action] = tuple(one for one in self.statements if one[1].is_about(action))
        return self.by_action[action]


@dataclass(slots=True)
class Permitted:
    """What was asked, what was denied, and which parts of the policies were needed."""

    parts: tuple[str, ...]
    calls: Counter[str] = field(default_factory=Counter)
    denied: dict[str, str] = field(default_factory=dict)
    used: Counter[Use] = field(default_factory=Counter)
    _names: WeakKeyDictionary[World, Names] = field(default_factory=WeakKeyDictionary)

    def ask(self, world: World, service: str, operation: str, params: Answer) -> None:
        """Of one call."""
        self.calls[f"{service} {operation}"] += 1
        names = self._named(world)
        for request in world.gate.requests.of(service, operation, params, by=ROLE):
            found = [one for one in names.about(request.action) if one[1].holds(request)]
            if not found:
                self.denied.setdefault(f"{request.action} on {request.resource}", f"{dict(request.keys)}")
            for sid, _, printed in found:
                self.used[(sid, request.action, _printed_as(printed, request))] += 1

    def _named(self, world: World) -> Names:
        if world not in self._names:
            self._names[world] = Names()
        names, containers, balancing = self._names[world], world._containers, world._balancing
        size = (len(containers.clusters), len(containers.services), len(balancing.load_balancers))
        revisions = sum(map(len, containers.definitions.values()))
        if (*size, revisions) != names.size:
            names.size = (*size, revisions)
            bodies = [one.body for family in containers.definitions.values() for one in family]
            alive = (one for one in containers.services.values() if "teal:rollout" not in one.tags)
            names.services |= {one.name for one in alive}
            words = {
                "REGION": [world.region],
                "ACCOUNT": [world.account],
                "CLUSTER": list(containers.clusters),
                "LOAD_BALANCER": [one.name for one in balancing.load_balancers.values()],
                "SERVICE": sorted(names.services),
                "FAMILY": [one for one in containers.definitions if not one.endswith("-green")],
                "TASK_ROLE": _roles(bodies, "taskRoleArn"),
                "EXECUTION_ROLE": _roles(bodies, "executionRoleArn"),
                "VOLUME_ROLE": ["*"],
                "USER_POOL": ["*"],
            }
            names.statements = tuple(
                (printed["Sid"], statement, resources)
                for part in self.parts
                for printed in printed_statements(part)
                for statement, resources in [_filled(printed, words)]
            )
            names.by_action.clear()
        return names


def printed_statements(part: str) -> list[dict[str, Any]]:
    """The statements of one printed part."""
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{part}.json").read_text())["Statement"]
    return found


def listed(value: str | list[str]) -> list[str]:
    """One or several, as a list."""
    return [value] if isinstance(value, str) else value


def document(parts: Sequence[str], words: Words) -> dict[str, Any]:
    """Printed parts as one policy document, with these names."""
    return {
        "Version": "2012-10-17",
        "Statement": [_named_for(one, words) for p in parts for one in printed_statements(p)],
    }


@contextmanager
def permitted(*parts: str) -> Iterator[Permitted]:
    """Ask about each call of Teal's in this block, by these parts of the policies (default: a server's)."""
    watch = Permitted(parts or OF_A_SERVER)
    is_teals = False
    sent, made = DirectTransport.call, World.call

    async def call(self: DirectTransport, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        nonlocal is_teals
        is_teals = True  # until the World takes it: nothing is awaited on the way
        try:
            return await sent(self, service, operation, params)
        finally:
            is_teals = False

    def take(self: World, service: str, operation: str, params: Answer, **more: Any) -> Answer:  # noqa: ANN401
        nonlocal is_teals
        if is_teals:
            is_teals = False
            watch.ask(self, service, operation, params)
            more.setdefault("by", f"arn:aws:sts::{self.account}:assumed-role/teal/session")
        return made(self, service, operation, params, **more)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DirectTransport, "call", call)
        patched.setattr(World, "call", take)
        yield watch


def _roles(definitions: Sequence[Answer], member: str) -> list[str]:
    """The names of the roles that task definitions have in a member."""
    return sorted({str(one[member]).rpartition("/")[2] for one in definitions if one.get(member)})


def _filled(printed: dict[str, Any], words: Words) -> tuple[Statement, Mapping[str, str]]:
    """A statement with names in it, and as what each of its resources was printed."""
    resources = {one: each for each in listed(printed["Resource"]) for one in _each(each, words)}
    (statement,) = Document.read(
        {"Version": "2012-10-17", "Statement": [_named_for(printed, words)]}
    ).statements
    return statement, resources


def _named_for(printed: dict[str, Any], words: Words) -> dict[str, Any]:
    made = {**printed, "Resource": [o for each in listed(printed["Resource"]) for o in _each(each, words)]}
    if "Condition" in printed:
        made["Condition"] = {
            operator: {
                key: [one for each in listed(value) for one in _each(each, words)]
                for key, value in keys.items()
            }
            for operator, keys in printed["Condition"].items()
        }
    return made


def _each(text: str, words: Words) -> list[str]:
    used = [word for word in words if word in text]
    made = []
    for names in product(*(words[word] for word in used)):
        one = text
        for word, name in zip(used, names, strict=True):
            one = one.replace(word, name)
        made.append(one)
    return made


def _printed_as(printed: Mapping[str, str], request: Request) -> str:
    """As what the resource was printed by which a statement covers a request."""
    return next(text for resource, text in printed.items() if is_like(resource, request.resource))
