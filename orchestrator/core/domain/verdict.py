"""What a gate answers. One FAIL outweighs every HOLD, and one HOLD every PASS; the phases see to that."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Verdict(StrEnum):
    """A gate's answer. ``not_applicable``: the question makes no sense where the rollout stands."""

    FAIL = "fail"
    HOLD = "hold"
    PASS = "pass"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One gate's answer, its reason in a person's words, and the numbers behind it."""

    gate: str
    verdict: Verdict
    reason: str
    clears_when: str = ""  # for a HOLD: what would clear it
    numbers: tuple[tuple[str, float], ...] = ()
    is_evidence: bool = True  # a HOLD of evidence may be waived by promote; health and capacity never
    wants_control: bool = False  # a HOLD that only blue with its control group back can settle
    sure_after: timedelta | None = (
        None  # a FAIL that one look may be wrong about: all looks so long must agree
    )
    doubted_since: datetime | None = (
        None  # a HOLD in the place of such a FAIL: every look since then found it
    )


Numbers = Mapping[str, float]


def passed(gate: str, reason: str, *, numbers: Numbers | None = None) -> Answer:
    """A PASS."""
    return Answer(gate=gate, verdict=Verdict.PASS, reason=reason, numbers=_pairs(numbers))


def hold(
    gate: str, reason: str, *, clears_when: str, is_evidence: bool = True, numbers: Numbers | None = None
) -> Answer:
    """A HOLD: not enough is known, or not everything is ready."""
    return Answer(
        gate=gate,
        verdict=Verdict.HOLD,
        reason=reason,
        clears_when=clears_when,
        numbers=_pairs(numbers),
        is_evidence=is_evidence,
    )


def fail(
    gate: str, reason: str, *, numbers: Numbers | None = None, sure_after: timedelta | None = None
) -> Answer:
    """A FAIL: the evidence is against what is judged. `sure_after`: only once all looks for so long agree."""
    return Answer(
        gate=gate, verdict=Verdict.FAIL, reason=reason, numbers=_pairs(numbers), sure_after=sure_after
    )


def _pairs(numbers: Numbers | None) -> tuple[tuple[str, float], ...]:
    return tuple((name, float(value)) for name, value in (numbers or {}).items())


def not_applicable(gate: str, reason: str) -> Answer:
    """The gate has nothing to say here, and says so."""
    return Answer(gate=gate, verdict=Verdict.NOT_APPLICABLE, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An answer and when it was given."""

    answer: Answer
    at: datetime
