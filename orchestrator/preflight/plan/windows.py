"""The hours: when the rollout starts, and whether it ends before its window closes."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from orchestrator.core.cloud.survey import Finding, Severity, Survey
from orchestrator.core.domain.calendar import Freeze, Span, next_span, shown, standing, zone_of
from orchestrator.core.domain.text import span
from orchestrator.core.gates.window import opening_words
from orchestrator.core.rollout.spec import Spec
from orchestrator.preflight.findings import note
from orchestrator.preflight.timing import plan_table

AFTER_CLOSE = "after-close"
OVERRIDE = "give the reason as `override` (or --override) to go beyond it: that takes an approver"


def look(spec: Spec, survey: Survey, now: datetime, freezes: Sequence[Freeze]) -> Iterator[Finding]:
    """When it may start and must end; an error where even the earliest end is after the close."""
    hours = spec.gates.window
    if not hours.allow and not freezes:
        return
    found, zone = standing(hours, freezes, now), zone_of(hours, freezes)
    if spec.override:
        yield _overridden(spec, found.why)
        return
    rows = plan_table(spec, survey.alarms)
    lasts = rows[-1].ends if rows else timedelta(0)
    here = next_span(hours, freezes, now)
    if here is None:
        yield _never(opening_words(found, hours, freezes))
    elif here.begins + lasts > here.ends:
        yield _too_long(here, lasts, zone, next_span(hours, freezes, here.begins, lasts))
    else:
        if not found.is_open:
            why = f"it is closed: {found.why}"
            yield note("window", f"it waits until {shown(here.begins, zone)} before it starts", why)
        yield from _may_be_late(spec, here, lasts, zone)


def _overridden(spec: Spec, why: str) -> Finding:
    closed = f"without it the rollout would wait: {why}" if why else "its window is open in any case"
    return Finding(
        severity=Severity.WARNING,
        code="override",
        what=f"hours are overridden: {spec.override}",
        why=closed,
        next_step="leave --override out to keep to the hours",
    )


def _never(words: str) -> Finding:
    return Finding(
        severity=Severity.ERROR,
        code="window-never-opens",
        what=words,
        why="holidays or freezes leave nothing of it",
        next_step=f"change gates.window, or {OVERRIDE}",
    )


def _too_long(here: Span, lasts: timedelta, zone: str, better: Span | None) -> Finding:
    next_step = "shorten the plan, or widen gates.window" if better is None else ""
    if better is not None:
        next_step = f"start it between {shown(better.begins, zone)} and {shown(better.ends - lasts, zone)}"
    return Finding(
        severity=Severity.ERROR,
        code=AFTER_CLOSE,
        what=f"the rollout would end at {shown(here.begins + lasts, zone)} at the earliest, "
        f"after its window closes at {shown(here.ends, zone)}",
        why="its watch would not be over, and green's weight could not grow until the window opens again",
        next_step=f"{next_step}; or {OVERRIDE}",
    )


def _may_be_late(spec: Spec, here: Span, lasts: timedelta, zone: str) -> Iterator[Finding]:
    """A warning where the start of green, at its longest, would bring the end beyond the close."""
    end = here.begins + spec.limits.provision + lasts
    if end > here.ends:
        yield Finding(
            severity=Severity.WARNING,
            code="close-to-close",
            what=f"if green takes {span(spec.limits.provision)} to start, the rollout ends at {shown(end, zone)}, "
            f"after its window closes at {shown(here.ends, zone)}",
            why=f"gates.window.at_close says what happens then: {spec.gates.window.at_close}",
            next_step="start it earlier, or shorten limits.provision",
        )
    elif spec.gates.window.allow:
        yield note("window", f"the window is open until {shown(here.ends, zone)}")
