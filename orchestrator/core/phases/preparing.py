"""Preparing: green's target groups are made and put into every rule at weight 0. No user reaches green."""

import json
from dataclasses import replace

from orchestrator.core.cloud.effects import ConfigureTargetGroup, CreateTargetGroup
from orchestrator.core.cloud.resources import Absent, GroupSeen
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import NONE
from orchestrator.core.domain.text import load_balancer_name
from orchestrator.core.ecs import task_definitions
from orchestrator.core.evaluation.limits import limit
from orchestrator.core.phases.shared_needs import (
    base,
)
from orchestrator.core.rollout.first_values import tags_of_first
from orchestrator.core.rollout.names import is_ours, next_group_name, tags_of
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.rule_state import Pair
from orchestrator.core.tick.draft import Draft
from orchestrator.core.tick.needs import Needs
from orchestrator.core.traffic import rule_looks, rules
from orchestrator.core.traffic.drift import drift_ends_it


def needs(row: Rollout) -> Needs:
    """What preparing must see."""
    return replace(
        base(row),
        groups=tuple(pair.green_name for pair in row.pairs),
        revisions=task_definitions.needs(row),
    )


def prepare(draft: Draft) -> None:
    """Make green's target groups, set them up, and put each into every rule at weight 0."""
    looks = rule_looks.take_looks(draft)
    if drift_ends_it(draft, looks):
        return
    rule_looks.hold_for(draft, looks)
    pairs = tuple(_prepare_pair(draft, pair) for pair in draft.row.pairs)
    draft.change(pairs=pairs)
    is_registered = task_definitions.register(draft, tags_of(draft.row))
    groups = [draft.seen.groups.get(pair.green_name) for pair in pairs]
    if not all(_is_set_up(pair, seen) for pair, seen in zip(pairs, groups, strict=True)):
        limit(draft)
        return
    rules.want(draft, NONE)
    rules.write(draft, looks, safe_is_less=True)
    are_in_rules = all(isinstance(seen, GroupSeen) and seen.load_balancers for seen in groups)
    is_done = rules.all_at(draft.row, NONE) and are_in_rules and is_registered
    if is_done and not draft.holds and not draft.row.pause.paused_by:
        draft.move(Phase.PROVISIONING, "green's target groups are in every rule at weight 0")
    else:
        limit(draft)


def _prepare_pair(draft: Draft, pair: Pair) -> Pair:
    row = draft.row
    match draft.read(draft.seen.groups.get(pair.green_name), pair.green_name):
        case str():
            pass
        case Absent():
            tags = (*tags_of(row), *tags_of_first(row, pair))
            create = CreateTargetGroup(name=pair.green_name, template=pair.template, tags=tags)
            draft.ask(create, f"create target group {pair.green_name}")
        case GroupSeen() as seen if not is_ours(row, dict(seen.tags)) or not _is_made_of(pair, seen):
            # The name is somebody else's, whatever its tags say: take another, never theirs.
            return replace(pair, green_name=next_group_name(pair.green_name), green=None)
        case GroupSeen() as seen:
            wanted: dict[str, str] = json.loads(pair.attributes)
            missing = tuple((k, v) for k, v in wanted.items() if seen.attributes.get(k) != v)
            if missing:
                configure = ConfigureTargetGroup(group=seen.arn, attributes=missing)
                draft.ask(configure, f"set {len(missing)} attributes of {pair.green_name} to blue's")
            foreign = [load_balancer_name(lb) for lb in seen.load_balancers if lb != pair.load_balancer]
            if foreign:
                draft.hold(
                    HoldKind.DRIFT,
                    f"somebody put {pair.green_name} into {' and '.join(foreign)}: a target group serves one "
                    "load balancer",
                    clears_when=f"{pair.green_name} is in no rule of another load balancer",
                )
            return replace(pair, green=seen.arn)
    return pair


def _is_made_of(pair: Pair, seen: GroupSeen) -> bool:
    """False if a group cannot be what Teal made by this name: nobody changes what is fixed when it is made."""
    wanted, found = json.loads(pair.template), json.loads(seen.settings or "{}")
    return all(found[name] == value for name, value in wanted.items() if name in found)


def _is_set_up(pair: Pair, seen: object) -> bool:
    if pair.green is None or not isinstance(seen, GroupSeen):
        return False
    wanted: dict[str, str] = json.loads(pair.attributes)
    return all(seen.attributes.get(k) == v for k, v in wanted.items())
