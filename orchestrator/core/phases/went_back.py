"""A row that is older than what AWS shows: its store was put back to an earlier time, or has lost its last commits.

What rollouts leave on AWS only rises: `teal:former` on green comes before blue is touched, `teal:serves` before blue
leaves the rules, `teal:rollback` once all traffic is on blue again, and what is gone was made before. A row that knows
less than that takes over what a way back must know, and waits for a person; one whose green is gone ends as found.
Weights need no more than they always do: what green has above the row's knowledge is taken from it at once.

`teal restore` marks every row that is under way (`went_back_at`): such a row does nothing until AWS was seen to agree
with it. A row that nobody has marked is held against the same traces by what each of its looks sees.
"""

from dataclasses import replace

from orchestrator.core.cloud.forward_action import green_share, read_forward
from orchestrator.core.cloud.readiness import STALE_LONGEST
from orchestrator.core.cloud.resources import Absent, GroupSeen, RuleSeen, ServiceSeen
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import RuleArn, TaskDefinitionArn, Tenths, revision_name
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL, NONE, RETURN_STEPS, percent
from orchestrator.core.domain.tags import FORMER, MANAGED, ROLLOUT, SERVES
from orchestrator.core.domain.text import group_name
from orchestrator.core.phases.shared_needs import rules_of
from orchestrator.core.rollout import rule_lists
from orchestrator.core.rollout.handover import Attempt, Retirement
from orchestrator.core.rollout.names import first_service_name, is_ours, token_of
from orchestrator.core.rollout.progress import Bake
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.scaling import target_values
from orchestrator.core.tick.draft import TEAL, Draft
from orchestrator.core.tick.needs import Needs

WENT_BACK = "the store was put back to an earlier time"
DECIDES = "a person rolls back, or abandons it"
AGREES = "AWS agrees with what the store knows"
GONE = "a second look at green, which is not there"


def with_needs(needs: Needs, row: Rollout) -> Needs:
    """What a marked row must see besides what its phase does: green, blue and the rules, to be held against it."""
    if row.ticks.went_back_at is None or row.phase.is_final:
        return needs
    if row.blue is None or row.green is None:
        return replace(
            needs, cluster=row.spec.service.cluster, green=first_service_name(row.id, row.spec.service)
        )
    unknown = tuple(pair.green_name for pair in row.pairs if pair.green is None)
    return replace(
        needs,
        cluster=row.blue.cluster,
        blue=row.blue.name,
        green=row.green.name,
        rules=needs.rules or rules_of(row),
        groups=tuple(dict.fromkeys((*needs.groups, *unknown))),
    )


def look(draft: Draft) -> bool:
    """Hold AWS's traces against the row. True where nothing else is to be done in this tick but what people ask for."""
    row = draft.row
    if row.phase is Phase.ROLLING_BACK:
        return False  # `agrees_on_the_way_back`
    if row.blue is None or row.green is None:
        return row.ticks.went_back_at is not None and _has_begun(draft)
    is_marked = row.ticks.went_back_at is not None
    if is_marked and not _is_read(draft):
        return True
    _take_over(draft)
    if _is_gone(draft) or _is_ended(draft) or _was_taken_back_again(draft):
        return True
    if _is_behind(draft.row):
        _hold_behind(draft)
        return True
    # Before the watch has passed a hold is enough: the rollout is judged on, and nothing of green grows.
    return is_marked and not _agrees(draft) and not row.phase.blue_is_safe_side


def agrees_on_the_way_back(draft: Draft) -> str:
    """What a marked row's way back still waits for, in words: to write without looking could empty both colours."""
    row = draft.row
    if row.ticks.went_back_at is None:
        return ""
    if row.blue is None or row.green is None:
        green = draft.must_read(draft.seen.green, "green")
        if isinstance(green, str):
            return green
        if _is_green(row, green):
            return f"{_of_nothing_known(draft)} to be done"
    elif not _is_read(draft):
        return "blue, green and the rules to be readable"
    elif isinstance(draft.seen.green, Absent):
        since = row.ticks.green_gone_since or draft.now
        draft.change(green_gone_since=since)
        if draft.now < since + max(STALE_LONGEST, row.spec.metrics.look_gap):
            draft.wake_by(draft.now + row.spec.metrics.look_gap)
            return GONE
        draft.change(attempts=(), retirement=_without_swap(row))  # there is nothing left to go back from
    else:
        _take_over(draft)
        if unknown := _unknown_revision(draft):
            return unknown
    draft.change(went_back_at=None, green_gone_since=None)
    return ""


