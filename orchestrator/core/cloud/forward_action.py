"""The arithmetic of a rule's action list: read its weights, write new ones, tell whether two lists say the same.

An action list is kept as AWS gives it (canonical JSON), since everything in it but blue's and green's weights
belongs to somebody else. Source of the shapes: Elastic Load Balancing v2, ``Action`` and ``ForwardActionConfig``.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

from orchestrator.core.domain.errors import Rejected
from orchestrator.core.domain.ids import Json, TargetGroupArn, Tenths

WEIGHT_MAX = 999  # Elastic Load Balancing: a target group's weight is 0–999
SUM_MAX = 1000
SHARE_SLACK = 1 / 1000  # other target groups keep their share within 0.1 point


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighted:
    """A target group in a forward, with its relative weight."""

    group: TargetGroupArn
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """The forward of an action list, and everything else in the list in a form that can be compared."""

    groups: tuple[Weighted, ...]
    stickiness: str  # canonical JSON; "off" and "absent" read the same
    others: str  # canonical JSON of the other actions

    def weight(self, group: TargetGroupArn) -> int | None:
        """The weight of a group, or None where the forward does not hold it."""
        return next((w.weight for w in self.groups if w.group == group), None)


def canonical(value: object) -> Json:
    """Canonical JSON: sorted keys, no spaces; equal values give equal texts."""
    return Json(json.dumps(value, sort_keys=True, separators=(",", ":"), default=str))


@lru_cache(maxsize=4096)
def read_forward(actions: Json) -> Forward | None:
    """The forward of an action list, or None if it has none (a redirect, a fixed response)."""
    parsed: list[dict[str, Any]] = json.loads(actions)
    forwards = [action for action in parsed if action.get("Type") == "forward"]
    if len(forwards) != 1:
        return None
    config = forwards[0].get("ForwardConfig") or {}
    groups = config.get("TargetGroups") or [
        {"TargetGroupArn": forwards[0].get("TargetGroupArn"), "Weight": 1}
    ]
    sticky = config.get("TargetGroupStickinessConfig") or {}
    return Forward(
        groups=tuple(
            Weighted(group=TargetGroupArn(group["TargetGroupArn"]), weight=int(group.get("Weight", 1)))
            for group in groups
        ),
        stickiness=canonical(sticky if sticky.get("Enabled") else {}),
        others=canonical([_without_secret(action) for action in parsed if action is not forwards[0]]),
    )


def forward_of(actions: Json) -> Forward:
    """As `read_forward`, of a rule that was chosen for having one."""
    forward = read_forward(actions)
    assert forward is not None, "only rules that forward are moved"
    return forward


def cookie_life(actions: Json) -> timedelta:
    """How long a cookie keeps its user on a target group of the list; 0: group stickiness is off."""
    forward = read_forward(actions)
    return timedelta(seconds=json.loads(forward.stickiness).get("DurationSeconds", 0) if forward else 0)


@lru_cache(maxsize=1024)
def with_stickiness(actions: Json, seconds: int) -> Json:
    """The list with group stickiness on for so long, everything else unchanged."""
    return _with_stickiness(actions, {"Enabled": True, "DurationSeconds": seconds})


def without_stickiness(actions: Json) -> Json:
    """The list with group stickiness off, everything else unchanged."""
    return _with_stickiness(actions, {"Enabled": False})


def says_the_same(left: Json, right: Json) -> bool:
    """True if two action lists mean the same to the load balancer.

    AWS reads a list back in another shape than it was written (a single forward gains a ``ForwardConfig``, order of
    groups is free, ``TargetGroupStickinessConfig`` is filled in), so texts are not compared. A single group's weight
    means nothing: it takes everything.
    """
    if left == right:
        return True
    a, b = read_forward(left), read_forward(right)
    if a is None or b is None:
        return False
    return (a.stickiness, a.others, _comparable(a)) == (b.stickiness, b.others, _comparable(b))


def same_but_for_weights(
    left: Json, right: Json, *, blue: TargetGroupArn, green: TargetGroupArn | None
) -> bool:
    """True if two lists differ at most in the two colours' weights (foreign groups keep their shares)."""
    a, b = read_forward(left), read_forward(right)
    if a is None or b is None:
        return False
    return (a.stickiness, a.others) == (b.stickiness, b.others) and _foreign_shares_agree(a, b, blue, green)


