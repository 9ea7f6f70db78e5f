"""Each oracle notices a fault that breaks its promise, planted into the product for one seed."""

import pytest

from tests.sim.oracles.promises import ORACLES
from tests.sim.oracles.shown import SHOWN
from tests.sim.planted import FAULTS, GIVEN, OWN, hunt
from tests.support.garbage import look_seldom

OWN_LEAST = 20


def test_every_oracle_has_a_fault_that_shows_it() -> None:
    assert set(SHOWN) == set(ORACLES)


def test_every_fault_has_a_name_of_its_own_and_there_are_enough_besides_those_that_were_given() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) == len(GIVEN) + len(OWN)
    assert len(OWN) >= OWN_LEAST


@pytest.mark.long
@pytest.mark.parametrize("oracle", sorted(SHOWN))
def test_the_oracle_notices(oracle: str) -> None:
    look_seldom()
    name, seed = SHOWN[oracle]
    fault = next(fault for fault in FAULTS if fault.name == name)
    caught = hunt(fault, first=seed, seeds=1, is_thorough=True)
    assert oracle in caught.said, f"{oracle} said nothing; others: {caught.said}"
