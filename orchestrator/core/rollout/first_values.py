"""What blue and its rules were first, as green's target groups say it in two tags: for whoever has AWS alone.

Written when the groups are made, before anything of blue is touched. `teal:blue` is ``tasks=3 min=2 max=12
suspended=out alarms=1 watch=breaker.rollback``; `teal:weights` names each rule by the end of its ARN, with the weights
of its first list in their order, blue's after a ``b``, and ``@`` with the seconds of the group stickiness that Teal
lent it: ``9f01c2d3=b90.10``. A rule that is not named had one group at weight 1; ``+`` says that not all had room.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.core.cloud.deployment_configuration import watch_of
from orchestrator.core.cloud.effects import Tags
from orchestrator.core.cloud.forward_action import (
    SHARE_SLACK,
    cookie_life,
    forward_of,
    with_groups,
    without_stickiness,
)
from orchestrator.core.cloud.resources import ScalingSeen
from orchestrator.core.domain.ids import Json, RuleArn, TargetGroupArn
from orchestrator.core.domain.tags import FIRST_BLUE, FIRST_WEIGHTS, VALUE_MAX
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.rule_state import Pair, RuleState

ID_LENGTH = 8  # of a rule's name here: the end of its ARN
AND_MORE = "+"
_ENTRY = re.compile(r"(?P<rule>\w+)=(?P<weights>b?\d+(?:\.b?\d+)*)(?:@(?P<lent>\d+))?", re.ASCII)
_SUSPENDED = {"in": "scale_in_suspended", "out": "scale_out_suspended", "scheduled": "scheduled_suspended"}
ONLY_BLUE = (1,)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstBlue:
    """Blue as it was first read."""

    tasks: int
    scaling: ScalingSeen | None
    alarms: int  # that drive green's scaling by steps
    watch: tuple[
        str, ...
    ]  # what was on in its deployment configuration (`deployment_configuration.watch_of`)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRule:
    """The weights of a rule's first list in its order, and where blue's group stood in it."""

    weights: tuple[int, ...] = ONLY_BLUE
    blue_at: int = 0
    lent_stickiness_s: int = 0


def tags_of_first(row: Rollout, pair: Pair) -> Tags:
    """The two tags of one of green's target groups; without the second where every rule had one group at weight 1."""
    rules = [rule for rule in (*row.rules, *row.test_rules) if rule.blue_group == pair.blue]
    weights = _fitting([entry for rule in rules if (entry := _entry(rule))])
    return ((FIRST_BLUE, _blue(row)), *([(FIRST_WEIGHTS, weights)] if weights else []))


def blue_of(tags: Mapping[str, str]) -> FirstBlue | None:
    """Blue as a green's tags say it was first; None where they do not say it."""
    words = dict(word.split("=", 1) for word in tags.get(FIRST_BLUE, "").split() if "=" in word)
    try:
        bounds = (int(words["min"]), int(words["max"])) if "min" in words else None
        off = words.get("suspended", "").split("+")
        return FirstBlue(
            tasks=int(words["tasks"]),
            scaling=ScalingSeen(
                min_capacity=bounds[0],
                max_capacity=bounds[1],
                **{field: name in off for name, field in _SUSPENDED.items()},
            )
            if bounds
            else None,
            alarms=int(words.get("alarms", "0")),
            watch=tuple(words["watch"].split("+")) if words.get("watch") else (),
        )
    except (LookupError, ValueError):
        return None  # written by hand, or by another version


def rule_of(tags: Mapping[str, str], rule: RuleArn) -> FirstRule | None:
    """A rule's first weights as the tags of its green say them; None where they do not say them."""
    if FIRST_BLUE not in tags:
        return None
    words = tags.get(FIRST_WEIGHTS, "").split()
    for found in filter(None, map(_ENTRY.fullmatch, words)):
        if found["rule"] == _id(rule):
            weights = found["weights"].split(".")
            at = next((n for n, weight in enumerate(weights) if weight.startswith("b")), 0)
            return FirstRule(
                weights=tuple(int(weight.removeprefix("b")) for weight in weights),
                blue_at=at,
                lent_stickiness_s=int(found["lent"] or 0),
            )
    return None if AND_MORE in words else FirstRule()


def restored(
    actions: Json, first: FirstRule, *, blue: TargetGroupArn, greens: frozenset[TargetGroupArn], is_kept: bool
) -> Json | None:
    """A rule's list with its first weights, and green at 0 (`is_kept`) or taken out with what Teal lent the rule.

    None where others' shares are not as in the first list: somebody else has changed them, and they stay theirs; and
    where the tags, which anybody may write who may tag, would give blue nothing.
    """
    groups = forward_of(actions).groups
    others = [w for w in groups if w.group != blue and w.group not in greens]
    theirs = [weight for n, weight in enumerate(first.weights) if n != first.blue_at]
    now, was = sum(w.weight for w in groups), sum(first.weights)
    if len(others) != len(theirs) or not (now and was and first.weights[first.blue_at]):
        return None
    if any(abs(w.weight / now - n / was) > 2 * SHARE_SLACK for w, n in zip(others, theirs, strict=True)):
        return None
    order = [w.group for w in others]
    order.insert(first.blue_at, blue)
    made = [{"TargetGroupArn": group, "Weight": n} for group, n in zip(order, first.weights, strict=True)]
    if is_kept:
        kept = [w.group for w in groups if w.group in greens]
        return with_groups(actions, [*made, *({"TargetGroupArn": group, "Weight": 0} for group in kept)])
    lent = timedelta(seconds=first.lent_stickiness_s)
    is_lent = len(made) == 1 and cookie_life(actions) == lent != timedelta(0)  # AWS demands it beside others
    return with_groups(without_stickiness(actions) if is_lent else actions, made)


def _blue(row: Rollout) -> str:
    blue, green = row.known.blue, row.known.green
    words = [f"tasks={blue.desired}"]
    if blue.scaling is not None:
        words += [f"min={blue.scaling.min_capacity}", f"max={blue.scaling.max_capacity}"]
        off = "+".join(name for name, field in _SUSPENDED.items() if getattr(blue.scaling, field))
        words += [f"suspended={off}"] if off else []
    words += [f"alarms={len(green.alarms)}"] if green.alarms else []
    watch = "+".join(watch_of(blue.deployment_configuration))
    return " ".join([*words, *([f"watch={watch}"] if watch else [])])


def _entry(rule: RuleState) -> str:
    groups = forward_of(rule.base).groups
    if tuple(w.weight for w in groups) == ONLY_BLUE and not rule.lent_stickiness_s:
        return ""
    weights = ".".join(f"{'b' * (w.group == rule.blue_group)}{w.weight}" for w in groups)
    lent = f"@{rule.lent_stickiness_s}" if rule.lent_stickiness_s else ""
    return f"{_id(rule.arn)}={weights}{lent}"


def _fitting(entries: list[str]) -> str:
    """As many as a tag's value holds."""
    words: list[str] = []
    room = VALUE_MAX - len(AND_MORE)
    for entry in entries:
        if room < len(entry) + 1:
            return " ".join([*words, AND_MORE])
        words.append(entry)
        room -= len(entry) + 1
    return " ".join(words)


def _id(rule: RuleArn) -> str:
    return rule[-ID_LENGTH:]