# what is known ----------------------------------------------------------------------------------------------------


def _is_read(draft: Draft) -> bool:
    """False where it holds, since something that the row is to be held against could not be read."""
    row, seen = draft.row, draft.seen
    looks: list[tuple[str, object]] = [("blue", seen.blue), ("green", seen.green)]
    looks += [(rule.name, seen.rules.get(rule.arn)) for rule in row.rules]
    looks += [(pair.green_name, seen.groups.get(pair.green_name)) for pair in row.pairs if pair.green is None]
    return not [name for name, look in looks if isinstance(draft.must_read(look, name), str)]


def _is_green(row: Rollout, seen: object) -> bool:
    return isinstance(seen, ServiceSeen) and is_ours(row, dict(seen.tags)) and seen.status == "ACTIVE"


def _tags(draft: Draft) -> dict[str, str]:
    """Those of what this rollout has made, as far as this tick saw it."""
    found: dict[str, str] = {}
    for seen in (draft.seen.green, *draft.seen.groups.values()):
        if isinstance(seen, ServiceSeen | GroupSeen) and seen.tags.get(ROLLOUT) == draft.row.id:
            found.update(seen.tags)
    return found


def _runs(draft: Draft) -> TaskDefinitionArn | None:
    seen = draft.seen.blue
    if not isinstance(seen, ServiceSeen):
        return None
    return seen.primary.task_definition if seen.primary else seen.task_definition


# a row that had read nothing --------------------------------------------------------------------------------------


def _has_begun(draft: Draft) -> bool:
    """Whether a pending rollout had begun cannot be seen once it has ended: a person says whether it shall begin."""
    green = draft.must_read(draft.seen.green, "green")
    if isinstance(green, str):
        return True
    if _is_green(draft.row, green):
        words = f"{WENT_BACK}, before anything was made, and green is there: {_of_nothing_known(draft)}"
        draft.hold(HoldKind.STORE, words, clears_when="its green is gone")
        draft.page(words, about="store")
        return True
    row = draft.row
    reason = f"{WENT_BACK}, and it cannot be seen whether this rollout had begun, and ended, since"
    draft.change(went_back_at=None, paused_by=TEAL, pause_reason=reason)
    words = f"{reason}: `teal resume {row.id}` begins it, `teal rollback {row.id}` ends it"
    draft.tell(EventKind.STORE_WENT_BACK, words)
    draft.page(words, about="store")
    return True


def _of_nothing_known(draft: Draft) -> str:
    service = draft.row.spec.service
    return f"`teal rollback {service} --direct` gives blue all traffic by what AWS shows, and removes it"


# green is gone ----------------------------------------------------------------------------------------------------


def _is_gone(draft: Draft) -> bool:
    """True where green was there once and is not: it is never made again, and the rollout ends as it is found."""
    what = _missing(draft)
    if not what:
        draft.change(green_gone_since=None)
        return False
    since = draft.row.ticks.green_gone_since or draft.now
    draft.change(green_gone_since=since, waiting_for=GONE)
    if draft.now < since + max(STALE_LONGEST, draft.row.spec.metrics.look_gap):
        draft.hold(HoldKind.AWS, f"{what} is not there, or AWS gave an old answer", clears_when=GONE)
        draft.wake_by(draft.now + draft.row.spec.metrics.look_gap)
        return True
    _end_without_green(draft, what)
    return True


def _missing(draft: Draft) -> str:
    """What of green is gone, in words; empty where it is there, or nobody can know that it was."""
    row, green = draft.row, draft.row.known.green
    if row.way_out.is_way_clear:
        return ""  # it is being removed
    is_gone = isinstance(draft.seen.green, Absent) or (
        isinstance(draft.seen.green, ServiceSeen)
        and is_ours(row, dict(draft.seen.green.tags))
        and draft.seen.green.status != "ACTIVE"
    )
    was_there = row.phase is Phase.PROVISIONING and bool(green.arn)
    if is_gone and (row.ticks.went_back_at is not None or was_there):
        return green.name
    if row.phase is not Phase.PREPARING:
        return ""
    groups = ((pair, draft.seen.groups.get(pair.green_name)) for pair in row.pairs)
    return next((pair.green_name for pair, seen in groups if pair.green and isinstance(seen, Absent)), "")


