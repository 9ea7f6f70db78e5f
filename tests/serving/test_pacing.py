"""Whoever is refused again and again waits; nobody else does, and no command."""

from contextlib import ExitStack, suppress
from typing import Any, cast

import pytest

from api.auth.bearer import Authenticator
from api.http.request.pacing import CALLERS_MAX, FREE, LONGEST_SECONDS, PER_SECOND, Pacing
from api.http.request.server_state import Door
from api.http.telemetry.metrics import DoorMeters
from api.problems import Busy, TooMany
from orchestrator.bootstrap import BehindDoors
from orchestrator.settings import Bounds

QUARTER = 250 * 1024


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_person_who_mistypes_a_file_all_afternoon_never_waits() -> None:
    pacing = Pacing(clock := Clock())
    for _ in range(500):
        pacing.refused("author", body_bytes=4000)
        assert pacing.owes("author") == 0
        clock.seconds += 5


def test_large_bodies_that_are_refused_cost_their_caller_about_a_second_each_and_nobody_else() -> None:
    pacing = Pacing(clock := Clock())
    served = 0
    while clock.seconds < 60:
        pacing.refused("hostile", body_bytes=QUARTER)
        served += 1
        clock.seconds += max(0.01, pacing.owes("hostile"))
    assert served < 75
    assert pacing.owes("operator") == 0


def test_nobody_waits_longer_than_a_few_seconds_nor_for_ever_after() -> None:
    pacing = Pacing(clock := Clock())
    for _ in range(10_000):
        pacing.refused("hostile", is_too_many=True)
    assert pacing.owes("hostile") == LONGEST_SECONDS
    clock.seconds += LONGEST_SECONDS + FREE / PER_SECOND
    assert pacing.owes("hostile") == 0


def test_callers_without_number_take_no_room_without_bound_and_free_none_who_owes() -> None:
    pacing = Pacing(Clock())
    for _ in range(100):
        pacing.refused("hostile", is_too_many=True)
    for number in range(CALLERS_MAX * 2):
        pacing.refused(f"somebody {number}")
    assert len(pacing._of) <= CALLERS_MAX
    assert pacing.owes("hostile") > 0


def test_who_owes_is_known_by_what_a_request_says_of_its_caller() -> None:
    pacing = Pacing(clock := Clock())
    for _ in range(100):
        pacing.refused("hostile", key=b"Bearer one", is_too_many=True)
    assert pacing.is_owing(b"Bearer one")
    assert not pacing.is_owing(b"Bearer other")
    clock.seconds += LONGEST_SECONDS
    assert not pacing.is_owing(b"Bearer one")


def test_keys_that_change_with_every_request_take_no_room_without_bound_and_do_not_hide_who_owes() -> None:
    pacing = Pacing(Clock())
    for number in range(2 * CALLERS_MAX):
        pacing.refused("ci", key=f"Bearer {number}".encode())
        pacing._of.clear()  # it owes nothing
    assert len(pacing._by_key) <= CALLERS_MAX
    for _ in range(100):
        pacing.refused("hostile", key=b"Bearer hostile", is_too_many=True)
    assert pacing.is_owing(b"Bearer hostile")


def door(*, asked_max: int = 1000, asked_from_max: int = 1000, bounds: Bounds = Bounds()) -> Door:
    nothing = cast(Any, None)
    return Door(
        engine=cast(BehindDoors, nothing),
        meters=cast(DoorMeters, nothing),
        auth=cast(Authenticator, nothing),
        asked_max=asked_max,
        asked_from_max=asked_from_max,
        bounds=bounds,
    )


def test_where_all_ask_too_much_somebody_with_one_request_is_still_answered() -> None:
    at, answered = door(asked_max=80), 0
    with ExitStack() as under_way:
        for number in range(100):
            with suppress(Busy):
                under_way.enter_context(at.asking(f"hostile {number % 4}", ""))
                answered += 1
        assert answered == 60, "three quarters are everybody's"
        with at.asking("operator", ""):
            pass
    assert at.asked_by.total() == 0


def test_many_behind_one_address_leave_room_for_whoever_comes_from_it() -> None:
    at = door(asked_from_max=8)
    with ExitStack() as under_way:
        for number in range(8):
            under_way.enter_context(at.asking(f"viewer {number}", "192.0.2.1"))
        with (
            pytest.raises(Busy, match=r"8 requests from 192\.0\.2\.1 are"),
            at.asking("viewer 9", "192.0.2.1"),
        ):
            pass
        with at.asking("viewer 9", "192.0.2.2"):
            pass
    assert not at.asked_from


def test_beyond_the_bound_of_all_and_beyond_ones_own_it_is_said_which() -> None:
    with ExitStack() as under_way:
        crowd = door(asked_max=8)
        for number in range(8):
            under_way.enter_context(crowd.asking(f"caller {number}", ""))
        with pytest.raises(Busy, match="8 requests are being answered already"), crowd.asking("one more", ""):
            pass
        alone = door(bounds=Bounds(per_caller=2))
        for _ in range(2):
            under_way.enter_context(alone.asking("ci", ""))
        with pytest.raises(TooMany, match="2 requests of ci's"), alone.asking("ci", ""):
            pass
