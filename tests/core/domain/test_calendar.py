from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.domain.calendar import (
    Freeze,
    Opening,
    Standing,
    WindowSpec,
    moment,
    next_span,
    standing,
)

BERLIN = "Europe/Berlin"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
WEEK = (0, 1, 2, 3, 4, 5, 6)


def at(text: str) -> datetime:
    """A moment by UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def opening(begins: float, ends: float, *days: int) -> Opening:
    return Opening(days=days or WEEK, begins=begins * HOUR, ends=ends * HOUR)


def window(*allow: Opening, zone: str = BERLIN, holidays: tuple[date, ...] = ()) -> WindowSpec:
    return WindowSpec(allow=allow, zone=zone, holidays=holidays)


OFFICE = window(opening(9, 17, 0, 1, 2, 3))


def test_without_a_window_and_a_freeze_it_is_always_open() -> None:
    assert standing(WindowSpec(), (), at("2026-11-26 03:00")) == Standing(is_open=True)


def test_a_window_is_open_by_the_clock_of_its_zone() -> None:
    assert not standing(OFFICE, (), at("2026-11-26 07:59")).is_open
    found = standing(OFFICE, (), at("2026-11-26 08:00"))
    assert found.is_open
    assert found.until == at("2026-11-26 16:00")
    assert not standing(OFFICE, (), at("2026-11-26 16:00")).is_open


def test_the_same_hours_are_another_moment_in_summer() -> None:
    assert standing(OFFICE, (), at("2026-07-02 07:00")).until == at("2026-07-02 15:00")


def test_a_closed_window_says_when_it_opens_and_why_it_is_closed() -> None:
    found = standing(OFFICE, (), at("2026-11-26 16:30"))  # a Thursday
    assert found.until == at("2026-11-30 08:00")
    assert found.why == "it is outside Mon-Thu 09:00-17:00 Europe/Berlin"


def test_a_window_over_midnight_belongs_to_the_day_it_begins_on() -> None:
    night = window(opening(22, 4, 4), zone="UTC")  # Friday night
    assert standing(night, (), at("2026-11-27 23:00")).until == at("2026-11-28 04:00")
    assert standing(night, (), at("2026-11-28 03:59")).is_open
    assert not standing(night, (), at("2026-11-28 22:30")).is_open


def test_windows_that_touch_are_one() -> None:
    both = window(opening(20, 24, 3), opening(0, 3, 4), zone="UTC")
    assert standing(both, (), at("2026-11-26 21:00")).until == at("2026-11-27 03:00")


def test_a_holiday_closes_the_whole_day_also_for_a_window_that_began_before_it() -> None:
    night = window(opening(22, 4), zone=BERLIN, holidays=(date(2026, 12, 24),))
    assert standing(night, (), at("2026-12-23 22:00")).until == at("2026-12-23 23:00")
    found = standing(night, (), at("2026-12-24 01:00"))
    assert (found.is_open, found.why) == (False, "2026-12-24 is a holiday")
    assert found.until == at("2026-12-24 23:00")


def test_many_holidays_in_a_row_are_looked_over() -> None:
    days = tuple(date(2026, 12, 1) + timedelta(days=n) for n in range(40))
    found = standing(window(opening(9, 17, 0), holidays=days), (), at("2026-12-01 12:00"))
    assert found.until == at("2027-01-11 08:00")


def test_a_time_that_the_clock_leaps_over_is_the_moment_of_the_leap() -> None:
    # On 2026-03-29 Berlin's clock goes from 02:00 to 03:00, at 01:00 UTC.
    assert moment(datetime.fromisoformat("2026-03-29 02:30"), BERLIN) == at("2026-03-29 01:00")
    until_half_past_two = window(opening(1, 2.5))
    assert standing(until_half_past_two, (), at("2026-03-29 00:30")).until == at("2026-03-29 01:00")
    from_half_past_two = window(opening(2.5, 4))
    assert standing(from_half_past_two, (), at("2026-03-29 01:00")).until == at("2026-03-29 02:00")


def test_a_time_that_comes_twice_is_the_first_and_a_freeze_ends_with_the_second() -> None:
    # On 2026-10-25 Berlin's clock goes from 03:00 back to 02:00, at 01:00 UTC.
    wall = datetime.fromisoformat("2026-10-25 02:30")
    assert moment(wall, BERLIN) == at("2026-10-25 00:30")
    assert moment(wall, BERLIN, last=True) == at("2026-10-25 01:30")


def test_a_day_of_25_hours_is_open_all_day() -> None:
    whole = window(opening(0, 24, 6))
    assert standing(whole, (), at("2026-10-25 12:00")).until == at("2026-10-25 23:00")
    assert standing(whole, (), at("2026-10-24 22:00")).is_open


def freeze(begins: str, ends: str, reason: str = "year's end", services: tuple[str, ...] = ()) -> Freeze:
    return Freeze(begins=at(begins), ends=at(ends), reason=reason, zone=BERLIN, services=services)


def test_a_freeze_closes_what_is_always_open() -> None:
    found = standing(WindowSpec(), (freeze("2026-12-19", "2027-01-04"),), at("2026-12-24 10:00"))
    assert found == Standing(
        is_open=False,
        until=at("2027-01-04"),
        why="frozen until Mon 2027-01-04 01:00 Europe/Berlin: year's end",
    )


def test_a_freeze_to_come_is_where_the_window_closes() -> None:
    soon = (freeze("2026-11-26 12:00", "2026-11-26 13:00"),)
    assert standing(OFFICE, soon, at("2026-11-26 09:00")).until == at("2026-11-26 12:00")
    assert standing(OFFICE, soon, at("2026-11-26 12:30")).until == at("2026-11-26 13:00")


def test_freezes_that_overlap_end_with_the_last() -> None:
    both = (freeze("2026-12-19", "2026-12-27"), freeze("2026-12-24", "2027-01-04"))
    assert standing(WindowSpec(), both, at("2026-12-20")).until == at("2027-01-04")


def test_a_freeze_covers_the_services_it_names() -> None:
    one = freeze("2026-12-19", "2027-01-04", services=("prod/*", "eu:prod/check*"))
    assert [one.covers(name) for name in ("prod/a", "eu:prod/checkout", "eu:prod/b", "test/a")] == [
        True,
        True,
        False,
        False,
    ]


def test_the_next_time_that_lasts_long_enough_is_found() -> None:
    late = at("2026-11-26 15:00")  # one hour before it closes for the weekend
    assert next_span(OFFICE, (), late, HOUR) is not None
    found = next_span(OFFICE, (), late, 2 * HOUR)
    assert found is not None
    assert found.begins == at("2026-11-30 08:00")
    assert next_span(OFFICE, (), late, 9 * HOUR) is None


def test_windows_are_written_as_they_are_read() -> None:
    assert str(window(opening(9, 17, 0, 1, 2, 4), opening(22, 24, 6))) == (
        "Mon-Wed,Fri 09:00-17:00, Sun 22:00-24:00 Europe/Berlin"
    )


MOMENTS = st.integers(0, 2 * 365 * 86_400).map(lambda n: at("2026-01-01") + timedelta(seconds=n))
ZONES = st.sampled_from((BERLIN, "UTC", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"))
OPENINGS = st.builds(
    lambda days, begins, lasts: Opening(
        days=tuple(sorted(days)), begins=begins * MINUTE, ends=(begins + lasts) % 1440 * MINUTE
    ),
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(0, 1439),
    st.integers(1, 1439),
)
WINDOWS = st.builds(
    lambda allow, zone, days: WindowSpec(allow=tuple(allow), zone=zone, holidays=tuple(days)),
    st.lists(OPENINGS, min_size=1, max_size=4),
    ZONES,
    st.lists(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=3, unique=True),
)


@given(WINDOWS, MOMENTS)
def test_what_it_says_of_later_is_what_it_says_then(spec: WindowSpec, now: datetime) -> None:
    found = standing(spec, (), now)
    if found.until is not None:
        assert found.until > now
        assert standing(spec, (), found.until).is_open is not found.is_open
        assert standing(spec, (), found.until - timedelta(seconds=1)).is_open is found.is_open


def test_a_freeze_is_for_the_services_it_names_and_for_all_where_it_names_none() -> None:
    every = Freeze(begins=at("2026-12-24 00:00"), ends=at("2026-12-27 00:00"), reason="Christmas")
    assert every.covers("prod/checkout")
    some = replace(every, services=("prod/*", "staging/search"))
    assert [some.covers(name) for name in ("prod/checkout", "staging/search", "staging/checkout")] == [
        True,
        True,
        False,
    ]
