"""Exits beside rivals: what the last sentence says agrees with the account, and nothing of others is written over.

A part of the table; ``python -m tests.cases.exits`` plays all of it, and so does ``make night``.
"""

import pytest

from tests.cases.exits import EXITS, PHASES, RIVALS, names, play

SOME = (
    "settle / shifting / nobody",
    "by a person / watching / a foreign weight",
    "by a person / provisioning / other bounds",
    "by a person / rolling_back / another configuration",
    "abandon / watching / nobody",
    "swap: keep / shifting / nobody",
)


@pytest.mark.parametrize("name", SOME)
def test_the_last_sentence_agrees_with_the_account(name: str) -> None:
    ended = play(name)
    assert ended.agrees, (ended.said, ended.differs)


def test_every_exit_phase_and_rival_is_in_the_table() -> None:
    parts = [name.split(" / ") for name in names()]
    assert {out for out, _, _ in parts} == set(EXITS)
    assert {phase for _, phase, _ in parts} == set(PHASES)
    assert {rival for _, _, rival in parts} == set(RIVALS)
    assert set(SOME) <= set(names())
