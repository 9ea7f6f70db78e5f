"""What happens in one simulated rollout, drawn from a seed: its world, its rivals, what breaks and when."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Literal

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.plan import Plan, Step
from orchestrator.core.rollout.spec import Background, Capacity, Ending, LimitThen, OnDrift, OnFailure
from sandbox.scenarios import scenery_scaling
from sandbox.world.kernel.faults import Fault, Kind, When

Blue = Literal["good", "cannot start", "breaker puts the former back"]
Befalls = Literal[
    "loses a task",
    "is scaled out",
    "has its scaling changed",
    "is deployed",
    "has more users",
    "may scale in again",
]
Rival = Literal["raises green", "takes back", "applies the base", "turns stickiness on", "moves a little"]
RIVALS: tuple[Rival, ...] = (
    "raises green",
    "takes back",
    "applies the base",
    "turns stickiness on",
    "moves a little",
)
BLUES: tuple[Blue, ...] = ("good", "cannot start", "breaker puts the former back")
MISHAPS: tuple[Befalls, ...] = (
    "loses a task",
    "loses a task",
    "is scaled out",
    "has its scaling changed",
    "is deployed",
)
OF_SCALING: tuple[Befalls, ...] = ("has more users", "may scale in again", "has its scaling changed")
WHENS: tuple[When, ...] = ("before", "after", "late")
KINDS: tuple[Kind, ...] = ("timeout", "throttle", "unavailable", "expired", "denied")
WRITES = (
    "CreateTargetGroup",
    "ModifyTargetGroupAttributes",
    "ModifyRule",
    "CreateService",
    "UpdateService",
    "RegisterScalableTarget",
    "PutScalingPolicy",
    "PutMetricAlarm",
    "DeregisterScalableTarget",
    "TagResource",
    "AddTags",
    "DeleteService",
    "DeleteTargetGroup",
)
GREENS: tuple[
    tuple[int, Mapping[str, str]], ...
] = (  # how often (in a hundred), and how the revision behaves
    (50, {}),
    (14, {"TEAL_DEMO_ERROR_RATE": "0.3"}),
    (5, {"TEAL_DEMO_ERROR_RATE": "0.08"}),
    (7, {"TEAL_DEMO_CRASH_AFTER": "0"}),
    (8, {"TEAL_DEMO_CRASH_AFTER": "40"}),
    (6, {"TEAL_DEMO_UNHEALTHY": "1"}),
    (6, {"TEAL_DEMO_SLOW_START": "45"}),
    (4, {"TEAL_DEMO_HANG": "1"}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCommand:
    """A command, given so many seconds after the start."""

    at: float
    kind: CommandKind
    full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A rival's edit of a rule, right before Teal's `nth` call of `before`."""

    what: Rival
    before: str
    nth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Every call to AWS fails from `at` for `lasts` seconds."""

    at: float
    lasts: float
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """What befalls blue at a time, not by Teal's doing and not through a rule."""

    at: float
    what: Befalls


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that a seed decides; nothing else is left to chance but the World's and the load's own numbers."""

    seed: int
    green: Mapping[str, str]
    blue_in_settling: Blue
    plan: Plan
    rules: int
    default_rule: bool
    foreign_group: bool
    scalable: bool
    requests_per_second: float
    tricky: bool  # all of AWS's traps are on
    room: int | None  # tasks the cluster has room for
    on_failure: OnFailure
    on_drift: OnDrift
    hold_then: LimitThen
    workers: int
    deaths: tuple[int, ...]  # the n-th await of each engine in turn at which its process is killed
    away: float  # seconds until a killed process is started again
    faults: tuple[Fault, ...]
    outages: tuple[Outage, ...]
    edits: tuple[Edit, ...]
    commands: tuple[PlannedCommand, ...]
    mishaps: tuple[Mishap, ...]
    tells_colour: bool  # green runs a revision that the rollout registers, blue takes the plain one over
    background: Background
    capacity: Capacity
    scaled_by: tuple[str, ...]  # what acts on blue's scaling, as `scenery_scaling` names it
    behind: float  # seconds by which a read may be behind the one before it; 0: reads never go back
    scaling_write: float  # seconds that a write to a scalable target keeps others out
    starts: tuple[float, ...]  # seconds after which somebody tries to start another rollout beside this one
    ending: Ending = Ending.SETTLE


def scenario_of(seed: int) -> Scenario:
    """The scenario of a seed."""
    draw = Random(seed * 7919 + 13)
    own = Random(seed * 104729 + 5)
    calm = draw.random() < 0.15  # some rollouts meet no trouble but their own
    drawn = Scenario(
        seed=seed,
        green=draw.choices([kind for _, kind in GREENS], [often for often, _ in GREENS])[0],
        blue_in_settling=draw.choices(BLUES, (80, 10, 10))[0],
        plan=_plan(draw),
        rules=draw.choice((1, 1, 1, 2, 3)),
        default_rule=draw.random() < 0.2,
        foreign_group=draw.random() < 0.2,
        scalable=draw.random() < 0.6,
        requests_per_second=draw.choice((40, 40, 40, 15, 4, 0)),
        tricky=draw.random() < 0.7,
        room=7 if draw.random() < 0.05 else None,
        on_failure=OnFailure.HOLD if draw.random() < 0.2 else OnFailure.ROLLBACK,
        on_drift=draw.choice((OnDrift.HOLD, OnDrift.HOLD, OnDrift.ACCEPT, OnDrift.ROLLBACK)),
        hold_then=LimitThen.HOLD if draw.random() < 0.2 else LimitThen.ROLLBACK,
        workers=2 if draw.random() < 0.25 else 1,
        deaths=(),
        away=0.0,
        faults=(),
        outages=(),
        edits=(),
        commands=(),
        mishaps=(),
        tells_colour=own.random() < 0.25,
        background=own.choice((Background.NONE, Background.NONE, Background.SAFE)),
        capacity=Capacity.STEPPED if Random(seed * 49979687 + 17).random() < 0.3 else Capacity.FULL,
        scaled_by=_scaled_by(Random(seed * 15485863 + 3)),
        behind=0.0,
        scaling_write=0.0,
        starts=(),
    )
    if drawn.tricky:
        writes = Random(seed * 86028121 + 7).choice((0.0, 0.0, 0.3, 4.0))
        drawn = replace(drawn, behind=_behind(seed), scaling_write=writes)
    if calm:
        return drawn
    return replace(
        drawn,
        deaths=tuple(draw.randrange(5, 1200) for _ in range(draw.choice((0, 0, 1, 1, 2, 4)))),
        away=draw.choice((0.2, 3.0, 31.0, 70.0)),
        faults=(
            *(_fault(draw) for _ in range(draw.choice((0, 1, 2, 3, 6)))),
            *(_fault_of_registering(own) for _ in range(2 * drawn.tells_colour)),
        ),
        outages=tuple(_outage(draw) for _ in range(draw.choice((0, 0, 0, 1, 1, 2)))),
        edits=tuple(_edit(draw) for _ in range(draw.choice((0, 0, 0, 1, 2)))),
        commands=tuple(
            sorted((_command(draw) for _ in range(draw.choice((0, 0, 1, 2, 4)))), key=lambda w: w.at)
        ),
        mishaps=(
            *(_mishap(draw) for _ in range(draw.choice((0, 0, 0, 1, 2)))),
            *_mishaps_of_scaling(drawn, Random(seed * 32452843 + 11)),
        ),
        starts=tuple(sorted(draw.uniform(0, 240) for _ in range(draw.choice((0, 1, 2))))),
    )


def swapping(seed: int) -> Scenario:
    """The scenario of a seed with an end in which green stays; nobody but Teal and AWS has a hand in it."""
    ending = Random(seed * 15485863 + 3).choice((Ending.KEEP, Ending.DELETE))
    drawn = replace(scenario_of(seed), scalable=False, scaled_by=(), tells_colour=False, edits=(), mishaps=())
    return replace(drawn, ending=ending)


def _scaled_by(draw: Random) -> tuple[str, ...]:
    """Nothing for half of the services that scale; else some of what a team may let act on them."""
    if draw.random() < 0.5:
        return ()
    return tuple(kind for kind in scenery_scaling.KINDS if draw.random() < 0.4)


def _behind(seed: int) -> float:
    """Reads go back in a third of the rollouts, by up to what AWS may need on a bad day."""
    draw = Random(seed * 67867967 + 29)
    return draw.choice((0.3, 1.0, 3.0, 8.0)) if draw.random() < 0.35 else 0.0


def _plan(draw: Random) -> Plan:
    weights = draw.choice(((100, 1000), (100, 1000), (10, 250, 500, 1000), (1000,), (333, 667, 1000)))
    bakes = [timedelta(seconds=draw.choice((0, 10, 20, 40))) for _ in weights]
    asks = [draw.random() < 0.1 for _ in weights]
    steps = tuple(
        Step(weight=Tenths(w), bake=b, approval=a) for w, b, a in zip(weights, bakes, asks, strict=True)
    )
    return Plan(name="custom", steps=steps)


def _fault(draw: Random) -> Fault:
    if draw.random() < 0.6:
        operation, nth = draw.choice(WRITES), draw.choice((1, 1, 2, 3, 5))
    else:
        operation, nth = "*", draw.randrange(1, 900)
    when = draw.choice(WHENS)
    if operation == "*" and when == "late":
        when = "before"
    kind: Kind = draw.choice(KINDS) if when == "before" else "timeout"
    delay = timedelta(seconds=draw.uniform(1, 25) if draw.random() < 0.7 else draw.uniform(25, 330))
    times = draw.choice((1, 1, 1, 3)) if when == "before" else 1
    return Fault(operation=operation, nth=nth, when=when, kind=kind, times=times, delay=delay)


def _fault_of_registering(draw: Random) -> Fault:
    operation = draw.choice(("RegisterTaskDefinition", "RegisterTaskDefinition", "DeregisterTaskDefinition"))
    delay = timedelta(seconds=draw.uniform(1, 25))
    return Fault(operation=operation, nth=draw.choice((1, 1, 2)), when=draw.choice(WHENS), delay=delay)


def _outage(draw: Random) -> Outage:
    return Outage(at=draw.uniform(0, 240), lasts=draw.choice((3.0, 20.0, 90.0)), kind=draw.choice(KINDS))


def _edit(draw: Random) -> Edit:
    operation = draw.choice(("ModifyRule", "DescribeRules", "DescribeRules", "DescribeTargetHealth"))
    nth = draw.randrange(1, 5) if operation == "ModifyRule" else draw.randrange(1, 120)
    return Edit(what=draw.choice(RIVALS), before=operation, nth=nth)


def _mishap(draw: Random) -> Mishap:
    return Mishap(at=draw.uniform(5, 240), what=draw.choice(MISHAPS))


def _mishaps_of_scaling(drawn: Scenario, draw: Random) -> tuple[Mishap, ...]:
    """What befalls a service that scales: more users, and people who touch its scaling."""
    if not drawn.scalable or not drawn.scaled_by:
        return ()
    count = draw.choice((0, 1, 1, 2))
    return tuple(Mishap(at=draw.uniform(5, 240), what=draw.choice(OF_SCALING)) for _ in range(count))


def _command(draw: Random) -> PlannedCommand:
    kinds = (
        CommandKind.PAUSE,
        CommandKind.RESUME,
        CommandKind.PROMOTE,
        CommandKind.BACK,
        CommandKind.APPROVE,
        CommandKind.ROLLBACK,
        CommandKind.REJECT,
    )
    kind = draw.choices(kinds, [3, 4, 4, 3, 3, 2, 1])[0]
    return PlannedCommand(at=draw.uniform(0, 260), kind=kind, full=draw.random() < 0.3)
