"""`deploy` in virtual time: takes a rollout up, stays until its end, and leaves or takes back when it is told to."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from api.cli.commands.deploy import again
from api.cli.following.follow import Look
from api.cli.options.rollout_options import Asked
from api.cli.process.foreground_engine import Foreground
from api.cli.process.signals import OnInterrupt, Signals
from orchestrator.bootstrap import engine_of
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import Conflict
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import NONE
from orchestrator.core.rollout.spec import ServiceName, Spec
from tests.support.full_disk import FullDiskStage
from tests.support.rehearsal import Rehearsal


class Page:
    """A screen that remembers, and may do something at a look."""

    def __init__(self, then: Callable[[Look], None] = lambda _: None) -> None:
        self.then = then
        self.told: list[str] = []
        self.numbers: list[int] = []

    def show(self, look: Look) -> None:
        self.numbers += [seen.number for seen in look.events]
        self.then(look)

    def say(self, text: str) -> None:
        self.told.append(text)

    def close(self) -> None:
        pass


class Desk:
    """One `deploy` on a stage."""

    def __init__(self, stage: Rehearsal, on_interrupt: OnInterrupt = OnInterrupt.ROLLBACK) -> None:
        self.stage = stage
        self.signals = Signals(on_interrupt=on_interrupt, has_terminal=True)
        self.engine = engine_of(stage.store, stage.cloud, stage.clock)
        self.foreground = Foreground(self.engine, self.signals, again="teal deploy -f rollout.yaml")

    def interrupt_twice(self) -> None:
        self.signals.interrupt()
        self.signals.interrupt()

    def take_up(self, spec: Spec) -> tuple[str, bool]:
        return self.stage.run(self.foreground.take_up(spec))

    def stay(self, rollout: str, page: Page, timeout: timedelta | None = None) -> int:
        return self.stage.run(self.foreground.stay(rollout, page, timeout=timeout))

    def phase(self, rollout: str) -> Phase:
        return self.stage.row(RolloutId(rollout)).phase


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal(requests_per_second=20) as built:
        yield built


@pytest.fixture
def spec(stage: Rehearsal) -> Spec:
    return stage.spec(stage.revision())


def when(is_so: Callable[[Look], bool], *acts: Callable[[], None]) -> Callable[[Look], None]:
    """Do the next act at each look at which something is so."""
    left = list(acts)

    def then(look: Look) -> None:
        if left and is_so(look):
            left.pop(0)()

    return then


def takes_traffic(look: Look) -> bool:
    return look.view.green_percent > 0


def test_new_rollout_is_moved_to_its_end_and_exits_0(stage: Rehearsal, spec: Spec) -> None:
    desk, page = Desk(stage), Page()
    rollout, is_new = desk.take_up(spec)
    assert is_new
    assert desk.stay(rollout, page) == 0
    assert desk.phase(rollout) is Phase.SUCCEEDED
    assert page.numbers == [seen.number for seen in stage.events(RolloutId(rollout))]
    assert desk.foreground.parting == ""


def test_bad_revision_is_taken_back_and_exits_3(stage: Rehearsal, spec: Spec) -> None:
    bad = replace(spec, task_definition=stage.revision({"TEAL_DEMO_ERROR_RATE": "0.9"}))
    desk = Desk(stage)
    rollout, _ = desk.take_up(bad)
    assert desk.stay(rollout, Page()) == 3
    assert desk.phase(rollout) is Phase.ROLLED_BACK


def test_same_file_goes_on_with_the_active_rollout(stage: Rehearsal, spec: Spec) -> None:
    first = stage.start(spec)
    assert Desk(stage).take_up(spec) == (first, False)


def test_another_file_is_refused_naming_what_differs(stage: Rehearsal, spec: Spec) -> None:
    first = stage.start(spec)
    with pytest.raises(Conflict, match=f"{first}.*of another file: metrics.lag: 20s is now 30s") as refused:
        Desk(stage).take_up(replace(spec, metrics=replace(spec.metrics, lag=timedelta(seconds=30))))
    assert (refused.value.exit_code, refused.value.holder) == (5, first)


def test_ctrl_c_leaves_the_weights_as_they_are_and_says_how_to_go_on(stage: Rehearsal, spec: Spec) -> None:
    desk = Desk(stage)
    rollout, _ = desk.take_up(spec)
    page = Page(when(takes_traffic, desk.signals.interrupt))
    assert desk.stay(rollout, page) == 130
    row = stage.row(RolloutId(rollout))
    assert (row.phase, row.green_weight) == (Phase.SHIFTING, 100)
    assert "`teal deploy -f rollout.yaml`" in desk.foreground.parting
    assert f"`teal rollback {rollout}`" in desk.foreground.parting
    assert "Ctrl-C again within 5 s rolls back" in page.told[-1]
    again = Desk(stage)
    assert again.take_up(spec) == (rollout, False)
    assert again.stay(rollout, Page()) == 0


def test_told_to_leave_it_does_not_offer_a_rollback(stage: Rehearsal, spec: Spec) -> None:
    desk = Desk(stage, OnInterrupt.LEAVE)
    rollout, _ = desk.take_up(spec)
    page = Page(when(takes_traffic, desk.signals.interrupt))
    assert desk.stay(rollout, page) == 130
    assert page.told == []


def test_interrupt_that_is_meant_puts_all_traffic_on_blue_and_stays_until_it_is_there(
    stage: Rehearsal, spec: Spec
) -> None:
    desk = Desk(stage)
    rollout, _ = desk.take_up(spec)
    assert desk.stay(rollout, Page(when(takes_traffic, desk.interrupt_twice))) == 3
    row = stage.row(RolloutId(rollout))
    assert (row.phase, row.green_weight) == (Phase.ROLLED_BACK, NONE)
    assert row.end is not None
    assert row.end.by.source == "signal"


def test_interrupt_too_late_for_a_rollback_stays_until_the_end(stage: Rehearsal, spec: Spec) -> None:
    desk = Desk(stage)
    rollout, _ = desk.take_up(spec)
    page = Page(when(lambda look: look.view.phase == "rolling_back", desk.interrupt_twice))
    stage.let_run(timedelta(seconds=1))
    stage.command(RolloutId(rollout), CommandKind.ROLLBACK)
    assert desk.stay(rollout, page) == 3
    assert any("rollback is not accepted while the rollout is rolling_back" in text for text in page.told)


def test_further_ctrl_c_stops_watching_the_way_back(stage: Rehearsal, spec: Spec) -> None:
    desk = Desk(stage)
    rollout, _ = desk.take_up(spec)
    meant = when(takes_traffic, desk.interrupt_twice)

    def then(look: Look) -> None:
        meant(look)
        if look.view.phase == "rolling_back":
            desk.signals.interrupt()

    assert desk.stay(rollout, Page(then)) == 130
    assert desk.phase(rollout) is Phase.ROLLING_BACK
    assert "teal deploy" in desk.foreground.parting


def test_timeout_gives_up_waiting_with_exit_4_and_leaves_the_rollout(stage: Rehearsal, spec: Spec) -> None:
    desk = Desk(stage)
    rollout, _ = desk.take_up(spec)
    assert desk.stay(rollout, Page(), timeout=timedelta(seconds=20)) == 4
    assert not desk.phase(rollout).is_final
    assert "Not ended within 20 s" in desk.foreground.parting


def test_rollout_that_two_follow_is_moved_by_one_and_ends_for_both(stage: Rehearsal, spec: Spec) -> None:
    first, second = Desk(stage), Desk(stage)
    rollout, _ = first.take_up(spec)

    async def both() -> list[int]:
        async with asyncio.TaskGroup() as group:
            stays = [
                group.create_task(desk.foreground.stay(rollout, Page(), timeout=None))
                for desk in (first, second)
            ]
        return [stay.result() for stay in stays]

    assert stage.run(both()) == [0, 0]
    assert stage.row(RolloutId(rollout)).phase is Phase.SUCCEEDED


def test_rollout_of_another_service_in_the_same_store_is_left_alone(stage: Rehearsal, spec: Spec) -> None:
    """It may be another account's, and this process has the credentials of one."""
    stored = stage.run(stage.store.load(stage.start(spec)))
    other = replace(
        stored.rollout,
        id=RolloutId("payments-0000ffff"),
        spec=replace(spec, service=ServiceName(cluster="other", service="payments")),
    )
    now = stage.clock.now()
    stage.run(
        stage.store.create(
            other, claims=frozenset({"service other/payments"}), key="o", events=(), wake_at=now
        )
    )
    desk = Desk(stage)
    rollout, _ = desk.take_up(spec)
    assert desk.stay(rollout, Page()) == 0
    assert stage.run(stage.store.load(other.id)).version == 1


