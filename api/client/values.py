"""What the server answers, as values. Made by docs/generate.py from the calls in api/http: change those."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Role = Literal["viewer", "operator", "approver", "admin"]

Severity = Literal["error", "warning", "note"]

Defect = Literal[
    "none",
    "2x",
    "5x",
    "20x",
    "total",
    "slow",
    "highload",
    "leak",
    "shared",
    "outage",
    "cold",
    "retried",
    "clumped",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that was to change something: who made it, from where, and how it was answered."""

    at: datetime
    actor: str
    source: str
    address: str
    call: str
    target: str
    outcome: str
    request: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPage:
    """Calls, newest first. ``next``: the cursor of the page after it; empty at the end."""

    calls: tuple[Call, ...]
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the plan. Weights are percent of the traffic that blue and green share."""

    number: int
    weight_percent: float
    bake_seconds: float
    approval: bool
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: green's weight as read back and as wanted; None: green is not in its action."""

    arn: str
    green_percent: float | None
    wanted_percent: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A gate's newest answer."""

    gate: str
    verdict: str
    reason: str
    clears_when: str
    numbers: dict[str, float]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A reason not to advance."""

    kind: str
    reason: str
    clears_when: str
    since: datetime
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One rollout, whole."""

    id: str
    service: str
    phase: str
    phase_since: datetime | None
    is_active: bool
    plan: str
    step: int
    steps: tuple[Step, ...]
    green_percent: float
    measured_percent: float | None = None
    share_differs: str = ""
    rules: tuple[Rule, ...]
    blue: str
    green: str
    former: str
    revision: str
    sees: str
    waiting_for: str
    bake_left_seconds: float | None
    limit_seconds: float | None = None
    last_time_seconds: float | None = None
    gates: tuple[Gate, ...]
    holds: tuple[Hold, ...]
    paused_by: str
    accepts: tuple[str, ...]
    author: str
    labels: dict[str, str]
    reason: str
    by: str
    traffic_on_blue_at: datetime | None
    created_at: datetime
    ended_at: datetime | None
    wake_at: datetime | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command and what became of it. Steps count from 1; step 0 is the time before the first traffic."""

    key: str
    kind: str
    by: str
    source: str
    at: datetime
    reason: str
    step: int | None
    full: bool
    to_percent: float | None
    state: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commanded:
    """The answer to a command: the rollout as it was when the command was accepted, and the command's
    state.

    ``recorded``: false for a rollback that was done though the store could not be written. Traffic is
    on blue; its log says so once the store takes writes again.
    """

    rollout: Rollout
    command: Command
    recorded: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact of the audit log: in words for people, and as named facts for programs."""

    number: int
    kind: str
    at: datetime
    message: str
    facts: dict[str, str | int | float | bool | None]
    chain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Events in order. ``next``: what to ask ``after`` for the events that follow."""

    events: tuple[Event, ...]
    next: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Whoever asks, as this server knows them. ``services`` empty: every one. ``may``: the calls they may
    make.
    """

    name: str
    role: Role
    services: tuple[str, ...]
    groups: tuple[str, ...]
    by: str
    token: str
    expires_at: datetime | None
    may: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that preflight found: what, why it matters, what to do."""

    severity: Severity
    code: str
    what: str
    why: str = ""
    next_step: str = ""
    passes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step as it will be: the earliest times, without the time people take to approve."""

    number: int
    weight_percent: float
    bake_seconds: float
    lasts_seconds: float
    ends_seconds: float
    approval: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that differs. ``container`` empty: of the whole task.

    ``before`` and ``after``: None where it is not there, ``(hidden)`` for what is not shown.
    """

    container: str
    field: str
    name: str = ""
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """What is known before anything is touched. ``is_fit``: no finding refuses the rollout.

    ``differences``: of the wanted task definition from the one that blue runs, ``former``; null where
    one of them is not known. Values of secrets are never among them.
    """

    service: str
    task_definition: str
    account: str
    region: str
    is_fit: bool
    findings: tuple[Finding, ...]
    plan: tuple[PlannedStep, ...]
    rules: tuple[str, ...]
    target_groups: tuple[str, ...]
    former: str = ""
    differences: tuple[Difference, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPart:
    """Who started it, when, through which door, and what the revision runs."""

    at: datetime
    by: str
    source: str
    images: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePart:
    """A phase that it went to, and why."""

    at: datetime
    phase: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPart:
    """One step of the plan: when its weight was on every rule, and when it was passed; the last time each."""

    number: int
    weight_percent: float
    bake_seconds: float
    approval: bool
    started_at: datetime | None
    passed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightPart:
    """Green's share on one rule from a moment on, as it was read back; None: green is not in the rule."""

    at: datetime
    rule: str
    green_percent: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePart:
    """A gate's verdict from a moment on, and its reason."""

    at: datetime
    gate: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandPart:
    """A person's command, through which door, and what became of it."""

    at: datetime
    by: str
    source: str
    command: str
    reason: str
    state: str
    told: str
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPart:
    """A reason not to advance: from when, until when (None: to the end, or still)."""

    since: datetime
    until: datetime | None
    kind: str
    reason: str
    clears_when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnPart:
    """The decision to put all traffic back on blue: why, by whom, and when that was read back."""

    at: datetime
    by: str
    source: str
    reason: str
    traffic_on_blue_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPart:
    """How it ended."""

    at: datetime
    phase: str
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainPart:
    """Whether the log is whole. Keep ``last`` elsewhere: it then shows also that nothing was made anew."""

    events: int
    is_whole: bool
    first_broken: int | None
    missing: int
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A rollout as auditors ask for it. ``approvals`` are the commands that gave one."""

    rollout: Rollout
    start: StartPart
    moves: tuple[MovePart, ...]
    steps: tuple[StepPart, ...]
    weights: tuple[WeightPart, ...]
    gates: tuple[GatePart, ...]
    approvals: tuple[CommandPart, ...]
    commands: tuple[CommandPart, ...]
    holds: tuple[HoldPart, ...]
    drift: tuple[str, ...]
    turned_back: TurnPart | None
    end: EndPart | None
    chain: ChainPart


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPage:
    """Rollouts, newest first. ``next``: the cursor of the page after it; empty at the end."""

    rollouts: tuple[Rollout, ...]
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """The ECS service that serves under a service's name: the one of that name, or a green that a swap
    left.

    ``former_name`` is the one whose place it took, kept without tasks or deleted; empty: it took
    nobody's.
    """

    name: str
    arn: str
    target_groups: tuple[str, ...]
    task_definition: str
    former_name: str
    is_former_kept: bool
    former_task_definition: str
    rollout: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A rollout in the history of its service."""

    id: str
    phase: str
    revision: str
    started_at: datetime
    ended_at: datetime | None
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service that had a rollout.

    ``serving`` is the ECS service that serves; None: unknown. ``serves`` is blue's revision as the
    store knows it: that of the last success, the one that a rollback put traffic back on, or the one
    that an active rollout began from; how much traffic that rollout gives to its own revision is in its
    own view. Empty: unknown, since the newest rollout was abandoned, or since none has read blue yet.
    """

    name: str
    serves: str
    serving: Serving | None
    succeeded: str
    changed: str
    active: str
    active_phase: str
    history: tuple[Past, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePage:
    """Services by name. ``next``: the cursor of the page after it; empty at the end."""

    services: tuple[Service, ...]
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a service has: requests a second, and the share of them that fails anyway."""

    requests_per_second: float
    error_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What became of many rollouts with one defect. Harm is also a percentage of one minute of all
    traffic.
    """

    policy: str
    defect: Defect
    runs: int
    harm_median: float
    harm_p95: float
    harm_mean: float
    harm_percent_median: float
    harm_percent_p95: float
    harm_percent_mean: float
    detect_seconds_median: float | None
    rolled_back: float
    before_full: float
    full_minutes_median: float | None
    lasts_minutes_median: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The least harm, in percent of one minute of all traffic, that anything can do with a defect."""

    defect: Defect
    harm_percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A service's traffic: requests in one metric period, and the share of them that fails anyway."""

    requests: float
    error_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """What a plan can see with this traffic. ``ratio`` None: an error regression may reach 100 %
    unnoticed.
    """

    load: Load
    ratio: float | None
    total_harm: float
    full_after: str
    ends_after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A service's traffic as its load balancers' metrics have it, and of when."""

    load: Load
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """A plan's worth: its rows and its rivals', the physical limit, what it can see, what was left out,
    advice.
    """

    plan: str
    load: Demand
    seed: int
    rows: tuple[Row, ...]
    limits: tuple[Limit, ...]
    foresight: Foresight
    left_out: tuple[str, ...]
    advice: tuple[str, ...]
    measured: Measured | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token, without its text, which only its creation tells."""

    id: str
    name: str
    role: Role
    services: tuple[str, ...]
    groups: tuple[str, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    is_valid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenMade:
    """A new token. ``text`` is the token itself, told this once and kept nowhere."""

    text: str
    token: Token


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPage:
    """Every token, newest first."""

    tokens: tuple[Token, ...]
