"""What the account's load balancers are made of, and where each thing is found."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import cycle

from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.kernel import Kernel, Timer
from sandbox.world.kernel.stale import Stale


@dataclass(slots=True, kw_only=True)
class LoadBalancer:
    """An Application Load Balancer."""

    arn: str
    name: str
    created: datetime
    scheme: str
    vpc: str
    zones: tuple[tuple[str, str], ...]  # (zone name, subnet)
    security_groups: list[str]
    tags: dict[str, str]
    attributes: dict[str, str] = field(default_factory=dict)  # those that were given

    @property
    def suffix(self) -> str:
        """The value of CloudWatch's LoadBalancer dimension."""
        return self.arn.split(":loadbalancer/", 1)[1]


@dataclass(slots=True, kw_only=True)
class Rule:
    """A rule; a listener's default one has priority 0 here and "default" on the wire."""

    arn: str
    listener: str
    priority: int
    conditions: list[Json]
    actions: list[Json]
    in_force: list[Json]  # what steers requests: `actions` after their propagation
    conditions_in_force: list[Json]
    live: bool  # False until a new rule has propagated
    default: bool
    tags: dict[str, str]
    transforms: list[Json] = field(default_factory=list)
    secret: str | None = None  # of its OIDC action; no answer ever shows it
    written: int = 0  # counts writes
    arrived: int = 0  # the latest write that is in force


@dataclass(slots=True, kw_only=True)
class Listener:
    """A listener; its default actions are its default rule's."""

    arn: str
    load_balancer: str
    port: int
    protocol: str
    extras: Json  # certificates, policies: kept and shown, of no effect
    default: Rule
    rules: dict[str, Rule] = field(default_factory=dict)  # without the default rule
    tags: dict[str, str] = field(default_factory=dict)

    def in_order(self) -> list[Rule]:
        """All rules by priority, the default one last."""
        return [*sorted(self.rules.values(), key=lambda rule: rule.priority), self.default]


@dataclass(slots=True, kw_only=True)
class Target:
    """One registered target. `good` and `bad` count health checks in a row."""

    host: str
    port: int
    zone: str
    owner: str  # the ECS task's ARN, or empty
    registered: datetime
    state: str = "initial"
    reason: str = "Elb.RegistrationInProgress"
    description: str = "Target registration is in progress"
    good: int = 0
    bad: int = 0
    leaving: Timer | None = None


@dataclass(slots=True, kw_only=True)
class Group:
    """A target group. `settings` are the members CreateTargetGroup takes, in its own spelling."""

    arn: str
    name: str
    settings: Json
    attributes: dict[str, str]
    tags: dict[str, str]
    rules: set[str] = field(default_factory=set)  # ARNs of the rules that forward to it
    load_balancer: str = ""  # whose rules forward to it, as they were written
    used_by: str = ""  # the same by what is in force: it lets go of a group only when its last rule has
    targets: dict[tuple[str, int], Target] = field(default_factory=dict)

    @property
    def suffix(self) -> str:
        """The value of CloudWatch's TargetGroup dimension."""
        return self.arn.rsplit(":", 1)[1]

    @property
    def is_function(self) -> bool:
        """True if its target is a Lambda function."""
        return bool(self.settings["TargetType"] == "lambda")

    @property
    def draining(self) -> timedelta:
        """The deregistration delay; a function has none."""
        return timedelta(seconds=int(self.attributes.get("deregistration_delay.timeout_seconds", 0)))


class Balancing:
    """Every load balancer, listener, rule and target group of the account."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.load_balancers: dict[str, LoadBalancer] = {}
        self.listeners: dict[str, Listener] = {}
        self.rules: dict[str, Rule] = {}
        self.groups: dict[str, Group] = {}
        self.subnets: dict[str, str] = {}  # subnet -> its zone, of those that a load balancer was given
        self.attached: Stale[str] = Stale(kernel)  # group ARN -> its load balancer's ARN, or empty
        self.group_attributes: Stale[dict[str, str]] = Stale(kernel)
        self.group_views: Stale[Json | None] = Stale(kernel, only_going_back=True)  # None: no such group
        self.rule_views: Stale[Json] = Stale(kernel, only_going_back=True)
        self.health_views: Stale[list[Json]] = Stale(kernel, only_going_back=True)  # by group
        self.route_version = 0
        self.shifted_zones: set[str] = set()  # under a zonal shift

    def zones_of(self, subnets: Iterable[str]) -> dict[str, str]:
        """The zone of each subnet; one that no load balancer was given is in the zone of its place in the list."""
        letters = cycle("abcdef")
        return {
            subnet: self.subnets.get(subnet, f"{self.kernel.region}{letter}")
            for subnet, letter in zip(subnets, letters, strict=False)
        }

    def routes_changed(self) -> None:
        """Something a proxy looks at has changed."""
        self.route_version += 1

    def load_balancer(self, arn: str) -> LoadBalancer:
        """Raises AwsRefusal LoadBalancerNotFound."""
        try:
            return self.load_balancers[arn]
        except KeyError:
            raise AwsRefusal("LoadBalancerNotFound", f"Load balancer '{arn}' not found") from None

    def listener(self, arn: str) -> Listener:
        """Raises AwsRefusal ListenerNotFound."""
        try:
            return self.listeners[arn]
        except KeyError:
            raise AwsRefusal("ListenerNotFound", f"Listener '{arn}' not found") from None

    def rule(self, arn: str) -> Rule:
        """Raises AwsRefusal RuleNotFound."""
        try:
            return self.rules[arn]
        except KeyError:
            raise AwsRefusal("RuleNotFound", f"Rule '{arn}' not found") from None

    def group(self, arn: str) -> Group:
        """Raises AwsRefusal TargetGroupNotFound."""
        try:
            return self.groups[arn]
        except KeyError:
            raise AwsRefusal("TargetGroupNotFound", f"Target group '{arn}' not found") from None
