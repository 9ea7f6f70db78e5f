"""What could not be read holds, in every phase, in the same words, and nothing goes on by a guess."""

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.core.cloud.resources import Absent, Unread
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.changes import changed
from orchestrator.core.rollout.handover import End, Retirement
from orchestrator.core.rollout.rollout import HoldKind, Rollout
from orchestrator.core.rollout.spec import Ending
from orchestrator.core.tick.draft import Draft
from orchestrator.core.tick.seen import Seen
from tests.builders import BLUE_GROUP, DEFAULT_RULE, LOAD_BALANCER, NOON, RULE
from tests.core.phases.test_retiring import DRAINED, EMPTY, retiring, swap_seen
from tests.core.stages import (
    GREEN_GROUP,
    MINUTE,
    OPERATOR,
    asked,
    at,
    attempt,
    baked,
    blue,
    rolling_back,
    row,
    rule,
    seen_of,
    settling,
    written,
)

UNREAD = Unread(why="a test")
PAIR = "teal-checkout-0a1b2c3d-0"
NAME = rule(0).name
THE_RULES = "the rules can be read"
BLUE_CAN = "blue can be read"
LEAVING = {
    "end": End(reason="a test", by=OPERATOR, at=NOON, traffic_on_blue_at=NOON),
    "is_way_clear": True,
    "rules": (rule(None),),
}


def unasked() -> Rollout:
    """In provisioning, before green is made."""
    known = row(Phase.PROVISIONING, weight=0)
    assert known.green is not None
    return changed(known, green=replace(known.green, is_asked=False))


def calling_back() -> Rollout:
    """On the way back from a swap, with blue to come."""
    return rolling_back(1000, retirement=replace(DRAINED, returning_from=NOON - MINUTE))


def holds_of(known: Rollout, seen: Seen) -> set[tuple[HoldKind, str, str]]:
    decision = at(known, seen)
    return {(hold.kind, hold.reason, hold.clears_when) for hold in decision.rollout.waiting.holds}


# the one place ----------------------------------------------------------------------------------------------------


def test_what_was_read_is_what_was_read() -> None:
    draft = Draft(row(Phase.SHIFTING, weight=0), Seen(), NOON)
    assert draft.read(3, "it") == draft.must_read(3, "it") == draft.must_find(3, "it") == 3
    assert isinstance(draft.read(Absent(), "it"), Absent), (
        "unless it must be there, that it is not is an answer"
    )
    assert not draft.holds


@pytest.mark.parametrize(
    ("reading", "seen", "waits", "holds"),
    [
        ("read", None, "a look at the moon", []),
        ("read", UNREAD, "the moon to be readable", ["the moon could not be read: a test"]),
        ("must_read", None, "the moon to be readable", ["the moon could not be read: it was not looked at"]),
        ("must_read", UNREAD, "the moon to be readable", ["the moon could not be read: a test"]),
        ("must_find", None, "the moon to be readable", ["the moon could not be read: it was not looked at"]),
        ("must_find", UNREAD, "the moon to be readable", ["the moon could not be read: a test"]),
        ("must_find", Absent(), "the moon to be readable", ["the moon could not be read: it is not there"]),
    ],
)
def test_what_is_not_known_is_waited_for_in_words(
    reading: str, seen: Unread | Absent | None, waits: str, holds: list[str]
) -> None:
    draft = Draft(row(Phase.SHIFTING, weight=0), Seen(), NOON)
    assert getattr(draft, reading)(seen, "the moon") == waits
    assert [hold.reason for hold in draft.holds] == holds
    assert {(hold.kind, hold.clears_when) for hold in draft.holds} <= {(HoldKind.AWS, "the moon can be read")}


# everywhere -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "changes", "words", "clears"),
    [
        (row(Phase.PENDING), {"survey": UNREAD}, "blue could not be read: a test", BLUE_CAN),
        (row(Phase.PENDING), {"survey": None}, "blue could not be read: it was not looked at", BLUE_CAN),
        (
            row(Phase.PREPARING),
            {"groups": {PAIR: UNREAD}},
            f"{PAIR} could not be read: a test",
            f"{PAIR} can be read",
        ),
        (row(Phase.PREPARING), {"rules": {RULE: UNREAD}}, f"{NAME} could not be read: a test", THE_RULES),
        (row(Phase.PREPARING), {"rules": {}}, f"{NAME} could not be read: it was not looked at", THE_RULES),
        (
            row(Phase.PROVISIONING, weight=0),
            {"green": UNREAD},
            "green could not be read: a test",
            "green can be read",
        ),
        (
            row(Phase.PROVISIONING, weight=0),
            {"scaling": UNREAD},
            "blue's scaling could not be read: a test",
            "blue's scaling can be read",
        ),
        (unasked(), {"blue": UNREAD}, "blue could not be read: a test", BLUE_CAN),
        (unasked(), {"blue": Absent()}, "blue could not be read: it is not there", BLUE_CAN),
        (unasked(), {"blue": None}, "blue could not be read: it was not looked at", BLUE_CAN),
        (
            unasked(),
            {"targets": {GREEN_GROUP: UNREAD}},
            f"the targets of {PAIR} could not be read: a test",
            f"the targets of {PAIR} can be read",
        ),
        (
            unasked(),
            {"targets": {}},
            f"the targets of {PAIR} could not be read: it was not looked at",
            f"the targets of {PAIR} can be read",
        ),
        (baked(2), {"green": UNREAD}, "green could not be read: a test", "green can be read"),
        (baked(2), {"green": None}, "green could not be read: it was not looked at", "green can be read"),
        (
            settling(attempts=0),
            {"green": UNREAD},
            "green could not be read: a test",
            "green can be read",
        ),
    ],
)
def test_what_could_not_be_read_holds_in_every_phase(
    known: Rollout, changes: dict[str, Any], words: str, clears: str
) -> None:
    assert (HoldKind.AWS, words, clears) in holds_of(known, seen_of(known, **changes))
    decision = at(known, seen_of(known, **changes))
    assert decision.rollout.phase is known.phase
    assert not {"create_service", "update_service"} & set(asked(decision)), "nothing goes on by a guess"
    assert all((weight or 0) <= known.green_weight for weight in written(decision))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"green": UNREAD}, "green could not be read: a test"),
        ({"green": Absent()}, "green could not be read: it is not there"),
    ],
)
def test_a_green_that_cannot_be_read_is_not_put_in_blues_place(changes: dict[str, Any], words: str) -> None:
    known = retiring()
    seen = swap_seen(known, **changes)
    assert (HoldKind.AWS, words, "green can be read") in holds_of(known, seen)
    assert not asked(at(known, seen))


