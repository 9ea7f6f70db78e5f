"""One rollout by the real decision core, in simulated traffic: healthy tasks, and metrics as they come."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from orchestrator.core.cloud.effects import WriteRule
from orchestrator.core.cloud.forward_action import canonical
from orchestrator.core.cloud.resources import DeploymentSeen, RuleSeen, Series, ServiceSeen, TargetsSeen
from orchestrator.core.decide import decide
from orchestrator.core.domain.commands import Actor
from orchestrator.core.domain.ids import (
    Json,
    ListenerArn,
    LoadBalancerArn,
    RolloutId,
    RuleArn,
    TargetGroupArn,
    TaskDefinitionArn,
    Tenths,
)
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL, NONE
from orchestrator.core.gates import guard
from orchestrator.core.rollout.colours import Blue, Colours, Green
from orchestrator.core.rollout.progress import Progress
from orchestrator.core.rollout.rollout import Decision, Rollout, Ticks
from orchestrator.core.rollout.rule_lists import conditions_of, listed
from orchestrator.core.rollout.rule_state import Pair, RuleState
from orchestrator.core.rollout.spec import Spec
from orchestrator.core.tick.seen import Seen
from orchestrator.core.what_to_read import needs_of
from orchestrator.simulate.defects import Defect
from orchestrator.simulate.traffic import START, WRITE_TAKES, Demand, Period, Tally, Traffic

HISTORY = 75  # periods of blue alone before the rollout begins
HORIZON = timedelta(
    minutes=60
)  # an unseen defect does harm until then, or for as long as a longer plan watches
FULL = Tenths(900)  # from this weight on green has "full" weight: a plan may keep a control group
TASKS = 3
LEAST = timedelta(seconds=1)  # between two looks
LIVE = (Phase.PROVISIONING, Phase.SHIFTING, Phase.WATCHING, Phase.ROLLING_BACK)

_BLUE = TargetGroupArn("arn:aws:elasticloadbalancing:eu-west-1:000000000000:targetgroup/blue/1")
_GREEN = TargetGroupArn("arn:aws:elasticloadbalancing:eu-west-1:000000000000:targetgroup/green/1")
_BALANCER = LoadBalancerArn(
    "arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/simulated/1"
)
_LISTENER = ListenerArn("arn:aws:elasticloadbalancing:eu-west-1:000000000000:listener/app/simulated/1/1")
_ID = RolloutId("simulated")
_RULE = RuleArn("arn:aws:elasticloadbalancing:eu-west-1:000000000000:listener-rule/app/simulated/1/1/1")
_FORMER, _WANTED = TaskDefinitionArn("simulated:1"), TaskDefinitionArn("simulated:2")
_BASE = canonical([{"Type": "forward", "TargetGroupArn": _BLUE}])
_METRICS: dict[str, Callable[[Tally], int]] = {
    "requests": lambda tally: tally.requests,
    "answers_2xx": lambda tally: tally.requests - tally.errors,
    "answers_5xx": lambda tally: tally.errors,
    "timed": lambda tally: tally.requests,
    "slow": lambda tally: tally.slow,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one simulated rollout. Times count from green's first request."""

    harm: int  # requests that failed or were slow because of green
    is_rolled_back: bool
    before_full: bool  # rolled back before green had full weight
    full_after: timedelta | None  # None: never
    back_after: (
        timedelta | None
    )  # from the first harmed request to all traffic on blue; None: not rolled back
    lasted: timedelta  # from green's first request to the watch's end, or to blue's having everything
    reason: str = ""
    weights: tuple[tuple[timedelta, Tenths], ...] = ()  # green's, as they were written


def roll_out(
    spec: Spec,
    load: Demand,
    defect: Defect,
    *,
    seed: int,
    horizon: timedelta = HORIZON,
    is_every_look_taken: bool = False,
) -> Outcome:
    """Simulate one rollout until it succeeds, is rolled back, or the horizon is reached.

    `is_every_look_taken`: also those that can find nothing new; it makes no difference but to the time it takes.
    """
    traffic = Traffic(load, defect, period=spec.metrics.period, seed=seed)
    return _Run(spec, traffic, horizon, is_every_look_taken).to_the_end()


