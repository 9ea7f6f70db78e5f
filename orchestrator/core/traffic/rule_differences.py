"""What of a rule is not as it was, by name and from → to: weights, target groups, other actions, conditions."""

import json
from collections.abc import Iterator
from typing import Any

from orchestrator.core.cloud.forward_action import Forward, canonical, read_forward
from orchestrator.core.domain.ids import Json
from orchestrator.core.domain.text import group_name

Change = tuple[str, str, str]  # what, what it was, what it is
NONE = "none"
LONGEST = 160  # characters of a value in words


def of_lists(was: Json, now: Json) -> Iterator[Change]:
    """The differences of two action lists that do not say the same."""
    a, b = read_forward(was), read_forward(now)
    if a is None or b is None:
        yield "its actions", _types(was), _types(now)
        return
    yield from _groups(a, b)
    if a.stickiness != b.stickiness:
        yield "group stickiness", _sticky(a.stickiness), _sticky(b.stickiness)
    if a.others != b.others:
        yield from _others(a.others, b.others)


def of_conditions(was: Json, now: Json) -> Iterator[Change]:
    """The differences of what decides which requests a rule gets (see `rule_lists.conditions_of`)."""
    before, after = json.loads(was), json.loads(now)
    names = ("its priority", "its conditions", "its transforms")
    for number, name in enumerate(names):
        a, b = (one[number] if number < len(one) else "" for one in (before, after))
        if a != b:
            words = _conditions if number == 1 else _text
            yield name, words(a), words(b)


def in_words(changes: Iterator[Change]) -> str:
    """Changes as one text: ``the weight of search: 10 → 20``."""
    return "; ".join(f"{what}: {was} → {now}" for what, was, now in changes)


def _groups(a: Forward, b: Forward) -> Iterator[Change]:
    if len(a.groups) == len(b.groups) == 1:
        if a.groups[0].group != b.groups[0].group:
            yield "its target group", group_name(a.groups[0].group), group_name(b.groups[0].group)
        return
    for group in dict.fromkeys(w.group for w in (*a.groups, *b.groups)):
        was, now = a.weight(group), b.weight(group)
        if was == now:
            continue
        name = group_name(group)
        if was is None or now is None:
            yield (
                f"target group {name}",
                NONE if was is None else f"weight {was}",
                NONE if now is None else f"weight {now}",
            )
        else:
            yield f"the weight of {name}", str(was), str(now)


def _others(was: str, now: str) -> Iterator[Change]:
    before: list[dict[str, Any]] = json.loads(was)
    after: list[dict[str, Any]] = json.loads(now)
    left = [action for action in before if action not in after]
    new = [action for action in after if action not in before]
    for kind in dict.fromkeys(str(action.get("Type")) for action in (*left, *new)):
        old = [action for action in left if action.get("Type") == kind]
        made = [action for action in new if action.get("Type") == kind]
        yield f"the action {kind}", _text(old[0]) if old else NONE, _text(made[0]) if made else NONE
    if not left and not new:
        yield "the order of its actions", _order(before), _order(after)


def _conditions(conditions: object) -> str:
    """Conditions as people write them: ``path-pattern /shop/*``, ``path-pattern regex ^/shop``; others as JSON."""
    found = json.loads(conditions) if isinstance(conditions, str) and conditions else conditions
    if not isinstance(found, list):
        return _text(found)
    parts = []
    for one in found:
        config: dict[str, Any] = next((value for key, value in one.items() if key.endswith("Config")), {})
        values, expressions = (one.get(name) or config.get(name) for name in ("Values", "RegexValues"))
        words = [str(value) for value in values or ()]
        words += ["regex", *map(str, expressions)] if expressions else []
        parts.append(f"{one.get('Field')} {' '.join(words or [canonical(config)])}")
    return _text("; ".join(parts))


def _order(actions: list[dict[str, Any]]) -> str:
    return ", ".join(str(action.get("Type")) for action in actions)


def _types(actions: Json) -> str:
    return _order(json.loads(actions)) or NONE


def _sticky(stickiness: str) -> str:
    seconds = json.loads(stickiness).get("DurationSeconds")
    return f"{seconds} s" if seconds else "off"


def _text(value: object) -> str:
    """A value as short JSON; a text with JSON in it as that JSON."""
    text = value if isinstance(value, str) else canonical(value)
    return (text if len(text) <= LONGEST else f"{text[:LONGEST]}…") or NONE
