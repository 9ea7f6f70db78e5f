"""`report --log`: whether an exported log is whole, from the file alone."""

import json
from dataclasses import dataclass
from pathlib import Path

from api.cli.backend.server_reads import event_of
from api.cli.output.output import emit, say
from orchestrator.core.domain.errors import Invalid, Mistake
from orchestrator.core.domain.event_chain import first_broken
from orchestrator.core.domain.text import counted
from orchestrator.ports.rollouts import EventSeen

BYTES_MAX = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCheck:
    """What an exported log says of itself: whole up to ``last_event``; later events cannot be known from it."""

    rollout: str
    file: str
    is_whole: bool
    first_broken: int | None  # the number of the first event that does not follow from the one before
    last_event: int  # the last that follows; 0: none does
    last: str  # its link, SHA-256, hexadecimal


def check(rollout: str, file: Path, *, as_json: bool) -> bool:
    """Tell whether a file's log is whole; True if so. Raises Invalid for a file that is no log."""
    log = _read(rollout, file)
    broken = first_broken((seen.rollout, seen.number, seen.event, seen.chain) for seen in log)
    good = [seen for seen in log if broken is None or seen.number < broken]
    found = LogCheck(
        rollout=rollout,
        file=str(file),
        is_whole=broken is None,
        first_broken=broken,
        last_event=good[-1].number if good else 0,
        last=good[-1].chain if good else "",
    )
    if as_json:
        emit(found)
        return found.is_whole
    if found.is_whole:
        say(f"log          {counted(len(log), 'event')}, whole up to event {found.last_event}")
        say("             whether there were later ones cannot be known from the file alone")
    else:
        say(f"log          {counted(len(log), 'event')}, BROKEN at event {found.first_broken}")
        say(
            f"             it, or the one before it, is not as it was written in the log of {rollout}, or not there"
        )
    say(f"last link    {found.last or 'none'}")
    return found.is_whole


def _read(rollout: str, file: Path) -> tuple[EventSeen, ...]:
    try:
        with file.open("rb") as opened:
            text = opened.read(BYTES_MAX + 1)
    except OSError as error:
        raise _wrong(file, None, f"it cannot be read: {error.strerror}", "name the file") from error
    if len(text) > BYTES_MAX:
        raise _wrong(file, None, "it is too large for a log", "name what `teal events ID --json` printed")
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append(event_of(rollout, json.loads(line)))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = "it is no event of a log"
            raise _wrong(file, number, what, "name what `teal events ID --json` printed") from error
    if not found:
        raise _wrong(file, None, "it holds no event", "name what `teal events ID --json` printed")
    return tuple(found)


def _wrong(file: Path, line: int | None, what: str, instead: str) -> Invalid:
    return Invalid(source=str(file), mistakes=[Mistake(pointer="", what=what, instead=instead, line=line)])
