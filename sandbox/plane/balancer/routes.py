"""Where a request goes: the World's views, compiled for the proxy and kept until they change.

A forward picks a target group by weight and then a target within it, two independent choices as an Application
Load Balancer makes them: a weight says nothing about health, so an empty group keeps its share and answers 503.
"""

import random
from dataclasses import dataclass, field
from typing import Literal

from sandbox.http1.messages import RequestHead
from sandbox.plane.balancer.matching import Asked, Matcher, rule_matcher
from sandbox.plane.balancer.upstream import Pool, Pools
from sandbox.ports import FixedView, ForwardView, GroupView, RedirectView, RuleView, SignInView, Traffic

Split = Literal["random", "round_robin"]

# States that take new requests; `unavailable` means that health checks are off, and counts as healthy.
SERVING = frozenset(("healthy", "unavailable"))
# States that take new requests when no target of the group serves (fail-open). Never draining or unused ones.
LAST_RESORT = frozenset(("unhealthy", "initial"))


class Group:
    """A target group that requests can be sent to."""

    __slots__ = ("_least", "_next", "arn", "function", "load_balancer", "pools")

    def __init__(self, view: GroupView, pools: Pools, turn: int) -> None:
        self.arn = view.arn
        self.load_balancer = view.load_balancer
        self.function = view.function
        chosen = [t for t in view.targets if t.state in SERVING]
        chosen = chosen or [t for t in view.targets if t.state in LAST_RESORT]
        self.pools = tuple(pools.of(target.host, target.port) for target in chosen)
        self._least = view.algorithm == "least_outstanding_requests"
        self._next = turn

    @property
    def turn(self) -> int:
        """How far the rotation has come; handed on to the group's next compilation."""
        return self._next

    def pick(self) -> Pool | None:
        """The pool of the target whose turn it is; None for a group without a target to send to."""
        pools = self.pools
        if not pools:
            return None
        self._next += 1
        first = self._next % len(pools)
        if not self._least:
            return pools[first]
        rotated = pools[first:] + pools[:first]  # so that equals take turns
        return min(rotated, key=lambda pool: pool.outstanding)


@dataclass(slots=True)
class Forward:
    """A weighted forward, ready to pick from."""

    groups: tuple[Group, ...]
    weights: tuple[int, ...]
    split: Split
    draw: random.Random
    pins_for: float = 0.0  # seconds that a cookie keeps its user on a group; 0: off
    _total: int = field(init=False)
    _credits: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self._total = sum(self.weights)
        self._credits = [0] * len(self.weights)

    def pick(self) -> Group | None:
        """A group by weight; None when every weight is 0."""
        if self._total == 0:
            return None
        if self.split == "round_robin":
            return self._pick_in_turn()
        left = self.draw.random() * self._total
        for group, weight in zip(self.groups, self.weights, strict=True):
            left -= weight
            if left < 0:
                return group
        return self.groups[-1]

    def pinned(self, arn: str) -> Group | None:
        """The group that a user's cookie names, whatever its weight; None if it is not in the action any more."""
        return next((group for group in self.groups if group.arn == arn), None)

    def _pick_in_turn(self) -> Group:
        # Smooth weighted round robin: each takes part by its weight, the richest is served and pays for it.
        credit = self._credits
        for index, weight in enumerate(self.weights):
            credit[index] += weight
        richest = max(range(len(credit)), key=credit.__getitem__)
        credit[richest] -= self._total
        return self.groups[richest]


Action = Forward | FixedView | RedirectView | SignInView


@dataclass(frozen=True, slots=True)
class Guarded:
    """An action behind a sign-in. Nothing of a session is checked here but that its first cookie is there.

    Source: "Authenticate users using an Application Load Balancer": a session may take several cookies, of which
    ``NAME-0`` is the first.
    """

    sign_in: SignInView
    then: Action

    def resolved(self, head: RequestHead) -> Action:
        """The action for a request with a session, else to sign in, unless the rule lets it through."""
        if self.sign_in.otherwise == "allow":
            return self.then
        names = {part.partition(b"=")[0].strip() for part in head.headers.get(b"cookie", b"").split(b";")}
        wanted = self.sign_in.cookie.encode("latin-1")
        return self.then if names & {wanted, wanted + b"-0"} else self.sign_in


class Routes:
    """The rules of one listener in force, in the order of their priority."""

    __slots__ = ("_rules", "load_balancer", "port")

    def __init__(
        self, load_balancer: str, port: int, rules: tuple[tuple[Matcher | None, Action | Guarded], ...]
    ) -> None:
        self.load_balancer = load_balancer
        self.port = port
        self._rules = rules

    def action(self, head: RequestHead, client: str) -> Action | None:
        """What the first matching rule asks for; None when none matches, which a default rule prevents."""
        asked: Asked | None = None
        for matches, action in self._rules:
            if matches is not None:
                asked = asked or Asked.of(head, client)
            if matches is None or (asked is not None and matches(asked)):
                return action.resolved(head) if isinstance(action, Guarded) else action
        return None


class RouteTable:
    """All listeners, compiled anew whenever the World says that a view may have changed."""

    def __init__(self, traffic: Traffic, pools: Pools, *, split: Split, seed: int) -> None:
        self._traffic = traffic
        self._pools = pools
        self._split: Split = split
        self._draw = random.Random(seed)
        self._version: int | None = None
        self._groups: dict[str, Group] = {}
        self._listeners: dict[str, Routes] = {}

    def listener(self, arn: str) -> Routes | None:
        """The routes of a listener as they are in force now; None once it is gone."""
        if self._traffic.route_version != self._version:
            self.refresh()
        return self._listeners.get(arn)

    def refresh(self) -> None:
        """Compile the World's present views, and let go of targets that take no new requests."""
        self._version = self._traffic.route_version
        turns = {arn: group.turn for arn, group in self._groups.items()}
        self._groups = {v.arn: Group(v, self._pools, turns.get(v.arn, -1)) for v in self._traffic.groups()}
        self._pools.keep({pool for group in self._groups.values() for pool in group.pools})
        self._listeners = {
            view.arn: Routes(
                view.load_balancer,
                view.port,
                tuple(self._compiled(rule, view.load_balancer) for rule in view.rules),
            )
            for view in self._traffic.listeners()
        }

    def _compiled(self, rule: RuleView, load_balancer: str) -> tuple[Matcher | None, Action | Guarded]:
        action = self._action(rule, load_balancer)
        return rule_matcher(rule), action if rule.sign_in is None else Guarded(rule.sign_in, action)

    def _action(self, rule: RuleView, load_balancer: str) -> Action:
        if not isinstance(rule.action, ForwardView):
            return rule.action
        weighted = [(self._groups[arn], weight) for arn, weight in rule.action.weights]
        groups = tuple(group for group, _ in weighted)
        for group in groups:
            # The default action of a new listener is in force before its groups are attached.
            group.load_balancer = group.load_balancer or load_balancer
        life = rule.action.pins_for.total_seconds()
        weights = tuple(weight for _, weight in weighted)
        return Forward(groups, weights, self._split, self._draw, life)
