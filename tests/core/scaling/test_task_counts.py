"""How many tasks green has at each weight."""

import pytest

from orchestrator.core.domain.ids import Tenths
from orchestrator.core.domain.plan import NAMED_PLANS, Plan
from orchestrator.core.rollout.spec import Background, Capacity
from orchestrator.core.scaling.task_counts import first_tasks, first_weight, tasks_at
from tests.core.stages import THREE, spec

STEPPED = spec(capacity=Capacity.STEPPED)


@pytest.mark.parametrize(
    ("needed", "weight", "zones", "tasks"),
    [
        pytest.param(10, 100, 1, 2, id="a tenth, and a tenth of that more"),
        pytest.param(100, 100, 1, 11, id="of many"),
        pytest.param(100, 500, 3, 55, id="half"),
        pytest.param(10, 10, 3, 3, id="one in each zone"),
        pytest.param(2, 10, 3, 2, id="never more than all traffic needs"),
        pytest.param(10, 950, 1, 10, id="the margin ends at all"),
        pytest.param(10, 1000, 1, 10, id="all"),
        pytest.param(0, 100, 2, 0, id="nothing is needed"),
    ],
)
def test_stepped_green_has_what_its_weight_needs(needed: int, weight: int, zones: int, tasks: int) -> None:
    assert tasks_at(STEPPED, Tenths(weight), needed=needed, zones=zones) == tasks


def test_full_green_has_everything_at_any_weight() -> None:
    assert tasks_at(spec(), Tenths(1), needed=10, zones=3) == 10
    assert first_tasks(spec(), needed=10, zones=3) == 10


@pytest.mark.parametrize(
    ("needed", "zones", "tasks"),
    [(10, 1, 1), (11, 1, 2), (10, 3, 3), (2, 3, 2)],
)
def test_stepped_green_begins_with_its_first_share_rounded_up(needed: int, zones: int, tasks: int) -> None:
    assert first_tasks(STEPPED, needed=needed, zones=zones) == tasks


def test_where_tasks_do_more_than_answer_green_begins_with_one() -> None:
    asked = spec(capacity=Capacity.STEPPED, background=Background.SAFE)
    assert first_tasks(asked, needed=10, zones=3) == 1


@pytest.mark.parametrize(
    ("plan", "weight"), [(THREE, 100), (NAMED_PLANS["auto"], 20), (NAMED_PLANS["instant"], 1000)]
)
def test_the_first_weight_of_auto_is_the_largest_that_it_may_be(plan: Plan, weight: int) -> None:
    assert first_weight(spec(plan=plan)) == weight
