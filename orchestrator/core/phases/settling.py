"""The release is decided: blue takes the new revision over while it carries no traffic, and traffic returns to it.

Green is the safe side here. Health and guard judge blue, the receiver; a failure puts the weights back to the last
good step on green, holds and pages people, and never rolls the release back by itself.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.core.analysis import bake, intervals
from orchestrator.core.analysis.metric_queries import alarm_names, metrics_need
from orchestrator.core.cloud.effects import TagFormer, UpdateService
from orchestrator.core.cloud.readiness import cannot_take_all, not_ready, not_steady
from orchestrator.core.cloud.resources import GroupSeen, ServiceSeen
from orchestrator.core.cloud.stop_causes import in_words, own_stops
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import TargetGroupArn, Tenths, revision_name
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL, NONE, RETURN_STEPS, percent
from orchestrator.core.domain.tags import FORMER
from orchestrator.core.domain.text import span
from orchestrator.core.domain.verdict import Answer, Verdict
from orchestrator.core.ecs import stopped_tasks, task_protection, wanted_task_definition
from orchestrator.core.evaluation import evaluate
from orchestrator.core.gates.scene import Colour
from orchestrator.core.phases import removing_green
from orchestrator.core.phases.shared_needs import (
    services,
    with_scaling,
)
from orchestrator.core.rollout.handover import Attempt
from orchestrator.core.rollout.progress import Bake
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.spec import OnDrift
from orchestrator.core.scaling import blue_floor, capacity, green_scaling
from orchestrator.core.scaling.task_counts import count_before
from orchestrator.core.tick.draft import LATE, Draft, targets_of
from orchestrator.core.tick.needs import Needs
from orchestrator.core.tick.turn_back import roll_back
from orchestrator.core.traffic import rule_looks, rules, sticky_sessions
from orchestrator.core.traffic.drift import SOMEBODY
from orchestrator.core.traffic.rule_looks import Found, Look

UNREAD_LONGEST = timedelta(minutes=1)  # an update that ECS acknowledged is in its answers by then
FAILED_STARTS = 3  # of blue's tasks on the new revision, after which people should know


def needs(row: Rollout, now: datetime) -> Needs:
    """What settling must see."""
    if row.way_out.is_way_clear:
        return removing_green.needs(row, now)
    asked = with_scaling(services(row, row.known.blue.name), row, now)
    asked = replace(asked, protection=task_protection.need(row, now))
    if not row.handover.attempts:
        asked = replace(asked, groups=tuple(pair.green_name for pair in row.pairs))
    asked = wanted_task_definition.with_needs(asked, row, now)
    if row.handover.is_homeward:
        asked = replace(asked, alarms=alarm_names(row), metrics=metrics_need(row, now))
    return asked


def settle(draft: Draft) -> None:
    """One tick of settling."""
    if draft.row.way_out.is_way_clear:
        removing_green.leave(draft, Phase.SUCCEEDED)
        return
    looks = rule_looks.take_looks(draft)
    if any(found.found is Found.TAKEN_BACK for found in looks):
        _somebody_returned_traffic(draft, looks)
        return
    if draft.row.spec.on_drift is OnDrift.ACCEPT:
        rules.accept(draft, looks)
    rule_looks.hold_for(draft, looks)
    green_scaling.keep(draft)
    capacity.follow_green(draft, ALL)
    blue_floor.keep(draft, capacity.all_traffic_needs(draft))
    _limit(draft)
    stopped_tasks.tell(draft, Colour.BLUE)
    if not (_is_tagged(draft) and wanted_task_definition.keep(draft) and _follow_attempt(draft)):
        if not _is_in_doubt(draft.row):
            _keep_weights(draft, looks)
        return
    if not draft.row.handover.is_homeward:
        _keep_weights(draft, looks)
        if _is_ready_twice(draft) and not draft.holds:
            # What stopped on the way to steady is no sign that blue does not stay up now.
            draft.change(is_homeward=True, step=0, bake=Bake(), ready_since=None, stops_count_from=draft.now)
            draft.tell(EventKind.BLUE_STEADY, "blue is steady on the new revision: traffic returns to blue")
            draft.wake_by(draft.now)
        return
    _return_traffic(draft, looks)


def _is_in_doubt(row: Rollout) -> bool:
    """True while one look alone speaks against blue: no weight is written on its word."""
    return any(one.doubted_since and not one.is_failed for one in row.handover.attempts[-1:])


def _good_weight(draft: Draft) -> Tenths:
    """Green's weight in the last good step."""
    row = draft.row
    return (
        ALL if not row.handover.is_homeward or row.progress.step == 0 else RETURN_STEPS[row.progress.step - 1]
    )


