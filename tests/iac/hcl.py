"""Terraform's language as far as docs/terraform.md writes it: blocks, attributes, and strings that name others."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Value = Any  # of HCL: text, number, truth, list, object, or one of the three below until it is answered
TOKEN = re.compile(
    r"""(?P<space>[ \t]+|\#[^\n]*)|(?P<line>\n)|(?P<text>"(?:[^"\\]|\\.)*")"""
    r"""|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w-]*)|(?P<mark>[{}\[\]()=,.:])"""
)
PART = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Reference:
    """Another block's attribute: ``aws_lb.main.arn``, ``var.vpc_id``, ``data.external.teal.result["…"]``."""

    path: str


@dataclass(frozen=True, slots=True)
class Template:
    """A string with references in it."""

    text: str


@dataclass(frozen=True, slots=True)
class Coalesced:
    """``coalesce(…)``: the first value that is not empty."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One block with its labels, its attributes, and the blocks in it, in their order."""

    kind: str
    labels: tuple[str, ...]
    attributes: Mapping[str, Value]
    blocks: tuple["Block", ...]

    @property
    def address(self) -> str:
        """How others name it: ``aws_ecs_service.checkout``, ``data.external.teal``."""
        return ".".join(self.labels if self.kind == "resource" else (self.kind, *self.labels))

    def inner(self, kind: str) -> "Block | None":
        """The block of that kind in it, if there is one."""
        return next((block for block in self.blocks if block.kind == kind), None)


class Unwritten(LookupError):
    """A reference to something that is not known (yet)."""


def parse(text: str) -> tuple[Block, ...]:
    """The blocks of a piece of HCL. Raises ValueError for what this reader does not know."""
    reader = _Reader(_tokens(text))
    _, blocks = reader.body(until="")
    return blocks


def answered(value: Value, know: Callable[[str], Value]) -> Value:
    """A value with its references answered by `know`. Raises Unwritten, as `know` does."""
    match value:
        case Reference(path=path):
            return know(path)
        case Template(text=text):
            return PART.sub(lambda found: str(know(found.group(1))), text)
        case Coalesced(values=values):
            return next(found for each in values if (found := answered(each, know)) not in ("", None))
        case list():
            return [answered(each, know) for each in value]
        case dict():
            return {name: answered(each, know) for name, each in value.items()}
        case _:
            return value


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(text):
        token = TOKEN.match(text, at)
        if token is None:
            raise ValueError(f"not known in HCL here: {text[at : at + 20]!r}")
        at = token.end()
        kind = token.lastgroup or ""
        if kind != "space":
            found.append((kind, token.group()))
    return found


class _Reader:
    """Reads tokens from the left; each method takes what it names."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens, self._at = tokens, 0

    def body(self, *, until: str) -> tuple[dict[str, Value], tuple[Block, ...]]:
        attributes: dict[str, Value] = {}
        blocks: list[Block] = []
        while True:
            self._skip_lines()
            if self._at == len(self._tokens) or self._is(until):
                self._at += bool(until)
                return attributes, tuple(blocks)
            name = self._take("name")
            if self._is("="):
                self._take("mark")
                attributes[name] = self._value()
            else:
                blocks.append(self._block(name))

    def _block(self, kind: str) -> Block:
        labels = []
        while self._kind() == "text":
            labels.append(self._take("text")[1:-1])
        self._take("mark", "{")
        attributes, blocks = self.body(until="}")
        return Block(kind, tuple(labels), attributes, blocks)

    def _value(self) -> Value:
        if self._is("["):
            return list(self._items("[", "]", self._value))
        if self._is("{"):
            return dict(self._items("{", "}", self._pair))
        match self._kind():
            case "text":
                text = self._take("text")[1:-1]
                return Template(text) if PART.search(text) else text
            case "number":
                number = self._take("number")
                return float(number) if "." in number else int(number)
            case _:
                return self._named()

    def _named(self) -> Value:
        name = self._path()
        if not self._is("("):
            return {"true": True, "false": False}.get(name, Reference(name))
        if name == "coalesce":
            return Coalesced(tuple(self._items("(", ")", self._value)))
        if name != "jsonencode":  # what it encodes is compared by its structure, so it is read as that
            raise ValueError(f"the function {name} is not known here")
        (value,) = self._items("(", ")", self._value)
        return value

    def _pair(self) -> tuple[str, Value]:
        name = self._take("name") if self._kind() == "name" else self._take("text")[1:-1]
        self._take("mark", "=")
        return name, self._value()

    def _path(self) -> str:
        path = self._take("name")
        while self._is(".") or self._is("["):
            if self._take("mark") == ".":
                path += "." + self._take("name")
            else:
                path += f"[{self._take(self._kind())}]"
                self._take("mark", "]")
        return path

    def _items(self, first: str, last: str, item: Callable[[], Value]) -> Iterator[Value]:
        self._take("mark", first)
        while True:
            self._skip_lines()
            if self._is(last):
                self._take("mark")
                return
            yield item()
            self._skip_lines()
            if self._is(","):
                self._take("mark")

    def _skip_lines(self) -> None:
        while self._kind() == "line":
            self._at += 1

    def _kind(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _is(self, mark: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at] == ("mark", mark)

    def _take(self, kind: str, text: str = "") -> str:
        found = self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")
        if found[0] != kind or (text and found[1] != text):
            raise ValueError(f"{found[1]!r} where {text or kind} was expected")
        self._at += 1
        return found[1]
