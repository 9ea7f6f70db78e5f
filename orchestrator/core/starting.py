"""From nothing to a green that is ready: pending, preparing, provisioning. No user meets green in any of them."""

import json
import uuid
from dataclasses import replace

from orchestrator.core import judge, rules
from orchestrator.core.draft import TEAL, Draft
from orchestrator.core.effects import (
    ConfigureTargetGroup,
    CreateService,
    CreateTargetGroup,
    ScaleService,
    SetScaling,
    Tags,
)
from orchestrator.core.events import EventKind, Record
from orchestrator.core.gates import approval
from orchestrator.core.ids import RolloutId, TargetGroupArn, revision_name
from orchestrator.core.observed import Absent, GroupSeen, RuleSeen, ScalingSeen, ServiceSeen, Unread
from orchestrator.core.phases import Phase
from orchestrator.core.plan import NONE
from orchestrator.core.ready import cannot_take_all, not_ready, own_stops
from orchestrator.core.returning import roll_back
from orchestrator.core.rollout import Blue, Green, HoldKind, Pair, Rollout, RuleState
from orchestrator.core.scene import Colour
from orchestrator.core.survey import Severity, Survey
from orchestrator.core.traffic import canonical, read_forward
from orchestrator.core.verdict import Verdict
from orchestrator.core.wishes import BEFORE_TRAFFIC, go_to_step, needs_first_approval
from orchestrator.core.words import span

TOKENS = uuid.UUID("6c1bb1c0-5d0f-4a8e-9f3c-7e41d1f0a7a1")  # namespace of Teal's client tokens
GROUP_NAME_LEAST = 16  # of a service's name that a target group's 32 characters leave room for
FAILED_STARTS = 2  # tasks that failed to start for the same reason: it will not get better


def short_id(rollout: RolloutId) -> str:
    """The eight hexadecimal characters at the end of a rollout's id, by which its parts are named."""
    return rollout.rpartition("-")[2][-8:]


def tags_of(row: Rollout) -> Tags:
    """The tags on everything this rollout makes."""
    return (("teal:managed", "true"), ("teal:rollout", row.id), ("teal:service", str(row.spec.service)))


def is_ours(row: Rollout, tags: object) -> bool:
    """True if the tags say that this rollout made the thing."""
    return isinstance(tags, dict) and tags.get("teal:rollout") == row.id


# pending ---------------------------------------------------------------------------------------------------------


def read_blue(draft: Draft) -> None:
    """Take blue, its groups, rules, scaling and alarms into the row as they were first read."""
    survey = draft.seen.survey
    if not isinstance(survey, Survey):
        why = survey.why if isinstance(survey, Unread) else "it was not looked at"
        draft.hold(HoldKind.AWS, f"blue could not be read: {why}", clears_when="blue can be read")
        return
    errors = [finding for finding in draft.seen.findings if finding.severity is Severity.ERROR]
    if errors:
        words = "; ".join(finding.what for finding in errors)
        draft.hold(
            HoldKind.BLUE, f"preflight refuses: {words}", clears_when="preflight finds nothing against it"
        )
        return
    if draft.row.paused_by:
        return
    _take(draft, survey)
    draft.move(Phase.PREPARING, f"{draft.row.spec.service} and what carries its traffic were read")


