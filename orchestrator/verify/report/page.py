"""The report as a page to read."""

from collections.abc import Iterator, Sequence

from orchestrator.core.domain.text import counted
from orchestrator.verify.report.values import LeftLine, VerifyReport

WORST = 40  # refusals that the page shows; all of them stand in the JSON


def page(report: VerifyReport) -> str:
    """The page, in Markdown."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: VerifyReport) -> Iterator[str]:
    what = "a throw-away service" if report.throw_away else "a service that is in use"
    yield from ("# What Teal saw in an AWS account", "")
    lasted = counted(round(report.seconds / 60), "minute")
    yield f"Region {report.region}, {report.day}, {what}, {lasted}. Names, numbers and addresses"
    yield "are replaced by placeholders; the same placeholder is the same thing."
    yield ""
    if report.stopped:
        yield from (f"**The run ended before its end: {_cell(report.stopped)}**", "")
    yield from _summary(report)
    yield from _beliefs(report)
    yield from _rollouts(report)
    yield from _findings(report)
    yield from _datapoints(report)
    yield from _calls(report)


def _summary(report: VerifyReport) -> Iterator[str]:
    verdicts = [belief.verdict for belief in report.beliefs]
    yield from ("## In short", "")
    good = sum(rollout.as_wanted for rollout in report.rollouts)
    yield f"- {good} of {counted(len(report.rollouts), 'rollout')} ended as they were to end."
    yield (
        f"- Of {counted(len(verdicts), 'belief')}: "
        + ", ".join(
            f"{verdicts.count(word)} {word}" for word in ("as believed", "wrong", "unclear", "not asked")
        )
        + "."
    )
    calls = len(report.calls) + report.calls_not_kept
    yield f"- AWS refused or did not answer {len(report.refusals)} of {calls} calls."
    if report.reached is False:
        yield "- No request of the machine that ran it reached the service."
    if report.left:
        yield f"- Not removed: {', '.join(_left(one) for one in report.left)}."
    else:
        yield "- Everything that was made is removed."
    yield ""


def _left(one: LeftLine) -> str:
    return f"{one.kind} ({_cell(one.why)})" if one.why else one.kind


def _beliefs(report: VerifyReport) -> Iterator[str]:
    if report.beliefs:
        yield from ("## Beliefs", "")
    for belief in report.beliefs:
        yield from (f"### {belief.name}: {belief.verdict}", "")
        yield f"- Teal believes: {belief.believes}"
        yield f"- Asked by: {belief.asked_by}"
        yield f"- It rests on: {belief.rests_on}."
        yield f"- Seen: {_cell(belief.seen)}"
        for name, value in belief.facts.items():
            yield f"  - {name}: {_cell(str(value))}"
        if belief.verdict == "wrong":
            yield f"- **What Teal does then:** {belief.if_wrong}"
        else:
            yield f"- Where it is wrong: {belief.if_wrong}"
        yield ""


def _rollouts(report: VerifyReport) -> Iterator[str]:
    if not report.rollouts:
        return
    yield from ("## Rollouts", "")
    rows = [
        (
            one.name,
            one.wanted,
            one.phase or "no end",
            f"{one.seconds:.0f}",
            one.given_in or "–",
            "–" if one.failed is None else f"{one.failed} of {one.answered}",
            one.why or "–",
        )
        for one in report.rollouts
    ]
    yield from _table(
        ("rollout", "to end", "ended", "seconds", "taken back in", "requests failed", "why"), rows
    )
    for one in report.rollouts:
        yield from (f"### {one.name}", "")
        yield from (f"- {event.seconds:.0f} s `{event.kind}` {_cell(event.message)}" for event in one.events)
        yield ""


def _findings(report: VerifyReport) -> Iterator[str]:
    if report.findings:
        yield from ("## Preflight", "")
        rows = [
            (one.severity, one.code, f"{one.what}{': ' + one.why if one.why else ''}")
            for one in report.findings
        ]
        yield from _table(("severity", "code", "found"), rows)


def _datapoints(report: VerifyReport) -> Iterator[str]:
    if report.datapoints:
        yield from ("## When minutes could be read", "")
        rows = [
            (
                one.metric,
                f"{one.at:.0f}",
                ", ".join(f"{value.value:g} after {value.seconds:.0f} s" for value in one.values),
            )
            for one in report.datapoints
        ]
        yield from _table(("metric", "minute's end (s)", "values as they were first read"), rows)


def _calls(report: VerifyReport) -> Iterator[str]:
    yield from ("## Calls", "")
    rows = [
        (
            f"{one.service} {one.operation}",
            str(one.calls),
            str(one.refused),
            f"{one.seconds_median:g}",
            f"{one.seconds_max:g}",
        )
        for one in report.operations
    ]
    yield from _table(("call", "times", "refused", "median (s)", "longest (s)"), rows)
    if report.refusals:
        yield from ("### Refused", "")
        shown = [
            (f"{one.at:.0f}", f"{one.service} {one.operation}", one.code, one.message)
            for one in report.refusals[:WORST]
        ]
        yield from _table(("second", "call", "code", "message"), shown)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    for row in rows:
        yield f"| {' | '.join(_cell(cell) for cell in row)} |"
    yield ""


def _cell(text: str) -> str:
    """Text of AWS's or of a rollout's as it may stand in a line of Markdown: it makes neither cells nor tags."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("`", "'")
