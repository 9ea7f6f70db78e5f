"""Records docs/pictures/demo.svg: the demo's terminal in the middle of its good rollout, and what it says at the end.

``python docs/record_demo.py`` runs the demo as ``teal demo`` does, about two minutes, and writes the picture.
"""

import asyncio
import sys
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # run as a file, Python would look for modules beside it only

from api.cli.demo.acts import Result  # noqa: E402
from api.cli.demo.demo import ORDINARY, bounded  # noqa: E402
from api.cli.demo.show import summary, users  # noqa: E402
from api.cli.following.follow import Look  # noqa: E402
from api.cli.following.live import text_of  # noqa: E402
from api.cli.output.rollout_sheet import Line, Span, sheet  # noqa: E402
from sandbox.scenarios.demo import Felt  # noqa: E402

PICTURE = ROOT / "docs" / "pictures" / "demo.svg"
WIDTH = 112
HALF = 50.0
DARK = TerminalTheme(
    (13, 17, 23),
    (201, 209, 217),
    [
        *((72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34)),
        *((88, 166, 255), (188, 140, 255), (57, 197, 207), (177, 186, 196)),
    ],
)
SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" class="rich-terminal" viewBox="0 0 {width} {height}">
<style>.{unique_id}-matrix {{ font-family: Menlo, Consolas, "DejaVu Sans Mono", monospace;
font-size: {char_height}px; line-height: {line_height}px; }}
{styles}</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g></svg>
"""


class Recorder:
    """A show that keeps the sheet of the last look at half of the traffic, with every user counted."""

    def __init__(self) -> None:
        self.kept: tuple[Line, ...] = ()

    def say(self, line: Line) -> None:
        """Nothing: only the picture's moment is kept."""

    def look(self, look: Look, felt: Felt) -> None:
        """Keep this one if green has half of the traffic."""
        view = look.view
        if view.phase == "shifting" and all(rule.green_percent == HALF for rule in view.rules):
            self.kept = (*sheet(view, datetime.now(UTC), width=WIDTH), (), *users(felt, view))

    def close(self) -> None:
        """Nothing is open."""


def drawn(lines: tuple[Line, ...]) -> str:
    """Lines of the terminal as an SVG that fetches nothing."""
    console = Console(
        file=StringIO(),
        record=True,
        width=WIDTH,
        force_terminal=True,
        color_system="standard",
        highlight=False,
    )
    for line in lines:
        console.print(text_of(line), overflow="ellipsis", no_wrap=True, markup=False)
    return console.export_svg(title="teal demo", theme=DARK, code_format=SVG, unique_id="teal")


def main() -> int:
    """Run the demo, write the picture; the exit code."""
    recorder, results = Recorder(), list[Result]()
    asyncio.run(bounded(recorder, results, ORDINARY))
    prompt: Line = (Span("$ ", "dim"), Span("make demo", "bold"))
    PICTURE.write_text(drawn((prompt, (), *recorder.kept, *summary(results))), encoding="utf-8")
    return 1 if any(result.faults for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