def _take(draft: Draft, survey: Survey) -> None:
    row, revision = draft.row, survey.revision
    assert revision is not None
    hexes = short_id(row.id)
    stem = "".join(c if c.isalnum() else "-" for c in row.spec.service.service)[:GROUP_NAME_LEAST].strip("-")
    draft.change(
        blue=Blue(
            cluster=survey.blue.cluster,
            name=survey.blue.name,
            arn=survey.blue.arn,
            former=survey.blue.task_definition,
            desired=survey.blue.desired,
            deployment_configuration=survey.blue.deployment_configuration,
            template=survey.template,
            scaling=survey.scaling,
            alarms=survey.alarms,
        ),
        green=Green(
            name=f"{survey.blue.name[:240]}-{hexes}",
            task_definition=revision.arn,
            desired=survey.blue.desired,
            token=str(uuid.uuid5(TOKENS, row.id)),
        ),
        pairs=tuple(
            Pair(
                blue=group.arn,
                load_balancer=group.load_balancers[0],
                green_name=f"teal-{stem}-{hexes}-{number}",
                template=group.template,
                attributes=group.attributes,
            )
            for number, group in enumerate(survey.groups)
        ),
        rules=tuple(_rule_state(survey, seen) for seen in in_scope(row.spec.rules, survey)),
    )
    body = canonical(
        {"blue": survey.blue.arn, "former": survey.blue.task_definition, "rules": len(draft.row.rules)}
    )
    draft.records.append(Record(key="snapshot", at=draft.now, kind="snapshot", body=body))
    draft.tell(
        EventKind.BLUE_READ,
        f"{survey.blue.name} runs {survey.blue.desired} tasks of {revision_name(survey.blue.task_definition)}; "
        f"{len(draft.row.rules)} rule(s) carry its traffic",
        former=survey.blue.task_definition,
        desired=survey.blue.desired,
        rules=len(draft.row.rules),
    )


def in_scope(named: tuple[str, ...], survey: Survey) -> tuple[RuleSeen, ...]:
    """The rules that the rollout moves: those the file names, or every one that forwards to blue's groups."""
    if not named:
        return survey.rules
    return tuple(r for r in survey.rules if r.arn in named or (r.is_default and r.listener in named))


def _rule_state(survey: Survey, seen: RuleSeen) -> RuleState:
    forward = read_forward(seen.actions)
    assert forward is not None
    blues = {group.arn for group in survey.groups}
    return RuleState(
        arn=seen.arn,
        listener=seen.listener,
        load_balancer=seen.load_balancer,
        is_default=seen.is_default,
        conditions=rules.conditions_of(seen),
        base=seen.actions,
        blue_group=next(w.group for w in forward.groups if w.group in blues),
    )


# preparing -------------------------------------------------------------------------------------------------------


def prepare(draft: Draft) -> None:
    """Make green's target groups, set them up, and hang each on every rule at weight 0."""
    looks = rules.take_looks(draft)
    rules.hold_for(draft, looks)
    pairs = tuple(_prepare_pair(draft, pair) for pair in draft.row.pairs)
    draft.change(pairs=pairs)
    groups = [draft.seen.groups.get(pair.green_name) for pair in pairs]
    if not all(_is_set_up(pair, seen) for pair, seen in zip(pairs, groups, strict=True)):
        _limit(draft)
        return
    rules.want(draft, NONE)
    rules.write(draft, looks, safe_is_less=True)
    hangs = all(isinstance(seen, GroupSeen) and seen.load_balancers for seen in groups)
    if rules.all_at(draft.row, NONE) and hangs and not draft.holds and not draft.row.paused_by:
        draft.move(Phase.PROVISIONING, "green's target groups hang on every rule at weight 0")
    else:
        _limit(draft)


def _prepare_pair(draft: Draft, pair: Pair) -> Pair:
    row = draft.row
    match draft.seen.groups.get(pair.green_name):
        case None:
            return pair
        case Unread(why=why):
            draft.hold(
                HoldKind.AWS, f"{pair.green_name} could not be read: {why}", clears_when="it can be read"
            )
        case Absent():
            draft.change(created_last=draft.now)
            create = CreateTargetGroup(name=pair.green_name, template=pair.template, tags=tags_of(row))
            draft.ask(create, f"make target group {pair.green_name}")
        case GroupSeen() as seen if not is_ours(row, dict(seen.tags)):
            # The name is somebody else's: take another, never theirs.
            return replace(pair, green_name=_next_name(pair.green_name, 32), green=None)
        case GroupSeen() as seen:
            wanted: dict[str, str] = json.loads(pair.attributes)
            missing = tuple((k, v) for k, v in wanted.items() if seen.attributes.get(k) != v)
            if missing:
                configure = ConfigureTargetGroup(group=seen.arn, attributes=missing)
                draft.ask(configure, f"set {len(missing)} attributes of {pair.green_name} as blue's")
            return replace(pair, green=seen.arn)
    return pair


