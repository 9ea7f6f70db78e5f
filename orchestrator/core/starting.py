"""From nothing to green's place on every rule: pending and preparing. No user meets green in either."""

import json
import uuid
from dataclasses import replace
from datetime import timedelta

from orchestrator.core import renaming, revising, rules, windowing
from orchestrator.core.draft import TEAL, Draft
from orchestrator.core.drift import drift_ends_it
from orchestrator.core.effects import (
    ConfigureTargetGroup,
    CreateTargetGroup,
    Tags,
)
from orchestrator.core.events import EventKind, Record
from orchestrator.core.ids import Json, RolloutId, TaskDefinitionArn, revision_name
from orchestrator.core.observed import Absent, GroupSeen, RuleSeen, Unread
from orchestrator.core.phases import Phase
from orchestrator.core.plan import NONE
from orchestrator.core.returning import roll_back
from orchestrator.core.rollout import Blue, Green, HoldKind, Pair, Registration, Rollout, RuleState
from orchestrator.core.scene import Names
from orchestrator.core.spec import Background, Capacity, Spec
from orchestrator.core.survey import LB_COOKIE, Severity, Survey
from orchestrator.core.traffic import canonical, cookie_life, read_forward
from orchestrator.core.words import load_balancer_name, span

TOKENS = uuid.UUID("6c1bb1c0-5d0f-4a8e-9f3c-7e41d1f0a7a1")  # namespace of Teal's client tokens
STOPS_IN = timedelta(seconds=30)  # a task's default
FAILOVER = "target_group_health.dns_failover.minimum_healthy_targets."
FAILOVER_KINDS = ("count", "percentage")
GROUP_NAME_MAX = 32  # characters of a target group's name
GROUP_STEM_MAX = 16  # characters of a service's name that a target group's 32 leave room for


def short_id(rollout: RolloutId) -> str:
    """The eight hexadecimal characters at the end of a rollout's id, by which its parts are named."""
    return rollout.rpartition("-")[2][-8:]


def tags_of(row: Rollout) -> Tags:
    """The tags on everything this rollout makes."""
    return (("teal:managed", "true"), ("teal:rollout", row.id), ("teal:service", row.spec.service.path))


def token_of(row: Rollout, name: str) -> str:
    """The client token for making green, by another name than the first where one is given.

    ECS CreateService refuses a token that it knows with anything else in the call.
    """
    return str(uuid.uuid5(TOKENS, f"{row.id} {name}" if name else row.id))


def is_ours(row: Rollout, tags: object) -> bool:
    """True if the tags say that this rollout made the thing."""
    return isinstance(tags, dict) and tags.get("teal:rollout") == row.id


# pending ---------------------------------------------------------------------------------------------------------


def read_blue(draft: Draft) -> None:
    """Once it may begin, take blue, its groups, rules, scaling and alarms into the row as they were first read."""
    if windowing.must_wait(draft):
        return
    survey = draft.seen.survey
    if not isinstance(survey, Survey):
        why = survey.why if isinstance(survey, Unread) else "it was not looked at"
        draft.hold(HoldKind.AWS, f"blue could not be read: {why}", clears_when="blue can be read")
        return
    errors = [finding for finding in draft.seen.findings if finding.severity is Severity.ERROR]
    if errors:
        words = "; ".join(finding.what for finding in errors)
        if all(finding.passes for finding in errors) and draft.row.spec.limits.wait_for_blue:
            _wait_for_blue(draft, words)
            return
        draft.hold(
            HoldKind.BLUE, f"preflight refuses: {words}", clears_when="preflight finds nothing against it"
        )
        return
    if draft.row.paused_by:
        return
    _take(draft, survey)
    draft.move(Phase.PREPARING, f"{draft.row.spec.service} and what carries its traffic were read")


def _wait_for_blue(draft: Draft, words: str) -> None:
    """Wait as long as the file says for somebody else's deployment of blue to end; nothing is made meanwhile."""
    row, limit = draft.row, draft.row.spec.limits.wait_for_blue
    if draft.now - row.created_at - row.paused_for >= limit:
        roll_back(draft, f"waited {span(limit)} for blue: {words}", TEAL)
        return
    draft.hold(HoldKind.BLUE, f"waits for blue: {words}", clears_when="nobody else deploys it any more")
    draft.wake_by(row.created_at + row.paused_for + limit)


