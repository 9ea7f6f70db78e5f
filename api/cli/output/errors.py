"""An error as a command tells it: lines for people, and one value for programs."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from orchestrator.core.domain.errors import Invalid, TealError, Unfit
from orchestrator.core.domain.text import counted, visible


def words(error: TealError) -> Iterator[str]:
    """The error for people: a line a mistake or finding, each whole on its line whatever it quotes."""
    match error:
        case Invalid():
            yield from (visible(mistake.at(error.source)) for mistake in error.mistakes)
        case Unfit():
            first, *more = error.findings or ("",)
            yield visible(f"{error.what}: {first}" if first else error.what)
            yield from (visible(one) for one in more)
        case _:
            yield visible(str(error))


def about(error: TealError) -> dict[str, Any]:
    """The error for programs: its code, its words, and every mistake or finding by itself.

    A mistake's ``line`` is null where its source has none, ``pointer`` a JSON pointer (RFC 6901).
    """
    what, why = error.what, error.why
    mistakes: list[dict[str, Any]] = []
    findings: tuple[str, ...] = ()
    match error:
        case Invalid():
            mistakes = [{"source": error.source, **asdict(mistake)} for mistake in error.mistakes]
            what = f"{counted(len(mistakes), 'mistake')} in {error.source or 'what was sent'}"
        case Unfit():
            findings, why = error.findings, ""
    return {
        "code": error.code,
        "what": what,
        "why": why,
        "next_step": error.next_step,
        "mistakes": mistakes,
        "findings": list(findings),
    }
