"""What a rollback without server, store or file sees in one look, and the steps it may take."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from orchestrator.core.cloud.effects import (
    RestoreDeploymentConfiguration,
    ScaleService,
    Tags,
    UpdateService,
    WriteRule,
)
from orchestrator.core.cloud.forward_action import forward_of
from orchestrator.core.cloud.resources import Absent, RuleSeen, ScalingSeen, ServiceSeen, TargetsSeen, Unread
from orchestrator.core.domain.ids import TargetGroupArn, Tenths
from orchestrator.core.domain.tags import FIRST_BLUE
from orchestrator.core.rollout import first_values
from orchestrator.core.rollout.first_values import FirstBlue, FirstRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """One rollout's green, as its tags say."""

    rollout: str
    groups: Mapping[TargetGroupArn, Mapping[str, str]]  # its target groups on blue's rules, with their tags
    service: ServiceSeen | None  # None: not made, or gone

    @property
    def name(self) -> str:
        """Green as people know it."""
        return self.service.name if self.service else f"of rollout {self.rollout}"

    @property
    def tags(self) -> tuple[Mapping[str, str], ...]:
        """The tags of everything there is of it."""
        return (*self.groups.values(), *((self.service.tags,) if self.service else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One look: blue, and everything that divides its traffic with a green."""

    cluster: str  # its name
    blue: ServiceSeen
    targets: Mapping[TargetGroupArn, TargetsSeen | Absent | Unread]  # of each of blue's groups
    rules: tuple[RuleSeen, ...] = ()  # those that carry a group of blue together with one of green
    alone: tuple[str, ...] = ()  # names of rules that forward to green and not to blue: none of Teal's making
    guests: tuple[Guest, ...] = ()
    scaling: ScalingSeen | None = None
    scaled: tuple[str, ...] = ()  # greens that have a scalable target of their own
    is_served: bool = True  # some rule gives blue traffic
    unread: tuple[str, ...] = ()  # what could not be read this time, and why

    @property
    def name(self) -> str:
        """``cluster/service``."""
        return f"{self.cluster}/{self.blue.name}"

    @property
    def greens(self) -> frozenset[TargetGroupArn]:
        """Every target group of green."""
        return frozenset(group for guest in self.guests for group in guest.groups)

    @property
    def needed(self) -> int:
        """Tasks that all traffic needs: green is as large as blue was."""
        return max((self.blue.desired, *(guest.service.desired for guest in self.guests if guest.service)))

    @property
    def first(self) -> FirstBlue | None:
        """Blue as it was first, as green's tags say it; None where they do not, or contradict each other."""
        tagged = [tags for guest in self.guests for tags in guest.groups.values() if FIRST_BLUE in tags]
        found = [first_values.blue_of(tags) for tags in tagged]
        return found[0] if found and all(one == found[0] for one in found) else None

    def first_of(self, rule: RuleSeen) -> FirstRule | None:
        """A rule's first weights, as the tags of the green in it say them; None where they do not."""
        here = {w.group for w in forward_of(rule.actions).groups}
        found = [
            first_values.rule_of(tags, rule.arn)
            for guest in self.guests
            for group, tags in guest.groups.items()
            if group in here
        ]
        return found[0] if len(found) == 1 else None

    def blue_of(self, rule: RuleSeen) -> TargetGroupArn:
        """Blue's target group in a rule that carries one."""
        return next(w.group for w in forward_of(rule.actions).groups if w.group in self.targets)

    def green_part(self, rule: RuleSeen) -> Tenths:
        """Green's share of blue and green together on a rule, in tenths of a percent, rounded up."""
        forward = forward_of(rule.actions)
        blue = sum(w.weight for w in forward.groups if w.group in self.targets)
        green = sum(w.weight for w in forward.groups if w.group in self.greens)
        return Tenths(-(-1000 * green // (blue + green)) if green else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TagGreen:
    """Tag everything of one green. ECS TagResource, ELBv2 AddTags."""

    service: str  # ARN; empty: there is none
    groups: tuple[TargetGroupArn, ...]
    tags: Tags
    kind: Literal["tag_green"] = "tag_green"


Step = WriteRule | UpdateService | ScaleService | RestoreDeploymentConfiguration | TagGreen