def _end_without_green(draft: Draft, what: str) -> None:
    row = draft.row
    former, wanted, runs = row.known.blue.former, row.known.green.for_blue, _runs(draft)
    why = f"{WENT_BACK}: " if row.ticks.went_back_at is not None else ""
    words = f"{why}{what}, which this rollout may have made, is gone, and is not made again"
    draft.change(went_back_at=None, green_gone_since=None)
    if wanted and runs == wanted != former and not row.spec.ending.is_swap:
        words += f"; blue runs {revision_name(wanted)}: the rollout had succeeded"
        draft.tell(EventKind.STORE_WENT_BACK, words, found="succeeded")
        if row.phase is not Phase.SETTLING:
            draft.move(Phase.SETTLING, words)
        green = replace(draft.green, is_leaving=True)
        draft.change(
            is_way_clear=True, on_blue_since=draft.now, green=green, waiting_for="a last look at everything"
        )
        return
    if runs is not None:
        words += f"; blue runs {revision_name(runs)}"
    draft.tell(EventKind.STORE_WENT_BACK, words, found="rolled_back")
    # Whatever was done to blue was undone before green went.
    draft.change(attempts=(), retirement=_without_swap(draft.row))
    draft.turn_back(words, TEAL)


def _without_swap(row: Rollout) -> Retirement | None:
    return None if row.retirement is None else replace(row.retirement, is_swapping=False)


# green is there, and further on -----------------------------------------------------------------------------------


def _is_ended(draft: Draft) -> bool:
    """True where green serves in blue's place for good, which is the last that a swap writes: it ends as found."""
    row = draft.row
    if row.phase is Phase.RETIRING or _tags(draft).get(SERVES) != "true":
        return False
    green = row.known.green
    reason = f"{WENT_BACK}: {green.name} serves in blue's place already, as its tag says"
    arn = draft.seen.green.arn if isinstance(draft.seen.green, ServiceSeen) else green.arn
    draft.change(green=replace(green, arn=arn), went_back_at=None)
    draft.tell(EventKind.STORE_WENT_BACK, reason, found="succeeded")
    draft.end(reason, TEAL)
    draft.move(Phase.SUCCEEDED, reason)
    draft.tell(
        EventKind.ENDED,
        f"{Phase.SUCCEEDED}: {reason}; nothing was compared",
        phase=Phase.SUCCEEDED.value,
        reason=reason,
        serves=green.name,
    )
    return True


def _was_taken_back_again(draft: Draft) -> bool:
    """True where blue was seen on its former revision, though the row knows it to have the new one for good."""
    row = draft.row
    is_marked, former = row.ticks.went_back_at is not None, row.known.blue.former
    if not (is_marked and row.phase is Phase.SETTLING and row.way_out.is_way_clear):
        return False
    if _runs(draft) != former or former == row.known.green.for_blue:
        return False
    words = f"{WENT_BACK}: blue runs {revision_name(former)} again, so it was rolled back"
    draft.tell(EventKind.STORE_WENT_BACK, words, found="rolled_back")
    draft.change(attempts=(), went_back_at=None)
    draft.turn_back(words, TEAL)
    return True


def _take_over(draft: Draft) -> None:
    """Take from AWS what a way back must know, and an older row does not."""
    tags, phase = _tags(draft), draft.row.phase
    _take_over_groups(draft)
    if draft.row.ticks.went_back_at is not None:
        if phase.blue_is_safe_side or phase is Phase.ROLLING_BACK:
            _take_over_weights(draft)
        elif phase is Phase.SETTLING:
            _take_over_return(draft)
    if FORMER in tags and not draft.row.handover.attempts and phase is not Phase.SETTLING:
        draft.change(attempts=(_attempt(draft),))
    if SERVES in tags and draft.row.retirement is None and phase is not Phase.RETIRING:
        draft.change(retirement=_retirement(draft))
        _take_over_scaling(draft)
    elif draft.row.retirement is not None and draft.row.ticks.went_back_at is not None:
        is_scaled = draft.row.known.blue.scaling is not None
        draft.change(retirement=replace(draft.row.retirement, is_scaling_gone=is_scaled))
        _take_over_scaling(draft)


