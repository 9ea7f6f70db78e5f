"""``decide``: the whole of Teal's judgement in one pure function. Same input, same output.

It reads the row, people's commands and what was seen, and answers with the next row, the effects that lead from what
is seen to what is wanted, the facts to tell and to keep, and when to look again. Each phase is one function in a file
of its own, in `orchestrator.core.phases`. A phase function that finds a reason to roll back records that on the draft;
the first step of the way back is taken here, in one place, from where the tick was then (`conclude`).
"""

from datetime import datetime, timedelta
from typing import assert_never

from orchestrator.core.apply_commands import apply_commands
from orchestrator.core.cloud.effects import WriteRule
from orchestrator.core.domain.commands import Command, CommandKind
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import revision_name
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL, NONE
from orchestrator.core.domain.text import span
from orchestrator.core.ecs import aws_access
from orchestrator.core.evaluation import change_windows
from orchestrator.core.phases import (
    abandoned,
    pending,
    preparing,
    provisioning,
    removing_blue,
    retiring,
    rolling_back,
    settling,
    shifting,
    went_back,
)
from orchestrator.core.rollout.late_calls import without_answered
from orchestrator.core.rollout.rollout import Decision, HoldKind, Rollout
from orchestrator.core.rollout.soundness import contradiction
from orchestrator.core.rollout.spec import LimitThen
from orchestrator.core.tick import hold_reasons, point_of_no_return, turn_back
from orchestrator.core.tick.draft import TEAL, Draft
from orchestrator.core.tick.seen import Seen
from orchestrator.core.traffic import other_rules

LOOK_AFTER_EFFECT = timedelta(seconds=1)


def decide(rollout: Rollout, seen: Seen, now: datetime) -> Decision:
    """What to do about this rollout, given what was seen, at this moment."""
    draft = Draft(rollout, seen, now)
    if not rollout.phase.is_final:
        _judge(draft)
    return conclude(draft)


def conclude(draft: Draft) -> Decision:
    """The tick's decision as one value. Where it turned back, nothing that was asked for besides is left in it."""
    if draft.turning_back is not None:
        rolling_back.begin(draft, draft.turning_back)
    return _finish(draft)


def _judge(draft: Draft) -> None:
    _tell_unrecorded(draft)
    draft.change(asked=())
    draft.change(unanswered=without_answered(draft.row.ticks, draft.seen.answered, draft.now))
    if draft.row.pause.paused_by is not None and draft.row.ticks.ticked_at is not None:
        draft.change(paused_for=draft.row.pause.paused_for + draft.now - draft.row.ticks.ticked_at)
    _tell_failures(draft)
    aws_access.hold_if_denied(draft)
    is_held = went_back.look(draft)
    if draft.row.phase.is_final:
        apply_commands(draft)  # none is accepted any more, and each is told so
        return
    ending = apply_commands(draft)
    if draft.row.pause.paused_by is not None:
        why = f": {draft.row.pause.pause_reason}" if draft.row.pause.pause_reason else ""
        draft.hold(
            HoldKind.PAUSED,
            f"paused by {draft.row.pause.paused_by.name}{why}",
            clears_when="somebody resumes",
        )
    if ending is not None and ending.kind is CommandKind.ABANDON:
        _abandon(draft, ending)
    elif ending is not None:
        words = f": {ending.reason}" if ending.reason else ""
        turn_back.roll_back(draft, f"{ending.kind} by {ending.by.name}{words}", ending.by)
    elif (done := draft.seen.unrecorded) is not None and draft.row.phase.blue_is_safe_side:
        turn_back.roll_back(draft, done.reason, done.by)
    elif words := rolling_back.taken_back_by(draft):
        turn_back.roll_back(draft, *rolling_back.as_tagged(words))
    elif not is_held and not change_windows.close_ends_it(draft):
        _live(draft)
        _limit_holds(draft)


def _live(draft: Draft) -> None:
    other_rules.take(draft)
    match draft.row.phase:
        case Phase.PENDING:
            pending.read_blue(draft)
        case Phase.PREPARING:
            preparing.prepare(draft)
        case Phase.PROVISIONING:
            provisioning.provision(draft)
        case Phase.SHIFTING | Phase.WATCHING:
            shifting.advance(draft)
        case Phase.SETTLING:
            settling.settle(draft)
        case Phase.RETIRING:
            retiring.retire(draft)
        case Phase.ROLLING_BACK:
            rolling_back.take_back(draft)
        case Phase.SUCCEEDED | Phase.ROLLED_BACK | Phase.ABANDONED:
            raise AssertionError(f"nothing is decided in {draft.row.phase}")
        case never:
            assert_never(never)


def _tell_unrecorded(draft: Draft) -> None:
    """Say first what was done while nothing could be kept, as Teal's own: nobody else moved these rules."""
    done = draft.seen.unrecorded
    if done is not None:
        names = {rule.arn: rule.name for rule in draft.row.rules}
        moved = ", ".join(names.get(arn, arn) for arn in done.rules)
        draft.tell(
            EventKind.ACTED_UNRECORDED,
            f"the store could not be written, and Teal gave blue all traffic without it: {done.reason} ({moved})",
            reason=done.reason,
            by=done.by.name,
            source=done.by.source,
            done_at=done.at.isoformat(),
            rules=", ".join(done.rules),
        )


def _tell_failures(draft: Draft) -> None:
    """Say what AWS refused or did not answer; a failure that lasts is one hold, not one event a tick."""
    for failure in draft.seen.failures:
        clears = f"AWS accepts: {failure.key}"
        if not any(hold.clears_when == clears for hold in draft.before.waiting.holds):
            draft.tell(EventKind.EFFECT_FAILED, failure.why, effect=failure.key, is_final=failure.is_final)
        if draft.row.phase is not Phase.ROLLING_BACK:
            draft.hold(HoldKind.AWS, failure.why, clears_when=clears)


