"""The live view in a terminal: events scroll by above, the rollout stands still below them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from api.cli.following.event_lines import Lines, is_told, line_of
from api.cli.following.follow import Look, Screen
from api.cli.output.output import is_live
from api.cli.output.rollout_sheet import Line, Span, sheet
from orchestrator.engine.views.rollout_values import RolloutView


def screen_for(*, err: bool) -> Screen:
    """A live view where a person looks at a terminal, plain lines everywhere else."""
    return LiveScreen(console(err=err)) if is_live(err=err) else Lines(err=err)


def console(*, err: bool) -> Console:
    """The terminal, which honours NO_COLOR and marks nothing up by itself."""
    return Console(stderr=err, highlight=False, markup=False, emoji=False, soft_wrap=False)


class Panel:
    """Lines that stay in place at the bottom of a terminal, drawn only when asked, so that nothing flickers."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")
        self._live.start()

    def draw(self, lines: Sequence[Line]) -> None:
        """Replace what stands there."""
        self._live.update(Group(Text(""), *(text_of(line) for line in lines)), refresh=True)

    def say(self, line: Line) -> None:
        """Let one line scroll by above."""
        self._console.print(text_of(line, wraps=True))

    def close(self) -> None:
        """Leave the last lines where they are and give the terminal back."""
        self._live.stop()


class LiveScreen:
    """A rollout's sheet, with its events above it."""

    def __init__(self, console: Console) -> None:
        self._panel = Panel(console)

    def show(self, look: Look) -> None:
        """Let new events scroll by and draw the sheet anew."""
        for seen in look.events:
            if is_told(seen):
                self.say(line_of(seen))
        self.draw(look.view)

    def draw(self, view: RolloutView) -> None:
        """Draw the sheet."""
        self._panel.draw(sheet(view, datetime.now(UTC)))

    def say(self, text: str) -> None:
        """Let a sentence scroll by."""
        self._panel.say((Span(text),))

    def close(self) -> None:
        """Leave the last sheet to be read."""
        self._panel.close()


def text_of(line: Line, *, wraps: bool = False) -> Text:
    """A line as rich draws it: cut where lines must stay in place, wrapped where it has to be read whole."""
    text = Text(overflow="fold") if wraps else Text(no_wrap=True, overflow="ellipsis")
    for span in line:
        text.append(span.text, style=span.style or None)
    return text
