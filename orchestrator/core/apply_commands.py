"""People's commands: which may be accepted where the rollout stands, and what each does to the row.

Acceptance is checked twice with the same function: when the command comes in, and when a tick applies it, since the
rollout may have moved on in between (then the command is overtaken, and says so).
"""

from dataclasses import replace

from orchestrator.core.analysis import baseline
from orchestrator.core.analysis.bake import go_to_step
from orchestrator.core.domain.commands import ACCEPTED, Actor, Command, CommandKind, CommandState, Outcome
from orchestrator.core.domain.events import EventKind
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import percent
from orchestrator.core.evaluation.approvals import BEFORE_TRAFFIC, current_step, needs_first_approval
from orchestrator.core.gates.gathered import Probed
from orchestrator.core.rollout.progress import Approval, Loss
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.scaling import blue_floor
from orchestrator.core.statistics.comparison import anew
from orchestrator.core.tick.draft import Draft


def refusal(row: Rollout, command: Command) -> str:
    """Why a command makes no sense now, in words; empty if it may be accepted."""
    if command.kind not in ACCEPTED[row.phase]:
        others = ", ".join(sorted(ACCEPTED[row.phase])) or "nothing more"
        is_late = command.kind is CommandKind.ROLLBACK and row.phase is Phase.SUCCEEDED
        instead = f" ({_undo(row)})" if is_late else ""
        return f"{command.kind} is not accepted while the rollout is {row.phase}{instead}; it now accepts {others}"
    if command.step is not None and command.step != current_step(row):
        return f"it was given for step {command.step + 1}, and the rollout is at step {current_step(row) + 1}"
    match command.kind:
        case CommandKind.APPROVE:
            return _approve_refusal(row, command)
        case CommandKind.PAUSE:
            return f"it is already paused by {row.pause.paused_by.name}" if row.pause.paused_by else ""
        case CommandKind.RESUME:
            is_stopped = (
                row.pause.paused_by
                or row.waiting.failed
                or (row.handover.attempts and row.handover.attempts[-1].is_failed)
                or (row.blue_scaling.holding and row.blue_scaling.holding.theirs)
            )
            return "" if is_stopped else "it is not paused"
        case CommandKind.BACK | CommandKind.PROMOTE:
            return (
                _back_refusal(row, command)
                if command.kind is CommandKind.BACK
                else _full_refusal(row, command)
            )
        case CommandKind.ROLLBACK | CommandKind.REJECT:
            return _way_back_refusal(row, command)
        case _:
            return ""


def _undo(row: Rollout) -> str:
    return f"`teal start --undo {row.id}` rolls the former revision out again"


def _way_back_refusal(row: Rollout, command: Command) -> str:
    if row.blue_loss is Loss.DELETED:
        name = row.spec.service.service
        return f"{name} was deleted, so there is nothing to go back to; abandon leaves green as it is"
    if command.kind is CommandKind.ROLLBACK and row.green is not None and row.green.is_leaving:
        return f"green is being removed; once it is gone, {_undo(row)}"
    if row.retirement is not None and row.retirement.is_clearing:
        return f"blue's target groups are being deleted; once they are gone, {_undo(row)}"
    return ""


def accepted(row: Rollout) -> tuple[CommandKind, ...]:
    """Which commands somebody who may give them all could give now, in the order in which people read them."""
    earlier = _earlier_weights(row)
    nobody = Actor(name="")
    given = (
        Command(key="", kind=kind, by=nobody, at=row.created_at, to=earlier[-1] if earlier else None)
        for kind in CommandKind
        if kind in ACCEPTED[row.phase]
    )
    return tuple(
        command.kind
        for command in given
        if not (_needs_no_approval(row) if command.kind is CommandKind.APPROVE else refusal(row, command))
    )


def _needs_no_approval(row: Rollout) -> str:
    step = current_step(row)
    if step == BEFORE_TRAFFIC:
        is_wanted, words = needs_first_approval(row), "nothing waits for an approval before the first traffic"
    else:
        is_wanted = (
            step < len(row.plan.steps) and row.plan.steps[step].approval
        )  # `auto` may not have planned it yet
        words = f"step {step + 1} needs no approval"
    return "" if is_wanted else words


def _approve_refusal(row: Rollout, command: Command) -> str:
    if unwanted := _needs_no_approval(row):
        return unwanted
    step = current_step(row)
    approvers = row.spec.approval.approvers
    if approvers and not command.by.is_among(approvers):
        return f"{command.by.name} is not among the approvers: {', '.join(approvers)}"
    if row.spec.approval.not_author and command.by.identity == row.author.identity:
        return f"{command.by.name} started the rollout, and its author may not approve it"
    if any(a.by.identity == command.by.identity and a.step == step for a in row.progress.approvals):
        return f"{command.by.name} has already approved this step"
    return ""


