"""Statements of IAM policies: what each is for, and how it is written with an account's own names in it.

``REGION``, ``ACCOUNT`` and the other words in capitals stand for those names.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

Condition = Mapping[str, Mapping[str, str | Sequence[str]]]
Words = Mapping[str, Sequence[str]]
"""What stands for each word in capitals; several names make several resources."""

PLACEHOLDERS = (
    "REGION",
    "ACCOUNT",
    "CLUSTER",
    "LOAD_BALANCER",
    "SERVICE",
    "FAMILY",
    "TASK_ROLE",
    "EXECUTION_ROLE",
    "VOLUME_ROLE",
    "USER_POOL",
)


class Part(StrEnum):
    """What a statement is for; each part is a policy of its own."""

    READ = "read"
    PREFLIGHT = "preflight"
    ROLLOUT = "rollout"
    OPTIONS = "options"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One statement of a policy: what it is for, and the actions it allows."""

    sid: str
    part: Part
    why: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    condition: Condition | None = None


def statement(grant: Grant, words: Words | None = None) -> dict[str, object]:
    """A grant as a policy's statement; `words`: what stands for the words in capitals, if it is known."""
    resources = resources_of(grant, words or {})
    found: dict[str, object] = {
        "Sid": grant.sid,
        "Effect": "Allow",
        "Action": list(grant.actions),
        "Resource": resources[0] if len(resources) == 1 else resources,
    }
    if grant.condition is not None:
        found["Condition"] = {
            operator: {key: _values(value, words or {}) for key, value in keys.items()}
            for operator, keys in grant.condition.items()
        }
    return found


def resources_of(grant: Grant, words: Words) -> list[str]:
    """What a grant allows its actions on; `words` as for `statement`."""
    return [one for resource in grant.resources for one in _filled(resource, words)]


def line(given: dict[str, object]) -> str:
    """A statement on one line, to be copied into a policy."""
    return json.dumps(given, ensure_ascii=False)


def is_filled(resources: Sequence[str]) -> bool:
    """True if no word in capitals stands in these any more."""
    return not any(word in resource for resource in resources for word in PLACEHOLDERS)


def _values(value: str | Sequence[str], words: Words) -> str | list[str]:
    if not isinstance(value, str):
        return [one for each in value for one in _filled(each, words)]
    found = _filled(value, words)
    return found[0] if len(found) == 1 else found


def _filled(text: str, words: Words) -> list[str]:
    """The text with each word in capitals replaced, once for each combination of names."""
    used = [word for word in PLACEHOLDERS if word in text and words.get(word)]
    made = []
    for names in product(*(words[word] for word in used)):
        one = text
        for word, name in zip(used, names, strict=True):
            one = one.replace(word, name)
        made.append(one)
    return made