def green_share(actions: Json, *, blue: TargetGroupArn, green: TargetGroupArn | None) -> Tenths | None:
    """Green's share of blue and green together, in tenths of a percent, rounded up; None if neither is weighted."""
    forward = read_forward(actions)
    if forward is None:
        return None
    blue_weight = forward.weight(blue) or 0
    green_weight = (forward.weight(green) if green else None) or 0
    total = blue_weight + green_weight
    if total == 0:
        return None
    return Tenths(-(-1000 * green_weight // total))


@lru_cache(maxsize=4096)
def with_weights(base: Json, *, blue: TargetGroupArn, green: TargetGroupArn, weight: Tenths) -> Json:
    """The list `base` with the two colours' share divided anew between them, everything else as it was.

    Weights are scaled to the largest sum up to 1000 at which each is at most 999 and every other target group keeps
    its share within 0.1 point; rounding never gives green more. Raises Rejected if green's share cannot be written
    that finely, or if `base` gives neither colour anything.
    """
    forward = read_forward(base)
    pair = sum(w.weight for w in forward.groups if w.group in (blue, green)) if forward else 0
    if forward is None or pair == 0:
        raise Rejected(what="the rule cannot be split", why="it gives neither blue nor green any traffic")
    foreign = tuple(w for w in forward.groups if w.group not in (blue, green))
    weights = _split(pair, tuple(w.weight for w in foreign), weight)
    groups = [
        {"TargetGroupArn": blue, "Weight": weights.blue},
        {"TargetGroupArn": green, "Weight": weights.green},
        *({"TargetGroupArn": w.group, "Weight": n} for w, n in zip(foreign, weights.foreign, strict=True)),
    ]
    return with_groups(base, groups)


def all_on_blue(actions: Json, *, blue: TargetGroupArn, greens: frozenset[TargetGroupArn]) -> Json:
    """The list with every one of `greens` at 0 and what they had given to blue, everything else unchanged.

    Other groups keep their weights as numbers; only where blue's would pass 999 are they scaled, and then they keep
    their share within 0.1 point. Raises Rejected where not even that can be written.
    """
    forward = read_forward(actions)
    if forward is None:
        return actions
    pair = sum(w.weight for w in forward.groups if w.group == blue or w.group in greens)
    others = tuple(w for w in forward.groups if w.group != blue and w.group not in greens)
    weights = {w.group: w.weight for w in others}
    if pair > WEIGHT_MAX and any(weights.values()):
        split = _split(pair, tuple(w.weight for w in others), Tenths(0))
        pair = split.blue
        weights = {w.group: n for w, n in zip(others, split.foreign, strict=True)}
    groups = [
        {
            "TargetGroupArn": w.group,
            "Weight": min(WEIGHT_MAX, pair) if w.group == blue else weights.get(w.group, 0),
        }
        for w in forward.groups
    ]
    return with_groups(actions, groups)


def without_green(actions: Json, *, blue: TargetGroupArn, green: TargetGroupArn) -> Json:
    """The list with green taken out and its share given to blue, for a rule that somebody else changed meanwhile."""
    forward = read_forward(actions)
    if forward is None or forward.weight(green) is None:
        return actions
    share = forward.weight(green) or 0
    groups = [
        {
            "TargetGroupArn": w.group,
            "Weight": min(WEIGHT_MAX, w.weight + share) if w.group == blue else w.weight,
        }
        for w in forward.groups
        if w.group != green
    ]
    if len(groups) == 1:
        groups[0]["Weight"] = 1
    return with_groups(actions, groups)


def with_group(actions: Json, *, was: TargetGroupArn, now: TargetGroupArn) -> Json:
    """The list with one target group in another's place, and everything else to the letter."""
    parsed: list[dict[str, Any]] = json.loads(actions)
    for action in parsed:
        if action.get("TargetGroupArn") == was:
            action["TargetGroupArn"] = now
        for group in (action.get("ForwardConfig") or {}).get("TargetGroups") or ():
            if group.get("TargetGroupArn") == was:
                group["TargetGroupArn"] = now
    return canonical(parsed)


def as_writable(actions: Json) -> Json:
    """A list as AWS accepts it for writing, given one as AWS returned it.

    A read never holds an OIDC client secret: the write says to keep it (``UseExistingClientSecret``). A forward to
    one group reads back with ``TargetGroupArn`` beside ``ForwardConfig``, which may stay as long as they agree.
    """
    parsed: list[dict[str, Any]] = json.loads(actions)
    for action in parsed:
        oidc = action.get("AuthenticateOidcConfig")
        if oidc is not None and "ClientSecret" not in oidc:
            oidc["UseExistingClientSecret"] = True
    return canonical(parsed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Split:
    blue: int
    green: int
    foreign: tuple[int, ...]


def _split(pair_weight: int, foreign: tuple[int, ...], weight: Tenths) -> _Split:
    total = pair_weight + sum(foreign)
    for size in range(SUM_MAX, 0, -1):
        others = tuple(max(1, round(f * size / total)) if f else 0 for f in foreign)
        pair = size - sum(others)
        if pair <= 0 or any(
            abs(n / size - f / total) > SHARE_SLACK for n, f in zip(others, foreign, strict=True)
        ):
            continue
        green = pair * weight // 1000
        split = _Split(blue=pair - green, green=green, foreign=others)
        if max(split.blue, split.green, *others, 0) <= WEIGHT_MAX:
            if weight > 0 and green == 0:
                break
            return split
    raise Rejected(
        what=f"green's share of {weight / 10:g} % cannot be written on this rule",
        why="other target groups in its action leave too few parts of a thousand",
        next_step="use a larger step",
    )


def with_groups(actions: Json, groups: list[dict[str, Any]]) -> Json:
    """The list with these target groups in its forward, each with its weight, and everything else to the letter."""
    parsed: list[dict[str, Any]] = json.loads(actions)
    for action in parsed:
        if action.get("Type") == "forward":
            # With both present AWS allows only one identical group, so the short form goes.
            action.pop("TargetGroupArn", None)
            action["ForwardConfig"] = {**(action.get("ForwardConfig") or {}), "TargetGroups": groups}
    return canonical(parsed)


def _with_stickiness(actions: Json, config: dict[str, Any]) -> Json:
    parsed: list[dict[str, Any]] = json.loads(actions)
    for action in parsed:
        if action.get("Type") == "forward":
            known = action.get("ForwardConfig") or {}
            groups = known.get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"], "Weight": 1}]
            action["ForwardConfig"] = {**known, "TargetGroups": groups, "TargetGroupStickinessConfig": config}
    return canonical(parsed)


def _comparable(forward: Forward) -> tuple[tuple[str, int], ...]:
    if len(forward.groups) == 1:
        return ((forward.groups[0].group, 1),)
    return tuple(sorted((w.group, w.weight) for w in forward.groups))


def _foreign_shares_agree(a: Forward, b: Forward, blue: TargetGroupArn, green: TargetGroupArn | None) -> bool:
    def shares(forward: Forward) -> dict[str, float]:
        total = sum(w.weight for w in forward.groups) or 1
        return {w.group: w.weight / total for w in forward.groups if w.group not in (blue, green)}

    left, right = shares(a), shares(b)
    return left.keys() == right.keys() and all(abs(left[g] - right[g]) <= 2 * SHARE_SLACK for g in left)


def _without_secret(action: dict[str, Any]) -> dict[str, Any]:
    oidc = action.get("AuthenticateOidcConfig")
    if oidc is None:
        return action
    hidden = ("ClientSecret", "UseExistingClientSecret")
    return {**action, "AuthenticateOidcConfig": {k: v for k, v in oidc.items() if k not in hidden}}
