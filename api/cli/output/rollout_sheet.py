"""One rollout on a few lines: the same for `get`, for live views and for the demo; with and without colours.

Without colours everything can still be told apart: blue's share of a bar is solid, green's is shaded, and every
verdict is a word.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import click

from api.cli.output.output import clock_text, is_coloured, percent_text, span_text
from orchestrator.core.domain.ids import revision_name
from orchestrator.core.domain.text import visible
from orchestrator.engine.views.rollout_values import GateView, HoldView, RolloutView, RuleView, StepView

Style = Literal["", "blue", "green", "red", "yellow", "dim", "bold"]

BAR = 40
LABEL = 9
MARGIN = "  "
RULES_SHOWN = 4
GATE_IS_LATE = timedelta(minutes=1)
UNATTENDED = timedelta(seconds=45)  # a lease, and time to spare: another engine may be about to take over

PHASE_STYLE: dict[str, Style] = {
    "succeeded": "green",
    "rolling_back": "yellow",
    "rolled_back": "yellow",
    "abandoned": "red",
}
MEANING = {
    "settling": ": blue takes the new revision, then traffic returns to blue",
    "retiring": ": green stays in blue's place, then blue loses its tasks",
    "rolling_back": ": all traffic to blue, then green is removed",
}
AFTER_LIMIT = {
    "pending": "it is rolled back",
    "preparing": "it is rolled back",
    "provisioning": "it is rolled back",
    "settling": "people are paged",
    "retiring": "people are paged",
}
FOR_PEOPLE = ("approval", "paused")  # holds that last as long as people want
VERDICT_STYLE: dict[str, Style] = {"pass": "green", "hold": "yellow", "fail": "red", "not_applicable": "dim"}


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line in one style; nobody's words in it break the line or order the terminal about."""

    text: str
    style: Style = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", visible(self.text))


Line = tuple[Span, ...]


def sheet(view: RolloutView, now: datetime, *, width: int | None = None) -> tuple[Line, ...]:
    """Who moves where, the phase, the weights, the plan, the gates, and what it waits for; no line wider than that."""
    lines = _lines(view, now)
    return lines if width is None else tuple(part for line in lines for part in folded(line, width))


def _lines(view: RolloutView, now: datetime) -> tuple[Line, ...]:
    return (
        title(view),
        *labels(view),
        standing(view, now),
        (),
        *weights(view),
        *share(view),
        plan(view),
        *sees(view),
        *gates(view),
        *(line for hold in view.holds if _is_news(hold, now) for line in held(hold, view, now)),
        *ending(view),
    )


def title(view: RolloutView) -> Line:
    """The service, both revisions, and the id to give commands with."""
    former = revision_name(view.former) if view.former else "blue"
    return (
        Span(view.service, "bold"),
        Span(MARGIN),
        Span(former, "blue"),
        Span(" → "),
        Span(revision_name(view.revision), "green"),
        Span(f"{MARGIN}{view.id}", "dim"),
    )


def labels(view: RolloutView) -> tuple[Line, ...]:
    """What the author said of it, on a line of its own if there is anything."""
    if not view.labels:
        return ()
    words = " · ".join(f"{name} {text}" for name, text in view.labels.items())
    return ((Span(words, "dim"),),)


def share(view: RolloutView) -> tuple[Line, ...]:
    """Green's measured share of the requests beside the written one; and why they differ, unless chance explains it."""
    if view.measured_percent is None:
        return ()
    words = f"green got {percent_text(view.measured_percent)} of the last period's requests"
    why = (Span(f"; {view.share_differs}", "yellow"),) if view.share_differs else ()
    return ((*label("measured"), Span(words, "dim"), *why),)


def sees(view: RolloutView) -> tuple[Line, ...]:
    """What the plan can see with this traffic, while green has some."""
    if not view.sees or view.phase not in ("shifting", "watching"):
        return ()
    return ((Span("sees".ljust(LABEL), "dim"), Span(view.sees, "dim")),)


