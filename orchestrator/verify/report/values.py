"""The report as values, already without names: `--json` prints it, and `report.json` holds it."""

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.verify.beliefs.belief import Fact


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
