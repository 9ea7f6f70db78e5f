"""docs/errors.md: every kind of error, from the tree itself."""

import ast
import importlib

from api.problems import (
    AddressTooLong,
    Busy,
    Forbidden,
    Foreign,
    HeadersTooLarge,
    Internal,
    IssuerAway,
    Malformed,
    NoSuchPath,
    TooLarge,
    Unauthenticated,
    WrongMethod,
    WrongType,
    kinds,
)
from docs.pages.markdown import document, first_paragraph, table
from docs.pages.source import name_of, trees
from orchestrator.core.domain.errors import Invalid, Lost, NotFound, Outside, Refused, TealError, Unfit

WHAT_TO_DO = {
    Invalid: "Correct the file or the request at each place that is named.",
    Unfit: "Clear each finding, or ask for another rollout.",
    Refused: "Look at the rollout (`teal get ID`), and give a command that its phase accepts.",
    NotFound: "`teal list` shows what there is.",
    Lost: "Nothing: the next tick looks again.",
    Outside: "See that AWS can be reached and allows the call; the message says which.",
    NoSuchPath: "Ask for a path that the server's `/openapi.json` lists.",
    WrongMethod: "Use a method that the answer's `Allow` header names.",
    TooLarge: "Send a rollout file.",
    WrongType: "Send JSON, or YAML where a rollout file is asked for, and say so in `Content-Type`.",
    AddressTooLong: "Ask for less at once.",
    Malformed: "Speak HTTP/1.1 to this port, and TLS to the proxy before it.",
    HeadersTooLarge: "Send a shorter address and fewer headers.",
    Unauthenticated: "Send `Authorization: Bearer …` with a token that is neither expired nor revoked.",
    Forbidden: "Ask somebody with the role that the message names; `GET /v1/me` shows your own.",
    IssuerAway: "Try again in a minute, or use one of Teal's own tokens.",
    Foreign: "Ask by the server's own name (without authentication: `127.0.0.1` or `localhost`, through a tunnel if "
    "need be), and not from another site's page.",
    Busy: "Ask again in a few seconds, without waiting for news.",
    Internal: "Look in the server's log for the request's id, and report what it says.",
}


def page() -> str:
    """The page's text."""
    _load_all()
    own = [kind for kind in kinds() if kind.__module__.startswith(("orchestrator.", "api."))]
    # Which module was loaded first must not show: the core's tree comes first, then the others by name.
    own.sort(key=lambda kind: (kind.__module__ != TealError.__module__, kind.__module__))
    return document(
        "Errors",
        "the tree under `TealError`",
        "Every error says what failed, why, and what to do next. Its code is stable: the HTTP API answers with a "
        "problem document (RFC 9457) whose `type` is `/problems/<code>`, and `--json` of the command line has the "
        "code too. A kind without words of its own on what to do is handled as its parent, named in parentheses.",
        table(
            ["code", "kind", "meaning", "what to do", "HTTP", "exit code"],
            [
                [
                    f"`{kind.code}`",
                    _named(kind),
                    first_paragraph(kind.__doc__),
                    _what_to_do(kind),
                    str(kind.http_status),
                    str(kind.exit_code),
                ]
                for kind in own
                if kind is not TealError
            ],
        ),
    )


def _load_all() -> None:
    """Import every module that adds a kind to the tree: a class is only known to its parent once it is loaded."""
    known, is_growing = {"TealError"}, True
    while is_growing:
        is_growing = False
        for folder in ("orchestrator", "api"):
            for module, tree in trees(folder):
                for node in tree.body:
                    if not isinstance(node, ast.ClassDef) or node.name in known:
                        continue
                    if any(name_of(base) in known for base in node.bases):
                        known.add(node.name)
                        importlib.import_module(module)
                        is_growing = True


def _named(kind: type[TealError]) -> str:
    parent = kind.__bases__[0]
    return kind.__name__ if parent is TealError else f"{kind.__name__} ({parent.__name__})"


def _what_to_do(kind: type[TealError]) -> str:
    return next(
        (WHAT_TO_DO[parent] for parent in kind.__mro__ if parent in WHAT_TO_DO), "As its message says."
    )