def _keep_weights(draft: Draft, looks: tuple[Look, ...]) -> None:
    rules.want(draft, _good_weight(draft))
    rules.write(draft, looks, safe_is_less=False, may_grow=False)


def _is_tagged(draft: Draft) -> bool:
    """True once green and its groups say which revision blue came from, for break glass without Teal's store."""
    row = draft.row
    if row.handover.attempts:
        return True
    green = draft.must_find(draft.seen.green, "green")
    if isinstance(green, str):
        return False
    groups = [draft.seen.groups.get(pair.green_name) for pair in row.pairs]
    tags = [green.tags, *(seen.tags if isinstance(seen, GroupSeen) else {} for seen in groups)]
    if all(found.get(FORMER) == row.known.blue.former for found in tags):
        return True
    arns = tuple(TargetGroupArn(pair.green or "") for pair in row.pairs)
    draft.ask(
        TagFormer(service=green.arn, groups=arns, former=row.known.blue.former),
        "tag green with blue's former revision",
    )
    draft.change(waiting_for="green's tags")
    return False


# blue takes the revision over -------------------------------------------------------------------------------------


def _follow_attempt(draft: Draft) -> bool:
    """True while blue's newest update stands; asks for it where it is missing, holds where ECS undid it."""
    row, seen = draft.row, draft.must_find(draft.seen.blue, "blue", kind=HoldKind.BLUE)
    if isinstance(seen, str):
        return False
    if not row.handover.attempts or row.handover.attempts[-1].is_retried:
        if not draft.holds:
            _attempt(draft, seen)
        return False
    attempt = row.handover.attempts[-1]
    if attempt.is_failed:
        return _hold_failed(draft, attempt, seen)
    return (_follow_forced if attempt.is_forced else _follow_new)(draft, attempt, seen)


def _follow_new(draft: Draft, attempt: Attempt, seen: ServiceSeen) -> bool:
    """Follow an update to a revision that blue did not run before: the revision says which update it is of."""
    primary = seen.primary
    if primary is None or (
        primary.id == attempt.before and primary.task_definition != attempt.task_definition
    ):
        if (
            attempt.is_taken
        ):  # an answer from before the update, or ECS has undone it, and then it stays undone
            return _doubt(draft, attempt, seen, until=attempt.at + UNREAD_LONGEST)
        _ask_again(draft, attempt)
        return False
    if primary.task_definition != attempt.task_definition or primary.rollout_state == "FAILED":
        return _doubt(draft, attempt, seen)
    if primary.id == attempt.before and seen.desired < attempt.desired:
        # An empty blue named the revision already: only its count shows whether it was asked.
        _ask_again(draft, attempt)
        return False
    _keep_attempt(draft, replace(attempt, is_taken=True, doubted_since=None))
    return True


