"""Probes in virtual time: requests that go the way a World's rules say, and are answered as its tasks behave."""

import asyncio
from datetime import timedelta
from fnmatch import fnmatchcase
from random import Random
from urllib.parse import urlsplit

from orchestrator.core.cloud.probes_and_webhooks import (
    HookNeed,
    HookSeen,
    HookTrouble,
    ProbeAnswer,
    ProbeNeed,
    ProbeSeen,
)
from orchestrator.core.cloud.resources import Unread
from sandbox.ports import ConditionView, FixedView, ForwardView, ListenerView, RuleView
from sandbox.world.world import World
from tests.support.virtual_traffic import LAST_RESORT, ROUTABLE, binomial, split


class VirtualProber:
    """`ports.outbound.Outward` over a World with virtual tasks; the listener is found by the URL's port.

    Every request counts in the load balancer's metrics, as on AWS. Nobody answers webhooks here.
    """

    def __init__(self, world: World, *, seed: int = 0) -> None:
        self._world = world
        self._random = Random(seed)
        self.is_reachable = True
        """False: no connection to the test listener can be made."""
        self.sent: list[str] = []
        """Keys of the batches, in the order in which they came."""

    def refusal(self, url: str, secret: str = "") -> tuple[str, str] | None:
        """Nothing is forbidden here."""
        return None

    async def ask(self, need: HookNeed) -> HookSeen | None:
        """Nobody answers."""
        return HookTrouble(why="nobody answers webhooks in virtual time")

    async def probe(self, need: ProbeNeed) -> ProbeSeen | Unread:
        """Send one batch, which takes as long as its rate says."""
        self.sent.append(need.key)
        port = urlsplit(need.url).port or 80
        listener = next((x for x in self._world.traffic.listeners() if x.port == port), None)
        if listener is None or not self.is_reachable:
            return Unread(why=f"{need.url} cannot be reached: no connection could be made")
        answers = []
        for number in range(need.first, need.first + need.count):
            answers.append(self._one(need, listener, need.path(number)))
            await asyncio.sleep(1 / need.rate)
        return ProbeSeen(key=need.key, answers=tuple(answers))

    def _one(self, need: ProbeNeed, listener: ListenerView, path: str) -> ProbeAnswer:
        rule = next(rule for rule in listener.rules if all(_meets(c, need, path) for c in rule.conditions))
        status, seconds = self._routed(rule, listener.load_balancer)
        if seconds > need.timeout.total_seconds():
            return ProbeAnswer(path=path, trouble=f"no answer within {need.timeout.total_seconds():g} s")
        return ProbeAnswer(path=path, status=status, seconds=seconds, has_text=not need.contains)

    def _routed(self, rule: RuleView, balancer: str) -> tuple[int, float]:
        match rule.action:
            case FixedView(status=status):
                return status, 0.001
            case ForwardView(weights=weights) if any(weight for _, weight in weights):
                (group,) = split(self._random, 1, dict(weights))
                return self._answered(group, balancer)
            case ForwardView():
                return 503, 0.001
            case _:
                return 302, 0.001

    def _answered(self, group: str, balancer: str) -> tuple[int, float]:
        traffic = self._world.traffic
        targets = traffic.group(group).targets
        usable = [t for t in targets if t.state in ROUTABLE] or [t for t in targets if t.state in LAST_RESORT]
        if not usable:
            traffic.count_rejected(load_balancer=balancer, status=503)
            return 503, 0.001
        traffic.count_routed(load_balancer=balancer, group=group)
        target = self._random.choice(usable)
        conduct = self._world.virtual_tasks.conduct_at(target.host, target.port)
        if conduct is None:
            traffic.count_connection_error(load_balancer=balancer, group=group)
            traffic.count_unanswered(load_balancer=balancer, group=group, status=502)
            return 502, 0.001
        if conduct.hangs:
            traffic.count_unanswered(load_balancer=balancer, group=group, status=504)
            return 504, 2 * timedelta(minutes=1).total_seconds()
        status = 500 if binomial(self._random, 1, conduct.error_rate) else 200
        seconds = conduct.latency.total_seconds()
        traffic.count_answer(load_balancer=balancer, group=group, status=status, seconds=seconds)
        return status, seconds


def _meets(condition: ConditionView, need: ProbeNeed, path: str) -> bool:
    if condition.field == "path-pattern":
        return any(fnmatchcase(path.partition("?")[0], value) for value in condition.values)
    headers = {name.lower(): value for name, value in need.headers}
    if condition.field == "host-header":
        host = headers.get("host") or urlsplit(need.url).hostname or ""
        return any(fnmatchcase(host.lower(), value.lower()) for value in condition.values)
    if condition.field == "http-header":
        value = headers.get(condition.name.lower())
        return value is not None and any(fnmatchcase(value, pattern) for pattern in condition.values)
    return condition.field == "source-ip"  # a prober comes from an address that is allowed
