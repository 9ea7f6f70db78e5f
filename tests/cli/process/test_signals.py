"""What each signal means to a rollout in the foreground."""

import pytest

from api.cli.process.signals import OnInterrupt, Signals

ROLLBACK, LEAVE = OnInterrupt.ROLLBACK, OnInterrupt.LEAVE


@pytest.mark.parametrize(
    ("on_interrupt", "has_terminal", "came", "stops", "rolls_back"),
    [
        (ROLLBACK, True, "I", True, False),
        (ROLLBACK, True, "II", True, True),
        (ROLLBACK, True, "T", True, False),
        (ROLLBACK, True, "IT", True, False),
        (ROLLBACK, False, "I", True, False),
        (ROLLBACK, False, "T", True, True),
        (ROLLBACK, False, "IT", True, True),
        (LEAVE, True, "II", True, False),
        (LEAVE, False, "T", True, False),
        (LEAVE, False, "ITI", True, False),
    ],
)
def test_signals_stop_watching_and_roll_back_only_where_that_is_meant(
    on_interrupt: OnInterrupt, has_terminal: bool, came: str, stops: bool, rolls_back: bool
) -> None:
    signals = _after(came, on_interrupt, has_terminal)
    assert (signals.stop.is_set(), signals.rollback.is_set()) == (stops, rolls_back)
    assert not signals.enough.is_set()


def test_ctrl_c_during_the_way_back_stops_watching_it_and_sigterm_does_not() -> None:
    assert _after("III", ROLLBACK, True).enough.is_set()
    assert not _after("IITT", ROLLBACK, False).enough.is_set()


def test_second_ctrl_c_is_offered_only_where_it_would_roll_back() -> None:
    assert _after("I", ROLLBACK, True).may_still_roll_back
    assert not _after("I", LEAVE, True).may_still_roll_back
    assert not _after("II", ROLLBACK, True).may_still_roll_back


def _after(came: str, on_interrupt: OnInterrupt, has_terminal: bool) -> Signals:
    signals = Signals(on_interrupt=on_interrupt, has_terminal=has_terminal)
    for letter in came:
        signals.interrupt() if letter == "I" else signals.terminate()
    return signals
