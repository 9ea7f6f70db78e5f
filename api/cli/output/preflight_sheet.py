"""What preflight found, for people: what refuses and what warns first, and the rest by what it is about."""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

import click

from api.cli.output.differences import in_one_line
from api.cli.output.output import is_coloured, percent_text, span_text, table, width_of, wrapped
from api.http.json_values import PlanView, PreflightView
from orchestrator.core.cloud.survey import Finding, Severity

Named = Callable[[str], str]
STEPS = "step"  # the table says it better


class Section(StrEnum):
    """What a note is about, in the order in which it is read."""

    RUNS = "what runs"
    WRITES = "what will be made, changed and removed"
    TAKES = "time, room and cost"
    SEES = "what the gates will see"
    KNOW = "good to know"


SECTIONS: dict[Section, tuple[str, ...]] = {
    Section.RUNS: (
        "blue",
        "serves-in-place",
        "revision",
        "target-group",
        "rule",
        "test-rule",
        "scale-in-suspended",
    ),
    Section.WRITES: (
        "makes",
        "revision-registered",
        "green-scales",
        "changes",
        "scale-in-will-be-suspended",
        "minimum-will-be-raised",
        "removes",
        "own-blue-goes",
        "blue-is-kept",
    ),
    Section.TAKES: (
        "expected-time",
        "window",
        "peak-tasks",
        "cost",
        "capacity-step",
        "addresses",
        "others-unknown",
        "capacity-unknown",
        "spot",
        "targets-uncounted",
        "addresses-unread",
        "quota-unread",
    ),
    Section.SEES: ("foresight", "low-traffic", "metric", "probe", "alarm-sight", "alarm-muted"),
    Section.KNOW: (
        "one-way",
        "no-test-rule",
        "background-none",
        "permissions",
        "permissions-unchecked",
        "images-unchecked",
        "image-by-tag",
        "dns-failover",
        "cognito-action",
        "swap-spares-a-start",
        "forecast-only",
        "schedule-over",
    ),
}
_PLACES = {
    code: (order, place)
    for order, (_, codes) in enumerate(SECTIONS.items())
    for place, code in enumerate(codes)
}
_LAST = (len(SECTIONS), 0)
MARK = {Severity.ERROR: ("✗", "red"), Severity.WARNING: ("!", "yellow"), Severity.NOTE: (" ", "")}


def lines(found: PreflightView, named: Named) -> Iterator[str]:
    """Everything, the worst first. `named`: says a text's place in the rollout's file."""
    ordered = sorted(found.findings, key=lambda one: _PLACES.get(one.code, _LAST))
    errors, warnings, notes = (
        [one for one in ordered if one.severity == severity and one.code != STEPS] for severity in Severity
    )
    if errors:
        yield from _block("what it waits for" if found.is_fit else "what refuses it", errors, named)
    if warnings:
        yield from _block("look at these first", warnings, named)
    for section in Section:
        mine = [one for one in notes if section_of(one.code) is section]
        if section is Section.RUNS:
            yield from _block(section, mine, named)
            yield from _difference(found)
        elif mine:
            yield from _block(section, mine, named)
        if section is Section.TAKES:
            yield from _steps(found.plan)
    yield ""
    yield _verdict(found, len(errors), len(warnings))


def section_of(code: str) -> Section:
    """Where a note stands; one that no list names is good to know."""
    return next((section for section, codes in SECTIONS.items() if code in codes), Section.KNOW)


def shown(finding: Finding, named: Named) -> Iterator[str]:
    """A finding with why it matters and what to do."""
    mark, colour = MARK[Severity(finding.severity)]
    width = width_of()
    first, *more = wrapped(named(finding.what), "  ", width)
    yield (click.style(mark, fg=colour, bold=True) if colour and is_coloured() else mark) + first[1:]
    yield from more
    if finding.why:
        yield from map(_dim, wrapped(finding.why, "    ", width))
    if finding.next_step:
        first, *more = wrapped(finding.next_step, "      ", width)
        yield f"    →{first[5:]}"
        yield from more


def _block(title: str, findings: Iterable[Finding], named: Named) -> Iterator[str]:
    yield ""
    yield click.style(title, bold=True) if is_coloured() else title
    for finding in findings:
        yield from shown(finding, named)


def _difference(found: PreflightView) -> Iterator[str]:
    yield from wrapped(in_one_line(found.differences), "  ", width_of())
    if found.differences:
        yield f"    → {_dim('`teal diff`, with the same options, shows it whole')}"


def _steps(plan: tuple[PlanView, ...]) -> Iterator[str]:
    head = ("STEP", "GREEN", "BAKE", "LASTS AT LEAST", "OVER AFTER", "")
    yield ""
    for line in table(head, [_row(one, is_watch=one is plan[-1]) for one in plan]):
        yield f"  {line}"


def _row(row: PlanView, *, is_watch: bool) -> tuple[str, ...]:
    return (
        "watch" if is_watch else str(row.number),
        percent_text(row.weight_percent),
        span_text(row.bake_seconds),
        span_text(row.lasts_seconds),
        span_text(row.ends_seconds),
        "then an approval" if row.approval else "",
    )


def _verdict(found: PreflightView, errors: int, warnings: int) -> str:
    if errors and found.is_fit:
        return "This rollout would wait for that to end. Nothing was touched."
    if errors:
        words = f"{errors} error{'s' if errors > 1 else ''}: this rollout would be refused."
        return f"{_in(words, 'red')} Nothing was touched."
    first = f" {warnings} warning{'s' if warnings > 1 else ''} to look at first." if warnings else ""
    return f"{_in('Nothing refuses this rollout.', 'green')}{first} Nothing was touched."


def _in(words: str, colour: str) -> str:
    return click.style(words, fg=colour) if is_coloured() else words


def _dim(words: str) -> str:
    return click.style(words, dim=True) if is_coloured() else words