def _take_over_groups(draft: Draft) -> None:
    """Green's target groups, which a row from before their making knows by their names alone: no rule keeps them."""
    if all(pair.green is not None for pair in draft.row.pairs):
        return
    found = {
        name: seen.arn
        for name, seen in draft.seen.groups.items()
        if isinstance(seen, GroupSeen) and is_ours(draft.row, dict(seen.tags))
    }
    for seen in draft.seen.rules.values():
        forward = read_forward(seen.actions) if isinstance(seen, RuleSeen) else None
        found.update({group_name(one.group): one.group for one in forward.groups} if forward else {})
    pairs = (replace(pair, green=pair.green or found.get(pair.green_name)) for pair in draft.row.pairs)
    draft.change(pairs=tuple(pairs))


def _shares(draft: Draft) -> dict[RuleArn, Tenths]:
    """Green's weight on each rule that was seen as Teal leaves one: its first list, but for the two weights."""
    found = {}
    for rule in draft.row.rules:
        seen, green = draft.seen.rules.get(rule.arn), rule_lists.green_of(draft.row, rule)
        if isinstance(seen, RuleSeen) and rule_lists.is_base_but_for_weights(rule, seen.actions, green):
            share = green_share(seen.actions, blue=rule.blue_group, green=green)
            found.update({} if share is None else {rule.arn: share})
    return found


def _take_over_weights(draft: Draft) -> None:
    """Weights that Teal has written since: what is less for green than those is written at once, as ever."""
    shares, rules = _shares(draft), []
    for rule in draft.row.rules:
        share = shares.get(rule.arn, NONE)
        is_new = share > max(rule.verified or NONE, rule.wanted or NONE) and share not in rule.intended
        rules.append(replace(rule, intended=(*rule.intended, share)) if is_new else rule)
    draft.change(rules=tuple(rules))


def _take_over_return(draft: Draft) -> None:
    """How far traffic has returned to blue since, so that no rule gives green more than it has by now."""
    row, wanted, found = draft.row, draft.row.known.green.for_blue, set(_shares(draft).values())
    if _runs(draft) != wanted or wanted == row.known.blue.former or row.way_out.is_way_clear:
        return
    if not row.handover.attempts:
        draft.change(attempts=(_attempt(draft),))
    weight = found.pop() if len(found) == 1 else ALL
    is_further = weight < min((row.green_weight, *(rule.wanted or NONE for rule in row.rules)))
    if weight in RETURN_STEPS and is_further:
        rules = (
            replace(rule, verified=weight, wanted=weight, intended=(*rule.intended, weight))
            for rule in row.rules
        )
        draft.change(
            rules=tuple(rules),
            is_homeward=True,
            step=RETURN_STEPS.index(weight),
            bake=Bake(),
            ready_since=None,
        )


def _attempt(draft: Draft) -> Attempt:
    """An update of blue that may have been sent: a rollback gives blue its former revision, and waits for it."""
    row, seen = draft.row, draft.seen.blue
    wanted = row.known.green.for_blue
    desired = seen.desired if isinstance(seen, ServiceSeen) else row.known.blue.desired
    return Attempt(
        number=1,
        task_definition=wanted,
        desired=max(desired, row.known.blue.desired),
        desired_before=row.known.blue.desired,
        at=draft.now,
        before="",
        is_forced=row.spec.is_forced and wanted == row.known.blue.former,
        is_taken=_runs(draft) == wanted,
    )


def _retirement(draft: Draft) -> Retirement:
    """Blue may have left the rules, lost its tasks, or be deleted: a rollback brings it back before its traffic."""
    row, blue, green = draft.row, draft.seen.blue, draft.seen.green
    known = row.known.blue
    is_gone = isinstance(blue, Absent) or (isinstance(blue, ServiceSeen) and blue.status != "ACTIVE")
    is_empty = is_gone or (isinstance(blue, ServiceSeen) and not blue.desired)
    runs = green.desired if isinstance(green, ServiceSeen) else 0
    return Retirement(
        token=token_of(row, "blue again"),
        desired=max(known.desired, runs),
        is_swapping=True,
        swapped_at=draft.now,
        drained_from=draft.now if is_empty else None,
        is_empty=is_empty,
        is_scaling_gone=is_empty and known.scaling is not None,
        is_tagged=is_gone or (isinstance(blue, ServiceSeen) and blue.tags.get(MANAGED) == "true"),
        is_deleting=is_gone,
        count=known.desired if is_empty else None,
    )


