"""Sessions with fewer permissions, over real clients: a role's, a user's own, and why there is none."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from orchestrator.aws.client.assumed_roles import AssumedRole
from orchestrator.aws.client.botocore import open_wire
from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.errors import said
from orchestrator.aws.client.transport import Transport
from orchestrator.core.domain.errors import Denied, Outside
from orchestrator.verify.narrowed import Nobody, narrowed
from orchestrator.verify.scene import policy
from sandbox.wire.skin import Skin
from sandbox.world.kernel.settings import WorldSettings
from sandbox.world.world import World
from tests.support.inprocess_wire import attach, session_class
from tests.support.rehearsal import START

ROLE = "arn:aws:iam::123456789012:role/teal-narrow"
CLUSTERS = policy((["ecs:ListClusters"], ["*"]))


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASANDBOX")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


def play(world: World, act: Callable[[Caller, Any], Awaitable[None]]) -> None:
    skin = Skin(world)

    def opens(role: AssumedRole | None = None) -> AbstractAsyncContextManager[Transport]:
        return open_wire(
            world.region,
            role=role,
            http_session=session_class(skin),
            on_cloudwatch=lambda client: attach(client, skin),
        )

    async def run() -> None:
        async with opens() as transport:
            await act(Caller(transport), opens)

    asyncio.run(run())


def world() -> World:
    return World(start=START, settings=WorldSettings.kind())


async def refused(transport: Transport, operation: str) -> str:
    try:
        await transport.call("ecs", operation, {})
    except Outside as error:
        return said(error)[0]
    return ""


@pytest.mark.machine
def test_a_role_that_is_named_is_assumed_with_the_policy_alone() -> None:
    there = world()
    there.sts.allow(ROLE, home=there)

    async def act(own: Caller, opens: Any) -> None:  # noqa: ANN401 - a function
        async with narrowed(own, CLUSTERS, role=ROLE, opens=opens, now=lambda: START) as transport:
            assert await refused(transport, "ListClusters") == ""
            assert await refused(transport, "ListTaskDefinitions") == "AccessDeniedException"

    play(there, act)


@pytest.mark.machine
def test_a_role_that_may_not_be_assumed_is_denied_with_the_reason() -> None:
    async def act(own: Caller, opens: Any) -> None:  # noqa: ANN401 - a function
        with pytest.raises(Denied, match="cannot be assumed"):
            async with narrowed(own, CLUSTERS, role=ROLE, opens=opens, now=lambda: START):
                pass

    play(world(), act)


@pytest.mark.machine
def test_a_user_asks_for_a_federated_session_of_their_own() -> None:
    there = world()

    async def act(own: Caller, opens: Any) -> None:  # noqa: ANN401 - a function
        async with narrowed(own, CLUSTERS, role="", opens=opens, now=lambda: START) as transport:
            assert await refused(transport, "ListClusters") == ""
            assert await refused(transport, "ListTaskDefinitions") == "AccessDeniedException"

    play(there, act)
    assert "GetFederationToken" in {call.operation for call in there.log}


@pytest.mark.machine
def test_credentials_that_nobody_gave_are_refused_by_aws_and_not_before() -> None:
    async def act(own: Caller, opens: Any) -> None:  # noqa: ANN401 - a function
        async with opens(Nobody(own)) as transport:
            assert await refused(transport, "ListClusters") == "UnrecognizedClientException"

    play(world(), act)
