"""Which commands of a person would end what holds a rollout, as far as one would."""

from collections.abc import Collection

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.rollout.rollout import Hold, HoldKind, Rollout

_K = CommandKind
_ENDS: dict[HoldKind, tuple[CommandKind, ...]] = {
    HoldKind.PAUSED: (_K.RESUME,),
    HoldKind.APPROVAL: (_K.APPROVE, _K.REJECT),
    HoldKind.FAILED: (_K.RESUME, _K.ROLLBACK),
    HoldKind.BLUE: (_K.RESUME, _K.ROLLBACK),
    HoldKind.SCALING: (_K.RESUME,),
    HoldKind.STORE: (_K.ROLLBACK, _K.ABANDON),
    HoldKind.GATE: (_K.PROMOTE,),
}


def commands_that_end(row: Rollout, hold: Hold, may: Collection[CommandKind]) -> tuple[str, ...]:
    """Those of the commands that are accepted now (`may`) that would end this hold.

    Empty where only time, AWS or its own cause does.
    """
    kinds = () if hold.kind is HoldKind.GATE and not _is_evidence(row, hold) else _ENDS.get(hold.kind, ())
    found = tuple(kind.value for kind in kinds if kind in may)
    return found or ((_K.ABANDON.value,) if hold.kind is HoldKind.FAILED and _K.ABANDON in may else ())


def _is_evidence(row: Rollout, hold: Hold) -> bool:
    """True where a promotion waives it: never a failure, health or drift."""
    answers = (judged.answer for judged in row.answers)
    return any(
        one.is_evidence and one.clears_when == hold.clears_when and hold.reason.startswith(f"{one.gate}: ")
        for one in answers
    )
