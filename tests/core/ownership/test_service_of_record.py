"""Who serves, as a rollout knows it."""

import pytest

from orchestrator.core.domain.phases import Phase
from orchestrator.core.ownership.service_of_record import serves
from orchestrator.core.rollout.handover import Retirement
from tests.builders import BLUE_GROUP, FORMER, NOON, WANTED
from tests.core.stages import GREEN_NAME, rolling_back, row

SWAPPED = Retirement(token="again", desired=3, is_swapping=True, swapped_at=NOON)


@pytest.mark.parametrize("phase", [Phase.SHIFTING, Phase.WATCHING, Phase.SETTLING, Phase.RETIRING])
def test_blue_is_the_service_of_record_until_the_rules_have_their_final_lists(phase: Phase) -> None:
    found = serves(row(phase, weight=1000))
    assert found is not None
    assert (found.name, found.task_definition, found.groups) == ("checkout", FORMER, (BLUE_GROUP,))


def test_blue_serves_with_the_new_revision_once_it_has_taken_it_over() -> None:
    found = serves(row(Phase.SUCCEEDED))
    assert found is not None
    assert (found.name, found.task_definition) == ("checkout", WANTED)


@pytest.mark.parametrize("phase", [Phase.RETIRING, Phase.SUCCEEDED])
def test_green_is_the_service_of_record_from_the_final_lists_on(phase: Phase) -> None:
    found = serves(row(phase, weight=1000, retirement=SWAPPED))
    assert found is not None
    assert found.name == GREEN_NAME
    assert (found.task_definition, found.before, found.is_before_kept) == (WANTED, "checkout", True)


def test_blue_is_it_again_where_the_swap_is_taken_back() -> None:
    found = serves(rolling_back(1000, retirement=SWAPPED))
    assert found is not None
    assert found.name == "checkout"


def test_of_an_abandoned_rollout_nobody_knows() -> None:
    assert serves(row(Phase.ABANDONED)) is None
    assert serves(row(Phase.PENDING)) is None
