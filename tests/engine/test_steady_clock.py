"""The engine's clock goes on evenly whatever becomes of the machine's, and comes near it again."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.engine.steady_clock import SteadyClock

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Machine:
    """A machine's two clocks: one that people set, and one that none does."""

    def __init__(self) -> None:
        self.wall, self.boot = NOON, 1000.0

    def go_on(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.boot += seconds

    def clock(self, like: SteadyClock | None = None) -> SteadyClock:
        reading = like.reading() if like else None
        return SteadyClock(reading, machine=lambda: self.wall, boot=lambda: self.boot)


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_it_says_what_the_machine_says_while_nobody_sets_that(machine: Machine) -> None:
    clock = machine.clock()
    for _ in range(100):
        machine.go_on(37.3)
        assert clock.now() == machine.wall


@pytest.mark.parametrize("step", [-120.0, 55.0, 3600.0])
def test_a_step_of_the_machine_s_clock_takes_nothing_from_what_is_waited_for(
    machine: Machine, step: float
) -> None:
    clock = machine.clock()
    before = clock.now()
    machine.wall += timedelta(seconds=step)
    for _ in range(30):
        machine.go_on(1.0)
        clock.now()
    passed = (clock.now() - before).total_seconds()
    assert passed == pytest.approx(30, rel=0.051)


def test_it_never_goes_back_and_comes_near_the_machine_s_in_the_end(machine: Machine) -> None:
    clock = machine.clock()
    machine.wall -= timedelta(seconds=120)
    told = [clock.now()]
    for _ in range(120 * 20):
        machine.go_on(1.0)
        told.append(clock.now())
    assert told == sorted(told)
    assert told[-1] == machine.wall


def test_a_step_is_said_once(
    machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[float] = []
    monkeypatch.setattr(
        "orchestrator.engine.steady_clock.log.warning",
        lambda _event, seconds, **_: said.append(seconds),
        raising=False,
    )
    clock = machine.clock()
    machine.wall -= timedelta(seconds=120)
    for _ in range(50):
        machine.go_on(2.0)
        clock.now()
    assert said == [-120.0]


def test_a_clock_made_of_another_s_reading_agrees_with_it_though_the_machine_s_was_set_before(
    machine: Machine,
) -> None:
    first = machine.clock()
    machine.wall -= timedelta(seconds=120)
    machine.go_on(5.0)
    second = machine.clock(like=first)
    for _ in range(100):
        machine.go_on(1.0)
        assert first.now() == second.now()