def _limit_holds(draft: Draft) -> None:
    """A hold lasts as long as the file allows; then the file says what happens, until the watch has passed."""
    row, limits = draft.row, draft.row.spec.limits
    if row.phase.is_final or row.phase is Phase.ROLLING_BACK or draft.turning_back is not None:
        return
    if row.phase is Phase.PENDING and limits.wait_for_blue:
        return  # it has a limit of its own
    if draft.before.waiting.holds and not draft.holds:
        draft.change(paged=())  # this standstill is over; people are paged again for the next
    holds = [hold for hold in draft.holds if hold.is_limited]
    if not holds:
        draft.change(held=timedelta(0))
        return
    if not row.pause.paused_by:
        draft.change(held=row.waiting.held + draft.since_last(row.ticks.ticked_at))
    if draft.row.waiting.held < limits.hold:
        return
    words = f"held for {span(limits.hold)}: {holds[0].reason}"
    if (
        limits.then is LimitThen.ROLLBACK
        and row.phase.blue_is_safe_side
        and not point_of_no_return.forbids(row)
    ):
        turn_back.roll_back(draft, words, TEAL)
    elif not draft.calls_for_people:  # else people know what it is held for
        draft.page(words, about="hold")


def _abandon(draft: Draft, command: Command) -> None:
    row = draft.row
    reason = f"abandoned by {command.by.name}" + (f": {command.reason}" if command.reason else "")
    left = [*(pair.green_name for pair in row.pairs), *([row.green.name] if row.green else [])]
    left += [revision_name(each.arn) for each in row.revisions.registrations if each.arn]
    if row.green and row.green.is_scaling_asked and not row.green.is_scaling_gone:
        left += [f"the scalable target of {row.green.name}", *row.green.alarms]
    left += removing_blue.left_while_retiring(row)
    changed, removing = list(abandoned.left_of_blue(row)), list(abandoned.without_green(row))
    remove = f"; to remove what was made, in this order: {'; '.join(removing)}" if removing else ""
    commands = "\n".join(abandoned.commands(row))
    draft.end(reason, command.by)
    draft.move(Phase.ABANDONED, reason)
    draft.tell(
        EventKind.ENDED,
        f"{reason}; Teal writes nothing more for this rollout; "
        f"left as they are: {', '.join(left) or 'nothing was made'}"
        + "".join(f"; {one}" for one in changed)
        + remove,
        phase=Phase.ABANDONED.value,
        reason=reason,
        left=", ".join(left),
        changed="\n".join(changed),
        commands=commands,
        green_tenths=row.green_weight,
        scaling_suspended=row.blue_scaling.is_scaling_touched,
    )


def _finish(draft: Draft) -> Decision:
    draft.change(holds=tuple(draft.holds), ticked_at=draft.now)
    now_held = {(hold.kind, hold.clears_when) for hold in draft.holds}
    reasons = {(hold.kind, hold.clears_when): hold.reason for hold in draft.before.waiting.holds}
    for hold in draft.holds:
        was = reasons.get((hold.kind, hold.clears_when))
        if was is None or hold_reasons.is_another(hold, was):
            draft.tell(EventKind.HELD, hold.reason, hold=hold.kind.value, clears_when=hold.clears_when)
    # A decision to turn back drops every hold; what it was for may be as bad as before.
    gone = "cleared" if draft.before.end or not draft.row.end else "no longer waited for"
    for hold in draft.before.waiting.holds:
        if (hold.kind, hold.clears_when) not in now_held:
            draft.tell(
                EventKind.HOLD_CLEARED,
                f"{gone}: {hold.reason}",
                hold=hold.kind.value,
                clears_when=hold.clears_when,
            )
    _assert_promises(draft)
    return Decision(
        rollout=draft.row,
        wake_at=_wake_at(draft),
        effects=tuple(sorted(draft.effects, key=lambda effect: not getattr(effect, "to_safety", False))),
        events=tuple(draft.events),
        records=tuple(draft.records),
        outcomes=tuple(draft.outcomes),
    )


def _wake_at(draft: Draft) -> datetime | None:
    if draft.row.phase.is_final:
        return None
    if draft.row.phase is not draft.before.phase:
        return draft.now
    draft.wake_by(draft.next_look)
    if draft.effects:
        draft.wake_by(draft.now + min(draft.poll, LOOK_AFTER_EFFECT))
    return draft.wake_at


def _assert_promises(draft: Draft) -> None:
    """Programming errors that would break a promise stop this tick before anything is committed."""
    row = draft.row
    writes = [effect for effect in draft.effects if isinstance(effect, WriteRule)]
    for write in writes:
        assert write.green is None or 0 <= write.green <= ALL, f"{write.green} is no share"
    if row.phase is Phase.ROLLING_BACK and (row.retirement is None or row.way_out.is_way_clear):
        assert all(not write.green for write in writes), "a rollback never gives green anything"
    elif row.phase is Phase.ROLLING_BACK:  # blue is in the rules again before it has anything to give
        assert all(write.green in (None, NONE, ALL) for write in writes), (
            "green keeps what it has, or loses it"
        )
    if row.phase.blue_is_safe_side and draft.before.phase.blue_is_safe_side:
        tests = {rule.arn for rule in row.test_rules}  # nobody's users come by them
        writes = [write for write in writes if write.rule not in tests]
        grown = [w for w in writes if not w.to_safety and (w.green or 0) > draft.before.green_weight]
        assert not (grown and row.waiting.failed), "green's weight never grows after a failure"
    broken = contradiction(row)
    assert not broken, f"a decided row cannot be: {broken}"