def _take_over_scaling(draft: Draft) -> None:
    """Blue's scaling may have been stopped so that it stays without tasks: found so, it is Teal's own to give back."""
    row = draft.row
    if row.known.blue.scaling is None:
        return
    known = target_values.held(row)
    aim = replace(
        target_values.suspended(target_values.kept(known)),
        min_capacity=0,
        scale_out_suspended=True,
        scheduled_suspended=True,
    )
    draft.change(holding=target_values.asked(known, aim, draft.now), is_scaling_touched=True)


def _is_behind(row: Rollout) -> bool:
    """True for a row that AWS has overtaken: its watch had passed, and what was done since it does not know."""
    is_taken_over = bool(row.handover.attempts) or row.retirement is not None
    return row.phase.blue_is_safe_side and is_taken_over


def _hold_behind(draft: Draft) -> None:
    row, runs = draft.row, _runs(draft)
    done = (
        "green was being put in blue's place" if row.retirement else "blue was being given the new revision"
    )
    weights = _weights(draft)
    found = f"{done}: green has {weights}" if weights else done
    found += f", and blue runs {revision_name(runs)}" if runs else ", and blue is not there"
    words = (
        f"{WENT_BACK}: there the rollout is {row.phase}; by green's tags {found}. Nothing is done by itself"
    )
    draft.hold(HoldKind.STORE, words, clears_when=DECIDES)
    draft.change(waiting_for="a person: the store is older than what AWS shows")
    if not any(hold.kind is HoldKind.STORE for hold in draft.before.waiting.holds):
        draft.tell(EventKind.STORE_WENT_BACK, words, found="further")
    draft.page(
        f"{words}. `teal rollback {row.id}` gives blue its former revision and all traffic, "
        f"`teal abandon {row.id}` leaves everything as it is",
        about="store",
    )


def _weights(draft: Draft) -> str:
    """Green's weights as the rules have them now, in words."""
    return " and ".join(percent(share) for share in sorted(set(_shares(draft).values())))


# does it agree ----------------------------------------------------------------------------------------------------


def _agrees(draft: Draft) -> bool:
    """True once rules, tags and blue's revision are as the row can explain them; from then on it is as any other."""
    if words := _unknown_revision(draft):
        draft.change(waiting_for=words)
        return False
    row = draft.row
    draft.change(went_back_at=None)
    draft.tell(
        EventKind.STORE_WENT_BACK,
        f"{WENT_BACK}: green is there, its tags and blue's revision are as the store knows them in {row.phase}: it "
        "goes on from there",
        found="agrees",
    )
    return True


def _unknown_revision(draft: Draft) -> str:
    """What is waited for where blue runs what the row cannot explain; empty: it does not."""
    row, runs = draft.row, _runs(draft)
    if runs is None or (row.phase is Phase.ROLLING_BACK and not row.handover.attempts):
        return ""
    known = {row.known.blue.former, *(one.task_definition for one in row.handover.attempts)}
    is_taken = row.phase is Phase.SETTLING and any(one.is_taken for one in row.handover.attempts)
    if is_taken and runs == row.known.blue.former != row.known.green.for_blue:
        words = f"{WENT_BACK}, and blue, which had taken the new revision, runs {revision_name(runs)} again"
    elif row.phase is Phase.SETTLING and not row.handover.attempts and FORMER in _tags(draft):
        words = (
            f"{WENT_BACK}, and it is not known what became of the update of blue that green's tag tells of"
        )
    elif runs not in known:
        words = f"{WENT_BACK}, and blue runs {revision_name(runs)}, which this rollout has not given it"
    else:
        return ""
    draft.hold(HoldKind.STORE, words, clears_when=AGREES)
    back = "" if row.phase is Phase.ROLLING_BACK else f"`teal rollback {row.id}` leads back to blue, "
    draft.page(f"{words}. {back}`teal abandon {row.id}` leaves everything as it is", about="store")
    return AGREES