def _follow_forced(draft: Draft, attempt: Attempt, seen: ServiceSeen) -> bool:
    """Follow an update to the revision that blue runs already: its deployment's id alone says which it is of."""
    primary = seen.primary
    if primary is None or primary.id == attempt.before:
        # Twice is not once here: each makes ECS replace every task. So it is asked again only when it must be lost.
        if draft.now >= attempt.at + LATE:
            _ask_again(draft, attempt)
        else:
            _keep_attempt(draft, replace(attempt, doubted_since=None))
        draft.change(waiting_for="blue to take the update")
        return False
    is_anothers = primary.id != (attempt.deployment or primary.id)
    if is_anothers or primary.task_definition != attempt.task_definition or primary.rollout_state == "FAILED":
        return _doubt(draft, attempt, seen)
    _keep_attempt(draft, replace(attempt, is_taken=True, deployment=primary.id, doubted_since=None))
    return True


def _attempt(draft: Draft, seen: ServiceSeen) -> None:
    row = draft.row
    attempt = Attempt(
        number=len(row.handover.attempts) + 1,
        task_definition=row.known.green.for_blue,
        desired=max(seen.desired, row.known.green.desired),
        desired_before=count_before(row.handover.attempts, seen),
        at=draft.now,
        before=seen.primary.id if seen.primary else "",
        is_forced=row.spec.is_forced and row.known.green.for_blue == row.known.blue.former,
    )
    draft.change(attempts=(*row.handover.attempts, attempt), ready_since=None)
    draft.tell(
        EventKind.BLUE_UPDATE_ASKED,
        f"blue takes over {revision_name(attempt.task_definition)} while green serves (attempt {attempt.number})",
        attempt=attempt.number,
        task_definition=attempt.task_definition,
    )
    _ask(draft, attempt)


def _ask_again(draft: Draft, attempt: Attempt) -> None:
    """Blue reads as before the update: looks that spoke against it are not followed by one that agrees."""
    attempt = replace(attempt, doubted_since=None)
    _keep_attempt(draft, attempt)
    _ask(draft, attempt)


def _ask(draft: Draft, attempt: Attempt) -> None:
    blue = draft.blue
    effect = UpdateService(
        cluster=blue.cluster,
        service=blue.name,
        task_definition=attempt.task_definition,
        desired=attempt.desired,
        deployment_configuration=None,
        attempt=attempt.number,
        is_forced=attempt.is_forced,
    )
    draft.ask(effect, f"update blue to {revision_name(attempt.task_definition)}")
    draft.change(waiting_for="blue to take the update")


def _keep_attempt(draft: Draft, attempt: Attempt) -> None:
    draft.change(attempts=(*draft.row.handover.attempts[:-1], attempt))


def _doubt(draft: Draft, attempt: Attempt, seen: ServiceSeen, *, until: datetime | None = None) -> bool:
    """Fail the attempt once two looks agree: one answer alone may show blue as it was before its update.

    `until`: looks before then may all be older than the update.
    """
    since = attempt.doubted_since or draft.now
    agreed = max(since + draft.row.spec.metrics.look_gap, until or since)
    if draft.now < agreed:
        _keep_attempt(draft, replace(attempt, doubted_since=since))
        found = revision_name(seen.primary.task_definition) if seen.primary else "nothing"
        draft.change(waiting_for=f"a second look at blue, which was seen on {found}", ready_since=None)
        draft.wake_by(agreed)
        return False
    failed = replace(attempt, is_taken=True, is_failed=True)
    _keep_attempt(draft, failed)
    return _hold_failed(draft, failed, seen)


def _hold_failed(draft: Draft, attempt: Attempt, seen: ServiceSeen) -> bool:
    """Blue did not take the revision: green goes on serving, people are paged, nothing is tried again by itself."""
    reasons = [d.reason for d in seen.deployments if d.reason] or [seen.last_event]
    stops = in_words(own_stops(seen, attempt.task_definition, attempt.at))
    found = revision_name(seen.primary.task_definition) if seen.primary else "nothing"
    why = "; ".join(part.rstrip(".") for part in (reasons[0] or "ECS gives no reason", stops) if part)
    words = f"blue did not take {revision_name(attempt.task_definition)}, it is on {found}: {why}"
    draft.hold(HoldKind.BLUE, words, clears_when="a person resumes (tries once more) or rolls back")
    draft.change(waiting_for="a person: green serves, blue is not on the new revision")
    row = draft.row.id
    _page(
        draft, words, f"`teal resume {row}` tries once more, `teal rollback {row}` goes back", about="update"
    )
    return False


