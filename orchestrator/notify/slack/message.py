"""The one message of a rollout: Block Kit blocks and the text beside them, made from the row alone.

Pure: it knows neither Slack's API nor the time. The receiver beside it sends what is made here, and the Slack
door shows it where somebody asks for a rollout.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.text import counted, span
from orchestrator.core.domain.verdict import Verdict
from orchestrator.core.evaluation.approvals import current_step
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.engine.views.rollout import GateView, RolloutView, StepView, view
from orchestrator.notify.slack.buttons import actions
from orchestrator.notify.slack.text import (
    CONTEXT_MAX,
    FALLBACK_MAX,
    HEADER_MAX,
    bar,
    clipped,
    clock_time,
    escaped,
    joined,
    plain,
    revision_name,
)
from orchestrator.ports.rollouts import Stored

STEPS_AROUND = 3  # steps shown before and after the current one, of a long plan
_MARKS = {Verdict.PASS: "✓", Verdict.HOLD: "…", Verdict.FAIL: "✗", Verdict.NOT_APPLICABLE: "–"}
_STEP_MARKS = {"done": "✓", "current": "▶", "ahead": "·"}
_PHASE_MARKS = {
    Phase.SUCCEEDED: "✓",
    Phase.ROLLING_BACK: "↩",
    Phase.ROLLED_BACK: "↩",
    Phase.ABANDONED: "■",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What one person did, in words for people."""

    at: datetime
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What Slack is sent. ``text`` stands where blocks cannot: notifications and screen readers."""

    text: str
    blocks: tuple[dict[str, Any], ...] = field(default=())

    @property
    def digest(self) -> str:
        """The same for the same message."""
        text = json.dumps([self.text, self.blocks], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def render(stored: Stored, acts: Sequence[Act] = (), *, with_buttons: bool = True) -> Message:
    """A rollout as its message. ``acts``: what people did last, oldest first; a final state has no buttons."""
    row, seen = stored.rollout, view(stored)
    blocks: list[Block] = [
        HeaderBlock(text=PlainTextObject(text=_clipped_plain(_headline(row, seen)), emoji=False)),
        _section([_phase_line(row, seen), *_traffic(row, seen), *_ending(row)]),
    ]
    if not row.phase.is_final:
        blocks += _sections(_steps(row, seen), _waiting(row, seen), _gates(seen))
    if acts:
        blocks.append(_section([f"{clock_time(act.at)} {escaped(act.words)}" for act in acts]))
    buttons = actions(row) if with_buttons else None
    if buttons is not None:
        blocks.append(buttons)
    blocks.append(_context(row, seen))
    return Message(text=fallback(stored), blocks=tuple(block.to_dict() for block in blocks))


def fallback(stored: Stored) -> str:
    """A rollout in one line."""
    row, seen = stored.rollout, view(stored)
    words = f"{_headline(row, seen)}: {seen.phase.replace('_', ' ')}, {seen.green_percent:g} % on green"
    if row.end is not None:
        words += f"; {row.end.reason}"
    elif row.waiting.waiting_for and not _is_baking(seen):
        words += f"; waits for {row.waiting.waiting_for}"
    return clipped(escaped(words), FALLBACK_MAX)


def _headline(row: Rollout, seen: RolloutView) -> str:
    return f"{_mark(row)} {seen.service} → {revision_name(seen.revision)}"


def _mark(row: Rollout) -> str:
    if row.phase in _PHASE_MARKS:
        return _PHASE_MARKS[row.phase]
    if row.pause.paused_by is not None or row.waiting.failed:
        return "⏸"
    return "✋" if any(hold.kind is HoldKind.APPROVAL for hold in row.waiting.holds) else "▶"


def _clipped_plain(text: str) -> str:
    text = plain(text)
    return text if len(text) <= HEADER_MAX else f"{text[: HEADER_MAX - 1]}…"


def _section(lines: Sequence[str]) -> SectionBlock:
    return SectionBlock(text=MarkdownTextObject(text=joined(lines)))


def _sections(*parts: Sequence[str]) -> list[Block]:
    return [_section(lines) for lines in parts if lines]


def _phase_line(row: Rollout, seen: RolloutView) -> str:
    words = f"*{seen.phase.replace('_', ' ')}*"
    if row.phase in (Phase.SHIFTING, Phase.WATCHING):
        # The steps of `auto` are planned one by one, so nobody knows yet how many there will be.
        of = "" if row.spec.plan.auto is not None else f" of {len(seen.steps)}"
        words += f", step {seen.step}{of} of plan {escaped(seen.plan)}"
    since = seen.phase_since
    return f"{words} since {clock_time(since)}" if since is not None else words


def _traffic(row: Rollout, seen: RolloutView) -> list[str]:
    """Green's share as a bar, with what was measured of it; none once it has succeeded: there is no green any more."""
    if row.phase is Phase.SUCCEEDED:
        return []
    lines = [f"`{bar(seen.green_percent)}` on green"]
    if seen.measured_percent is not None:
        words = f"green got {seen.measured_percent:g} % of the last period's requests"
        lines.append(escaped(f"{words}; {seen.share_differs}" if seen.share_differs else words))
    return lines


