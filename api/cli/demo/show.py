"""How the demo looks: the rollout's sheet and what users feel, live in a terminal, as plain lines elsewhere."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

import click

from api.cli.demo.acts import Act, Result
from api.cli.following.event_lines import is_told, line_of
from api.cli.following.follow import Look
from api.cli.output.output import clock_text, span_text
from api.cli.output.rollout_sheet import Line, Span, Style, label, painted, sheet
from orchestrator.core.domain.ids import revision_name
from orchestrator.engine.views.rollout_values import RolloutView
from sandbox.scenarios.demo import Felt, RevisionFelt

FELT_EVERY_SECONDS = 5.0


class Show(Protocol):
    """Where the demo is shown; `close` leaves the terminal as it was."""

    def say(self, line: Line) -> None:
        """One line that stays."""
        ...

    def look(self, look: Look, felt: Felt) -> None:
        """A rollout and what its users feel, now."""
        ...

    def close(self) -> None:
        """The end."""
        ...


class LiveShow:
    """In a terminal: events scroll by above, the rollout and its users stand below."""

    def __init__(self) -> None:
        from api.cli.following.live import Panel, console

        self._panel = Panel(console(err=True))

    def say(self, line: Line) -> None:
        """As Show."""
        self._panel.say(line)

    def look(self, look: Look, felt: Felt) -> None:
        """As Show."""
        for seen in look.events:
            if is_told(seen):
                self.say((Span(line_of(seen), "dim"),))
        self._panel.draw((*sheet(look.view, datetime.now(UTC)), (), *users(felt, look.view)))

    def close(self) -> None:
        """As Show."""
        self._panel.draw(())
        self._panel.close()


class PlainShow:
    """Anywhere else: a line an event, and every few seconds one of what users feel."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._felt_at = clock()

    def say(self, line: Line) -> None:
        """As Show."""
        click.echo(painted(line, err=True), err=True)

    def look(self, look: Look, felt: Felt) -> None:
        """As Show."""
        for seen in look.events:
            if is_told(seen):
                self.say((Span(line_of(seen)),))
        if self._clock() - self._felt_at >= FELT_EVERY_SECONDS:
            self._felt_at = self._clock()
            self.say((Span(f"{clock_text(datetime.now(UTC))}  users: {in_a_line(felt)}"),))

    def close(self) -> None:
        """As Show."""


def users(felt: Felt, view: RolloutView) -> tuple[Line, ...]:
    """What users feel, one revision a line, and what no revision is to blame for."""
    lost = sum(felt.shift.values())
    told = ", ".join(f"{count} × {what}" for what, count in felt.shift.items())
    served = [one for one in felt.revisions if one.per_second or one.revision in _of(view)]
    return (
        (
            *label("users"),
            Span(f"{'':14}{'asked':>7}   {'failed':>7}   {'half in':>8}   {'99 % in':>8}", "dim"),
        ),
        *(_user(one, view) for one in served),
        (
            *label(""),
            Span(f"{'by a shift':14}{'':7}   ", "dim"),
            Span(f"{lost:7}", "red" if lost else "dim"),
            Span(f"   {told}", "red"),
        ),
    )


def _of(view: RolloutView) -> tuple[str, str]:
    return revision_name(view.former), revision_name(view.revision)


def _user(one: RevisionFelt, view: RolloutView) -> Line:
    colour: Style = "blue" if one.revision == revision_name(view.former) else "green"
    return (
        *label(""),
        Span(f"{one.revision:14}", colour),
        Span(f"{one.per_second:5.0f}/s   "),
        Span(f"{_share(one.failed_share):>7}", "red" if one.failed_share else ""),
        Span(f"   {_ms(one.half_ms):>8}   {_ms(one.most_ms):>8}"),
        Span(f"   {one.requests} in all, {one.failed} failed", "dim"),
    )


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.1f} %"


def _ms(milliseconds: float | None) -> str:
    return "–" if milliseconds is None else f"{milliseconds:.0f} ms"


def in_a_line(felt: Felt) -> str:
    """What users feel, on one line."""
    parts = [
        f"{one.revision} {one.per_second:.0f}/s, {_share(one.failed_share)} failed, 99 % in {_ms(one.most_ms)}"
        for one in felt.revisions
        if one.per_second
    ]
    return "; ".join([*parts, f"{sum(felt.shift.values())} failed by a shift"])


def opening(act: Act, number: int, count: int) -> tuple[Line, ...]:
    """The line over an act."""
    return ((), (Span(f"{number} of {count}  {act.about}", "bold"),), ())


def summary(results: Sequence[Result]) -> tuple[Line, ...]:
    """What happened, for whoever comes back after the demo."""
    return ((), *(line for result in results for line in (*_summed(result), ())))


def _summed(result: Result) -> tuple[Line, ...]:
    view, felt = result.view, result.felt
    own = _own(result)
    shift = (
        "none because of a shift"
        if not felt.failed_by_shift
        else f"{felt.failed_by_shift} because of a shift"
    )
    lines: list[Line] = [
        (
            *label(result.act.name),
            Span(f"{revision_name(view.former)} → {revision_name(view.revision)}  "),
            Span(view.phase, "red" if result.faults else "green"),
            Span(f" after {span_text(result.seconds)}, {result.should_serve} serves"),
        ),
        (*label(""), Span(f"{felt.requests} requests; {own + ', ' if own else 'none failed, '}{shift}")),
    ]
    if result.view.phase == "rolled_back":
        lines.append((*label(""), Span(f"because {view.reason}")))
    if result.view.phase == "rolled_back" and result.bad_to_blue_seconds is not None:
        first = f"{revision_name(view.revision)}'s first error" if _blue_fails(result) else "the first error"
        words = f"all traffic on blue {result.bad_to_blue_seconds:.1f} s after {first} that a user met"
        lines.append((*label(""), Span(words)))
    lines += [(*label(""), Span(note)) for note in result.witnessed.notes]
    lines += [(*label(""), Span(fault, "red")) for fault in result.faults]
    return tuple(lines)


def _own(result: Result) -> str:
    """What revisions failed by themselves; each with its share where blue fails too."""
    felt, green = result.felt, revision_name(result.view.revision)
    if not felt.failed_by_revision:
        return ""
    if not _blue_fails(result):
        return f"{felt.failed_by_revision} failed by {green} itself"
    asked = [(name, one) for name, one in felt.revisions.items() if one.requests]
    told = [
        f"{name} itself {one.failed} of {one.requests} ({one.failed / one.requests:.1%})"
        for name, one in asked
    ]
    return f"failed by {', by '.join(told)}"


def _blue_fails(result: Result) -> bool:
    blue = result.felt.revisions.get(revision_name(result.view.former))
    return blue is not None and blue.failed > 0
