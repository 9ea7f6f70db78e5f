"""People are told that the store cannot be written, from memory and by whoever tells them of standstills."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.bootstrap import engine_of
from orchestrator.core.domain.errors import Unreachable
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import Limits
from tests.notify.stage import Recorder
from tests.support.full_disk import FullDiskStage
from tests.support.rehearsal import quick_plan

FAILING = {"TEAL_DEMO_ERROR_RATE": "0.5"}
MINUTE = timedelta(minutes=1)


class Office(FullDiskStage):
    """A server whose disk can be full, and those whom it tells."""

    def __init__(self, *sinks: Recorder) -> None:
        super().__init__(requests_per_second=4)
        self.engine = engine_of(self.store, self.cloud, self.clock, outward=self.outward, sinks=sinks)
        self.worker = self.engine.worker

    def _worker(self) -> Any:  # noqa: ANN401 - a context
        return _Running(self.engine)

    def full_at_first_weight(self, environment: dict[str, str] | None = None, **changes: Any) -> RolloutId:  # noqa: ANN401
        rollout = self.at_first_weight(environment, **changes)
        self.let_run(timedelta(seconds=3))
        self.fill()
        return rollout

    async def taken_back(self) -> timedelta:
        """How long it takes until all traffic is on blue."""
        began = self.clock.now()
        async with self._worker():
            while self.share():  # noqa: ASYNC110 - the World tells nobody
                await asyncio.sleep(1)
        return self.clock.now() - began


class _Running:
    """The whole engine runs within a block."""

    def __init__(self, engine: Any) -> None:  # noqa: ANN401 - bootstrap's
        self._engine, self._stop = engine, asyncio.Event()

    async def __aenter__(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._engine.run(self._stop))

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        self._engine.hint()
        await self._task


@pytest.fixture
def sink() -> Recorder:
    return Recorder()


@pytest.fixture
def office(sink: Recorder) -> Iterator[Office]:
    with Office(sink) as office:
        yield office


def test_whoever_is_paged_is_told_once_why_and_what_is_still_done(office: Office, sink: Recorder) -> None:
    office.full_at_first_weight()
    office.let_run(2 * MINUTE)
    assert [page.words for page in sink.pages] == [
        "the store cannot be written: database or disk is full; rollouts are judged and rolled back, "
        "nothing else is done"
    ]


def test_it_is_told_again_after_the_time_that_the_rollout_names_and_once_more_when_it_is_over(
    office: Office, sink: Recorder
) -> None:
    office.full_at_first_weight(limits=Limits(page_again=MINUTE))
    office.let_run(timedelta(seconds=150))
    assert len(sink.pages) == 3
    assert all("for" in page.words and "by now" in page.words for page in sink.pages[1:])
    office.store.is_full = False
    office.let_run(MINUTE)
    assert [page.is_over for page in sink.pages] == [False, False, False, True]
    office.fill()
    office.let_run(MINUTE)
    assert not sink.pages[-1].is_over, "the next time is told of like the first"


def test_where_nothing_is_to_be_told_again_it_is_not(office: Office, sink: Recorder) -> None:
    office.full_at_first_weight(limits=Limits(page_again=timedelta(0)))
    office.let_run(3 * MINUTE)
    assert len(sink.pages) == 1


def test_what_is_over_in_a_moment_calls_nobody(office: Office, sink: Recorder) -> None:
    rollout = office.full_at_first_weight()
    office.let_run(timedelta(seconds=8))
    office.store.is_full = False
    office.until(rollout)
    assert not sink.pages


def test_a_receiver_that_fails_is_asked_again_and_keeps_nobody_else_waiting() -> None:
    deaf, well = Recorder("deaf"), Recorder("well")
    deaf.trouble = Unreachable(what="it does not answer", why="a test")
    with Office(deaf, well) as office:
        office.full_at_first_weight()
        office.let_run(MINUTE)
        assert (len(deaf.pages), len(well.pages)) == (0, 1)
        deaf.trouble = None
        office.let_run(MINUTE)
        assert (len(deaf.pages), len(well.pages)) == (1, 1)


def test_a_receiver_that_hangs_delays_no_look(sink: Recorder) -> None:
    """A bad green is taken back as fast as it is beside one that answers."""
    taken = []
    for hangs in (False, True):
        sink = Recorder()
        with Office(sink) as office:
            office.full_at_first_weight(FAILING, plan=quick_plan(bake=3600))
            sink.stuck = asyncio.Event() if hangs else None
            taken.append(office.run(office.taken_back()))
    assert taken[0] == taken[1]


def test_an_engine_that_may_not_act_says_that_nothing_is_done(office: Office, sink: Recorder) -> None:
    rollout = office.full_at_first_weight()
    office.store._owners.add("another engine")
    office.let_run(MINUTE)
    (page,) = sink.pages
    assert "another engine has this store open, so nothing at all is done" in page.words
    assert office.row(rollout).phase is Phase.SHIFTING