def _ending(row: Rollout) -> list[str]:
    """Why it ended or goes back, and how soon traffic was off green."""
    if row.end is None:
        return []
    lines = [escaped(row.end.reason)]
    if row.phase in (Phase.ROLLING_BACK, Phase.ROLLED_BACK):
        on_blue = row.end.traffic_on_blue_at
        if on_blue is None:
            lines.append("Traffic is on its way back to blue.")
        else:
            lines.append(
                f"All traffic is on blue since {clock_time(on_blue)}, {_after(on_blue - row.end.at)}."
            )
    return lines


def _after(took: timedelta) -> str:
    return f"{span(took)} after the decision"


def _steps(row: Rollout, seen: RolloutView) -> list[str]:
    """The plan's steps, and where it is; none on the way back."""
    if row.phase is Phase.ROLLING_BACK:
        return []
    shown = seen.steps
    if len(shown) > 2 * STEPS_AROUND + 1:
        current = max(seen.step - 1, 0)
        shown = shown[max(current - STEPS_AROUND, 0) : current + STEPS_AROUND + 1]
    lines = [_step(row, seen, step) for step in shown]
    if shown and shown[0].number > 1:
        lines.insert(0, f"✓ {counted(shown[0].number - 1, 'step')} before")
    if shown and shown[-1].number < len(seen.steps):
        lines.append(f"· {counted(len(seen.steps) - shown[-1].number, 'step')} more")
    return lines


def _step(row: Rollout, seen: RolloutView, step: StepView) -> str:
    words = f"{_STEP_MARKS[step.state]} {step.weight_percent:g} % for {span(timedelta(seconds=step.bake_seconds))}"
    if step.approval:
        words += ", then an approval"
    left, looked = seen.bake_left_seconds, row.ticks.ticked_at
    if step.state == "current" and left and looked is not None and row.pause.paused_by is None:
        # To the minute, so that the message does not change with every look.
        minutes = math.ceil((looked.timestamp() + left) / 60)
        words += f" – until about {clock_time(datetime.fromtimestamp(minutes * 60, UTC))}"
    return words


def _waiting(row: Rollout, seen: RolloutView) -> list[str]:
    """Holds with what clears them; without any, what the next move waits for."""
    lines = []
    shown = {gate.clears_when for gate in seen.gates if gate.verdict == Verdict.HOLD}
    if row.pause.paused_by is not None:
        why = f": {row.pause.pause_reason}" if row.pause.pause_reason else ""
        lines.append(f"⏸ paused by {escaped(row.pause.paused_by.name + why)}")
    for hold in row.waiting.holds:
        is_told = hold.kind is HoldKind.PAUSED and row.pause.paused_by is not None
        if is_told or (hold.kind is HoldKind.GATE and hold.clears_when in shown):
            continue
        clears = f" – until {escaped(hold.clears_when)}" if hold.clears_when else ""
        lines.append(f"⏳ {escaped(hold.reason)}{clears} (since {clock_time(hold.since)})")
        if hold.kind is HoldKind.APPROVAL:
            lines.append(_who_approves(row))
    if not lines and row.waiting.waiting_for and not _is_baking(seen):
        lines.append(f"⏳ waits for {escaped(row.waiting.waiting_for)}")
    return lines


def _is_baking(seen: RolloutView) -> bool:
    """True while time alone is waited for, which stands beside its step, and would be old at once in words."""
    return bool(seen.bake_left_seconds) and not seen.holds


def _who_approves(row: Rollout) -> str:
    spec = row.spec.approval
    people = ", ".join(name.removeprefix("group:") for name in spec.approvers) or "anybody who may approve"
    words = f"{counted(spec.required, 'approval')} by {people}"
    if spec.not_author:
        words += f", not by its author {row.author.name}"
    given = ", ".join(one.by.name for one in row.progress.approvals if one.step == current_step(row))
    return escaped(f"{words}; so far by {given}" if given else words)


def _gates(seen: RolloutView) -> list[str]:
    """Every gate's answer; that of `approval` stands where the rollout waits for it."""
    is_waiting = any(hold.kind == HoldKind.APPROVAL for hold in seen.holds)
    return [_gate(one) for one in seen.gates if not (is_waiting and one.gate == "approval")]


def _gate(gate: GateView) -> str:
    clears = f" – until {escaped(gate.clears_when)}" if gate.clears_when else ""
    verdict = gate.verdict.replace("_", " ")
    return f"{_MARKS[Verdict(gate.verdict)]} *{escaped(gate.gate)}* {verdict}: {escaped(gate.reason)}{clears}"


def _context(row: Rollout, seen: RolloutView) -> ContextBlock:
    former = f"{revision_name(seen.former)} → {revision_name(seen.revision)}" if seen.former else ""
    started = f"started by {escaped(seen.author)} {clock_time(row.created_at)}"
    labels = [escaped(f"{name} {text}") for name, text in row.spec.labels]
    parts = [f"`{escaped(row.id)}`", escaped(former), started, *labels]
    words = " · ".join(part for part in parts if part)
    return ContextBlock(elements=[MarkdownTextObject(text=clipped(words, CONTEXT_MAX))])
