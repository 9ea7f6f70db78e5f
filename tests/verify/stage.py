"""A run of `teal verify-account` in virtual time: a World, the real adapters and engine, and AWS's other ways."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Self

from orchestrator.aws.client.call import Caller
from orchestrator.aws.cloud import AwsCloud
from orchestrator.engine.tick import Ticker
from orchestrator.engine.worker import Worker
from orchestrator.store.memory.store import MemoryStore
from orchestrator.verify.facts.calls import CallLog, Recorder
from orchestrator.verify.journal import Journal
from orchestrator.verify.means import Answered, Calls, Means, Tally, Unnarrowed, Users
from orchestrator.verify.place.template import HEADER
from orchestrator.verify.run import Outcome, verify
from orchestrator.verify.wanted import Wanted
from sandbox.ports import ConditionView, FixedView, ForwardView
from sandbox.world.access.documents import Document
from sandbox.world.kernel.errors import AwsRefusal, CallLost, Json
from sandbox.world.kernel.settings import WorldSettings
from sandbox.world.world import World
from tests.support.direct_transport import DirectTransport
from tests.support.rehearsal import MINUTE, START
from tests.support.virtual import LoopClock, VirtualLoop, close
from tests.support.virtual_traffic import VirtualTraffic

RUN = "0a1b2c3d"
ACCOUNT = "123456789012"
WANTED = Wanted(
    id=RUN,
    subnets=("subnet-0aaa", "subnet-0bbb"),
    security_group="sg-0123",
    minute=MINUTE,
    namespace="ns-arn",
    certificate="arn:aws:acm:eu-west-1:123456789012:certificate/1",
)


def only(*parts: str) -> Wanted:
    """The same, of these parts alone."""
    return replace(WANTED, parts=frozenset(parts))


Call = Callable[[str, str, Json], Json]
Lie = Callable[[Call, str, str, Json], Json]
"""(what the World does, service, operation, parameters) -> what is answered instead."""


def honest(call: Call, service: str, operation: str, params: Json) -> Json:
    """What the World answers."""
    return call(service, operation, params)


@dataclass(kw_only=True)
class Ways:
    """How AWS is, where nobody knows it: each is as Teal believes unless it is said otherwise."""

    lie: Lie = honest
    is_cut_with_its_rule: bool = False
    is_reached: bool = True
    is_narrowed: bool = True


class HeaderTraffic(VirtualTraffic):
    """Requests with the run's header."""

    def _meets(self, condition: ConditionView) -> bool:
        if condition.field == "http-header":
            return condition.name == HEADER and any(fnmatchcase(RUN, value) for value in condition.values)
        return super()._meets(condition)


class LiveTally(Tally):
    """What became of a traffic's requests, whenever it is asked."""

    def __init__(self, traffic: VirtualTraffic) -> None:
        super().__init__()
        self._traffic = traffic

    def copy(self) -> Tally:
        totals = self._traffic.totals
        failed = sum(totals.errors.values()) + sum(totals.unanswered.values()) + totals.rejected
        return Tally(sum(totals.answered.values()), failed)

    def since(self, former: Tally) -> Tally:
        return self.copy().since(former)


class VirtualUsers:
    """Users of the run's rule."""

    def __init__(self, world: World, ways: Ways) -> None:
        self._world, self._ways = world, ways

    @asynccontextmanager
    async def steadily(self, rate: float) -> AsyncIterator[Tally]:
        listener = next(view.arn for view in self._world.traffic.listeners() if self._rule(view.rules))
        traffic = HeaderTraffic(self._world, listener, rate)
        try:
            yield LiveTally(traffic)
        finally:
            traffic.stop()

    def _rule(self, rules: Any) -> Any:  # noqa: ANN401 - a view
        return next((rule for rule in rules if any(c.field == "http-header" for c in rule.conditions)), None)

    def _route(self) -> tuple[str, str, int]:
        """(load balancer, target group, status) of a request now; the status of one that no target gets."""
        for listener in self._world.traffic.listeners():
            rule = self._rule(listener.rules)
            match rule.action if rule else None:
                case FixedView(status=status):
                    return listener.load_balancer, "", status
                case ForwardView(weights=weights):
                    group = next((arn for arn, weight in weights if weight), "")
                    return listener.load_balancer, group, 0 if group else 503
        return "", "", 404

    async def send(self, *, wait: float = 0.0) -> Answered:
        loop = asyncio.get_running_loop()
        sent = loop.time()
        if not self._ways.is_reached:
            return Answered(status=0, sent=sent, answered=sent, why="no route to host")
        balancer, group, status = self._route()
        if status:
            return Answered(status=status, sent=sent, answered=sent)
        count = self._world.traffic
        count.count_routed(load_balancer=balancer, group=group)
        await asyncio.sleep(wait)
        if wait and self._ways.is_cut_with_its_rule and self._route()[1] != group:
            return Answered(status=0, sent=sent, answered=loop.time(), why="the connection was closed")
        count.count_answer(load_balancer=balancer, group=group, status=200, seconds=wait)
        return Answered(status=200, sent=sent, answered=loop.time())


class VirtualEngine:
    """The engine of a run, in memory."""

    def __init__(self, store: MemoryStore, cloud: AwsCloud, clock: LoopClock) -> None:
        self.store, self.cloud, self.clock = store, cloud, clock
        self.worker = Worker(Ticker(self.store, cloud, clock), owner="verify")

    async def run(self, stop: asyncio.Event) -> None:
        await self.worker.run(stop)