def _back_refusal(row: Rollout, command: Command) -> str:
    earlier = _earlier_weights(row)
    if not earlier:
        return "this is the first step: there is no earlier one (rollback takes all traffic off green)"
    if command.to not in earlier:
        return f"name the weight of an earlier step: {', '.join(percent(weight) for weight in earlier)}"
    return ""


def _earlier_weights(row: Rollout) -> tuple[Tenths, ...]:
    """The weights that one may go back to, each at the index of its step."""
    return tuple(step.weight for step in row.plan.steps[: row.progress.step])


def _full_refusal(row: Rollout, command: Command) -> str:
    """A promotion waives time and evidence; what a person must say, another person's haste does not."""
    steps = row.plan.steps
    for number in range(row.progress.step, len(steps) - 1) if command.full else ():
        people = {approval.by.identity for approval in row.progress.approvals if approval.step == number}
        if steps[number].approval and len(people) < row.spec.approval.required:
            return f"step {number + 1} needs an approval, which a promotion to the last step would pass by"
    return ""


def apply_commands(draft: Draft) -> Command | None:
    """Apply people's commands; returns the rollback, reject or abandon that ends this rollout, if there is one."""
    ending: Command | None = None
    for command in draft.seen.commands:
        why = refusal(draft.row, command)
        if not why and ending is not None:
            why = f"{ending.kind} by {ending.by.name} came first"
        if why:
            draft.outcomes.append(Outcome(key=command.key, state=CommandState.OVERTAKEN, text=why))
            draft.tell(
                EventKind.COMMAND_OVERTAKEN, f"{command.kind} by {command.by.name}: {why}", **_facts(command)
            )
            continue
        if command.kind in (CommandKind.ROLLBACK, CommandKind.REJECT, CommandKind.ABANDON):
            ending = command
        else:
            _apply(draft, command)
        words = f"{command.kind} by {command.by.name}" + (f": {command.reason}" if command.reason else "")
        draft.outcomes.append(Outcome(key=command.key, state=CommandState.APPLIED, text=words))
        draft.tell(EventKind.COMMAND_APPLIED, words, **_facts(command))
    return ending


def _facts(command: Command) -> dict[str, str]:
    return {
        "command": command.kind.value,
        "by": command.by.name,
        "source": command.by.source,
        "reason": command.reason,
        "key": command.key,
    }


def _apply(draft: Draft, command: Command) -> None:
    row = draft.row
    match command.kind:
        case CommandKind.APPROVE:
            approval = Approval(by=command.by, step=current_step(row), at=draft.now)
            draft.change(approvals=(*row.progress.approvals, approval))
        case CommandKind.PAUSE:
            draft.change(paused_by=command.by, pause_reason=command.reason)
        case CommandKind.RESUME:
            attempts = row.handover.attempts
            if attempts and attempts[-1].is_failed:
                # Only a person may have blue updated once more: the next tick records a new attempt.
                attempts = (*attempts[:-1], replace(attempts[-1], is_retried=True))
            if row.waiting.failed and row.phase is Phase.PROVISIONING:
                _try_green_anew(draft)
            if row.waiting.failed:
                go_to_step(draft, row.progress.step)
                # What failed it would fail it again at once: a person has seen it and lets it go on.
                draft.change(
                    stops_count_from=draft.now,
                    judged_from=draft.now,
                    comparison=anew(draft.row.evidence.comparison),
                )
                baseline.tell(draft)
            blue_floor.accept(draft)
            draft.change(paused_by=None, pause_reason="", attempts=attempts, paged=())
        case CommandKind.PROMOTE:
            is_leaping = command.full and row.progress.step < len(row.plan.steps) - 1
            draft.change(waived_step=row.progress.step, is_leaping=is_leaping)
        case CommandKind.BACK:
            index = _earlier_weights(row).index(command.to)
            if row.phase is Phase.WATCHING:
                draft.move(Phase.SHIFTING, f"{command.by.name} goes back to step {index + 1}")
            go_to_step(draft, index)
            draft.change(judged_from=draft.now, steps=draft.row.progress.steps[: index + 1])
        case CommandKind.REJECT | CommandKind.ROLLBACK | CommandKind.ABANDON:
            raise AssertionError("these end the rollout and are applied by decide()")


def _try_green_anew(draft: Draft) -> None:
    """A person has seen what failed before traffic: green is probed once more, and webhooks are asked again."""
    probed = draft.row.checks.probed
    anew = None if probed is None else Probed(attempt=probed.attempt + 1, since=draft.now)
    draft.change(probed=anew, questions=())