class _Run:
    """The row, and what the account is like: everything healthy, one rule, and the metrics that have come."""

    def __init__(self, spec: Spec, traffic: Traffic, horizon: timedelta, is_every_look_taken: bool) -> None:
        self._horizon = horizon
        self._is_every_look_taken = is_every_look_taken
        traffic.advance(START + HISTORY * spec.metrics.period)
        self._traffic = traffic
        self._row = _row(spec, traffic.now)
        self._written: Tenths | None = NONE
        self._weights: list[tuple[datetime, Tenths]] = []
        self._full_at: datetime | None = None
        self._targets = {group: TargetsSeen(healthy=TASKS) for group in (_BLUE, _GREEN)}

    def to_the_end(self) -> Outcome:
        while True:
            now = self._traffic.now
            decision = decide(self._row, self._seen(now), now)
            self._row = decision.rollout
            self._perform(decision)
            if self._full_at is None and self._row.green_weight >= FULL:
                self._full_at = now
            if self._is_over(now):
                return self._outcome(now)
            self._traffic.advance(self._next_look(decision.wake_at or now, now))

    def _next_look(self, asked: datetime, now: datetime) -> datetime:
        """When the core looks again: when it asked for, or at the first of its looks that finds something new.

        It looks every few seconds for a datapoint that comes minutes later. Those looks change nothing but the bake's
        clock, which stands still over gaps of more than two polls: so many are left out at a time.
        """
        look, row = max(asked, now + LEAST), self._row
        if self._is_every_look_taken or row.waiting.waiting_for != guard.MEASURED or not row.evidence.reading:
            return look
        metrics, awaited = row.spec.metrics, row.evidence.reading[0].start
        new_at = min(self._traffic.visible_at(awaited), awaited + metrics.period + metrics.lag)
        while look < new_at and look + metrics.look_gap <= now + 2 * metrics.poll:
            look += metrics.look_gap
        return look

    def _perform(self, decision: Decision) -> None:
        for effect in decision.effects:
            if isinstance(effect, WriteRule):
                self._written = effect.green
                self._weights.append((self._traffic.now, effect.green or NONE))
                self._traffic.write((effect.green or 0) / ALL)

    def _is_over(self, now: datetime) -> bool:
        end, begun = self._row.end, self._traffic.first_traffic
        is_back = end is not None and end.traffic_on_blue_at is not None
        is_late = now - (begun or START) >= self._horizon + HISTORY * self._row.spec.metrics.period * (
            begun is None
        )
        return is_back or is_late or self._row.phase not in LIVE

    def _outcome(self, now: datetime) -> Outcome:
        row, traffic = self._row, self._traffic
        is_back = row.phase in (Phase.ROLLING_BACK, Phase.ROLLED_BACK)
        begun = traffic.first_traffic or now
        if is_back:
            traffic.advance(now + WRITE_TAKES)  # the load balancer follows the last write
        else:
            traffic.advance(max(now, begun + self._horizon))  # what nobody saw goes on
        return Outcome(
            harm=traffic.harm,
            is_rolled_back=is_back,
            before_full=is_back and self._full_at is None,
            full_after=self._full_at - begun if self._full_at else None,
            back_after=now - traffic.harmed_since if is_back and traffic.harmed_since else None,
            lasted=now - begun,
            reason=row.end.reason if row.end else "",
            weights=tuple((max(at - begun, timedelta(0)), weight) for at, weight in self._weights),
        )

    def _seen(self, now: datetime) -> Seen:
        needs = needs_of(self._row, (), now)
        metrics: dict[str, Series] = {}
        if needs.metrics is not None:
            end = needs.metrics.end
            read = [period for period in self._traffic.read(now, needs.metrics.start) if period.start < end]
            metrics = {query.id: _series(query.id, read) for query in needs.metrics.queries}
        return Seen(
            rules={_RULE: _rule_seen(listed(self._row, self._row.rules[0], self._written))},
            blue=_SERVED[_FORMER],
            green=_SERVED[_WANTED],
            targets=self._targets,
            metrics=metrics,
        )


def _series(query: str, periods: list[Period]) -> Series:
    """One series by its query's id, ``colour group field``; a count of zero is absent, as CloudWatch has it."""
    colour, _, name = query.split(" ")
    count = _METRICS.get(name)
    if count is None:
        return ()
    tallies = ((p.start, count(p.blue if colour == "blue" else p.green)) for p in periods)
    return tuple((start, float(value)) for start, value in tallies if value)


@lru_cache(maxsize=1024)
def _rule_seen(actions: Json) -> RuleSeen:
    return RuleSeen(
        arn=_RULE,
        listener=_LISTENER,
        load_balancer=_BALANCER,
        is_default=False,
        priority="1",
        conditions=canonical([]),
        actions=actions,
    )


def _served(name: str, revision: TaskDefinitionArn) -> ServiceSeen:
    deployment = DeploymentSeen(
        id=name,
        status="PRIMARY",
        task_definition=revision,
        rollout_state="COMPLETED",
        reason="",
        desired=TASKS,
        running=TASKS,
        pending=0,
        failed=0,
    )
    return ServiceSeen(
        name=name,
        arn=name,
        cluster="simulated",
        status="ACTIVE",
        task_definition=revision,
        desired=TASKS,
        running=TASKS,
        pending=0,
        deployments=(deployment,),
        deployment_configuration=canonical({}),
        tags={"teal:rollout": _ID},
    )


def _row(spec: Spec, now: datetime) -> Rollout:
    """A rollout whose green is ready, as its first traffic is about to begin."""
    rule = RuleState(
        arn=_RULE,
        listener=_LISTENER,
        load_balancer=_BALANCER,
        is_default=False,
        conditions=conditions_of(_rule_seen(_BASE)),
        base=_BASE,
        blue_group=_BLUE,
        verified=NONE,
        wanted=NONE,
        intended=(NONE,),
    )
    pair = Pair(
        blue=_BLUE,
        load_balancer=_BALANCER,
        green_name="green",
        template=canonical({}),
        attributes=canonical({}),
        green=_GREEN,
    )
    blue = Blue(
        cluster="simulated",
        name="blue",
        arn="blue",
        former=_FORMER,
        desired=TASKS,
        deployment_configuration=canonical({}),
        template=canonical({}),
        scaling=None,
    )
    return Rollout(
        id=_ID,
        spec=spec,
        author=Actor(name="simulation"),
        created_at=now,
        phase=Phase.PROVISIONING,
        phase_since=now,
        colours=Colours(
            blue=blue,
            green=Green(name="green", task_definition=_WANTED, desired=TASKS, token="", is_asked=True),
        ),
        pairs=(pair,),
        rules=(rule,),
        progress=Progress(ready_since=now - timedelta(hours=1)),
        ticks=Ticks(ticked_at=now),
    )


_SERVED = {revision: _served(name, revision) for name, revision in (("blue", _FORMER), ("green", _WANTED))}
