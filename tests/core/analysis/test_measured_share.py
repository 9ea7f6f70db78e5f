"""Green's measured share beside its written weight: silent where chance explains the difference, and else why."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.core.analysis.measured_share import measured
from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.gates.scene import Counts, Interval
from orchestrator.core.rollout.progress import Bake
from orchestrator.core.rollout.rollout import Rollout
from tests.builders import NOON
from tests.core.stages import MINUTE, row


def at_ten_percent(*periods: tuple[int, int], weight: int = 100) -> Rollout:
    """A row whose periods had so many requests of green, of so many in all."""
    start = NOON - len(periods) * MINUTE
    taken = tuple(
        Interval(
            start=start + n * MINUTE,
            green=Counts(requests=green) if green else None,
            blue=Counts(requests=all_ - green) if all_ > green else None,
            weight=Tenths(weight),
        )
        for n, (green, all_) in enumerate(periods)
    )
    known = row(Phase.SHIFTING, weight=weight, bake=Bake(since=start - timedelta(seconds=10)))
    return replace(known, evidence=replace(known.evidence, intervals=taken))


@pytest.mark.parametrize("green", [70, 100, 130])
def test_a_share_that_chance_explains_is_measured_and_nothing_is_said(green: int) -> None:
    share = measured(at_ten_percent((100, 1000), (100, 1000), (green, 1000)))
    assert share is not None
    assert (share.green_percent, share.words) == (green / 10, "")


def test_a_share_far_off_without_cookies_names_connections_that_live_on() -> None:
    share = measured(at_ten_percent((40, 1000), (42, 1000), (41, 1000)))
    assert share is not None
    assert "connections that live on (keep-alive, WebSockets)" in share.words
    assert share.words.endswith("blue got 2877 of 3000 requests, 95.9 %, where its weight says 90 %")


def test_shares_that_vary_much_from_period_to_period_by_themselves_say_nothing() -> None:
    periods = ((160, 1000), (50, 1000), (150, 1000), (45, 1000))
    share = measured(at_ten_percent(*periods))
    assert share is not None
    assert share.words == ""


def test_a_handful_of_requests_says_nothing() -> None:
    share = measured(at_ten_percent((5, 20)))
    assert share is not None
    assert share.words == ""


def test_requests_that_stay_on_blue_beside_all_the_weight_of_green_are_told() -> None:
    share = measured(at_ten_percent((990, 1000), weight=1000))
    assert share is not None
    assert "blue got 10 of 1000 requests, 1.0 %, where its weight says 0 %" in share.words


def test_without_a_period_at_this_weight_nothing_is_measured() -> None:
    assert measured(at_ten_percent()) is None
    assert measured(at_ten_percent((0, 0))) is None
