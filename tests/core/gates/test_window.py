"""Gate ``window``: what it answers by the clock, to whom, and what an override does."""

from datetime import timedelta
from typing import Any

import pytest

from orchestrator.core.domain.calendar import AtClose, Freeze, Opening, WindowSpec
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.verdict import Answer, Verdict
from orchestrator.core.gates.scene import Colour
from orchestrator.core.gates.window import judge
from tests.builders import NOON
from tests.core.gates.scenes import scene

HOUR = timedelta(hours=1)
FREEZE = Freeze(begins=NOON - HOUR, ends=NOON + HOUR, reason="the database moves")


def window(begins: float, ends: float, at_close: AtClose = AtClose.HOLD) -> WindowSpec:
    """Open on every day between two hours, UTC; the scene's is noon, on a Monday."""
    opening = Opening(days=tuple(range(7)), begins=begins * HOUR, ends=ends * HOUR)
    return WindowSpec(allow=(opening,), at_close=at_close)


def asked(spec: WindowSpec, override: str = "", **changes: Any) -> Answer:  # noqa: ANN401 - fields of Scene
    answer = judge(spec, scene(override=override, **changes))
    assert answer is not None
    return answer


@pytest.mark.parametrize(
    ("spec", "verdict", "reason"),
    [
        pytest.param(window(9, 17), Verdict.PASS, "open until Mon 2026-03-02 17:00 UTC", id="open"),
        pytest.param(window(12, 17), Verdict.PASS, "open until Mon 2026-03-02 17:00 UTC", id="just open"),
        pytest.param(
            window(9, 12), Verdict.HOLD, "closed: it is outside Mon-Sun 09:00-12:00 UTC", id="just closed"
        ),
        pytest.param(
            window(9, 12, AtClose.ROLLBACK),
            Verdict.FAIL,
            "the window has closed: it is outside Mon-Sun 09:00-12:00 UTC",
            id="closed, and the file says to roll back",
        ),
    ],
)
def test_the_clock_decides(spec: WindowSpec, verdict: Verdict, reason: str) -> None:
    answer = asked(spec)
    assert (answer.verdict, answer.reason) == (verdict, reason)


def test_a_hold_says_when_the_window_opens_and_is_no_matter_of_evidence() -> None:
    answer = asked(window(9, 12))
    assert answer.clears_when == "the window opens: Tue 2026-03-03 09:00 UTC"
    assert not answer.is_evidence


def test_a_freeze_holds_inside_the_window_and_where_there_is_none() -> None:
    for spec in (window(9, 17), WindowSpec()):
        answer = asked(spec, freezes=(FREEZE,))
        assert answer.verdict is Verdict.HOLD
        assert answer.reason == "closed: frozen until Mon 2026-03-02 13:00 UTC: the database moves"
        assert answer.clears_when == "the window opens: Mon 2026-03-02 13:00 UTC"


def test_an_override_passes_and_says_its_reason() -> None:
    answer = asked(window(9, 12, AtClose.ROLLBACK), "payments fail", freezes=(FREEZE,))
    assert (answer.verdict, answer.reason) == (Verdict.PASS, "overridden: payments fail")


def test_without_a_window_and_a_freeze_it_says_nothing() -> None:
    assert judge(WindowSpec(), scene()) is None


def test_blue_on_the_way_home_is_not_asked_for_its_hours() -> None:
    assert judge(window(9, 12), scene(judged=Colour.BLUE)) is None


def test_with_all_traffic_on_green_there_is_nothing_to_hold_back() -> None:
    assert asked(window(9, 12), weight=Tenths(1000)).verdict is Verdict.NOT_APPLICABLE
