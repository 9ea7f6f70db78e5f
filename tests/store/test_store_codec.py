"""JSON of rows: whatever is written is read back equal, and an older row still fits."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.core.domain.commands import Command
from orchestrator.core.domain.errors import TealError
from orchestrator.core.domain.event_chain import link
from orchestrator.core.domain.events import Event
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.store.codec import decode, encode
from orchestrator.store.errors import Unusable
from tests.contract.store_values import a_rollout, an_event
from tests.store.full_rollouts import values_of

R1 = RolloutId("r1")
unhurried = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.mark.long
@unhurried
@given(values_of(Rollout))
def test_a_rollout_is_read_back_as_it_was_written(rollout: Rollout) -> None:
    assert decode(Rollout, encode(rollout), rollout=R1) == rollout


@unhurried
@given(st.one_of(values_of(Event), values_of(Command)))
def test_events_and_commands_are_read_back_as_they_were_written(value: Event | Command) -> None:
    kept = encode(value)
    if isinstance(value, Event):
        assert decode(Event, kept, rollout=R1) == value
    else:
        assert decode(Command, kept, rollout=R1) == value


@unhurried
@given(values_of(Event))
def test_an_event_that_is_read_back_has_the_link_it_was_written_with(event: Event) -> None:
    assert link("", R1, 1, decode(Event, encode(event), rollout=R1)) == link("", R1, 1, event)


@pytest.mark.parametrize("fact", ["1", 1, 1.0, True, None, "", 2**70, float("inf"), "2026-01-01"])
def test_a_fact_keeps_its_type(fact: str | float | bool | None) -> None:
    event = Event(kind=an_event().kind, at=an_event().at, message="m", facts=(("fact", fact),))
    ((_, read),) = decode(Event, encode(event), rollout=R1).facts
    assert (read, type(read)) == (fact, type(fact))


def older(change: Callable[[dict[str, Any]], None]) -> str:
    row = json.loads(encode(a_rollout()))
    change(row)
    return json.dumps(row)


def test_a_field_that_an_older_row_does_not_have_takes_its_default() -> None:
    def change(row: dict[str, Any]) -> None:
        for part, name in (("waiting", "paged"), ("waiting", "holds"), ("progress", "bake")):
            del row[part][name]
        del row["end"], row["evidence"], row["spec"]["limits"]

    assert decode(Rollout, older(change), rollout=R1) == a_rollout()


def test_a_field_that_is_not_known_any_more_is_passed_over() -> None:
    def change(row: dict[str, Any]) -> None:
        row["forgotten"] = row["spec"]["forgotten"] = {"a": 1}

    assert decode(Rollout, older(change), rollout=R1) == a_rollout()


@pytest.mark.parametrize(
    ("field", "value"),
    [("phase", "dreaming"), ("created_at", None), ("progress", {"step": "first"}), ("spec", {})],
)
def test_a_row_that_does_not_fit_names_its_rollout_and_the_field(field: str, value: object) -> None:
    with pytest.raises(Unusable, match=f"rollout r1 cannot be read.*{field}") as caught:
        decode(Rollout, older(lambda row: row.update({field: value})), rollout=R1)
    assert isinstance(caught.value, TealError)
    assert caught.value.next_step


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_a_text_that_is_no_row_at_all_names_its_rollout(text: str) -> None:
    with pytest.raises(Unusable, match="rollout r1 cannot be read"):
        decode(Rollout, text, rollout=R1)
