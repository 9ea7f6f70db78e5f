"""Roles that callers of the World may assume, as AWS STS gives and refuses them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sandbox.world.kernel.errors import AwsRefusal
from sandbox.world.world import World
from tests.sandbox.world.places import START

ROLE = "arn:aws:iam::210987654321:role/deploy/teal"


def two_accounts() -> tuple[World, World]:
    """A World whose callers may assume a role of another's, with the external id x-1."""
    own, other = World(start=START), World(start=START, account="210987654321")
    own.sts.allow(ROLE, home=other, external_id="x-1")
    return own, other


def assume(world: World, *, by: str = "", **changes: object) -> dict[str, Any]:
    params = {"RoleArn": ROLE, "RoleSessionName": "teal", "ExternalId": "x-1", **changes}
    return world.call("sts", "AssumeRole", params, by=by)


def test_whoever_knows_the_external_id_gets_temporary_credentials_of_the_other_account() -> None:
    own, other = two_accounts()
    answer = assume(own)
    assert answer["Credentials"]["Expiration"] == own.now + timedelta(hours=1)
    given = answer["Credentials"]
    session = own.sts.session(given["AccessKeyId"], given["SessionToken"], is_query=True)
    assert session is not None
    assert session.home is other
    identity = other.call("sts", "GetCallerIdentity", {}, by=session.caller)
    assert identity["Account"] == "210987654321"
    assert identity["Arn"] == "arn:aws:sts::210987654321:assumed-role/teal/teal"


@pytest.mark.parametrize("changes", [{"ExternalId": "x-2"}, {"RoleArn": ROLE + "2"}])
def test_others_are_refused(changes: dict[str, str]) -> None:
    own, _ = two_accounts()
    with pytest.raises(
        AwsRefusal, match="AccessDenied: User: arn:aws:iam::123456789012:user/somebody is not"
    ):
        assume(own, **changes)


def test_credentials_expire_by_time_and_on_request() -> None:
    own, _ = two_accounts()
    ends: tuple[Callable[[], object], ...] = (lambda: own.advance(timedelta(hours=1)), own.sts.expire)
    for end in ends:
        given = assume(own)["Credentials"]
        end()
        with pytest.raises(AwsRefusal, match="ExpiredToken:"):
            own.sts.session(given["AccessKeyId"], given["SessionToken"], is_query=True)
        with pytest.raises(AwsRefusal, match="ExpiredTokenException:"):
            own.sts.session(given["AccessKeyId"], given["SessionToken"], is_query=False)


def test_a_token_that_was_never_given_is_refused() -> None:
    own, _ = two_accounts()
    key = assume(own)["Credentials"]["AccessKeyId"]
    with pytest.raises(AwsRefusal, match="InvalidClientTokenId"):
        own.sts.session(key, "forged", is_query=True)
    assert own.sts.session("AKIASOMEBODY", "", is_query=True) is None


def test_a_role_lasts_an_hour_at_most_for_whoever_has_assumed_one() -> None:
    own, _ = two_accounts()
    assert assume(own, DurationSeconds=7200)
    with pytest.raises(AwsRefusal, match="exceeds the MaxSessionDuration"):
        assume(own, DurationSeconds=7200, by="arn:aws:sts::123456789012:assumed-role/server/x")
