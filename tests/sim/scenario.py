"""What happens in one simulated rollout, drawn from a seed: its world, its rivals, what breaks and when."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any, Literal

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.plan import NAMED_PLANS, Plan, Step
from orchestrator.core.rollout.spec import Background, Capacity, Ending, LimitThen, OnDrift, OnFailure
from sandbox.scenarios import scenery_scaling
from sandbox.world.kernel.faults import Fault, Kind, When
from tests.sim.beside import NOTHING, Beside, beside_of, late_creation, with_few_errors
from tests.sim.disk.disk import CommitFault, CommitKind, Spell, SpellKind
from tests.sim.hosts.process import Stop, Where
from tests.sim.hosts.wall import ClockStep

Blue = Literal["good", "cannot start", "breaker puts the former back"]
Befalls = Literal[
    "loses a task",
    "is scaled out",
    "has its scaling changed",
    "is deployed",
    "has more users",
    "may scale in again",
]
Again = Literal["", "same", "other"]
Gate = Literal["metric", "probe", "webhook", "window", "composite alarm", "approval before traffic"]
GATES: tuple[Gate, ...] = (
    "metric",
    "probe",
    "webhook",
    "window",
    "composite alarm",
    "approval before traffic",
)
StateByHand = Literal["ALARM", "OK", "INSUFFICIENT_DATA"]
NEIGHBOURS = ("orders", "payments", "search")
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
OF_SCALING: tuple[Befalls, ...] = (
    "has more users",
    "may scale in again",
    "has its scaling changed",
)
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
SPELLS: tuple[SpellKind, ...] = ("full", "busy", "slow")
LOSSES: tuple[CommitKind, ...] = ("lost", "answer lost")
STOPPED: tuple[Where, ...] = ("step", "signed", "sent", "commit")
BY_HAND: tuple[StateByHand, ...] = ("ALARM", "ALARM", "ALARM", "OK", "INSUFFICIENT_DATA")
AGAIN: tuple[Again, ...] = ("same", "other")
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
    """A command, given so many seconds after the start.

    `again`: its key is used a second time, for the same command or for another. `together`: another operator gives the
    same command at the same moment, with a key of their own.
    """

    at: float
    kind: CommandKind
    full: bool = False
    again: Again = ""
    together: bool = False


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
class ByHand:
    """Somebody sets the state of the service's alarm at a time."""

    at: float
    state: StateByHand


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The operators' calendar has nothing rolled out from `at` on, for so many seconds."""

    at: float
    lasts: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """Another service of the same account and store, with a rollout of its own that starts after `at` seconds."""

    name: str
    at: float
    green: Mapping[str, str]
    plan: Plan
    rules: int
    requests_per_second: float
    on_failure: OnFailure
    commands: tuple[PlannedCommand, ...]


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
    store: Literal["memory", "sql"] = "memory"
    spells: tuple[Spell, ...] = ()
    commits: tuple[CommitFault, ...] = ()
    stops: tuple[Stop, ...] = ()
    clock_steps: tuple[ClockStep, ...] = ()
    upgrades: tuple[float, ...] = ()  # seconds after which the first engine is ended, and a newer one begins
    neighbours: tuple[Neighbour, ...] = ()
    one_way: bool = False
    closed: tuple[Closed, ...] = ()
    gates: tuple[Gate, ...] = ()
    webhook_says_fail: bool = False
    test_rule: bool = False
    sticky: bool = False
    by_hand: tuple[ByHand, ...] = ()
    is_told: bool = False  # a hook is told of everything
    dead_hook: bool = False  # and another is never there
    beside: Beside = NOTHING

    @property
    def is_attended(self) -> bool:
        """Whether an operator looks after what stands still."""
        return self.beside.is_attended


PLAINEST: dict[str, Any] = {  # of the fields that are no lists
    "workers": 1,
    "rules": 1,
    "default_rule": False,
    "foreign_group": False,
    "scalable": False,
    "tricky": False,
    "room": None,
    "blue_in_settling": "good",
    "green": {},
    "hold_then": LimitThen.ROLLBACK,
    "on_failure": OnFailure.ROLLBACK,
    "tells_colour": False,
    "background": Background.NONE,
    "capacity": Capacity.FULL,
    "behind": 0.0,
    "scaling_write": 0.0,
    "one_way": False,
    "test_rule": False,
    "sticky": False,
    "is_told": False,
    "dead_hook": False,
    "webhook_says_fail": False,
    "store": "memory",
    "requests_per_second": 40,
    "beside": NOTHING,
}


