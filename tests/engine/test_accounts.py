"""Rollouts in other accounts: by alias, beside the same names elsewhere, and where an alias is lost under way."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.aws.client.accounts import Accounts
from orchestrator.aws.client.assumed_roles import AssumedRole
from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.transport import Transport
from orchestrator.aws.cloud import AwsCloud
from orchestrator.core.domain.commands import Actor
from orchestrator.core.domain.errors import Conflict, Invalid, Refused, Unfit
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.ownership.claims import service_claim
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import ServiceName, Spec
from orchestrator.engine import commands
from orchestrator.settings import Account
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from tests.builders import good_survey
from tests.support.direct_transport import DirectTransport
from tests.support.rehearsal import AUTHOR, START, Rehearsal

ROLE = "arn:aws:iam::123456789012:role/teal"
ALIASES = ("production", "same")


def accounts(play: Rehearsal, *aliases: str) -> AwsCloud:
    """The rehearsal's account under these aliases too, through a role that is assumed."""
    play.world.sts.allow(ROLE, home=play.world, external_id="x-1")
    own = Caller(DirectTransport(play.world.call, refusal=AwsRefusal, lost=CallLost), chance=lambda: 0.5)

    @asynccontextmanager
    async def opened(region: str, role: AssumedRole | None) -> AsyncIterator[Transport]:
        assert role is not None
        await role.current()
        yield DirectTransport(play.world.call, refusal=AwsRefusal, lost=CallLost)

    known = Accounts(
        tuple(Account(alias=alias, role=ROLE, external_id="x-1") for alias in aliases),
        own=own,
        region=play.world.region,
        limits=None,
        open_transport=opened,
        stack=AsyncExitStack(),
        now=play.clock.now,
    )
    return AwsCloud(own, region=play.world.region, accounts=known)


def spec_in(play: Rehearsal, account: str) -> Spec:
    scenery = play.scenery
    name = ServiceName(cluster=scenery.cluster, service=scenery.service, account=account)
    return play.spec(play.revision(), service=name)


def test_a_service_of_another_account_is_rolled_out_through_its_role() -> None:
    with Rehearsal() as play:
        play.cloud = accounts(play, *ALIASES)
        rollout = play.start(spec_in(play, "production"))
        row = play.until(rollout)
        assert row.phase is Phase.SUCCEEDED, play.story(rollout)
        assert play.world.log.of("AssumeRole")
        assert str(row.spec.service) == f"production:{play.scenery.cluster}/{play.scenery.service}"


def test_an_account_that_the_settings_do_not_have_is_a_mistake_and_starts_nothing() -> None:
    with Rehearsal() as play:
        play.cloud = accounts(play, "production")
        with pytest.raises(Invalid, match='account "staging" is not in the server\'s settings'):
            play.start(spec_in(play, "staging"))


@pytest.mark.long
def test_an_alias_that_is_lost_holds_the_rollout_until_it_is_back() -> None:
    with Rehearsal() as play:
        known = play.cloud = accounts(play, "production")
        rollout = play.start(spec_in(play, "production"))
        play.until(rollout, Phase.SHIFTING)
        play.cloud = accounts(play)
        play.let_run(timedelta(seconds=40))
        held = play.row(rollout)
        assert held.phase is Phase.SHIFTING
        assert any(
            "is not in the server's settings any more" in hold.reason for hold in held.waiting.holds
        ), held.waiting.holds
        play.cloud = known
        assert play.until(rollout).phase is Phase.SUCCEEDED, play.story(rollout)


def test_two_aliases_of_one_account_have_one_rollout_of_a_service_between_them() -> None:
    with Rehearsal() as play:
        play.cloud = accounts(play, *ALIASES)
        play.start(spec_in(play, "production"))
        with pytest.raises(Conflict):
            start(play, spec_in(play, "same"))


def start(play: Rehearsal, spec: Spec) -> RolloutId:
    started = commands.start(
        spec,
        author=Actor(name="author"),
        key=str(spec.service),
        store=play.store,
        cloud=play.cloud,
        clock=play.clock,
    )
    return play.run(started).stored.rollout.id


def test_the_same_names_in_two_accounts_are_two_services() -> None:
    with Rehearsal() as play:
        here, there = spec_in(play, ""), spec_in(play, "production")
        survey = good_survey()
        rows = [
            Rollout(
                id=RolloutId(f"checkout-{n}"), spec=spec, author=AUTHOR, created_at=START, phase_since=START
            )
            for n, spec in enumerate((here, there))
        ]
        claims = [
            frozenset({service_claim(row, replace(survey, account=number))})
            for row, number in zip(rows, ("123456789012", "210987654321"), strict=True)
        ]
        for row, held in zip(rows, claims, strict=True):
            play.run(play.store.create(row, claims=held, key=row.id, events=(), wake_at=START))
        assert play.run(commands.resolve(here.service.path, store=play.store)).rollout.spec == here
        assert play.run(commands.resolve(str(there.service), store=play.store)).rollout.spec == there
        with pytest.raises(Refused, match="means more than one rollout"):
            play.run(commands.resolve(here.service.service, store=play.store))


def test_an_image_of_a_registry_that_is_not_allowed_starts_nothing() -> None:
    with Rehearsal() as play:
        starting = commands.start(
            play.spec(play.revision()),
            author=Actor(name="author"),
            key="a",
            store=play.store,
            cloud=play.cloud,
            clock=play.clock,
            registries=("registry.example.com/*",),
        )
        with pytest.raises(Unfit, match=r"the server's settings allow registry\.example\.com/\*"):
            play.run(starting)


def test_a_rollout_in_an_account_is_found_by_every_part_of_its_name() -> None:
    with Rehearsal() as play:
        play.cloud = accounts(play, *ALIASES)
        rollout = play.start(spec_in(play, "production"))
        scenery = play.scenery
        for name in (
            rollout,
            f"production:{scenery.cluster}/{scenery.service}",
            f"{scenery.cluster}/{scenery.service}",
            f"production:{scenery.service}",
            scenery.service,
        ):
            assert play.run(commands.resolve(name, store=play.store)).rollout.id == rollout
        with pytest.raises(Refused, match="no rollout"):
            play.run(commands.resolve(f"same:{scenery.service}", store=play.store))
