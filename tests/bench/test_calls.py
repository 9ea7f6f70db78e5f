"""What a rollout costs in AWS calls, in virtual time: printed by phase, and bounded where a bound says something."""

import pytest

from orchestrator.core.domain.phases import Phase
from tests.bench.account import MINUTE
from tests.bench.calls import PLAN, RULES, calls_of, table, total
from tests.bench.fewest import LOOKS_PER_PERIOD, Calls, fewest

pytestmark = pytest.mark.long  # all of it, so that one process plays the rollouts for all of them


def test_calls_by_phase_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    lines = list(table())
    with capsys.disabled():
        print("", *lines, sep="\n")
    assert len(lines) == len(RULES) * (1 + len(calls_of(1)))


@pytest.mark.parametrize("rules", RULES)
def test_no_phase_makes_fewer_calls_than_the_fewest(rules: int) -> None:
    least = fewest(PLAN, rules=rules, period=MINUTE)
    assert calls_of(rules).keys() == least.keys()
    for phase, counted in calls_of(rules).items():
        assert counted.total() >= least[phase].total(), phase


@pytest.mark.parametrize("rules", RULES)
def test_nothing_is_written_more_often_than_once(rules: int) -> None:
    least = fewest(PLAN, rules=rules, period=MINUTE)
    assert {phase: writes(calls_of(rules))[phase] for phase in least} == writes(least)


@pytest.mark.parametrize("rules", RULES)
def test_a_rollout_stays_within_five_times_the_fewest_that_look_as_often(rules: int) -> None:
    least = fewest(PLAN, rules=rules, period=MINUTE, looks=LOOKS_PER_PERIOD)
    assert total(calls_of(rules)) < 5 * total(least)


def test_a_look_reads_many_rules_in_as_many_calls_as_one() -> None:
    # Each look reads the rules once, and a step's writes compare them once more: all of them together.
    few, many = (calls_of(rules) for rules in (1, 10))
    assert looks_at_rules(few) == pytest.approx(1, abs=0.1)
    assert looks_at_rules(many) == pytest.approx(1, abs=0.1)


def test_a_task_that_stopped_is_asked_once_why() -> None:
    # Blue's three tasks of the former revision stop in settling, and are listed for an hour after.
    assert calls_of(1)[Phase.SETTLING]["ListTasks"] > 30
    assert calls_of(1)[Phase.SETTLING]["DescribeTasks"] <= 9


def looks_at_rules(calls: Calls) -> float:
    """Reads of rules for each look at the services while traffic moves."""
    counted = calls[Phase.SHIFTING] + calls[Phase.WATCHING]
    return counted["DescribeRules"] / counted["DescribeServices"]


def writes(calls: Calls) -> dict[Phase, dict[str, int]]:
    """Of each phase, without the reads."""
    return {
        phase: {name: count for name, count in counted.items() if not _is_read(name)}
        for phase, counted in calls.items()
    }


def _is_read(operation: str) -> bool:
    return operation.startswith(("Describe", "List", "Get", "Simulate"))
