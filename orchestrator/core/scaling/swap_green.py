"""Green's scaling becomes the service's own, for an ending in which green stays: bounds and suspensions as blue's were.

Its policies, schedules and the alarms `teal-…` stay as they are; a policy that only forecast acts on its forecasts
again as blue's does. The caller waits until all traffic has been on green for some periods: on resume, policies that
are in breach act at once.
"""

from collections.abc import Iterator

from orchestrator.core.cloud.effects import DeregisterScaling, Effect, PutScalingPolicy, SetScaling, Tags
from orchestrator.core.cloud.resources import Absent, ScalesSeen
from orchestrator.core.rollout.names import names_of
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.scaling import blue_floor, green_scaling, green_target, policies_for_green
from orchestrator.core.tick.draft import Draft
from orchestrator.core.tick.needs import Needs


def needs(row: Rollout) -> Needs:
    """What to see of both colours' scaling meanwhile; nothing where blue has none."""
    if row.blue is None or row.green is None or row.blue.scaling is None:
        return Needs()
    return Needs(scaling=row.blue.name, green_scales=row.green.name, drivers=row.green.alarms)


def make_own(draft: Draft, tags: Tags) -> str:
    """What green's scaling lacks to be the service's own; empty once it is, or blue has none."""
    row = draft.row
    if row.blue is None or row.green is None or row.blue.scaling is None:
        return ""
    seen = draft.read(draft.seen.green_scales, green_scaling.WHAT)
    if isinstance(seen, str):
        return seen
    if seen.target is not None:
        green_scaling.notice(draft, seen.target)
    lacking = list(_lacking(draft.row, seen, tags))
    for effect, words in lacking:
        if isinstance(effect, SetScaling):
            green_scaling.ask(draft, effect, words)
        else:
            draft.ask(effect, words)
    return "green's scaling to be the service's own" if lacking else ""


def remove_blues_scaling(draft: Draft) -> str:
    """What taking blue's scalable target away still waits for, with its policies and schedules; empty once it is gone.

    Only for a blue that is retired: a target that is left behind acts on the next service of that name.
    """
    row = draft.row
    if row.blue is None or row.blue.scaling is None:
        return ""
    seen = draft.read(draft.seen.scaling, blue_floor.WHAT)
    if isinstance(seen, str):
        return seen
    if isinstance(seen, Absent):
        return ""
    draft.ask(
        DeregisterScaling(cluster=row.blue.cluster, service=row.blue.name),
        "remove blue's scaling, with its policies and scheduled actions",
    )
    return "blue's scaling to be gone"


def _lacking(row: Rollout, seen: ScalesSeen, tags: Tags) -> Iterator[tuple[Effect, str]]:
    cluster, service = row.known.blue.cluster, row.known.green.name
    base = green_target.at_the_end(row)
    if seen.target != base:
        own = tags if seen.target is None else ()
        words = f"let green scale between {base.min_capacity} and {base.max_capacity} tasks, as blue did"
        yield SetScaling(cluster=cluster, service=service, wanted=base, tags=own), words
    if seen.target is None or row.known.blue.scales is None:
        return
    names, there = names_of(row), {policy.name: policy for policy in seen.policies}
    for policy in policies_for_green.copied(row.known.blue.scales, names):
        configuration = policies_for_green.for_green(policy, names, may_forecast=True)
        if policy.name in there and there[policy.name].configuration != configuration:
            effect = PutScalingPolicy(
                cluster=cluster,
                service=service,
                name=policy.name,
                policy_type=policy.kind,
                configuration=configuration,
            )
            yield effect, f"let green's policy {policy.name} act as blue's does"