def scenario_of(seed: int) -> Scenario:
    """The scenario of a seed."""
    drawn, beside = _drawn(seed), beside_of(seed)
    drawn = replace(drawn, beside=beside, green=with_few_errors(drawn.green, beside))
    if drawn.plan.steps and Random(seed * 49979693 + 41).random() < 0.15:  # longer than its evidence takes
        first = replace(drawn.plan.steps[0], bake=timedelta(seconds=100))
        drawn = replace(drawn, plan=replace(drawn.plan, steps=(first, *drawn.plan.steps[1:])))
    if beside.what != "a late creation":
        return drawn
    fault, at = late_creation(seed)
    taken_back = PlannedCommand(at=at, kind=CommandKind.ROLLBACK)
    return replace(drawn, faults=(fault,), commands=(taken_back,), deaths=(), outages=())


def _drawn(seed: int) -> Scenario:
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
        room=7 if draw.random() < 0.08 else None,
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
    drawn = _asked_for(drawn, Random(seed * 122949823 + 19))
    if calm:
        return _as_swap(drawn) if drawn.ending.is_swap else drawn
    drawn = _troubled(drawn, Random(seed * 141650939 + 23))
    drawn = replace(
        drawn,
        deaths=tuple(draw.randrange(5, 1200) for _ in range(draw.choice((0, 0, 1, 1, 2, 4)))),
        away=draw.choice((0.2, 3.0, 31.0, 70.0)),
        faults=(
            *drawn.faults,
            *(_fault(draw) for _ in range(draw.choice((0, 1, 2, 3, 6)))),
            *(_fault_of_registering(own) for _ in range(2 * drawn.tells_colour)),
        ),
        outages=tuple(_outage(draw) for _ in range(draw.choice((0, 0, 0, 1, 1, 2)))),
        edits=tuple(_edit(draw) for _ in range(draw.choice((0, 0, 0, 1, 2)))),
        commands=tuple(
            sorted(
                (*drawn.commands, *(_command(draw) for _ in range(draw.choice((0, 0, 1, 2, 4))))),
                key=lambda w: w.at,
            )
        ),
        mishaps=(
            *(_mishap(draw) for _ in range(draw.choice((0, 0, 0, 1, 2)))),
            *_mishaps_of_scaling(drawn, Random(seed * 32452843 + 11)),
        ),
        starts=tuple(sorted(draw.uniform(0, 240) for _ in range(draw.choice((0, 1, 2))))),
    )
    return _as_swap(drawn) if drawn.ending.is_swap else drawn


def swapping(seed: int) -> Scenario:
    """The scenario of a seed with an end in which green stays; nobody but Teal and AWS has a hand in it."""
    ending = Random(seed * 15485863 + 3).choice((Ending.KEEP, Ending.DELETE))
    return _as_swap(replace(scenario_of(seed), ending=ending))


def _as_swap(drawn: Scenario) -> Scenario:
    return replace(drawn, scalable=False, scaled_by=(), tells_colour=False, edits=(), mishaps=())


def _asked_for(drawn: Scenario, draw: Random) -> Scenario:
    """What a rollout file asks for beyond the usual, and who else rolls out beside it."""
    plan = NAMED_PLANS[draw.choice(("auto", "fast"))] if draw.random() < 0.09 else drawn.plan
    gates = tuple(gate for gate in GATES if draw.random() < 0.085)
    return replace(
        drawn,
        store="sql" if draw.random() < 0.5 else "memory",
        plan=plan,
        gates=gates,
        webhook_says_fail=draw.random() < 0.2,
        test_rule="probe" in gates or draw.random() < 0.06,
        sticky=draw.random() < 0.09,
        one_way=draw.random() < 0.09,
        neighbours=_neighbours(draw) if draw.random() < 0.09 else (),
        is_told=draw.random() < 0.1,
        ending=draw.choice((Ending.KEEP, Ending.DELETE)) if draw.random() < 0.1 else Ending.SETTLE,
    )


