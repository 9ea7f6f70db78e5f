"""What is wrong with a parameter or a body, in words: what pydantic found, said to people who never read its source."""

from collections.abc import Callable, Mapping
from typing import Any

from api.auth.token_shapes import GROUP, NAME, SERVICE
from api.http.request.server_state import NAME_PATTERN
from api.http.request.service_scope import PLAIN, PLAIN_SOME, SAYABLE

Words = tuple[str, str]
"""What is wrong, and what to write instead."""

_CONTROL = ("it has control characters", "leave them out")
_HEADER = (
    "it has a character that a header cannot carry, or a space at an end",
    "write letters, digits and signs of ASCII",
)
_PATTERNS: dict[str, Words] = {
    PLAIN: _CONTROL,
    PLAIN_SOME: _CONTROL,
    SAYABLE: (
        "it has control characters, which a terminal would obey",
        "leave out all but line breaks and tabs",
    ),
    f"^{NAME_PATTERN.pattern}$": _HEADER,
    f"^({NAME_PATTERN.pattern})?$": _HEADER,
    f"^{NAME}$": ("it is no name", "write 1 to 100 visible characters, without a space at an end"),
    f"^{SERVICE}$": ("it is no pattern of services", "write cluster/service, cluster/* or *"),
    f"^{GROUP}$": ("it is no name of a group", "write 1 to 100 visible characters"),
}
_NUMBER = ("it is no number", "write one")
_WHOLE = ("it is no whole number", "write one, such as 20")
_FLAG = ("it is neither true nor false", "write one of them")
_TEXT = ("it is no text", "write it in quotes")
_OBJECT = ("it is no JSON object", "send one, with Content-Type: application/json")
_LIST = ("it is no list", "write one in brackets")

_WORDS: dict[str, Words] = {
    "missing": ("it is missing", "write it"),
    "extra_forbidden": ("it is not known here", "leave it out"),
    "json_invalid": ("the body is not JSON", "check quotes, commas and brackets"),
    **dict.fromkeys(("model_attributes_type", "model_type", "dict_type", "dataclass_type"), _OBJECT),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), _WHOLE),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), _NUMBER),
    **dict.fromkeys(("bool_type", "bool_parsing"), _FLAG),
    **dict.fromkeys(("string_type", "string_unicode"), _TEXT),
    **dict.fromkeys(("list_type", "tuple_type"), _LIST),
}
_WITH_CONTEXT: dict[str, Callable[[Mapping[str, Any]], Words]] = {
    "teal": lambda context: (str(context["what"]), str(context["instead"])),
    "greater_than_equal": lambda context: (
        f"it is less than {context['ge']:g}",
        f"write {context['ge']:g} or more",
    ),
    "less_than_equal": lambda context: (
        f"it is more than {context['le']:,g}",
        f"write {context['le']:,g} or less",
    ),
    "string_too_short": lambda _: ("it is empty", "write it, or leave it out"),
    "string_too_long": lambda context: (
        f"it is longer than {context['max_length']} characters",
        "shorten it",
    ),
    "too_long": lambda context: (f"it holds more than {context['max_length']} values", "write fewer"),
    "enum": lambda context: _choice(context),
    "literal_error": lambda context: _choice(context),
    "string_pattern_mismatch": lambda context: _PATTERNS.get(
        str(context["pattern"]), ("it is not written as it must be", "see its example in /openapi.json")
    ),
}
SAID = frozenset({*_WORDS, *_WITH_CONTEXT})
"""The kinds of mistakes that have words; a test finds one that has none."""


def words_of(details: Mapping[str, Any]) -> Words:
    """One of pydantic's findings in words."""
    kind = details["type"]
    if kind in _WITH_CONTEXT:
        return _WITH_CONTEXT[kind](details.get("ctx", {}))
    return _WORDS.get(kind, ("it is not what this takes", "see its example in /openapi.json"))


def _choice(context: Mapping[str, Any]) -> Words:
    return "it is none of the words known here", f"write {str(context['expected']).replace(chr(39), '')}"