def _is_set_up(pair: Pair, seen: object) -> bool:
    if pair.green is None or not isinstance(seen, GroupSeen):
        return False
    wanted: dict[str, str] = json.loads(pair.attributes)
    return all(seen.attributes.get(k) == v for k, v in wanted.items())


def _next_name(name: str, longest: int) -> str:
    stem, _, last = name.rpartition("-")
    bumped = f"{stem}-{int(last) + 10}" if len(last) < 8 and last.isdigit() else f"{name}-2"
    return bumped[:longest]


# provisioning ----------------------------------------------------------------------------------------------------


def provision(draft: Draft) -> None:
    """Make green, keep blue able to take everything back, and wait until green is ready in two looks."""
    looks = rules.take_looks(draft)
    rules.hold_for(draft, looks)
    rules.want(draft, NONE)
    rules.write(draft, looks, safe_is_less=True)
    _make_green(draft)
    if draft.row.phase is not Phase.PROVISIONING:
        return
    _keep_scale_in_off(draft)
    if not _is_ready_twice(draft):
        _limit(draft)
        return
    _start_traffic(draft)


def _make_green(draft: Draft) -> None:
    row, green, blue = draft.row, draft.row.green, draft.seen.blue
    assert green is not None
    assert row.blue is not None
    match draft.seen.green:
        case None:
            return
        case Unread(why=why):
            draft.hold(HoldKind.AWS, f"green could not be read: {why}", clears_when="green can be read")
        case Absent():
            if not green.is_asked and not isinstance(blue, ServiceSeen):
                return  # green is made as large as blue is now
            if not green.is_asked and isinstance(blue, ServiceSeen):
                green = replace(green, desired=blue.desired, is_asked=True)
            draft.change(green=green, created_last=draft.now)
            draft.ask(_create(draft.row), f"make green: {green.name} with {green.desired} tasks")
        case ServiceSeen() as seen if not is_ours(row, dict(seen.tags)):
            name = f"{green.name.rpartition('-')[0]}-{short_id(row.id)}-2"[:255]
            if name != green.name:
                draft.change(green=replace(green, name=name, is_asked=False))
        case ServiceSeen() as seen:
            _follow_start(draft, seen)


def _create(row: Rollout) -> CreateService:
    assert row.blue is not None
    assert row.green is not None
    return CreateService(
        cluster=row.blue.cluster,
        name=row.green.name,
        template=row.blue.template,
        task_definition=row.green.task_definition,
        desired=row.green.desired,
        groups=tuple((pair.blue, TargetGroupArn(pair.green or "")) for pair in row.pairs),
        token=row.green.token,
        tags=tags_of(row),
    )


def _follow_start(draft: Draft, green: ServiceSeen) -> None:
    """Roll back as soon as it is certain that green will not start; say what it waits for until then."""
    row = draft.row
    assert row.green is not None
    primary = green.primary
    if primary is not None and primary.rollout_state == "FAILED":
        roll_back(draft, f"green does not start: {primary.reason or 'ECS gave up on it'}", TEAL)
        return
    stops = own_stops(green, row.green.task_definition, row.created_at)
    reasons = [stop.reason or stop.code for stop in stops]
    worst = max(set(reasons), key=reasons.count, default="")
    failed_starts = [
        stop for stop in stops if stop.code == "TaskFailedToStart" and (stop.reason or stop.code) == worst
    ]
    if len(failed_starts) >= FAILED_STARTS or len(stops) > FAILED_STARTS:
        roll_back(draft, f"green does not start: {len(stops)} tasks stopped, {worst}", TEAL)
        return
    follow_blue(draft, green)


def follow_blue(draft: Draft, green: ServiceSeen) -> None:
    """Keep green as large as blue wants to be now: blue's own scaling goes on deciding how much is needed."""
    blue, row = draft.seen.blue, draft.row
    assert row.green is not None
    if isinstance(blue, ServiceSeen) and blue.desired > row.green.desired:
        draft.change(green=replace(row.green, desired=blue.desired))
    wanted = draft.row.green.desired if draft.row.green else green.desired
    if green.desired < wanted:
        scale = ScaleService(cluster=green.cluster, service=green.name, desired=wanted)
        draft.ask(scale, f"give green {wanted} tasks, as many as blue")


