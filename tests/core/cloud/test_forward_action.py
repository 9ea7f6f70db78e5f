"""Weights: what is written, and whether two action lists say the same."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.cloud.forward_action import (
    as_writable,
    canonical,
    green_share,
    read_forward,
    same_but_for_weights,
    says_the_same,
    with_weights,
    without_green,
)
from orchestrator.core.domain.errors import Rejected
from orchestrator.core.domain.ids import Json, TargetGroupArn, Tenths
from tests.builders import BLUE_GROUP, OTHER_GROUP, forward
from tests.core.stages import GREEN_GROUP

THIRD = TargetGroupArn(OTHER_GROUP + "3")
WEIGHTS = st.integers(min_value=0, max_value=1000).map(Tenths)


def at(weight: int, base: Json) -> Json:
    return with_weights(base, blue=BLUE_GROUP, green=GREEN_GROUP, weight=Tenths(weight))


def numbers(actions: Json) -> dict[str, int]:
    found = read_forward(actions)
    assert found is not None
    return {w.group: w.weight for w in found.groups}


@pytest.mark.parametrize(
    ("weight", "blue", "green"),
    [
        (0, 999, 0),
        (1, 999, 1),
        (10, 990, 10),
        (100, 900, 100),
        (333, 667, 333),
        (999, 1, 999),
        (1000, 0, 999),
    ],
)
def test_a_share_is_written_in_thousandths_and_all_as_999(weight: int, blue: int, green: int) -> None:
    assert numbers(at(weight, forward((BLUE_GROUP, 1)))) == {BLUE_GROUP: blue, GREEN_GROUP: green}


@given(weight=WEIGHTS, foreign=st.lists(st.integers(0, 999), max_size=2), own=st.integers(1, 999))
def test_written_weights_keep_every_bound(weight: Tenths, foreign: list[int], own: int) -> None:
    others = tuple(zip((OTHER_GROUP, THIRD), foreign, strict=False))
    base = forward((BLUE_GROUP, own), *others)
    try:
        found = numbers(at(weight, base))
    except Rejected:
        return
    pair = found[BLUE_GROUP] + found[GREEN_GROUP]
    assert all(0 <= number <= 999 for number in found.values())
    assert sum(found.values()) <= 1000
    assert found[GREEN_GROUP] * 1000 <= weight * pair, "rounding never gives green more"
    assert (found[GREEN_GROUP] > 0) == (weight > 0)
    before = own + sum(foreign)
    for group, number in others:
        assert abs(found[group] / sum(found.values()) - number / before) <= 0.001


def test_a_step_that_cannot_be_written_so_finely_is_refused() -> None:
    with pytest.raises(Rejected, match="cannot be written"):
        at(1, forward((BLUE_GROUP, 1), (OTHER_GROUP, 999)))


def test_a_rule_that_gives_neither_colour_anything_cannot_be_split() -> None:
    with pytest.raises(Rejected, match="neither blue nor green"):
        at(100, forward((OTHER_GROUP, 1)))


def test_a_write_leaves_the_short_form_out_and_everything_else_alone() -> None:
    oidc: dict[str, Any] = {
        "Type": "authenticate-oidc",
        "Order": 1,
        "AuthenticateOidcConfig": {"ClientId": "x"},
    }
    sticky = {"Enabled": True, "DurationSeconds": 60}
    action = json.loads(forward((BLUE_GROUP, 1), stickiness=sticky))[0]
    found = json.loads(at(100, canonical([oidc, {**action, "Order": 2}])))
    assert found[0] == oidc
    assert "TargetGroupArn" not in found[1]
    assert found[1]["Order"] == 2
    assert found[1]["ForwardConfig"]["TargetGroupStickinessConfig"] == sticky


def test_a_secret_that_no_read_shows_is_kept_by_the_write() -> None:
    oidc = {"Type": "authenticate-oidc", "AuthenticateOidcConfig": {"ClientId": "x"}}
    found = json.loads(as_writable(canonical([oidc])))
    assert found[0]["AuthenticateOidcConfig"] == {"ClientId": "x", "UseExistingClientSecret": True}


PLAIN = canonical([{"Type": "forward", "TargetGroupArn": BLUE_GROUP}])


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        pytest.param(PLAIN, forward((BLUE_GROUP, 1)), True, id="short and long form"),
        pytest.param(forward((BLUE_GROUP, 1)), forward((BLUE_GROUP, 7)), True, id="one group's weight"),
        pytest.param(
            forward((BLUE_GROUP, 9), (GREEN_GROUP, 1)),
            forward((GREEN_GROUP, 1), (BLUE_GROUP, 9)),
            True,
            id="order",
        ),
        pytest.param(
            forward((BLUE_GROUP, 9), (GREEN_GROUP, 1)),
            forward((BLUE_GROUP, 8), (GREEN_GROUP, 1)),
            False,
            id="weights",
        ),
        pytest.param(
            forward((BLUE_GROUP, 1)),
            forward((BLUE_GROUP, 1), stickiness={"Enabled": True, "DurationSeconds": 60}),
            False,
            id="stickiness",
        ),
        pytest.param(
            forward((BLUE_GROUP, 1)),
            canonical([{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}]),
            False,
            id="a redirect",
        ),
    ],
)
def test_lists_are_compared_by_meaning(left: Json, right: Json, same: bool) -> None:
    assert says_the_same(left, right) is same
    assert says_the_same(right, left) is same


@given(first=WEIGHTS, second=WEIGHTS)
def test_lists_at_two_weights_differ_in_nothing_but_the_weights(first: Tenths, second: Tenths) -> None:
    base = forward((BLUE_GROUP, 5), (OTHER_GROUP, 5))
    try:
        a, b = at(first, base), at(second, base)
    except Rejected:
        return
    assert same_but_for_weights(a, b, blue=BLUE_GROUP, green=GREEN_GROUP)


@given(weight=WEIGHTS)
def test_a_share_reads_back_as_it_was_written(weight: Tenths) -> None:
    actions = at(weight, forward((BLUE_GROUP, 1)))
    assert green_share(actions, blue=BLUE_GROUP, green=GREEN_GROUP) == weight


def test_taking_green_out_gives_its_share_to_blue() -> None:
    changed = forward((BLUE_GROUP, 300), (GREEN_GROUP, 200), (OTHER_GROUP, 500))
    found = without_green(changed, blue=BLUE_GROUP, green=GREEN_GROUP)
    assert numbers(found) == {BLUE_GROUP: 500, OTHER_GROUP: 500}


def test_taking_green_out_of_a_pair_leaves_a_plain_forward() -> None:
    found = without_green(at(300, forward((BLUE_GROUP, 1))), blue=BLUE_GROUP, green=GREEN_GROUP)
    assert says_the_same(found, PLAIN)


@pytest.mark.parametrize(
    ("blue", "green", "share"), [(2, 1, 334), (999, 1, 1), (998, 1, 2), (1, 1, 500), (1, 0, 0)]
)
def test_a_share_is_rounded_up_so_that_more_for_green_never_reads_as_what_it_was(
    blue: int, green: int, share: int
) -> None:
    actions = forward((BLUE_GROUP, blue), (OTHER_GROUP, green))
    assert green_share(actions, blue=BLUE_GROUP, green=OTHER_GROUP) == share
