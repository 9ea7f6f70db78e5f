"""What is wrong with a parameter or a body, in words."""

from collections.abc import Mapping
from typing import Any

from api.auth.token_shapes import GROUP, NAME, SERVICE
from api.http.request.server_state import NAME_PATTERN
from api.http.request.service_scope import PLAIN, PLAIN_SOME, SAYABLE
from orchestrator.config.text import pydantic_words
from orchestrator.config.text.pydantic_words import Words

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
_OBJECT = ("it is no JSON object", "send one, with Content-Type: application/json")
_OF_DOOR: dict[str, Words] = {
    "json_invalid": ("the body is not JSON", "check quotes, commas and brackets"),
    **dict.fromkeys(("model_attributes_type", "model_type", "dict_type", "dataclass_type"), _OBJECT),
}


def words_of(details: Mapping[str, Any]) -> Words:
    """One of pydantic's findings in words."""
    kind = details["type"]
    if kind == "string_pattern_mismatch":
        pattern = str(details.get("ctx", {}).get("pattern", ""))
        return _PATTERNS.get(pattern, ("it is not written as it must be", "see its example in /openapi.json"))
    known = _OF_DOOR.get(kind) or pydantic_words.words_of(details)
    return known or ("it is not what this takes", "see its example in /openapi.json")
