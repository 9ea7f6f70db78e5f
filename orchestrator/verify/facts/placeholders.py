"""Takes whatever identifies anybody out of what AWS said: the same thing is always the same placeholder.

Known values (the account, names that were given or made) go first, then everything that has the form of an identifier.
What looks like a token goes without a number, so that not even its being the same shows.
"""

import re

# A number that is no part of a longer one; the full stop that ends a sentence is none of it.
_ALONE, _ENDS, _HEX = r"(?<!\d)(?<!\d\.)", r"(?!\d|\.\d)", "[0-9a-fA-F]{1,4}"
_FORMS: tuple[tuple[str, str], ...] = (
    ("role", r"arn:aws[a-z-]*:(?:iam|sts)::[^\s\"'<>,;)\]}]+"),
    ("arn", r"arn:aws[a-z-]*:[a-z0-9-]+:[^\s\"'<>,;)\]}]+"),
    ("url", r"https?://[^\s\"'<>]+"),
    ("key", r"\bA(?:KIA|SIA|ROA|IDA|GPA|NPA|IPA|PKA|SCA)[A-Z0-9]{8,}\b"),
    ("person", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    ("host", r"\b[\w-]+(?:\.[\w-]+)*\.(?:amazonaws\.com(?:\.cn)?|aws|internal|compute)\b"),
    ("id", r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b"),
    (
        "resource",
        r"\b(?:vpc|subnet|sg|eni|i|igw|rtb|acl|nat|ns|srv|vpce|eipalloc|tgw)-[0-9a-z]{3,}\b",
    ),
    ("group", r"\btargetgroup/[\w-]+/[0-9a-f]+"),
    ("balancer", r"\b(?:app|net)/[\w-]+/[0-9a-f]+"),
    ("account", rf"{_ALONE}(?:\d{{12}}|\d{{4}}-\d{{4}}-\d{{4}}){_ENDS}"),
    ("address", rf"{_ALONE}(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?:/\d{{1,2}})?{_ENDS}"),
    ("address", r"\bip-\d{1,3}(?:-\d{1,3}){3}\b"),
    (
        "address",
        rf"(?<![\w:])(?:(?:{_HEX}:){{7}}{_HEX}|(?:{_HEX}:)+:(?:{_HEX}(?::{_HEX})*)?)(?:/\d{{1,3}})?(?!\w|:\w)",
    ),
    ("id", r"\b[0-9a-f]{16,64}\b"),
)
_TOKEN = re.compile(r"[A-Za-z0-9+/_=-]{40,}")
_PLACEHOLDER = re.compile(r"(<[a-z][a-z -]*(?: \d+)?>)")
_KINDS = re.compile(r"arn:aws[a-z-]*:([a-z0-9-]+):[a-z0-9-]*:\d*:([a-z-]+)")


class Placeholders:
    """What was taken out, and by what it is called instead."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {}
        self._known: dict[str, str] = {}
        self._count: dict[str, int] = {}

    def learn(self, kind: str, value: str) -> None:
        """Take this value out wherever it stands, as `kind`; empty: nothing."""
        if value and value not in self._known:
            self._known[value] = self._named(kind, value)

    def scrub(self, text: str) -> str:
        """The text without anything that identifies anybody; a placeholder that stands in it stays."""
        for form, pattern in _FORMS[:2]:  # a known name within an ARN goes with it
            text = self._replaced(form, pattern, text)
        for value in sorted(self._known, key=len, reverse=True):
            text = _beside(text, re.compile(_whole(value)), self._known[value])
        for form, pattern in _FORMS[2:]:
            text = self._replaced(form, pattern, text)
        return _beside(text, _TOKEN, "<token>")

    def _replaced(self, form: str, pattern: str, text: str) -> str:
        def instead(found: re.Match[str]) -> str:
            return self._named(_kind(form, found[0]), found[0])

        parts = _PLACEHOLDER.split(text)
        parts[::2] = [re.sub(pattern, instead, part) for part in parts[::2]]
        return "".join(parts)

    def left_in(self, text: str) -> tuple[str, ...]:
        """Known values that still stand in a text, as whole words: there must be none."""
        said = " ".join(_PLACEHOLDER.split(text)[::2])  # a placeholder may be called what a service is named
        return tuple(kind for value, kind in self._known.items() if re.search(_whole(value), said))

    def _named(self, kind: str, value: str) -> str:
        if value not in self._given:
            number = self._count[kind] = self._count.get(kind, 0) + 1
            self._given[value] = f"<{kind} {number}>"
        return self._given[value]


def _beside(text: str, pattern: re.Pattern[str], instead: str) -> str:
    """The text with another one for a pattern, but not within a placeholder."""
    parts = _PLACEHOLDER.split(text)
    parts[::2] = [pattern.sub(instead, part) for part in parts[::2]]
    return "".join(parts)


def _whole(value: str) -> str:
    """A pattern for the value as a whole word, also where a hyphen joins it to others, as in what is named after it."""
    return rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])"


def _kind(form: str, arn: str) -> str:
    """An ARN is called by what it names, such as ``ecs service``."""
    found = _KINDS.match(arn)
    return f"{found[1]} {found[2]}" if form == "arn" and found else form
