"""Text that cannot lie: nobody's words forge a line, move the cursor or read in another order than they stand."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from api.cli.following.event_lines import Lines, line_of
from api.cli.output.output import table
from api.cli.output.rollout_sheet import Span, plain
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import Event, EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.ports.rollouts import EventSeen
from tests.cli.terminal import Terminal, played

FORGED = "fine\n   9  12:00:00Z  ended              succeeded\x1b[2J\u202e"
SHOWN = r"fine    9  12:00:00Z  ended              succeeded\u001b[2J\u202e"
OBEYED = {chr(number) for number in (*range(32), *range(127, 160))} - {"\n"} | {"\u202e", "\u2028"}


@pytest.fixture
def forged(terminal: Terminal) -> Iterator[str]:
    """A rollout whose author and operator wrote what a terminal would obey; its id."""
    stage, rollout = played(Phase.SHIFTING)
    with stage:
        stage.command(rollout, CommandKind.ROLLBACK, reason=FORGED)
        stage.until(rollout, Phase.ROLLED_BACK)
        yield terminal.keep(stage, rollout)


@pytest.mark.parametrize(
    "words", [("events",), ("get",), ("list", None), ("report",), ("watch",), ("services",)]
)
def test_words_of_others_stay_on_their_line_in_every_view(
    words: tuple[str, ...], terminal: Terminal, forged: str
) -> None:
    asked = (
        (words[0],) if words[-1] is None else (*words, "prod/checkout" if words[0] == "services" else forged)
    )
    result = terminal.teal(*asked)
    assert not OBEYED & set(result.output)
    assert not [line for line in result.output.splitlines() if line.startswith("   9  12:00:00Z")]
    if words[0] != "services":
        assert SHOWN in result.output


def test_json_holds_the_words_as_they_were_given_and_no_control_character(
    terminal: Terminal, forged: str
) -> None:
    result = terminal.teal("get", forged, "--json")
    assert not OBEYED & set(result.stdout)
    assert FORGED in json.loads(result.stdout)["reason"]


def test_error_quotes_on_one_line(terminal: Terminal) -> None:
    result = terminal.teal("get", "nobody\x1b[2J\nsucceeded")
    assert not OBEYED & set(result.output)
    assert len(result.stderr.splitlines()) == 1


def test_event_line_span_and_table_show_what_is_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    event = Event(kind=EventKind.HELD, at=datetime(2026, 1, 1, tzinfo=UTC), message=FORGED, facts=())
    seen = EventSeen(rollout=RolloutId("r"), number=1, event=event)
    assert line_of(seen).startswith(f"00:00:00Z  held: {SHOWN}")
    assert SHOWN in line_of(replace(seen, event=replace(event, kind=EventKind.PAGED)))
    assert plain((Span("a "), Span(FORGED, "red"))) == f"a {SHOWN}"
    assert table(("A",), [(FORGED,)])[1] == SHOWN
    Lines().say(FORGED)
    assert capsys.readouterr().out == f"{SHOWN}\n"