def _take(draft: Draft, survey: Survey) -> None:
    row, revision = draft.row, survey.revision
    assert revision is not None
    hexes = short_id(row.id)
    stem = "".join(c if c.isalnum() else "-" for c in row.spec.service.service)[:GROUP_STEM_MAX].strip("-")
    draft.change(
        blue=Blue(
            cluster=survey.blue.cluster,
            name=survey.blue.name,
            arn=survey.blue.arn,
            former=survey.blue.task_definition,
            former_template=survey.former_template,
            desired=survey.blue.desired,
            deployment_configuration=survey.blue.deployment_configuration,
            template=survey.template,
            scaling=survey.scaling,
            alarms=survey.alarms,
            scales=survey.scales,
            zones=survey.zones,
            tags=tuple((key, value) for key, value in survey.blue.tags.items() if key.startswith("teal:")),
            stops_in=survey.former.stops_in if survey.former else STOPS_IN,
        ),
        green=Green(
            name=f"{row.spec.service.service[:240]}-{hexes}",
            task_definition=TaskDefinitionArn("") if survey.new_revisions else revision.arn,
            # `register` fills in what the file's images make of it, and what knows its colour.
            blues=None if row.spec.images or not survey.new_revisions else revision.arn,
            desired=max(survey.blue.desired, row.spec.first_tasks),
            vcpu=revision.vcpu,
            token=token_of(row, ""),
            is_grown=row.spec.background is Background.NONE and row.spec.capacity is Capacity.FULL,
            alarms=tuple(f"teal-{stem}-{hexes}-alarm-{number}" for number in range(_drivers(survey))),
        ),
        registrations=tuple(Registration(revision=revision) for revision in survey.new_revisions),
        pairs=tuple(
            Pair(
                blue=group.arn,
                load_balancer=group.load_balancers[0],
                green_name=f"teal-{stem}-{hexes}-{number}",
                template=group.template,
                attributes=_attributes(row.spec, group.attributes),
            )
            for number, group in enumerate({group.arn: group for group in survey.groups}.values())
        ),
        rules=tuple(_rule_state(survey, seen) for seen in in_scope(row.spec, survey)),
        test_rules=tuple(_rule_state(survey, seen) for seen in test_rules_of(row.spec, survey)),
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


def blues_names(survey: Survey) -> Names:
    """The names that blue is known by, where green has none yet."""
    return Names(
        cluster=survey.blue.cluster,
        blue_service=survey.blue.name,
        green_service=survey.blue.name,
        groups=tuple((group.arn, group.arn) for group in survey.groups),
    )


def _drivers(survey: Survey) -> int:
    """How many alarms will drive green's step-scaling policies."""
    if survey.scales is None:
        return 0
    return len(renaming.drivers_of(survey.scales, renaming.copied(survey.scales, blues_names(survey))))


def _attributes(spec: Spec, attributes: Json) -> Json:
    """Attributes of green's group: blue's, but that DNS never judges the load balancer by a guest of it.

    A green that is to stay is none, and its group is like blue's in everything.

    A Route 53 record that evaluates target health fails a load balancer over for any group without a healthy target:
    a broken green would take the neighbours with it. Teal takes such a green back within one look.
    """
    if spec.ending.is_swap:
        return attributes
    return canonical({**json.loads(attributes), **{f"{FAILOVER}{kind}": "off" for kind in FAILOVER_KINDS}})


def in_scope(spec: Spec, survey: Survey) -> tuple[RuleSeen, ...]:
    """The rules that the rollout moves: those the file names, or every one that forwards to blue's groups.

    Test rules are not among the latter: no user comes by them.
    """
    if not spec.rules:
        tests = test_rules_of(spec, survey)
        return tuple(rule for rule in survey.rules if rule not in tests)
    return _named(spec.rules, survey)


def test_rules_of(spec: Spec, survey: Survey) -> tuple[RuleSeen, ...]:
    """The rules that the file wants pointed at green before any user does."""
    return _named(spec.test_rules, survey)


def _named(named: tuple[str, ...], survey: Survey) -> tuple[RuleSeen, ...]:
    return tuple(r for r in survey.rules if r.arn in named or (r.is_default and r.listener in named))


def _rule_state(survey: Survey, seen: RuleSeen) -> RuleState:
    forward = read_forward(seen.actions)
    assert forward is not None
    blues = {group.arn: group for group in survey.groups}
    blue = blues[next(w.group for w in forward.groups if w.group in blues)]
    is_lent = blue.stickiness == LB_COOKIE and not cookie_life(seen.actions)
    return RuleState(
        arn=seen.arn,
        listener=seen.listener,
        load_balancer=seen.load_balancer,
        is_default=seen.is_default,
        conditions=rules.conditions_of(seen),
        base=seen.actions,
        blue_group=blue.arn,
        lent_stickiness_s=blue.cookie_seconds if is_lent else 0,
    )


# preparing -------------------------------------------------------------------------------------------------------


def prepare(draft: Draft) -> None:
    """Make green's target groups, set them up, and hang each on every rule at weight 0."""
    looks = rules.take_looks(draft)
    if drift_ends_it(draft, looks):
        return
    rules.hold_for(draft, looks)
    pairs = tuple(_prepare_pair(draft, pair) for pair in draft.row.pairs)
    draft.change(pairs=pairs)
    is_registered = revising.register(draft, tags_of(draft.row))
    groups = [draft.seen.groups.get(pair.green_name) for pair in pairs]
    if not all(_is_set_up(pair, seen) for pair, seen in zip(pairs, groups, strict=True)):
        limit(draft)
        return
    rules.want(draft, NONE)
    rules.write(draft, looks, safe_is_less=True)
    hangs = all(isinstance(seen, GroupSeen) and seen.load_balancers for seen in groups)
    is_done = rules.all_at(draft.row, NONE) and hangs and is_registered
    if is_done and not draft.holds and not draft.row.paused_by:
        draft.move(Phase.PROVISIONING, "green's target groups hang on every rule at weight 0")
    else:
        limit(draft)


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
        case GroupSeen() as seen if not is_ours(row, dict(seen.tags)) or not _is_made_of(pair, seen):
            # The name is somebody else's, whatever its tags say: take another, never theirs.
            return replace(pair, green_name=_next_name(pair.green_name), green=None)
        case GroupSeen() as seen:
            wanted: dict[str, str] = json.loads(pair.attributes)
            missing = tuple((k, v) for k, v in wanted.items() if seen.attributes.get(k) != v)
            if missing:
                configure = ConfigureTargetGroup(group=seen.arn, attributes=missing)
                draft.ask(configure, f"set {len(missing)} attributes of {pair.green_name} as blue's")
            foreign = [load_balancer_name(lb) for lb in seen.load_balancers if lb != pair.load_balancer]
            if foreign:
                draft.hold(
                    HoldKind.DRIFT,
                    f"somebody hangs {pair.green_name} on {' and '.join(foreign)}: a target group serves one "
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


def _next_name(name: str) -> str:
    """Another name for a target group: ten numbers on, which no other of this rollout's groups has."""
    stem, hexes, number = name.rsplit("-", 2)
    end = f"-{hexes}-{int(number) + 10}"
    return f"{stem[: GROUP_NAME_MAX - len(end)].rstrip('-')}{end}"


def next_service_name(name: str, rollout: RolloutId) -> str:
    """Another name for green's service: with the next number at its end."""
    stem, hexes, number = name.rpartition(short_id(rollout))
    return f"{stem}{hexes}-{int(number.removeprefix('-') or 1) + 1}"


def limit(draft: Draft) -> None:
    """Roll back once green has taken longer than `limits.provision`; time that people took does not count."""
    row = draft.row
    since = row.phase_since or row.created_at
    taken = draft.now - since - row.waited_for_approval - row.paused_for
    if taken > row.spec.limits.provision and not row.paused_by:
        waiting = f", still waiting for: {row.waiting_for}" if row.waiting_for else ""
        roll_back(draft, f"green was not ready within {span(row.spec.limits.provision)}{waiting}", TEAL)
