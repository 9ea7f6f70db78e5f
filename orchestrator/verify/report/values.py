"""The report as values, already without names: `--json` prints it, and `report.json` holds it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from orchestrator.core.domain.errors import TealError
from orchestrator.verify.beliefs.belief import Fact
from orchestrator.verify.beliefs.registry import BELIEFS
from orchestrator.verify.means import Means
from orchestrator.verify.run import Outcome

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """An event of a rollout's log, seconds since its start."""

    seconds: float
    kind: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutLine:
    """One rollout: how it was to end, and how it ended."""

    name: str
    wanted: str
    phase: str
    as_wanted: bool
    seconds: float
    given_in: str
    seconds_to_blue: float | None
    answered: int | None
    failed: int | None
    why: str
    events: tuple[EventLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BeliefLine:
    """One belief: what Teal believes, how it was asked, what was seen, and what Teal does where it is wrong."""

    name: str
    believes: str
    asked_by: str
    rests_on: str
    if_wrong: str
    verdict: str
    seen: str
    facts: Mapping[str, Fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """One finding of preflight."""

    severity: str
    code: str
    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsLine:
    """All calls of one operation. Seconds are those of one attempt."""

    service: str
    operation: str
    calls: int
    refused: int
    seconds_median: float
    seconds_max: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalLine:
    """One attempt that AWS did not answer as asked; `at` in seconds since the run began."""

    at: float
    service: str
    operation: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLine:
    """One attempt at a call."""

    at: float
    seconds: float
    operation: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueLine:
    """A datapoint's value, and how many seconds after its period's end it was first read."""

    seconds: float
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DatapointLine:
    """One period of one metric of the target group; `at`: its end, in seconds since the run began."""

    metric: str
    at: float
    values: tuple[ValueLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftLine:
    """What could not be removed. Its name and command stand on the terminal and in the run's folder alone."""

    kind: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """Everything that was seen in one run. Placeholders such as ``<ecs service 1>`` stand for names."""

    format: int
    region: str
    throw_away: bool
    minute_seconds: float
    day: str
    seconds: float
    reached: bool | None  # whether this machine's requests reached the service; None: it was not tried
    stopped: str
    interrupted: bool
    ok: bool
    findings: tuple[FindingLine, ...]
    rollouts: tuple[RolloutLine, ...]
    beliefs: tuple[BeliefLine, ...]
    operations: tuple[CallsLine, ...]
    refusals: tuple[RefusalLine, ...]
    datapoints: tuple[DatapointLine, ...]
    left: tuple[LeftLine, ...]
    calls: tuple[CallLine, ...]
    calls_not_kept: int


class Unclean(TealError):
    """A name would have stood in the report, so it was not written. This is a mistake in Teal."""

    code = "report-unclean"


def report_of(outcome: Outcome, means: Means) -> VerifyReport:
    """The report, with placeholders for whatever names anybody.

    Of a service that is the user's it holds no sentence of preflight or of a rollout's log, since these name alarms,
    containers and people whom nobody could know beforehand: only their kinds.
    """
    scrub, log, is_ours = means.names.scrub, means.log, outcome.wanted.is_throw_away
    return VerifyReport(
        format=FORMAT,
        region=means.region,
        throw_away=outcome.wanted.is_throw_away,
        minute_seconds=outcome.wanted.minute.total_seconds(),
        day=outcome.began.date().isoformat(),
        seconds=round((outcome.ended - outcome.began).total_seconds(), 1),
        reached=outcome.reached,
        stopped=scrub(outcome.stopped) if is_ours or not outcome.stopped else "something was refused",
        interrupted=outcome.is_interrupted,
        ok=outcome.is_whole,
        findings=tuple(
            FindingLine(
                severity=one.severity,
                code=one.code,
                what=scrub(one.what) if is_ours else "",
                why=scrub(one.why) if is_ours else "",
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


def checked(text: str, means: Means) -> str:
    """The text, if no known name stands in it. Raises Unclean with the kinds of those that do, not their names."""
    left = means.names.left_in(text)
    if left:
        raise Unclean(
            what="the report was not written",
            why=f"it would have named {', '.join(left)}",
            next_step="report this: it is a mistake in Teal",
        )
    return text


def _rollouts(outcome: Outcome, means: Means) -> tuple[RolloutLine, ...]:
    scrub = means.names.scrub
    lines, is_ours = [], outcome.wanted.is_throw_away
    for played in outcome.rollouts:
        plain: dict[str, Any] = {
            **_fields(played),
            "why": scrub(played.why) if is_ours else "",
            "as_wanted": played.is_as_wanted,
        }
        plain["events"] = tuple(
            EventLine(seconds=event.seconds, kind=event.kind, message=scrub(event.message) if is_ours else "")
            for event in played.events
        )
        lines.append(RolloutLine(**plain))
    return tuple(lines)


def _fields(value: Any) -> dict[str, Any]:  # noqa: ANN401 - a dataclass
    found = asdict(value)
    found.pop("events")
    return found


def _beliefs(outcome: Outcome, means: Means) -> tuple[BeliefLine, ...]:
    scrub = means.names.scrub
    return tuple(
        BeliefLine(
            name=belief.name,
            believes=belief.believes,
            asked_by=belief.asked_by,
            rests_on=belief.rests_on,
            if_wrong=belief.if_wrong,
            verdict=seen.verdict.value,
            seen=scrub(seen.words),
            facts={
                name: scrub(value) if isinstance(value, str) else value for name, value in seen.facts.items()
            },
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
