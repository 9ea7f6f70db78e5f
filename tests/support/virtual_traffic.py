"""Requests in virtual time: seeded, counted in bulk, and steered by the weights in force."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import partial
from random import Random

from sandbox.ports import ConditionView, FixedView, ForwardView, GroupView, RedirectView, RuleView
from sandbox.world.tasks.behaviour import Conduct
from sandbox.world.tasks.virtual_tasks import VirtualTasks
from sandbox.world.world import World

ROUTABLE = ("healthy",)
# With no healthy target a load balancer fails open to all of them; those that leave get no new requests.
LAST_RESORT = ("unhealthy", "initial", "unavailable")
_EXACT_UP_TO = 64
FOR_GOOD = timedelta(days=1)  # how long a connection lives on that does


@dataclass(slots=True)
class Totals:
    """What users got so far. Groups are target group ARNs."""

    requests: int = 0
    answered: Counter[str] = field(default_factory=Counter)  # by group
    errors: Counter[str] = field(default_factory=Counter)  # a task's own errors, by group
    unanswered: Counter[str] = field(default_factory=Counter)  # 502 and 504, by group
    rejected: int = 0  # 503: no target at all
    other: int = 0  # fixed responses and redirects


class VirtualTraffic:
    """A steady load on one listener of a World with virtual tasks, from now until `stop`.

    The load is added up once an `interval`; each request goes the way its rule says, weights being chances. An
    answer's chance of being a 500 and its time are its task's (`Behaviour`). An answer that takes an `interval` or more
    comes, and is counted, so much later. A request that its task never answers is given up, and counted, one of the
    World's minutes later: a load balancer's idle timeout is 60 seconds by default.

    Where a rule keeps users on a target group, the requests come from so many `users` with a cookie each: it holds
    from the moment it was given for as long as the rule says, and leads to its group whatever the weights are, for as
    long as the rule holds that group at all.
    """

    def __init__(
        self,
        world: World,
        listener_arn: str,
        requests_per_second: float,
        *,
        path: str = "/",
        host: str = "localhost",
        interval: timedelta = timedelta(seconds=1),
        users: int = 400,
        seed: int = 0,
    ) -> None:
        self._world = world
        self._listener = listener_arn
        self.requests_per_second = requests_per_second
        self._path = path
        self._host = host
        self._interval = interval
        self._random = Random(seed)
        self._users = users
        self._cookies: dict[int, tuple[str, datetime]] = {}  # by user: the group, and until when
        self._owed = 0.0
        self.clinging = (
            0.0  # the share of requests on connections that live on, and stay with the group they first had
        )
        self._exhausted = 0.0  # the share of requests that every task fails now, whoever is to blame
        self._tasks: VirtualTasks = world.virtual_tasks
        self.totals = Totals()
        self._timer = world.kernel.after(interval, self._tick)

    def stop(self) -> None:
        """No request from now on."""
        self._timer.cancel()

    def _tick(self) -> None:
        self._timer = self._world.kernel.after(self._interval, self._tick)
        self._owed += self.requests_per_second * self._interval.total_seconds()
        count = int(self._owed)
        self._owed -= count
        if count:
            self._send(count)

    def _send(self, count: int) -> None:
        listener = next((x for x in self._world.traffic.listeners() if x.arn == self._listener), None)
        if listener is None:
            return
        self.totals.requests += count
        action = next(rule for rule in listener.rules if self._matches(rule)).action
        match action:
            case FixedView(status=status):
                self.totals.other += count
                self._world.traffic.count_rejected(
                    load_balancer=listener.load_balancer, status=status, count=count
                )
            case RedirectView():
                self.totals.other += count
            case ForwardView(weights=weights) if not any(weight for _, weight in weights):
                self._reject(listener.load_balancer, count)
            case ForwardView(weights=weights, pins_for=life):
                self._exhausted = max(self._tasks.outage_rate(), self._shared_harm(dict(weights)))
                clinging = binomial(self._random, count, self.clinging)
                shares = Counter(self._by_cookies(clinging, dict(weights), FOR_GOOD))
                shares += Counter(
                    self._by_cookies(count - clinging, dict(weights), life)
                    if life
                    else split(self._random, count - clinging, dict(weights))
                )
                for arn, share in shares.items():
                    self._forward(listener.load_balancer, self._world.traffic.group(arn), share)

    def _by_cookies(self, count: int, weights: Mapping[str, int], life: timedelta) -> dict[str, int]:
        """Send `count` requests of users chosen by chance the way their cookies lead, or else by weight."""
        now, shares = self._world.now, Counter[str]()
        names, chances = list(weights), list(weights.values())
        for _ in range(count):
            user = self._random.randrange(self._users)
            group, until = self._cookies.get(user, ("", now))
            if until <= now or group not in weights:
                group = self._random.choices(names, chances)[0]
                self._cookies[user] = group, now + life
            shares[group] += 1
        return dict(shares)

    def _shared_harm(self, weights: Mapping[str, int]) -> float:
        """The share of requests that all tasks fail because some that serve exhaust what all of them share."""
        whole = sum(weights.values())
        harm = 0.0
        for arn, weight in weights.items():
            for target in self._world.traffic.group(arn).targets if weight else ():
                conduct = self._tasks.conduct_at(target.host, target.port)
                if conduct and weight / whole > conduct.shared_above:
                    harm = max(harm, conduct.shared_error_rate)
        return harm

    def _matches(self, rule: RuleView) -> bool:
        return all(self._meets(condition) for condition in rule.conditions)

    def _meets(self, condition: ConditionView) -> bool:
        if condition.is_regex and condition.field in ("path-pattern", "host-header"):
            text = self._path if condition.field == "path-pattern" else self._host.lower()
            return any(re.search(value, text) for value in condition.values)
        if condition.field == "path-pattern":
            return any(fnmatchcase(self._path, value) for value in condition.values)
        if condition.field == "host-header":
            return any(fnmatchcase(self._host.lower(), value.lower()) for value in condition.values)
        return False  # this load has no headers, no query and no known source

    def _forward(self, balancer: str, group: GroupView, count: int) -> None:
        if group.function:
            self.totals.answered[group.arn] += count
            self._world.traffic.count_answer(
                load_balancer=balancer, group=group.arn, status=200, seconds=0.001, count=count
            )
            return
        targets = [t for t in group.targets if t.state in ROUTABLE]
        targets = targets or [t for t in group.targets if t.state in LAST_RESORT]
        if not targets:
            self._reject(balancer, count)
            return
        evenly = {str(number): 1 for number in range(len(targets))}
        for number, share in split(self._random, count, evenly).items():
            target = targets[int(number)]
            self._reach(balancer, group.arn, (target.host, target.port), share)

    def _reject(self, balancer: str, count: int) -> None:
        self.totals.rejected += count
        self._world.traffic.count_rejected(load_balancer=balancer, status=503, count=count)

    def _reach(self, balancer: str, group: str, address: tuple[str, int], count: int) -> None:
        traffic = self._world.traffic
        traffic.count_routed(load_balancer=balancer, group=group, count=count)
        conduct = self._tasks.conduct_at(*address)
        if conduct is None:
            traffic.count_connection_error(load_balancer=balancer, group=group, count=count)
            self._give_up(balancer, group, 502, count)
            return
        lost = count if conduct.hangs else binomial(self._random, count, conduct.unanswered_rate)
        if lost:
            self._world.kernel.after(self._world.minute, partial(self._give_up, balancer, group, 504, lost))
            count -= lost
        if not count:
            return
        rate = 1 - (1 - conduct.error_rate) * (1 - self._exhausted)
        errors = binomial(self._random, count, rate)
        answer = partial(self._answer, balancer, group, conduct, (count, errors))
        if conduct.latency >= self._interval:
            self._world.kernel.after(conduct.latency, answer)
        else:
            answer()

    def _answer(self, balancer: str, group: str, conduct: Conduct, counts: tuple[int, int]) -> None:
        """Answer so many requests, so many of them with errors."""
        count, errors = counts
        self.totals.answered[group] += count
        self.totals.errors[group] += errors
        for status, number in ((200, count - errors), (conduct.error_status, errors)):
            for part, factor in spread(number):
                seconds = conduct.latency.total_seconds() * factor * self._random.uniform(0.95, 1.05)
                self._world.traffic.count_answer(
                    load_balancer=balancer, group=group, status=status, seconds=seconds, count=part
                )

    def _give_up(self, balancer: str, group: str, status: int, count: int) -> None:
        self.totals.unanswered[group] += count
        self._world.traffic.count_unanswered(load_balancer=balancer, group=group, status=status, count=count)


def spread(count: int) -> tuple[tuple[int, float], ...]:
    """A latency's shape: nine in ten near the middle, the rest with a tail, as (how many, times the middle)."""
    slow, slowest = count // 10, count // 100
    return tuple((n, f) for n, f in ((count - slow, 1.0), (slow - slowest, 2.0), (slowest, 4.0)) if n)


def split(random: Random, count: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Send `count` requests by chance in proportion to the weights; shares of none are left out."""
    left, weight_left = count, sum(weights.values())
    shares: dict[str, int] = {}
    for name, weight in weights.items():
        if not left or not weight:
            continue
        share = left if weight == weight_left else binomial(random, left, weight / weight_left)
        if share:
            shares[name] = share
        left, weight_left = left - share, weight_left - weight
    return shares


def binomial(random: Random, count: int, chance: float) -> int:
    """How many of `count` happen: exact for few, by the normal approximation for many."""
    if chance <= 0 or count <= 0:
        return 0
    if chance >= 1:
        return count
    if count <= _EXACT_UP_TO or count * min(chance, 1 - chance) < 10:
        return sum([random.random() < chance for _ in range(count)])
    mean = count * chance
    return min(count, max(0, round(random.gauss(mean, (mean * (1 - chance)) ** 0.5))))
