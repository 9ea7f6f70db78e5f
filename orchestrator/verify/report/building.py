"""What was seen as the report's values, without names, and the check that none is left."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from orchestrator.core.domain.errors import TealError
from orchestrator.verify.beliefs.belief import Fact
from orchestrator.verify.beliefs.registry import BELIEFS
from orchestrator.verify.means import Means
from orchestrator.verify.report.values import (
    BeliefLine,
    CallLine,
    CallsLine,
    DatapointLine,
    EventLine,
    FindingLine,
    LeftLine,
    RefusalLine,
    RolloutLine,
    ValueLine,
    VerifyReport,
)
from orchestrator.verify.run import Outcome

FORMAT = 1


class Unclean(TealError):
    """A name would have stood in the report, so it was not written. This is a mistake in Teal."""

    code = "report-unclean"


def report_of(outcome: Outcome, means: Means) -> VerifyReport:
    """The report, with placeholders for whatever names anybody.

    Of a service that is the user's it holds no sentence of AWS's, of preflight or of a rollout's log, since these name
    alarms, containers, hosts and people whom nobody could know beforehand: only codes and kinds.
    """
    log, is_ours = means.log, outcome.wanted.is_throw_away

    def scrub(text: str) -> str:
        return means.names.scrub(text) if is_ours else ""

    return VerifyReport(
        format=FORMAT,
        region=means.region,
        throw_away=outcome.wanted.is_throw_away,
        minute_seconds=outcome.wanted.minute.total_seconds(),
        day=outcome.began.date().isoformat(),
        seconds=round((outcome.ended - outcome.began).total_seconds(), 1),
        reached=outcome.reached,
        stopped=_stopped(outcome, means),
        interrupted=outcome.is_interrupted,
        ok=outcome.is_whole,
        findings=tuple(
            FindingLine(
                severity=one.severity,
                code=one.code,
                what=scrub(one.what),
                why=scrub(one.why),
            )
            for one in outcome.findings
        ),
        rollouts=_rollouts(outcome, means),
        beliefs=_beliefs(outcome, means),
        operations=_operations(means),
        refusals=tuple(
            RefusalLine(
                at=round(call.at, 2),
                service=call.service,
                operation=call.operation,
                code=call.code,
                message=scrub(call.message),
            )
            for call in log.refusals
        ),
        datapoints=_datapoints(outcome, means),
        left=tuple(LeftLine(kind=one.kind, why=scrub(one.why)) for one in outcome.left),
        calls=tuple(
            CallLine(
                at=round(call.at, 2),
                seconds=round(call.seconds, 3),
                operation=f"{call.service} {call.operation}",
                code=call.code,
            )
            for call in log.calls
        ),
        calls_not_kept=log.dropped,
    )


OURS = frozenset(
    {"kind", "name", "wanted", "phase", "given_in", "severity", "code", "service", "operation", "metric"}
)
OURS |= {"believes", "asked_by", "rests_on", "if_wrong", "verdict", "region", "day"}
"""Fields that hold words of Teal's and AWS's codes: a service may be called by any of them, and is not meant there."""


def checked(report: VerifyReport, means: Means) -> VerifyReport:
    """The report, if nothing that others said names anything. Raises Unclean with the kinds that it names.

    Looked at is each value by itself, where a name could stand: not the prose around it, in which a service that is
    called `web` or `task` is only a word.
    """
    said = " \n".join(_said(report, is_ours=report.throw_away))
    left = means.names.left_in(said)
    if not left and means.names.scrub(said) != said:
        left = ("what has the form of an identifier",)
    if left:
        raise Unclean(
            what="the report was not written",
            why=f"it would have named {', '.join(left)}",
            next_step="report this: it is a mistake in Teal",
        )
    return report


def _said(value: object, *, is_ours: bool, name: str = "") -> Iterator[str]:
    """Every text that is not Teal's own. Beliefs of a service that is the user's have words of Teal's alone."""
    if isinstance(value, str):
        yield from () if name in OURS or (name in ("seen", "facts", "stopped") and not is_ours) else (value,)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _said(one, is_ours=is_ours, name=name)
    elif isinstance(value, tuple):
        for one in value:
            yield from _said(one, is_ours=is_ours, name=name)
    elif is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield from _said(getattr(value, one.name), is_ours=is_ours, name=one.name)


def _stopped(outcome: Outcome, means: Means) -> str:
    if outcome.wanted.is_throw_away or not outcome.stopped:
        return means.names.scrub(outcome.stopped)
    return "interrupted" if outcome.is_interrupted else "something was refused, or failed"


def _rollouts(outcome: Outcome, means: Means) -> tuple[RolloutLine, ...]:
    scrub = means.names.scrub
    lines, is_ours = [], outcome.wanted.is_throw_away
    for played in outcome.rollouts:
        plain: dict[str, Any] = {
            **asdict(played),
            "why": scrub(played.why) if is_ours else "",
            "as_wanted": played.is_as_wanted,
        }
        plain["events"] = tuple(
            EventLine(seconds=event.seconds, kind=event.kind, message=scrub(event.message) if is_ours else "")
            for event in played.events
        )
        lines.append(RolloutLine(**plain))
    return tuple(lines)


def _beliefs(outcome: Outcome, means: Means) -> tuple[BeliefLine, ...]:
    scrub, is_ours = means.names.scrub, outcome.wanted.is_throw_away
    plain = {call.code for call in means.log.calls} | {"answered"}

    def fact(value: Fact) -> Fact:
        if not isinstance(value, str):
            return value
        return scrub(value) if is_ours else (value if value in plain else "")

    return tuple(
        BeliefLine(
            name=belief.name,
            believes=belief.believes,
            asked_by=belief.asked_by,
            rests_on=belief.rests_on,
            if_wrong=belief.if_wrong,
            verdict=seen.verdict.value,
            seen=scrub(seen.whole) if is_ours else seen.words,
            facts={name: fact(value) for name, value in seen.facts.items()},
        )
        for belief in BELIEFS
        if (seen := outcome.beliefs.get(belief.name)) is not None
    )


def _operations(means: Means) -> tuple[CallsLine, ...]:
    by_name: dict[tuple[str, str], list[tuple[float, bool]]] = {}
    for call in means.log.calls:
        by_name.setdefault((call.service, call.operation), []).append((call.seconds, bool(call.code)))
    return tuple(
        CallsLine(
            service=service,
            operation=operation,
            calls=len(calls),
            refused=sum(is_refused for _, is_refused in calls),
            seconds_median=round(median(seconds for seconds, _ in calls), 3),
            seconds_max=round(max(seconds for seconds, _ in calls), 3),
        )
        for (service, operation), calls in sorted(by_name.items())
    )


def _datapoints(outcome: Outcome, means: Means) -> tuple[DatapointLine, ...]:
    def seconds(span: timedelta) -> float:
        return round(span.total_seconds(), 1)

    return tuple(
        DatapointLine(
            metric=point.series,
            at=seconds(point.period_end - outcome.began),
            values=tuple(
                ValueLine(seconds=seconds(read - point.period_end), value=value)
                for read, value in point.values
            ),
        )
        for point in means.datapoints
    )