def _keep_scale_in_off(draft: Draft) -> None:
    """Suspend blue's scale-in before any traffic leaves it, so that it stays able to take everything back."""
    row = draft.row
    if row.blue is None or row.blue.scaling is None:
        return
    wanted = suspended(row.blue.scaling)
    match draft.seen.scaling:
        case None | Absent():
            return
        case Unread(why=why):
            draft.hold(HoldKind.AWS, f"blue's scaling could not be read: {why}", clears_when="it can be read")
        case ScalingSeen() as seen if seen == wanted:
            return
        case ScalingSeen() as seen if seen == row.blue.scaling:
            draft.change(is_scaling_touched=True, created_last=draft.now)
            suspend = SetScaling(cluster=row.blue.cluster, service=row.blue.name, wanted=wanted)
            draft.ask(suspend, "suspend blue's scale-in, so that it can take all traffic back")
        case ScalingSeen():
            draft.hold(
                HoldKind.SCALING,
                "somebody changed blue's scaling since the rollout began",
                clears_when="blue's scaling is as it was, or the rollout is started anew",
            )


def suspended(scaling: ScalingSeen) -> ScalingSeen:
    """The same scalable target with scale-in suspended."""
    return replace(scaling, scale_in_suspended=True)


def _scale_in_is_off(draft: Draft) -> bool:
    blue = draft.row.blue
    assert blue is not None
    if blue.scaling is None or isinstance(draft.seen.scaling, Absent):
        return True
    return draft.seen.scaling == suspended(blue.scaling)


def _is_ready_twice(draft: Draft) -> bool:
    row, green = draft.row, draft.row.green
    assert green is not None
    targets = judge.targets_of(draft, Colour.GREEN)
    why = not_ready(draft.seen.green, green.task_definition, targets, now=draft.now, quiet=draft.poll)
    if not why and isinstance(draft.seen.green, ServiceSeen) and draft.seen.green.desired < green.desired:
        why = f"green grows to {green.desired} tasks"
    if why:
        draft.change(ready_since=None, waiting_for=why)
        return False
    draft.change(ready_since=row.ready_since or draft.now, waiting_for="a second look at green")
    assert draft.row.ready_since is not None
    return draft.now - draft.row.ready_since >= row.spec.metrics.look_gap


def _start_traffic(draft: Draft) -> None:
    row, blue = draft.row, draft.row.blue
    assert blue is not None
    why = cannot_take_all(draft.seen.blue, blue.former, judge.targets_of(draft, Colour.BLUE), blue.desired)
    if why:
        draft.hold(
            HoldKind.CAPACITY, f"blue could not take all traffic back: {why}", clears_when="blue is ready"
        )
    if not _scale_in_is_off(draft):
        draft.change(waiting_for="blue's scale-in to be suspended")
    if needs_first_approval(row):
        names = [a.by.name for a in row.approvals if a.step == BEFORE_TRAFFIC]
        answer = approval.judge(
            names, row.spec.approval.required, of="first traffic (an alarm fires already)"
        )
        judge.keep(draft, (answer,))
        if answer.verdict is Verdict.HOLD:
            draft.hold(HoldKind.APPROVAL, answer.reason, clears_when=answer.clears_when)
    if not draft.holds and not row.paused_by and _scale_in_is_off(draft):
        go_to_step(draft, 0)
        draft.move(Phase.SHIFTING, "green is steady and healthy in two looks")


def _limit(draft: Draft) -> None:
    row = draft.row
    since = row.phase_since or row.created_at
    if draft.now - since > row.spec.limits.provision and not row.paused_by:
        waiting = f", still waiting for: {row.waiting_for}" if row.waiting_for else ""
        roll_back(draft, f"green was not ready within {span(row.spec.limits.provision)}{waiting}", TEAL)
