"""Counts of both colours from a real Prometheus: what is whole, what is missing, and what it refuses."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.core.cloud.resources import MetricQuery, Series, Unread
from orchestrator.core.tick.needs import MetricsNeed
from orchestrator.prometheus.source import PrometheusSource
from orchestrator.settings import Prometheus
from tests.prometheus.server import needs_prometheus, running

pytestmark = [pytest.mark.machine, needs_prometheus]

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE, SCRAPE = timedelta(minutes=1), timedelta(seconds=15)
ENDS = NINE + 20 * MINUTE
REQUESTS = 'sum(increase(http_requests_total{service="%s"}[60s]))'
ERRORS = 'sum(increase(http_requests_total{service="%s",code=~"5.."}[60s]))'


def past() -> Iterator[str]:
    """Twenty minutes of two services: 4,000 requests a minute on blue, 400 on green, of which every tenth fails."""
    yield "# TYPE http_requests counter"
    streams = (("blue", "200", 1000), ("blue", "500", 0), ("green", "200", 90), ("green", "500", 10))
    for service, code, each in streams:
        for scrape in range(int((ENDS - NINE) / SCRAPE) + 1):
            at = (NINE + scrape * SCRAPE).timestamp()
            labels = f'{{service="{service}",code="{code}"}}'
            yield f"http_requests_total{labels} {5 + each * scrape} {at:.3f}"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("prometheus")
    with running(folder, tuple(past())) as found:
        yield found


def ask(address: str, *expressions: str, start: datetime, end: datetime) -> list[Series | Unread]:
    queries = tuple(
        MetricQuery(id=str(number), source="main", expression=expression, stat="Sum", period=MINUTE)
        for number, expression in enumerate(expressions)
    )
    source = PrometheusSource(Prometheus(name="main", url=address))
    found = asyncio.run(source.series(MetricsNeed(queries=queries, start=start, end=end)))
    return [found[str(number)] for number in range(len(expressions))]


def test_each_point_is_the_count_of_the_whole_period_that_begins_there(address: str) -> None:
    start, end = NINE + 5 * MINUTE, NINE + 8 * MINUTE
    blue, green, failed = ask(
        address, REQUESTS % "blue", REQUESTS % "green", ERRORS % "green", start=start, end=end
    )
    minutes = [start + n * MINUTE for n in range(3)]
    for series, count in ((blue, 4000), (green, 400), (failed, 40)):
        assert not isinstance(series, Unread)
        assert [at for at, _ in series] == minutes
        assert [value for _, value in series] == pytest.approx([count] * 3, abs=1)


def test_periods_that_are_not_whole_are_not_asked_for(address: str) -> None:
    start, end = NINE + 5 * MINUTE + SCRAPE, NINE + 7 * MINUTE + SCRAPE
    (series,) = ask(address, REQUESTS % "blue", start=start, end=end)
    assert not isinstance(series, Unread)
    assert [at for at, _ in series] == [NINE + 6 * MINUTE]
    assert ask(address, REQUESTS % "blue", start=start, end=start + MINUTE) == [()]


def test_a_service_that_it_does_not_know_has_no_points(address: str) -> None:
    assert ask(address, REQUESTS % "gone", start=NINE, end=NINE + 3 * MINUTE) == [()]


def test_a_series_that_is_stale_ends_and_is_not_made_longer(address: str) -> None:
    (series,) = ask(address, REQUESTS % "blue", start=ENDS - 3 * MINUTE, end=ENDS + 10 * MINUTE)
    assert not isinstance(series, Unread)
    assert [at for at, _ in series] == [ENDS - n * MINUTE for n in (3, 2, 1)]


def test_nothing_divided_by_nothing_is_no_data(address: str) -> None:
    share = f"({ERRORS % 'blue'}) / ({ERRORS % 'blue'})"
    assert ask(address, share, start=NINE + MINUTE, end=NINE + 3 * MINUTE) == [()]


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("sum(", "answered 400"),
        ("increase(http_requests_total[60s])", "4 series where one is needed"),
        (f"0 - {REQUESTS % 'blue'}", "no count"),
    ],
)
def test_what_will_never_be_a_count_is_refused_and_costs_the_others_nothing(
    address: str, expression: str, words: str
) -> None:
    bad, good = ask(address, expression, REQUESTS % "blue", start=NINE + MINUTE, end=NINE + 3 * MINUTE)
    assert isinstance(bad, Unread)
    assert bad.is_refused
    assert words in bad.why
    assert not isinstance(good, Unread)


def test_a_server_that_is_not_there_is_unread() -> None:
    (found,) = ask("http://127.0.0.1:9", REQUESTS % "blue", start=NINE, end=NINE + MINUTE)
    assert isinstance(found, Unread)
    assert not found.is_refused
    assert "cannot be reached" in found.why
