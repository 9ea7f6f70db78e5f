"""Event patterns: which events a rule wants. Source: "Comparison operators for use in event patterns"."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sandbox.world.kernel.errors import AwsRefusal, Json, not_here

_OPERATORS = ("prefix", "suffix", "anything-but", "exists", "wildcard", "equals-ignore-case", "numeric")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A checked pattern."""

    tree: Json

    @classmethod
    def of(cls, text: str) -> "Pattern":
        """Read a pattern. Raises AwsRefusal InvalidEventPatternException."""
        try:
            tree = json.loads(text)
        except ValueError:
            raise _invalid("it is no JSON") from None
        if not isinstance(tree, dict) or not tree:
            raise _invalid("it is not an object with something in it")
        _check(tree)
        return cls(tree)

    def matches(self, event: Json) -> bool:
        """True if the event has everything that the pattern names."""
        return _matches(self.tree, event)


def _invalid(why: str) -> AwsRefusal:
    return AwsRefusal("InvalidEventPatternException", f"Event pattern is not valid. Reason: {why}")


def _check(tree: Mapping[str, object]) -> None:
    for name, wanted in tree.items():
        if name == "$or":
            raise not_here("$or in an event pattern")
        if isinstance(wanted, dict):
            _check(wanted)
        elif not isinstance(wanted, list) or not wanted:
            raise _invalid(f'"{name}" must be an object or a non-empty array')
        else:
            for option in wanted:
                _check_option(name, option)


def _check_option(name: str, option: object) -> None:
    if not isinstance(option, dict):
        return
    if len(option) != 1 or not option.keys() <= set(_OPERATORS):
        raise not_here(f"{', '.join(map(str, option))} in an event pattern, at {name},")
    operator, operand = next(iter(option.items()))
    if operator == "numeric" or (operator == "anything-but" and isinstance(operand, dict)):
        raise not_here(f"{operator} with {operand} in an event pattern, at {name},")
    if operator == "exists" and not isinstance(operand, bool):
        raise _invalid(f'"exists" of {name} must be true or false')
    if operator in ("prefix", "suffix", "wildcard", "equals-ignore-case") and not isinstance(operand, str):
        raise _invalid(f"{operator} of {name} must be a string")


def _matches(tree: Mapping[str, object], event: object) -> bool:
    if not isinstance(event, dict):
        return False
    for name, wanted in tree.items():
        if isinstance(wanted, dict):
            if not _matches(wanted, event.get(name)):
                return False
            continue
        assert isinstance(wanted, list)  # _check made sure
        if not any(_fits(option, name in event, event.get(name)) for option in wanted):
            return False
    return True


def _fits(option: object, is_there: bool, value: object) -> bool:
    """Whether an option holds for a member; of an array one element is enough."""
    if isinstance(option, dict) and "exists" in option:
        return bool(option["exists"]) == is_there
    if not is_there:
        return False
    values = value if isinstance(value, list) else [value]
    return any(_is(option, each) for each in values)


def _is(option: object, value: object) -> bool:
    if not isinstance(option, dict):
        return type(option) is type(value) and option == value
    operator, operand = next(iter(option.items()))
    if operator == "anything-but":
        return value not in (operand if isinstance(operand, list) else [operand])
    if not isinstance(value, str) or not isinstance(operand, str):
        return False
    match operator:
        case "prefix":
            return value.startswith(operand)
        case "suffix":
            return value.endswith(operand)
        case "equals-ignore-case":
            return value.lower() == operand.lower()
    return fnmatchcase(value, operand.replace("[", "[[]").replace("?", "[?]"))