class Stage:
    """An account with a network, in which runs can be played. `settings`: None: a World without surprises."""

    def __init__(
        self, folder: Path, *, ways: Ways | None = None, settings: WorldSettings | None = None
    ) -> None:
        self.folder, self.ways = folder, ways or Ways()
        self.world = World(start=START, minute=MINUTE, settings=settings or WorldSettings.kind())
        self.world.behaviour.start, self.world.behaviour.start_spread = (
            timedelta(seconds=2),
            timedelta(seconds=1),
        )
        # The World knows the subnets that something stands in.
        there = {"Name": "network", "Subnets": list(WANTED.subnets), "SecurityGroups": ["sg-0123"]}
        self.world.call("elbv2", "CreateLoadBalancer", there)
        self.before = self.letter()
        self.said: list[str] = []
        self.is_dead = False  # no call of the process that is killed reaches AWS
        self._open(MemoryStore())

    def _open(self, store: MemoryStore) -> None:
        """A process begins: its loop, its clients, its engine over the run's store."""
        self._began = self.world.now
        self.loop = VirtualLoop(self._moved)
        self.log = CallLog()
        transport = DirectTransport(self.call, refusal=AwsRefusal, lost=CallLost)
        self.caller = Caller(Recorder(transport, self.log), chance=lambda: 0.5)
        self.cloud = AwsCloud(self.caller, region=self.world.region)
        self.engine = VirtualEngine(store, self.cloud, LoopClock(self.loop, self._began))
        self.means = Means(
            engine=self.engine,
            direct=self.cloud.direct(),
            calls=Calls(self.caller),
            narrow=self.narrowed,
            strange=self.strange,
            open_users=self.users,
            region=self.world.region,
            log=self.log,
        )

    def kill(self) -> None:
        """End the process wherever it is, and begin another one with the same files."""
        self.is_dead = True
        close(self.loop)
        self.is_dead = False
        self._open(self.engine.store)

    def _moved(self, seconds: float) -> None:
        self.world.advance(self._began + timedelta(seconds=seconds))

    def call(self, service: str, operation: str, params: Json) -> Json:
        if self.is_dead:
            raise CallLost("the process is dead")
        return self.ways.lie(self.world.call, service, operation, params)

    @asynccontextmanager
    async def narrowed(self, policy: str) -> AsyncIterator[Calls]:
        if not self.ways.is_narrowed:
            raise Unnarrowed("no role was named that these credentials may assume")
        allowed = Document.of_session(policy)

        def checked(service: str, operation: str, params: Json) -> Json:
            return self.world.call(service, operation, params, policy=allowed)

        def call(service: str, operation: str, params: Json) -> Json:
            return self.ways.lie(checked, service, operation, params)

        transport = DirectTransport(call, refusal=AwsRefusal, lost=CallLost)
        yield Calls(Caller(Recorder(transport, self.log), chance=lambda: 0.5))

    @asynccontextmanager
    async def strange(self) -> AsyncIterator[Calls]:
        def call(service: str, operation: str, params: Json) -> Json:
            return self.ways.lie(self._unknown, service, operation, params)

        yield Calls(Caller(DirectTransport(call, refusal=AwsRefusal, lost=CallLost), chance=lambda: 0.5))

    def _unknown(self, service: str, operation: str, params: Json) -> Json:
        self.world.sts.session("ASIANOBODY", "nobody", is_query=service in ("elbv2", "cloudwatch", "sts"))
        raise AssertionError("nobody's credentials were taken")

    def asks_no_policy(self, _call: Call, service: str, operation: str, params: Json) -> Json:
        """An AWS in which a narrow session may do what its caller may."""
        return self.world.call(service, operation, params)

    @asynccontextmanager
    async def users(self, _url: str, _run: str) -> AsyncIterator[Users]:
        yield VirtualUsers(self.world, self.ways)

    def play(self, wanted: Wanted = WANTED, *, journal: Journal | None = None) -> Outcome:
        """A whole run."""
        journal = journal or Journal.begin(self.folder / wanted.id, wanted)
        outcome: Outcome = self.run(verify(wanted, self.means, journal, self.said.append))
        return outcome

    def run(self, coroutine: Any) -> Any:  # noqa: ANN401 - whatever it gives
        return self.loop.run_until_complete(coroutine)

    def close(self) -> None:
        close(self.loop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def letter(self) -> str:
        """Everything that there is, by name: what a run has to leave as it was."""
        call = self.world.call
        found: dict[str, object] = {
            "balancers": [
                one["LoadBalancerName"] for one in call("elbv2", "DescribeLoadBalancers", {})["LoadBalancers"]
            ],
            "groups": [
                one["TargetGroupName"] for one in call("elbv2", "DescribeTargetGroups", {})["TargetGroups"]
            ],
            "clusters": [arn.rpartition("/")[2] for arn in call("ecs", "ListClusters", {})["clusterArns"]],
            "definitions": call("ecs", "ListTaskDefinitions", {"status": "ACTIVE"})["taskDefinitionArns"],
            "scaling": call(
                "application-autoscaling", "DescribeScalableTargets", {"ServiceNamespace": "ecs"}
            )["ScalableTargets"],
        }
        kinds = ["MetricAlarm", "CompositeAlarm"]
        alarms = call("cloudwatch", "DescribeAlarms", {"AlarmTypes": kinds})
        found["alarms"] = [
            one["AlarmName"] for kind in alarms.values() if isinstance(kind, list) for one in kind
        ]
        return json.dumps(found, default=str)
