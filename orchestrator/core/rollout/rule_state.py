"""What a rollout knows of one rule, of one listener, and of one pair of target groups."""

import json
from dataclasses import dataclass
from datetime import datetime

from orchestrator.core.domain.ids import (
    Json,
    ListenerArn,
    LoadBalancerArn,
    RuleArn,
    TargetGroupArn,
    Tenths,
)
from orchestrator.core.domain.text import rule_name


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleState:
    """What Teal knows and wants of one rule.

    ``base`` is the whole action list as first read: the last write on every way out. ``verified`` is green's weight
    as last read back, ``wanted`` the one the phase asks for; None stands for ``base``, without green.
    """

    arn: RuleArn
    listener: ListenerArn
    load_balancer: LoadBalancerArn
    is_default: bool
    conditions: Json  # conditions and priority as first read
    base: Json
    blue_group: TargetGroupArn
    verified: Tenths | None = None
    wanted: Tenths | None = None
    # Group stickiness that AWS demands beside green, since blue's target group has sticky sessions of its own; 0: none.
    lent_stickiness_s: int = 0
    # Every weight Teal has wanted here: one of these found again is a late write of its own.
    intended: tuple[Tenths, ...] = ()
    # As first read, where what somebody else made of it was accepted as the base since; None: base and conditions are.
    first: Json | None = None
    first_conditions: Json | None = None
    asked_at: datetime | None = None  # Teal's last write of this rule
    asked: Tenths | None = None  # its weight; None where it was the first list, or there was none
    doubted_since: datetime | None = None  # every look since then found an earlier list of Teal's own

    @property
    def is_unwritten(self) -> bool:
        """True if the last write was of another weight than is wanted now: a look that shows it may be an old one.

        A rule is where it is to be once what is wanted was written last *and* is read.
        """
        return self.asked is not None and self.asked != self.wanted

    @property
    def name(self) -> str:
        """The rule as the console shows it."""
        priority: str = json.loads(self.conditions)[0]
        return rule_name(is_default=self.is_default, priority=priority, load_balancer=self.load_balancer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a listener holds beside the rollout's own rules, as far as it matters; rules by their ARN's last part."""

    listener: ListenerArn
    front: tuple[str, ...] = ()  # rules that a request meets before the rollout's last
    carriers: tuple[str, ...] = ()  # rules that lead to blue and are not moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One of blue's target groups and the group of green that stands beside it."""

    blue: TargetGroupArn
    load_balancer: LoadBalancerArn
    green_name: str
    template: Json
    attributes: Json  # {key: value} to set
    green: TargetGroupArn | None = None  # known once AWS has made it
    is_deleted: bool = False


@dataclass(frozen=True, kw_only=True)
class Listeners:
    """The listeners that hold the rollout's rules, as last read whole."""

    listings: tuple[Listing, ...] = ()
    lost_listeners: tuple[ListenerArn, ...] = ()  # that were there and are not any more
    listed_at: datetime | None = None