def _page(draft: Draft, words: str, what_to_do: str, *, about: str) -> None:
    """Page people, and tell them who serves meanwhile and what they can do."""
    weight = draft.row.green_weight
    serves = "green serves everybody" if weight == ALL else f"green keeps {percent(weight)} of the traffic"
    draft.page(f"{words}; {serves}. {what_to_do}", about=about)


def _is_ready_twice(draft: Draft) -> bool:
    green = draft.green
    targets = targets_of(draft, Colour.BLUE)
    why = not_ready(draft.seen.blue, green.for_blue, targets, now=draft.now, quiet=draft.poll)
    if why:
        draft.is_ready_twice("blue", f"blue on the new revision: {why}")
        task_protection.wait(draft)
        _page_for_failing_starts(draft)
        return False
    return draft.is_ready_twice("blue", "")


def _page_for_failing_starts(draft: Draft) -> None:
    """Hold and page people once it is plain that blue's tasks do not live; ECS without a breaker tries for ever."""
    green, seen = draft.row.green, draft.seen.blue
    if green is None or not isinstance(seen, ServiceSeen):
        return
    stops = own_stops(seen, green.for_blue, draft.row.handover.attempts[-1].at)
    if len(stops) < FAILED_STARTS:
        return
    words = f"blue does not start on {revision_name(green.for_blue)}: {in_words(stops)}"
    draft.hold(HoldKind.BLUE, words, clears_when="blue runs steadily, or a person rolls back")
    _page(draft, words, f"Fix what stops them, or `teal rollback {draft.row.id}`", about="starts")


# traffic returns to blue ------------------------------------------------------------------------------------------


def _return_traffic(draft: Draft, looks: tuple[Look, ...]) -> None:
    row = draft.row
    if row.progress.bake.since is not None and not rules.all_at(row, RETURN_STEPS[row.progress.step]):
        bake.forget(draft)
    intervals.take(draft)
    answers = evaluate.ask_gates(draft, Colour.BLUE) if row.green_weight < ALL else ()
    failing = next((answer for answer in answers if answer.verdict is Verdict.FAIL), None)
    if failing is not None and not draft.row.waiting.failed:
        bake.forget(draft)
        draft.change(failed=f"{failing.gate}: {failing.reason}")
    if draft.row.waiting.failed:
        words = f"blue fails on the new revision: {draft.row.waiting.failed}"
        draft.hold(HoldKind.FAILED, words, clears_when="a person resumes or rolls back")
        known = draft.row.id
        _page(
            draft,
            words,
            f"`teal resume {known}` tries again, `teal rollback {known}` goes back",
            about="blue fails",
        )
        _keep_weights(draft, looks)
        return
    _check_blue(draft)
    weight = RETURN_STEPS[row.progress.step]
    rules.want(draft, weight)
    is_half_there = any(rule.verified == weight for rule in draft.row.rules)
    against = [h for h in draft.holds if h.kind is not HoldKind.PAUSED or not is_half_there]
    rules.write(draft, looks, safe_is_less=False, may_grow=not against)
    if not rules.all_at(draft.row, weight):
        draft.change(
            waiting_for=f"blue's weight of {percent(Tenths(ALL - weight))} to be read back on every rule"
        )
    elif draft.row.progress.bake.since is None:
        _start_step(draft, weight)
    else:
        _leave_when_judged(draft, answers)


