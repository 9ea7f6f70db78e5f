"""No list of rollouts reads more of a large store than it shows: SQLite's own plan of each says so."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import Connection, create_engine, insert, text
from sqlalchemy.dialects import sqlite

from orchestrator.core.domain.phases import Phase
from orchestrator.ports.rollouts import Filter
from orchestrator.store.sql.queries import listing
from orchestrator.store.sql.tables import metadata, rollouts
from tests.contract.store_values import NOON

LIMIT = 51
BEFORE = (NOON + timedelta(minutes=700), "r700")
SOME = frozenset({Phase.SUCCEEDED, Phase.ROLLED_BACK})
FILTERS = [
    Filter(service=service, phases=phases, is_active=is_active)
    for service, phases, is_active in product(
        ("", "prod/3"), (frozenset(), frozenset({Phase.SHIFTING}), SOME), (None, True, False)
    )
]
ONE_BY_ONE = [Filter(), Filter(service="prod/3"), Filter(phases=frozenset({Phase.SHIFTING}))]


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    """Two thousand rollouts of ten services, nearly all of them ended."""
    engine = create_engine("sqlite://")
    with engine.begin() as begun:
        metadata.create_all(begun)
        begun.execute(
            insert(rollouts),
            [
                {
                    "id": f"r{number}",
                    "service": f"prod/{number % 10}",
                    "phase": (Phase.SHIFTING if number % 500 == 0 else Phase.SUCCEEDED).value,
                    "is_active": number % 500 == 0,
                    "version": 1,
                    "fence": 0,
                    "created_at": NOON + timedelta(minutes=number),
                    "event_count": 0,
                    "record_count": 0,
                    "body": "{}",
                }
                for number in range(2000)
            ],
        )
        begun.execute(text("ANALYZE"))
        yield begun


def plan_of(connection: Connection, which: Filter, before: tuple[datetime, str] | None) -> list[str]:
    query = listing(which, limit=LIMIT, before=before)
    assert query is not None
    written = query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {written}")]


def in_words(which: Filter) -> str:
    return f"{which.service or 'any'}-{'+'.join(sorted(which.phases)) or 'any'}-{which.is_active}"


def is_contradiction(which: Filter) -> bool:
    return bool(which.phases) and all(phase.is_final is which.is_active for phase in which.phases)


@pytest.mark.parametrize("before", [None, BEFORE], ids=["first page", "a later page"])
@pytest.mark.parametrize("which", [which for which in FILTERS if not is_contradiction(which)], ids=in_words)
def test_no_filter_scans_the_table(
    connection: Connection, which: Filter, before: tuple[datetime, str] | None
) -> None:
    steps = plan_of(connection, which, before)
    looks = [step for step in steps if "rollouts" in step]
    assert looks, steps
    for look in looks:
        is_whole_page = (
            which == Filter() and look == "SCAN rollouts USING INDEX rollouts_newest"
        )  # as far as it shows
        assert look.startswith("SEARCH rollouts USING INDEX") or is_whole_page, steps


@pytest.mark.parametrize("which", ONE_BY_ONE, ids=in_words)
@pytest.mark.parametrize("before", [None, BEFORE], ids=["first page", "a later page"])
def test_a_page_is_read_in_its_index_s_order_from_where_it_begins(
    connection: Connection, which: Filter, before: tuple[datetime, str] | None
) -> None:
    steps = plan_of(connection, which, before)
    assert "USE TEMP B-TREE FOR ORDER BY" not in steps
    assert before is None or "created_at" in steps[0], steps


def test_a_filter_that_contradicts_itself_asks_nothing() -> None:
    assert listing(Filter(phases=SOME, is_active=True), limit=LIMIT) is None
