"""The printed policies, held to AWS's Service Authorization Reference and to the size that AWS allows."""

import json
import re
from functools import cache
from itertools import chain

import botocore.session
import pytest

from docs.pages import permissions
from orchestrator.aws.permissions import DIRECT
from orchestrator.core.preflight.context_keys import HAS
from orchestrator.core.preflight.grants import GRANTS
from orchestrator.core.preflight.policy_statements import PLACEHOLDERS, Grant, statement
from tests.support import reference

LARGEST = 6144  # characters without white space. Source: IAM User Guide, "IAM and AWS STS quotas"
NAME = 40
NOT_YET: dict[str, str] = {}
"""Actions that the reference does not know yet, each with its source."""
PAIRS = [(grant, action) for grant in GRANTS for action in grant.actions]
BY_PAIR = pytest.mark.parametrize(("grant", "action"), PAIRS, ids=[f"{g.sid}-{a}" for g, a in PAIRS])


def longest_region() -> str:
    session = botocore.session.get_session()
    partitions = session.get_available_partitions()
    regions = chain(*(session.get_available_regions("ecs", one) for one in partitions))
    return str(max(regions, key=len))


@pytest.mark.parametrize("part", permissions.PURPOSES)
def test_every_part_fits_a_managed_policy_with_long_names(part: str) -> None:
    words = {word: ("x" * NAME,) for word in PLACEHOLDERS}
    words |= {"REGION": (longest_region(),), "ACCOUNT": ("1" * 12,)}
    text = re.sub(r"\s", "", json.dumps(permissions.policy(part, words)))
    assert not any(word in text for word in PLACEHOLDERS)
    assert len(text) <= LARGEST


def test_every_grant_is_in_one_part_under_a_name_of_its_own() -> None:
    parts = permissions.parts()
    parts.pop(permissions.BREAK_GLASS)
    printed = [grant.sid for grants in parts.values() for grant in grants]
    assert sorted(printed) == sorted({grant.sid for grant in GRANTS})
    assert all(re.fullmatch(r"[A-Za-z0-9]+", sid) for sid in printed)


def test_whoever_breaks_glass_needs_the_actions_of_its_list_and_no_others() -> None:
    grants = permissions.parts()[permissions.BREAK_GLASS]
    assert {action for grant in grants for action in grant.actions} == set(DIRECT)


@BY_PAIR
def test_every_printed_action_exists(grant: Grant, action: str) -> None:
    assert (reference.known(action) is None) == (action in NOT_YET), grant.sid


@BY_PAIR
def test_every_printed_resource_is_of_a_type_that_the_action_has(grant: Grant, action: str) -> None:
    known = reference.known(action)
    assert known is not None
    if grant.resources == ("*",):
        return
    strange = [one for one in grant.resources if not any(is_of(one, pattern) for pattern in known.patterns)]
    others = [one for one in grant.actions if one != action]
    kin = [found for one in others if (found := reference.known(one)) is not None]
    # A statement with several actions names the resources of all of them.
    assert all(any(is_of(one, pattern) for each in kin for pattern in each.patterns) for one in strange)
    assert len(strange) < len(grant.resources)


@BY_PAIR
def test_every_required_resource_type_of_a_printed_action_is_covered(grant: Grant, action: str) -> None:
    known = reference.known(action)
    assert known is not None
    same = [one for one in GRANTS if action in one.actions]
    resources = [resource for one in same for resource in one.resources]
    if "*" in resources:
        return
    by_type = known.by_type
    missing = [
        kind for kind in known.required if not any(is_of(resource, by_type[kind]) for resource in resources)
    ]
    # Of rules and listeners there is one type for each kind of load balancer: Teal writes those of Application ones.
    assert [kind for kind in missing if not kind.endswith(("/net", "/gwy"))] == []


@BY_PAIR
def test_every_printed_condition_key_is_one_that_the_action_has(grant: Grant, action: str) -> None:
    keys = [key for test in (grant.condition or {}).values() for key in test]
    assert [key for key in keys if not reference.is_key(key, action)] == []


@pytest.mark.parametrize("action", HAS)
def test_what_preflight_knows_of_an_actions_condition_keys_is_what_the_reference_says(action: str) -> None:
    known = reference.known(action)
    assert known is not None
    mine = {f"{key}${{TagKey}}" if key.endswith("/") else key for key in HAS[action]}
    assert mine == known.keys


def is_of(resource: str, pattern: str) -> bool:
    """True if some ARN is both of the type, whose placeholders stand for any text, and what is printed."""
    return overlap(resource, re.sub(r"\$\{\w+\}", "*", pattern.replace("${Partition}", "aws")))


@cache
def overlap(one: str, other: str) -> bool:
    """True if some text matches both of two patterns in which ``*`` stands for any text."""
    if not one or not other:
        return set(one + other) <= {"*"}
    if one[0] == "*":
        return overlap(one[1:], other) or overlap(one, other[1:])
    if other[0] == "*":
        return overlap(other, one)
    return one[0] == other[0] and overlap(one[1:], other[1:])


def test_a_statement_is_written_once_for_each_of_several_names() -> None:
    (shift,) = [grant for grant in GRANTS if grant.sid == "Shift"]
    found = statement(shift, {"LOAD_BALANCER": ("one", "two")})["Resource"]
    assert isinstance(found, list)
    assert [resource.split("/")[2] for resource in found] == ["one", "two", "one", "two"]