def _check_blue(draft: Draft) -> None:
    row, seen = draft.row, draft.seen.blue
    why = not_steady(seen, row.known.green.for_blue)
    if not why and isinstance(seen, ServiceSeen):
        needed = max(row.handover.attempts[-1].desired, capacity.all_traffic_needs(draft))
        why = cannot_take_all(seen, row.known.green.for_blue, targets_of(draft, Colour.BLUE), needed)
    if why:
        draft.hold(HoldKind.CAPACITY, f"blue could not take more traffic: {why}", clears_when="blue is ready")


def _start_step(draft: Draft, weight: Tenths) -> None:
    is_all_on_blue = weight == NONE
    bake.begin(draft, weight)
    draft.change(
        observed_at=draft.now,
        on_blue_since=draft.now if is_all_on_blue else None,
        waiting_for="one whole period at this weight",
    )
    blue = percent(Tenths(ALL - weight))
    draft.tell(EventKind.STEP_STARTED, f"traffic returns to blue: blue has {blue}", green_tenths=weight)


def _leave_when_judged(draft: Draft, answers: tuple[Answer, ...]) -> None:
    row = draft.row
    for answer in answers:
        if answer.verdict is Verdict.HOLD:
            draft.hold(HoldKind.GATE, f"{answer.gate}: {answer.reason}", clears_when=answer.clears_when)
    if not intervals.at_weight(row) or draft.holds:
        draft.change(
            waiting_for=draft.holds[0].clears_when if draft.holds else "one whole period at this weight"
        )
        return
    if row.progress.step < len(RETURN_STEPS) - 1:
        bake.forget(draft)
        draft.change(step=row.progress.step + 1)
        draft.wake_by(draft.now)
        return
    until = row.phase_since + row.spec.limits.settle if row.phase_since else None
    if left := sticky_sessions.still_on(
        draft, Colour.GREEN, since=row.progress.bake.since or draft.now, until=until
    ):
        draft.change(waiting_for=left)
        return
    draft.change(is_way_clear=True, bake=Bake(), waiting_for="green to be removed")
    draft.tell(EventKind.TRAFFIC_ON_BLUE, "all traffic is back on blue, on the new revision")
    draft.wake_by(draft.now)


def _somebody_returned_traffic(draft: Draft, looks: tuple[Look, ...]) -> None:
    """Somebody gave blue everything: settling ends if blue is steady on the new revision, and a rollback if not."""
    row, green = draft.row, draft.green
    words = next(found.words for found in looks if found.found is Found.TAKEN_BACK)
    why = not_ready(
        draft.seen.blue,
        green.for_blue,
        targets_of(draft, Colour.BLUE),
        now=draft.now,
        quiet=draft.poll,
    )
    if (
        row.handover.attempts
        and row.handover.attempts[-1].is_forced
        and not row.handover.attempts[-1].deployment
    ):
        why = why or f"{draft.row.spec.service} was not deployed anew"
    if why:
        gone = {found.rule.arn for found in looks if found.found is Found.TAKEN_BACK}
        draft.change(
            rules=tuple(replace(rule, verified=NONE) if rule.arn in gone else rule for rule in row.rules)
        )
        roll_back(draft, f"{words} while {why}", SOMEBODY)
        return
    draft.tell(EventKind.DRIFT_FOUND, f"{words}: taken as settled, since blue is steady on the new revision")
    bake.forget(draft)
    draft.change(is_homeward=True, step=len(RETURN_STEPS) - 1)
    draft.change(rules=tuple(replace(rule, verified=NONE, wanted=NONE) for rule in row.rules))


def _limit(draft: Draft) -> None:
    row = draft.row
    if (
        row.phase_since is not None
        and draft.now - row.phase_since - row.pause.paused_for - row.handover.protected_for
        > row.spec.limits.settle
        and not row.pause.paused_by
    ):
        waiting = row.waiting.waiting_for or "traffic to return to blue"
        draft.page(
            f"settling has lasted longer than {span(row.spec.limits.settle)}; green serves. It waits for {waiting}",
            about="too long",
        )
