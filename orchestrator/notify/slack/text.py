"""Words as Slack wants them: escaped, within its limits, times in the reader's own zone, weights as a bar.

Limits: Slack's Block Kit reference (section text 3,000 characters, header 150, button text 75, button value 2,000).
"""

from collections.abc import Iterable
from datetime import datetime

from orchestrator.core.domain.text import visible

SECTION_MAX, HEADER_MAX, CONTEXT_MAX, FALLBACK_MAX = 3000, 150, 2000, 3000
_BAR = 10


def plain(text: str) -> str:
    """Text on one line, with whatever is hidden in it shown."""
    return visible(text).strip()


def escaped(text: str) -> str:
    """Text from outside, so that it can neither mention nor link: Slack's three escapes, on one line."""
    return plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def clipped(text: str, limit: int) -> str:
    """At most `limit` characters of escaped text; what was cut ends in an ellipsis, never amid an escape or a tag."""
    if len(text) <= limit:
        return text
    kept = text[: limit - 1]
    for opening, closing in (("&", ";"), ("<", ">")):
        start = kept.rfind(opening)
        if start >= 0 and closing not in kept[start:]:
            kept = kept[:start]
    return f"{kept}…"


def joined(lines: Iterable[str], limit: int = SECTION_MAX) -> str:
    """Lines as one text within a limit; the last line says how many were left out."""
    kept: list[str] = []
    left = [clipped(line, limit // 4) for line in lines]
    room = limit - 20  # for the line that counts the rest
    while left and len(left[0]) + 1 <= room:
        room -= len(left[0]) + 1
        kept.append(left.pop(0))
    return "\n".join([*kept, f"… and {len(left)} more"] if left else kept)


def bar(percent: float) -> str:
    """A share of the traffic as a bar: ``███░░░░░░░ 30 %``. Only nothing is empty, and only everything is full."""
    filled = round(percent / 100 * _BAR)
    if 0 < percent < 100:
        filled = min(max(filled, 1), _BAR - 1)
    return f"{'█' * filled}{'░' * (_BAR - filled)} {percent:g} %"


def clock_time(at: datetime) -> str:
    """A time of day that Slack shows in the reader's zone; UTC where it cannot."""
    return f"<!date^{int(at.timestamp())}^{{time}}|{at:%H:%M} UTC>"


def revision_name(arn: str) -> str:
    """A task definition as people know it: ``checkout:43``."""
    return arn.rpartition("/")[2]