@pytest.mark.parametrize(
    ("changes", "words", "clears"),
    [
        ({"blue": UNREAD}, "blue could not be read: a test", BLUE_CAN),
        ({"blue": None}, "blue could not be read: it was not looked at", BLUE_CAN),
        (
            {"blue": EMPTY, "targets": {GREEN_GROUP: UNREAD, BLUE_GROUP: UNREAD}},
            "the targets of checkout could not be read: a test",
            "the targets of checkout can be read",
        ),
    ],
)
def test_a_blue_that_cannot_be_read_is_not_taken_as_gone(
    changes: dict[str, Any], words: str, clears: str
) -> None:
    known = retiring(Ending.DELETE, retirement=DRAINED)
    seen = swap_seen(known, **{"blue": EMPTY, **changes})
    assert (HoldKind.AWS, words, clears) in holds_of(known, seen)
    assert at(known, seen).rollout.phase is Phase.RETIRING


def test_rules_of_a_load_balancer_that_cannot_be_read_hold_before_blue_is_drained() -> None:
    known = retiring(retirement=replace(DRAINED, drained_from=None))
    seen = swap_seen(known, balancers={LOAD_BALANCER: UNREAD})
    expected = (HoldKind.AWS, "the load balancer's rules could not be read: a test", THE_RULES)
    assert expected in holds_of(known, seen)


# where blue is what is waited for ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(settling(), id="it takes the revision over"),
        pytest.param(
            rolling_back(1000, attempts=(attempt(is_taken=True),)), id="it goes back to the former one"
        ),
        pytest.param(calling_back(), id="it is called back"),
    ],
)
@pytest.mark.parametrize(
    ("seen", "why"), [(UNREAD, "a test"), (None, "it was not looked at")], ids=["unread", "not looked at"]
)
def test_traffic_waits_for_a_blue_that_cannot_be_read(known: Rollout, seen: Unread | None, why: str) -> None:
    found = seen_of(known, blue=seen)
    assert (HoldKind.BLUE, f"blue could not be read: {why}", BLUE_CAN) in holds_of(known, found)
    assert not [weight for weight in written(at(known, found)) if weight == 0]


# the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "seen", "words"),
    [
        ({"is_configuration_touched": True}, {"blue": UNREAD}, "blue could not be read: a test"),
        (
            {"attempts": (attempt(desired=5),), "blue": blue(scaling=None), "is_scaling_touched": False},
            {"blue": UNREAD},
            "blue could not be read: a test",
        ),
        (
            {"retirement": Retirement(token="again", desired=3, is_tagged=True)},
            {"blue": UNREAD},
            "blue could not be read: a test",
        ),
        (
            {"retirement": Retirement(token="again", desired=3, is_scaling_gone=True)},
            {"green_scales": UNREAD},
            "blue's scaling could not be read: a test",
        ),
    ],
    ids=["configuration", "count", "tags", "scaling"],
)
def test_what_is_to_be_as_it_was_holds_the_end_up_until_it_can_be_read(
    changes: dict[str, Any], seen: dict[str, Any], words: str
) -> None:
    known = rolling_back(0, **{**LEAVING, **changes})
    assert words in {reason for _, reason, _ in holds_of(known, seen_of(known, **seen))}
    assert at(known, seen_of(known, **seen)).rollout.phase is Phase.ROLLING_BACK


# a rollback waits for nothing that it does not need ---------------------------------------------------------------


@pytest.mark.parametrize("unknown", [UNREAD, None])
def test_all_traffic_returns_to_blue_whatever_else_cannot_be_read(unknown: Unread | None) -> None:
    known = rolling_back(100)
    nothing = Seen(
        rules=seen_of(known).rules, blue=unknown, green=unknown, scaling=unknown, green_scaling=unknown
    )
    decision = at(known, nothing)
    assert written(decision) == [0]
    assert not decision.rollout.waiting.holds


def test_a_rule_that_cannot_be_read_keeps_no_other_from_giving_blue_its_traffic() -> None:
    second = replace(rule(100), arn=DEFAULT_RULE, is_default=True)
    known = rolling_back(100, rules=(rule(100), second))
    seen = seen_of(known)
    decision = at(known, replace(seen, rules={**seen.rules, second.arn: UNREAD}))
    assert written(decision) == [0]
    assert [hold.clears_when for hold in decision.rollout.waiting.holds] == [THE_RULES]