def standing(view: RolloutView, now: datetime) -> Line:
    """The phase, how far it is, and for what it waits."""
    spans = [Span(view.phase, PHASE_STYLE.get(view.phase, "bold"))]
    spans.append(Span(_progress(view, now)))
    if view.paused_by:
        spans.append(Span(f" · paused by {view.paused_by}", "yellow"))
    elif view.is_active and view.waiting_for and not view.holds and not view.bake_left_seconds:
        spans.append(Span(f" · waits for {view.waiting_for}", "dim"))
    spans.append(Span(_unattended(view, now), "yellow"))
    return tuple(spans)


def _unattended(view: RolloutView, now: datetime) -> str:
    """Says so where nobody has looked at a rollout that wants to be looked at."""
    if not view.is_active or view.wake_at is None or now - view.wake_at < UNATTENDED:
        return ""
    since = span_text((now - view.wake_at).total_seconds())
    return f" · no engine has looked for {since}: `teal serve` or `teal deploy` must run"


def _progress(view: RolloutView, now: datetime) -> str:
    if not view.is_active:
        took = span_text(((view.ended_at or now) - view.created_at).total_seconds())
        return f" after {took}"
    if view.phase not in ("shifting", "watching"):
        since = view.phase_since or view.created_at
        meaning = MEANING.get(view.phase, "")
        after = f", then {AFTER_LIMIT[view.phase]}" if view.phase in AFTER_LIMIT else ""
        most = f" of at most {span_text(view.limit_seconds)}{after}" if view.limit_seconds else ""
        last = f" (last time {span_text(view.last_time_seconds)})" if view.last_time_seconds else ""
        return f" for {span_text((now - since).total_seconds())}{last}{most}{meaning}"
    return f" · step {view.step} of {len(view.steps)}"


def weights(view: RolloutView) -> tuple[Line, ...]:
    """One bar a rule: blue's share solid, green's shaded."""
    shown = tuple(_weight(rule, view) for rule in view.rules[:RULES_SHOWN])
    more = len(view.rules) - RULES_SHOWN
    return shown if more <= 0 else (*shown, (Span(f"{'':{LABEL}}and {more} more rules", "dim"),))


def _weight(rule: RuleView, view: RolloutView) -> Line:
    name = "traffic" if len(view.rules) == 1 else f"…{rule.arn[-6:]}"
    return (*label(name), *bar(rule.green_percent), *_in_words(rule))


def bar(green_percent: float | None) -> tuple[Span, ...]:
    """A bar of blue and green shares; a share above nothing shows at least one cell."""
    share = green_percent or 0.0
    cells = 0 if share == 0 else min(BAR - (share < 100), max(1, round(share / 100 * BAR)))
    return (Span("█" * (BAR - cells), "blue"), Span("▒" * cells, "green"))


def _in_words(rule: RuleView) -> Line:
    words = Span(f"  green {percent_text(rule.green_percent)}")
    if rule.wanted_percent is None or rule.wanted_percent == rule.green_percent:
        return (words,)
    return (words, Span(f" → {percent_text(rule.wanted_percent)}", "yellow"))


def plan(view: RolloutView) -> Line:
    """The steps: done, current, ahead; and what is left of the current bake."""
    spans = [*label("plan")]
    for step in view.steps:
        spans += [_step(step), Span("   ")]
    if view.bake_left_seconds is not None:
        word = "watch" if view.phase == "watching" else "bake"
        left = f"{span_text(view.bake_left_seconds)} to go" if view.bake_left_seconds > 0 else "over"
        spans.append(Span(f"{word} {left}", "dim"))
    return tuple(spans)


def _step(step: StepView) -> Span:
    asks = " ?" if step.approval else ""
    text = f"{percent_text(step.weight_percent)}{asks}"
    match step.state:
        case "done":
            return Span(f"✓ {text}", "green")
        case "current":
            return Span(f"▸ {text}", "bold")
        case _:
            return Span(f"· {text}", "dim")