def test_command_that_goes_on_is_quoted_for_a_shell() -> None:
    by_file = Asked(
        file="my rollout.yaml", service=None, task_definition=None, plan=None, override="payments fail"
    )
    assert again(by_file) == "teal deploy -f 'my rollout.yaml'"
    by_options = Asked(
        file=None, service="prod/checkout", task_definition="checkout:43", plan="linear", override=None
    )
    assert again(by_options) == (
        "teal deploy --service prod/checkout --task-definition checkout:43 --plan linear"
    )
    back = Asked(
        file=None, service=None, task_definition=None, plan=None, override=None, undo="prod/checkout"
    )
    assert again(back) == "teal deploy --undo prod/checkout"


def test_ctrl_c_takes_all_traffic_back_also_where_the_store_cannot_be_written() -> None:
    with FullDiskStage() as stage:
        desk = Desk(stage)
        stage.worker = desk.engine.worker
        page = Page(when(takes_traffic, stage.fill, desk.interrupt_twice))
        rollout, _ = desk.take_up(stage.spec(stage.revision()))
        assert desk.stay(rollout, page) == 3
        assert stage.share() == 0
        assert "rolling back without it" in page.told[-1]
        assert desk.foreground.parting.startswith("All traffic is on blue. Once the store takes writes")
        stage.store.is_full = False
        assert stage.until(RolloutId(rollout)).phase is Phase.ROLLED_BACK
