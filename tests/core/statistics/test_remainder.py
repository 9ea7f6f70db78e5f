"""Requests less answers over periods: a boundary counts once and is given back, a lost request is not."""

import pytest

from orchestrator.core.statistics.remainder import Fall, Remainder, Remainders, of_history

REQUESTS = 10_000


def taken(*remainders: int, sums: Remainder | None = None, requests: int = REQUESTS) -> list[tuple[int, int]]:
    """What each period adds: without, and beyond what may be in flight."""
    found, known = [], sums or Remainder(seen=3)
    for one in remainders:
        known, news = known.add(requests=requests, remainder=one, weight=50)
        found.append((news.most, news.sure))
    return found


def test_where_answers_never_come_late_each_period_counts_what_it_lacks_at_once() -> None:
    assert taken(0, 7, 0, 5) == [(0, 0), (7, 7), (0, 0), (5, 5)]


def test_what_the_next_period_answers_is_given_back_and_counts_only_once() -> None:
    assert taken(8, -8, 8, -8, 8) == [(8, 8), (0, 0), (0, 0), (0, 0), (0, 0)]


def test_a_sum_must_rise_beyond_how_far_it_fell_before_it_speaks_against_a_colour() -> None:
    assert taken(0, -6, 8, 9) == [(0, 0), (0, 0), (2, 0), (9, 2)], "half as far again"


def test_requests_that_stay_unanswered_all_count_but_for_what_may_be_in_flight() -> None:
    news = taken(-6, *[10] * 10)
    assert sum(sure for _, sure in news) == 94 - 9
    assert sum(most for most, _ in news) == 94


def test_until_it_is_learned_how_late_answers_come_the_root_of_the_requests_may_be_in_flight() -> None:
    assert [sure for _, sure in taken(60, 60, 60, 60, sums=Remainder())] == [0, 20, 60, 160]


def test_the_first_period_at_another_weight_is_no_news_where_answers_come_late() -> None:
    late, _ = Remainder(seen=3, weight=50).add(requests=REQUESTS, remainder=-6, weight=50)
    grown, news = late.add(requests=2 * REQUESTS, remainder=500, weight=100)
    assert (news.most, news.sure) == (0, 0)
    _, news = grown.add(requests=2 * REQUESTS, remainder=500, weight=100)
    assert news.sure == 500 - 13, "nine beside so many requests are thirteen beside twice as many"
    _, news = Remainder(seen=3, weight=50).add(requests=REQUESTS, remainder=500, weight=100)
    assert news.sure == 500, "where answers never came late a new weight excuses nothing"


@pytest.mark.parametrize(("requests", "expected"), [(10_000, 6), (20_000, 9), (2_500, 3), (0, 0)])
def test_a_fall_scales_by_the_root_of_the_requests(requests: int, expected: int) -> None:
    assert Fall(by=6, requests=REQUESTS).at(requests) == expected


def test_history_says_what_was_new_in_each_period_and_how_far_it_fell_back() -> None:
    assert of_history([(100, 3), (100, -5), (200, 4)]) == ([3, 0, 0], Fall(by=5, requests=100))


def test_begun_anew_nothing_is_counted_and_what_was_learned_of_green_stays() -> None:
    after, _ = Remainders().take(weight=50, green=(100, -5), blue=(900, 9))
    assert after.anew() == Remainders(green=Remainder(fall=Fall(by=5, requests=100)))