def gates(view: RolloutView) -> tuple[Line, ...]:
    """Every gate's newest answer with its reason."""
    return tuple(_gate(gate, is_first=index == 0) for index, gate in enumerate(view.gates))


def _gate(gate: GateView, *, is_first: bool) -> Line:
    verdict = gate.verdict.replace("_", " ")
    word = "n/a" if gate.verdict == "not_applicable" else verdict
    return (
        *label("gates" if is_first else ""),
        Span(f"{gate.gate:9}"),
        Span(f"{word:5}", VERDICT_STYLE[gate.verdict]),
        Span(gate.reason, "dim" if gate.verdict == "not_applicable" else ""),
    )


def _is_news(hold: HoldView, now: datetime) -> bool:
    """False for a gate that has only begun to wait for its evidence: its own line says so already."""
    return hold.kind != "gate" or now - hold.since >= GATE_IS_LATE


def held(hold: HoldView, view: RolloutView, now: datetime) -> tuple[Line, ...]:
    """Why the rollout does not advance, since when, what would clear it, how long that may take, and who can end it."""
    since = span_text((now - hold.since).total_seconds())
    is_for_people = hold.kind in FOR_PEOPLE and hold.commands
    lines: list[Line] = [
        (*label("held"), Span(f"{hold.reason} ", "yellow"), Span(f"(for {since})", "dim")),
    ]
    if not is_for_people:
        limit = view.limit_seconds
        most = f"; that may take {span_text(limit)} at most" if limit and hold.kind not in FOR_PEOPLE else ""
        lines.append((*label(""), Span(f"goes on once {hold.clears_when}{most}", "dim")))
    if hold.commands:
        ways = " or ".join(f"teal {command} {view.id}" for command in hold.commands)
        lines.append((*label(""), Span("→ "), Span(ways, "bold")))
    return tuple(lines)


def ending(view: RolloutView) -> tuple[Line, ...]:
    """Why it ends the way it does, and when all traffic was read back on blue."""
    if not view.reason:
        return ()
    by = f" (by {view.by})" if view.by not in ("", "teal") and view.by not in view.reason else ""
    lines: list[Line] = [(*label("because"), Span(f"{view.reason}{by}"))]
    if view.traffic_on_blue_at is not None:
        lines.append((*label(""), Span(f"all traffic on blue since {clock_text(view.traffic_on_blue_at)}")))
    return tuple(lines)


def folded(line: Line, width: int) -> Iterator[Line]:
    """The line in lines that fit; what goes on stands under the beginning of the text that was too long."""
    if len(plain(line)) <= width:
        yield line
        return
    place, indent, row = 0, 0, list[Span]()
    for span in line:
        if place + len(span.text.rstrip()) <= width:
            row.append(span)
            place += len(span.text)
            continue
        indent = indent or (place if place <= width // 2 else LABEL)
        for word in re.findall(r"\s*\S+", span.text) + [" "] * span.text.endswith(" "):
            if place + len(word.rstrip()) > width and place > indent:
                yield tuple(row)
                row, place, word = [Span(" " * indent)], indent, word.lstrip()
            row.append(Span(word, span.style))
            place += len(word)
    yield tuple(row)


def label(name: str) -> tuple[Span, ...]:
    """The left column."""
    return (Span(f"{name:{LABEL}}", "dim"),)


def plain(line: Line) -> str:
    """A line without styles."""
    return "".join(span.text for span in line).rstrip()


def painted(line: Line, *, err: bool = False) -> str:
    """A line for the terminal, in colours where they may be written."""
    if not is_coloured(err=err):
        return plain(line)
    return "".join(_painted(span) for span in line).rstrip()


def _painted(span: Span) -> str:
    match span.style:
        case "":
            return span.text
        case "dim":
            return click.style(span.text, dim=True)
        case "bold":
            return click.style(span.text, bold=True)
        case colour:
            return click.style(span.text, fg=colour)
