"""What pydantic finds wrong with a value, said to people who never read its source."""

from collections.abc import Callable, Mapping
from typing import Any

Words = tuple[str, str]
"""What is wrong, and what to write instead."""

_NUMBER = ("it is no number", "write one")
_WHOLE = ("it is no whole number", "write one, such as 20")
_FLAG = ("it is neither true nor false", "write one of them")
_TEXT = ("it is no text", "write it in quotes")
_OBJECT = ("it is no JSON object", "write one in braces")
_LIST = ("it is no list", "write one in brackets")

_WORDS: dict[str, Words] = {
    "missing": ("it is missing", "write it"),
    "extra_forbidden": ("it is not known here", "leave it out"),
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
    "greater_than": lambda context: (f"it is not more than {context['gt']:g}", "write more"),
    "less_than": lambda context: (f"it is not less than {context['lt']:g}", "write less"),
    "string_too_short": lambda _: ("it is empty", "write it, or leave it out"),
    "string_too_long": lambda context: (
        f"it is longer than {context['max_length']} characters",
        "shorten it",
    ),
    "too_long": lambda context: (f"it holds more than {context['max_length']} values", "write fewer"),
    "enum": lambda context: _choice(context),
    "literal_error": lambda context: _choice(context),
}


def words_of(details: Mapping[str, Any]) -> Words | None:
    """One of pydantic's findings in words; None where it has none."""
    kind = details["type"]
    if kind in _WITH_CONTEXT:
        return _WITH_CONTEXT[kind](details.get("ctx", {}))
    return _WORDS.get(kind)


def _choice(context: Mapping[str, Any]) -> Words:
    return "it is none of the words known here", f"write {str(context['expected']).replace(chr(39), '')}"
