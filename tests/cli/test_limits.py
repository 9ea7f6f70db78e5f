"""A person who waits is told for what, and for how long that may take."""

from datetime import UTC, datetime, timedelta

import pytest

from api.cli.output.rollout_sheet import plain, sheet
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.rollout import Hold, HoldKind, Lasted
from orchestrator.engine.views.rollout import view
from orchestrator.ports.rollouts import Stored
from tests.contract.store_values import a_rollout

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
AGO = NOW - timedelta(minutes=5)


def shown(phase: Phase, *holds: HoldKind) -> str:
    reasons = tuple(Hold(kind=kind, reason="a reason", clears_when="it is over", since=AGO) for kind in holds)
    row = changed(a_rollout("r1"), phase=phase, phase_since=AGO, holds=reasons, waiting_for="3 tasks")
    return "\n".join(plain(line) for line in sheet(view(Stored(rollout=row, version=1, wake_at=None)), NOW))


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        (
            Phase.PROVISIONING,
            "provisioning for 5 min of at most 15 min, then it is rolled back · waits for 3 tasks",
        ),
        (Phase.SETTLING, "settling for 5 min of at most 1 h, then people are paged"),
    ],
)
def test_phase_with_a_limit_names_it_and_what_is_done_then(phase: Phase, words: str) -> None:
    assert words in shown(phase)


def test_phase_says_how_long_it_took_last_time() -> None:
    row = changed(
        a_rollout("r1"),
        phase=Phase.PROVISIONING,
        phase_since=AGO,
        lasted_before=(Lasted(phase=Phase.PROVISIONING, time=timedelta(seconds=48)),),
    )
    text = "\n".join(plain(line) for line in sheet(view(Stored(rollout=row, version=1, wake_at=None)), NOW))
    assert "provisioning for 5 min (last time 48 s) of at most 15 min, then it is rolled back" in text


def test_hold_names_what_clears_it_and_its_limit() -> None:
    text = shown(Phase.SHIFTING, HoldKind.CAPACITY)
    assert "a reason (for 5 min)" in text
    assert "goes on once it is over; that may take 2 h at most" in text


@pytest.mark.parametrize("kind", [HoldKind.APPROVAL, HoldKind.PAUSED])
def test_hold_that_a_person_ends_has_no_limit(kind: HoldKind) -> None:
    assert "at most" not in shown(Phase.SHIFTING, kind)
