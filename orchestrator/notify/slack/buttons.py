"""The buttons of a rollout's message and the dialog behind two of them: what each is bound to, and how it is read back.

The Slack door (`api.slack`) answers them. What a click carries is the rollout and the step it was shown for; who may
give the command is judged when it is pressed.
"""

import json
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    ButtonElement,
    ConfirmObject,
    InputBlock,
    MarkdownTextObject,
    PlainTextInputElement,
    PlainTextObject,
    SectionBlock,
)
from slack_sdk.models.views import View

from orchestrator.core.apply_commands import refusal
from orchestrator.core.domain.commands import Actor, Command, CommandKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.evaluation.approvals import current_step
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.notify.slack.text import clipped, escaped

PREFIX = "teal_"  # of every action_id and callback_id of Teal's
REASON_BLOCK, REASON = "reason", "text"
REASON_MAX = 1000  # as at the other doors

WORDS = {
    CommandKind.APPROVE: "Approve",
    CommandKind.REJECT: "Reject",
    CommandKind.PAUSE: "Pause",
    CommandKind.RESUME: "Resume",
    CommandKind.PROMOTE: "Promote",
    CommandKind.ROLLBACK: "Roll back",
}
ASKS_WHY = frozenset({CommandKind.REJECT, CommandKind.ROLLBACK})
# What takes traffic off green, or keeps it where it is, is wanted at any step: a click a step late is obeyed.
HOLDS_AT_ANY_STEP = frozenset({CommandKind.PAUSE, CommandKind.ROLLBACK})
_STYLES = {
    CommandKind.APPROVE: "primary",
    CommandKind.REJECT: "danger",
    CommandKind.ROLLBACK: "danger",
}
_NOBODY = Actor(name="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What a button or dialog was shown for. ``step`` counts from 1; 0: before the first traffic."""

    rollout: RolloutId
    step: int
    channel: str = ""  # of a dialog: where its message stands

    def written(self) -> str:
        """As text for a button's value or a dialog's metadata."""
        told = {"rollout": self.rollout, "step": self.step}
        return json.dumps({**told, "channel": self.channel} if self.channel else told, separators=(",", ":"))


def read_bound(text: object) -> Bound | None:
    """What a button or dialog carried; None if Teal did not write it."""
    try:
        told = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if not isinstance(told, dict):
        return None
    rollout, step, channel = told.get("rollout"), told.get("step"), told.get("channel", "")
    if not isinstance(rollout, str) or type(step) is not int or not isinstance(channel, str):
        return None
    return Bound(rollout=RolloutId(rollout), step=step, channel=channel)


def bound_to(row: Rollout) -> Bound:
    """What a button shown now is bound to."""
    return Bound(rollout=row.id, step=current_step(row) + 1)


def kind_of(action_id: object) -> CommandKind | None:
    """The command that a button or dialog gives, by its action or callback id."""
    if not isinstance(action_id, str) or not action_id.startswith(PREFIX):
        return None
    return next((kind for kind in WORDS if action_id == PREFIX + kind.value), None)


def offered(row: Rollout) -> tuple[CommandKind, ...]:
    """The commands that make sense now, in the order in which their buttons stand."""
    is_waiting = any(hold.kind is HoldKind.APPROVAL for hold in row.holds)
    kinds = [CommandKind.APPROVE, CommandKind.REJECT] if is_waiting else []
    kinds.append(CommandKind.RESUME if _makes_sense(row, CommandKind.RESUME) else CommandKind.PAUSE)
    if not is_waiting and not row.paused_by:
        kinds.append(CommandKind.PROMOTE)
    kinds.append(CommandKind.ROLLBACK)
    return tuple(kind for kind in kinds if kind is CommandKind.APPROVE or _makes_sense(row, kind))


def _makes_sense(row: Rollout, kind: CommandKind) -> bool:
    return not refusal(row, Command(key="", kind=kind, by=_NOBODY, at=row.created_at))


def actions(row: Rollout) -> ActionsBlock | None:
    """The buttons of a rollout; None where none makes sense."""
    value = bound_to(row).written()
    buttons = [
        ButtonElement(
            text=PlainTextObject(text=WORDS[kind], emoji=False),
            action_id=PREFIX + kind.value,
            value=value,
            style=_STYLES.get(kind),
            confirm=_confirm(row) if kind is CommandKind.PROMOTE else None,
        )
        for kind in offered(row)
    ]
    return ActionsBlock(block_id="teal_buttons", elements=buttons) if buttons else None


def _confirm(row: Rollout) -> ConfirmObject:
    words = (
        f"This waives what is left of step {current_step(row) + 1}'s time, and the evidence that is still missing. "
        "It waives no failure, no health and no drift."
    )
    return ConfirmObject(title="Promote?", text=PlainTextObject(text=words), confirm="Promote", deny="Wait")


def dialog(kind: CommandKind, row: Rollout, bound: Bound) -> dict[str, Any]:
    """The dialog that asks for a reason before a reject or a rollback."""
    name = f"*{escaped(str(row.spec.service))}*, `{escaped(row.id)}`"
    what = f"{name}: all traffic goes back to blue, then green is removed."
    view = View(
        type="modal",
        callback_id=PREFIX + kind.value,
        title=PlainTextObject(text=WORDS[kind], emoji=False),
        submit=PlainTextObject(text=WORDS[kind], emoji=False),
        close=PlainTextObject(text="Cancel", emoji=False),
        private_metadata=bound.written(),
        blocks=[
            SectionBlock(block_id="what", text=MarkdownTextObject(text=clipped(what, 3000))),
            InputBlock(
                block_id=REASON_BLOCK,
                label=PlainTextObject(text="Reason", emoji=False),
                hint=PlainTextObject(
                    text="It is kept in the audit log and shown in the message.", emoji=False
                ),
                element=PlainTextInputElement(action_id=REASON, multiline=True, max_length=REASON_MAX),
            ),
        ],
    )
    return view.to_dict()