def _troubled(drawn: Scenario, draw: Random) -> Scenario:
    """What befalls the store, the engines' host and its clock, and what people do at the doors."""
    orders: list[PlannedCommand] = []
    for again in AGAIN:
        if draw.random() < 0.1:
            orders.append(replace(_command(draw), again=again))
    if draw.random() < 0.1:
        orders.append(replace(_command(draw), together=True))
    if draw.random() < 0.09:
        orders.append(PlannedCommand(at=draw.uniform(0, 260), kind=CommandKind.ABANDON))
    spells = tuple(_spell(draw, kind) for kind in SPELLS if draw.random() < 0.09)
    commits = tuple(
        CommitFault(nth=draw.randrange(2, 60), kind=kind) for kind in LOSSES if draw.random() < 0.1
    )
    stops = tuple(_stop(draw, where) for where in STOPPED if draw.random() < 0.09)
    return replace(
        drawn,
        commands=tuple(orders),
        spells=spells,
        commits=commits,
        stops=stops,
        clock_steps=tuple(_clock_step(draw) for _ in range(draw.choice((1, 1, 2))))
        if draw.random() < 0.12
        else (),
        upgrades=(draw.uniform(5, 150),) if draw.random() < 0.1 else (),
        closed=(Closed(at=draw.uniform(0, 200), lasts=draw.choice((20.0, 60.0, 120.0))),)
        if draw.random() < 0.1
        else (),
        by_hand=(ByHand(at=draw.uniform(20, 200), state=draw.choice(BY_HAND)),)
        if draw.random() < 0.1
        else (),
        dead_hook=draw.random() < 0.1,
        faults=(_signed_ahead(draw),) if draw.random() < 0.1 else (),
    )


def _neighbours(draw: Random) -> tuple[Neighbour, ...]:
    names = NEIGHBOURS[: draw.choice((1, 1, 2, 3))]
    return tuple(
        Neighbour(
            name=name,
            at=draw.uniform(0, 60),
            green=draw.choices([kind for _, kind in GREENS], [often for often, _ in GREENS])[0],
            plan=_plan(draw),
            rules=draw.choice((1, 1, 2)),
            requests_per_second=draw.choice((40, 15)),
            on_failure=OnFailure.ROLLBACK,
            commands=tuple(_command(draw) for _ in range(draw.choice((0, 0, 1)))),
        )
        for name in names
    )


def _spell(draw: Random, kind: SpellKind) -> Spell:
    lasts = draw.choice((5.0, 30.0, 90.0, 240.0))
    return Spell(at=draw.uniform(0, 200), lasts=lasts, kind=kind, slow=draw.choice((0.4, 3.0, 9.0, 14.0)))


def _stop(draw: Random, where: Where) -> Stop:
    """Mostly for longer than a lease; of writes that leave late, some for longer than AWS takes their signature."""
    most = {"step": 4_000, "signed": 24, "sent": 24, "commit": 60}[where]
    lasts = draw.choice((10.0, 31.0, 33.0, 45.0, 90.0, 200.0, 290.0, 330.0, 480.0))
    return Stop(where=where, nth=draw.randrange(1, most), lasts=lasts)


def _signed_ahead(draw: Random) -> Fault:
    """A call that AWS takes for longer, since the clock that signed it was ahead of AWS's."""
    operation = draw.choice(("ModifyRule", "ModifyRule", "UpdateService"))
    ahead, delay = draw.uniform(60, 230), draw.uniform(100, 530)
    return Fault(
        operation=operation,
        nth=draw.choice((1, 2, 3)),
        when="late",
        delay=timedelta(seconds=delay),
        ahead=timedelta(seconds=ahead),
    )


def _clock_step(draw: Random) -> ClockStep:
    return ClockStep(
        at=draw.uniform(0, 150), seconds=draw.choice((-230.0, -120.0, -45.0, 50.0, 120.0, 230.0))
    )


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
    count = draw.choice((1, 1, 2, 2))
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
