"""Names and numbers as people know them, for messages; the facts beside a message hold the ARNs."""

import re
from datetime import timedelta

HIDDEN = (
    r"\x00-\x1f\x7f-\x9f"  # C0 and C1, which a terminal obeys
    r"\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"  # unseen, line ends, other direction
)
"""Characters that forge a line, an order or a reading: the inside of a character class, for patterns."""
_HIDDEN = re.compile(f"[{HIDDEN}]")
_SPACES = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")


def visible(text: str) -> str:
    """Text on one line in which nothing is hidden: line breaks are spaces, other such characters ``\\u202e``.

    Nobody's words can then end a line, move a terminal's cursor, or read in another order than they are stored.
    """
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", _SPACES.sub(" ", text))


def rule_name(*, is_default: bool, priority: str, load_balancer: str) -> str:
    """A rule as the console shows it: its priority, and its load balancer's name."""
    name = "the default rule" if is_default else f"rule {priority}"
    return f"{name} of load balancer {load_balancer_name(load_balancer)}"


def load_balancer_name(arn: str) -> str:
    """The name in a load balancer's ARN (``…:loadbalancer/app/name/id``)."""
    return arn.split("/")[2] if arn.count("/") >= 3 else arn


def group_name(arn: str) -> str:
    """The name in a target group's ARN (``…:targetgroup/name/id``)."""
    return arn.split("/")[1] if arn.count("/") >= 2 else arn


def counted(number: int, noun: str) -> str:
    """``1 task``, ``3 tasks``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def span(time: timedelta) -> str:
    """A time in whole units: ``1 h 30 min``, ``5 min``, ``15 s``."""
    seconds = round(time.total_seconds())
    parts = ((seconds // 3600, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
