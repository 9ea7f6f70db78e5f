"""A rollout for auditors: who, what, when and why, from its log alone, and whether that log is whole.

The row says how things stand and forgets what is over; the log keeps everything. So the report tells the story from
the log, and takes from the row what was asked for.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from orchestrator.core.domain.commands import CommandKind, CommandState
from orchestrator.core.domain.event_chain import first_broken
from orchestrator.core.domain.events import EventKind, Fact
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.engine.views.report_parts import (
    ChainPart,
    CommandPart,
    EndPart,
    GatePart,
    HoldPart,
    MovePart,
    Report,
    StartPart,
    StepPart,
    TurnPart,
    WeightPart,
)
from orchestrator.engine.views.rollout import StepView, view
from orchestrator.ports.rollouts import EventLog, EventSeen, ReportStore

PAGE = 1000


async def report(store: ReportStore, rollout: RolloutId) -> Report:
    """The report of a rollout, whatever its phase. Raises NotFound."""
    stored = await store.load(rollout)
    log = await _whole_log(store, rollout)
    commands = _commands(stored.rollout, log)
    shown = view(stored)
    return Report(
        rollout=shown,
        start=_start(stored.rollout, log),
        moves=tuple(
            MovePart(at=seen.event.at, phase=_text(seen, "end"), why=seen.event.message)
            for seen in _of(log, EventKind.PHASE_CHANGED)
        ),
        steps=tuple(_step(step, log) for step in shown.steps),
        weights=tuple(
            WeightPart(at=seen.event.at, rule=_text(seen, "rule"), green_percent=_percent(seen))
            for seen in _of(log, EventKind.WEIGHT_VERIFIED)
        ),
        gates=tuple(_gate(seen) for seen in _of(log, EventKind.GATE_ANSWERED)),
        approvals=tuple(
            one
            for one in commands
            if one.command == CommandKind.APPROVE and one.state == CommandState.APPLIED
        ),
        commands=commands,
        holds=_holds(log),
        drift=tuple(seen.event.message for seen in _of(log, EventKind.DRIFT_FOUND)),
        turned_back=_turn(log),
        end=_end(log),
        chain=_chain(log, stored.events),
    )


async def _whole_log(store: EventLog, rollout: RolloutId) -> tuple[EventSeen, ...]:
    log: list[EventSeen] = []
    while page := await store.events(rollout, after=log[-1].number if log else 0, limit=PAGE):
        log += page
        if len(page) < PAGE:
            break
    return tuple(log)


def _start(row: Rollout, log: Iterable[EventSeen]) -> StartPart:
    seen = next(_of(log, EventKind.STARTED), None)
    return StartPart(
        at=row.created_at,
        by=row.author.name,
        source=row.author.source,
        images=_text(seen, "images") if seen is not None else "",
    )


def _step(step: StepView, log: tuple[EventSeen, ...]) -> StepPart:
    def last(kind: EventKind) -> datetime | None:
        times = [seen.event.at for seen in _of(log, kind) if _facts(seen).get("step") == step.number]
        return times[-1] if times else None

    return StepPart(
        number=step.number,
        weight_percent=step.weight_percent,
        bake_seconds=step.bake_seconds,
        approval=step.approval,
        started_at=last(EventKind.STEP_STARTED),
        passed_at=last(EventKind.STEP_PASSED),
    )


def _gate(seen: EventSeen) -> GatePart:
    gate, verdict = _text(seen, "gate"), _text(seen, "verdict")
    reason = seen.event.message.removeprefix(f"{gate}: {verdict}: ")
    return GatePart(at=seen.event.at, gate=gate, verdict=verdict, reason=reason)


def _commands(row: Rollout, log: Iterable[EventSeen]) -> tuple[CommandPart, ...]:
    states = {
        EventKind.COMMAND_APPLIED: CommandState.APPLIED,
        EventKind.COMMAND_OVERTAKEN: CommandState.OVERTAKEN,
    }
    approved = {(given.by.name, given.at): given.step + 1 for given in row.progress.approvals}
    parts, step = [], 0
    for seen in log:
        event = seen.event
        if event.kind is EventKind.STEP_STARTED:
            reached = _facts(seen).get("step")
            step = reached if isinstance(reached, int) else step
        if event.kind not in states:
            continue
        by = _text(seen, "by")
        parts.append(
            CommandPart(
                at=event.at,
                by=by,
                source=_text(seen, "source"),
                command=_text(seen, "command"),
                reason=_text(seen, "reason"),
                state=states[event.kind].value,
                told=event.message,
                step=approved.get((by, event.at), step),
            )
        )
    return tuple(parts)


def _holds(log: Iterable[EventSeen]) -> tuple[HoldPart, ...]:
    """Every hold, in the order in which they began."""
    parts: list[HoldPart] = []
    for seen in log:
        if seen.event.kind is EventKind.HELD:
            parts.append(
                HoldPart(
                    since=seen.event.at,
                    until=None,
                    kind=_text(seen, "hold"),
                    reason=seen.event.message,
                    clears_when=_text(seen, "clears_when"),
                )
            )
        elif seen.event.kind is EventKind.HOLD_CLEARED:
            place = next((n for n, hold in enumerate(parts) if _clears(seen, hold)), None)
            if place is not None:
                parts[place] = replace(parts[place], until=seen.event.at)
    return tuple(parts)


def _clears(seen: EventSeen, hold: HoldPart) -> bool:
    """True if this event ends this hold. Logs of older versions name the reason alone."""
    if hold.until is not None or hold.kind != _text(seen, "hold"):
        return False
    clears_when = _facts(seen).get("clears_when")
    if clears_when is None:
        return seen.event.message.partition(": ")[2] == hold.reason
    return clears_when == hold.clears_when


def _turn(log: Iterable[EventSeen]) -> TurnPart | None:
    turn: TurnPart | None = None
    for seen in log:
        event = seen.event
        if event.kind is EventKind.ROLLBACK_DECIDED:
            reason = event.message.removeprefix("rolling back: ")
            by, source = _text(seen, "by"), _text(seen, "source")
            turn = TurnPart(at=event.at, by=by, source=source, reason=reason, traffic_on_blue_at=None)
        elif event.kind is EventKind.TRAFFIC_ON_BLUE and turn is not None:
            turn = replace(turn, traffic_on_blue_at=event.at)
    return turn


def _end(log: Iterable[EventSeen]) -> EndPart | None:
    seen = next(_of(log, EventKind.ENDED), None)
    if seen is None:
        return None
    return EndPart(at=seen.event.at, phase=_text(seen, "phase"), told=seen.event.message)


def _chain(log: tuple[EventSeen, ...], counted: int) -> ChainPart:
    """`counted`: how many events the row says there are, which shows a log that was cut off at its end."""
    broken = first_broken((seen.rollout, seen.number, seen.event, seen.chain) for seen in log)
    missing = max(0, counted - len(log))
    if missing and broken is None:
        broken = len(log) + 1
    return ChainPart(
        events=len(log),
        is_whole=broken is None,
        first_broken=broken,
        missing=missing,
        last=log[-1].chain if log else "",
    )


def _of(log: Iterable[EventSeen], kind: EventKind) -> Iterator[EventSeen]:
    return (seen for seen in log if seen.event.kind is kind)


def _facts(seen: EventSeen) -> Mapping[str, Fact]:
    return dict(seen.event.facts)


def _text(seen: EventSeen, name: str) -> str:
    found = _facts(seen).get(name)
    return "" if found is None else str(found)


def _percent(seen: EventSeen) -> float | None:
    tenths = _facts(seen).get("green_tenths")
    return tenths / 10 if isinstance(tenths, int) else None
