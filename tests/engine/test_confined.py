"""Whole rollouts in an account whose role is assumed: each writes under a session policy of its own, to every end."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from orchestrator.aws.client.accounts import Accounts
from orchestrator.aws.client.assumed_roles import SIGNER, AssumedRole, session_of
from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.transport import Answer, Transport
from orchestrator.aws.cloud import AwsCloud
from orchestrator.core.cloud import effects
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import Denied
from orchestrator.core.domain.ids import Json, ListenerArn, RolloutId, RuleArn
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL, Plan, Step
from orchestrator.core.ownership.session_policy import scope_of
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import Ending, Limits, MetricsSpec, ServiceName, Spec
from orchestrator.engine.tick import Ticker
from orchestrator.engine.worker import Worker
from orchestrator.settings import Account
from sandbox.scenarios.scenery import Scenery, furnish, until_steady
from sandbox.scenarios.scenery_scaling import KINDS, scale_by
from sandbox.world.kernel.errors import AwsRefusal, CallLost
from sandbox.world.kernel.log import CallRecord
from sandbox.world.world import World
from tests.cases.rule_stage import call, rule_of
from tests.support.direct_transport import DirectTransport
from tests.support.rehearsal import Rehearsal

ROLE = "arn:aws:iam::123456789012:role/teal"
SESSIONS = "arn:aws:sts::123456789012:assumed-role/teal/"


class Signed:
    """The World itself, with the credentials of whoever calls, as real clients send them."""

    def __init__(self, world: World, role: AssumedRole) -> None:
        self._world, self._role = world, role

    async def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Answer:
        given = await (SIGNER.get() or self._role).current()

        def call(service: str, operation: str, params: Answer) -> Answer:
            session = self._world.sts.session(given.access_key, given.token, is_query=False)
            assert session is not None
            return self._world.call(service, operation, params, by=session.caller, policy=session.policy)

        return await DirectTransport(call, refusal=AwsRefusal, lost=CallLost).call(service, operation, params)


class Elsewhere(Rehearsal):
    """A rehearsal whose service is in an account that is reached by a role."""

    ask_store = timedelta(milliseconds=250)

    def __init__(self, **more: Any) -> None:  # noqa: ANN401 - Rehearsal's own
        super().__init__(**more)
        self.world.sts.allow(ROLE, home=self.world, external_id="x-1")
        own = Caller(DirectTransport(self.world.call, refusal=AwsRefusal, lost=CallLost), chance=lambda: 0.5)

        @asynccontextmanager
        async def opened(region: str, role: AssumedRole | None) -> AsyncIterator[Transport]:
            assert role is not None
            yield Signed(self.world, role)

        known = Accounts(
            (Account(alias="production", role=ROLE, external_id="x-1"),),
            own=own,
            region=self.world.region,
            limits=None,
            open_transport=opened,
            stack=AsyncExitStack(),
            now=self.clock.now,
        )
        self.cloud = AwsCloud(own, region=self.world.region, accounts=known)

    def spec(self, revision: str, **changes: Any) -> Spec:  # noqa: ANN401 - the fields of Spec
        name = ServiceName(cluster=self.scenery.cluster, service=self.scenery.service, account="production")
        return super().spec(revision, **{"service": name, **changes})

    def _new_worker(self) -> Worker:
        ticker = Ticker(self.store, self.cloud, self.clock, outward=self.outward)
        return Worker(ticker, owner="rehearsal", ask_store=self.ask_store)

    @property
    def calls(self) -> list[CallRecord]:
        """What was called with the role's credentials."""
        return [call for call in self.world.log if call.by.startswith(SESSIONS)]


@pytest.fixture
def stage() -> Iterator[Elsewhere]:
    with Elsewhere(rules=3, default_rule=True, test_port=8081) as opened:
        yield opened


def is_read(call: CallRecord) -> bool:
    return call.operation.startswith(("Describe", "List", "Get", "Simulate"))


def assert_confined(stage: Elsewhere, rollout: RolloutId) -> None:
    """Every write went out under the rollout's own session, every look under the shared one, and none was denied."""
    writes = [call for call in stage.calls if not is_read(call)]
    assert {call.by for call in writes} <= {f"{SESSIONS}{rollout}"}
    assert all(call.by == f"{SESSIONS}teal" for call in stage.calls if is_read(call))
    denied = [call for call in stage.calls if call.error is not None and "authorized" in str(call.error)]
    assert denied == []
    assumed = [call.params for call in stage.world.log.of("AssumeRole")]
    assert {params["RoleSessionName"] for params in assumed} == {"teal", *([rollout] if writes else [])}
    assert all(("Policy" in params) == (params["RoleSessionName"] == rollout) for params in assumed)


def test_a_rollout_of_a_service_that_scales_ends_well_under_its_own_policy(stage: Elsewhere) -> None:
    scale_by(stage.world, stage.scenery, *KINDS)
    tests = stage.scenery.test_rules
    rollout = stage.start(stage.spec(stage.revision(), test_rules=tests))
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    assert_confined(stage, rollout)
    assert {"PutScalingPolicy", "PutMetricAlarm"} <= {call.operation for call in stage.calls}


@pytest.mark.parametrize("ending", list(Ending), ids=str)
def test_a_rollout_ends_well_under_its_own_policy(ending: Ending) -> None:
    with Elsewhere(rules=3, default_rule=True, scalable=False) as stage:
        rollout = stage.start(stage.spec(stage.revision(), ending=ending))
        row = stage.until(rollout)
        assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
        assert_confined(stage, rollout)


@pytest.mark.parametrize("phase", [Phase.PROVISIONING, Phase.SHIFTING, Phase.WATCHING, Phase.SETTLING])
def test_a_rollback_from_every_phase_succeeds_under_the_policy(stage: Elsewhere, phase: Phase) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, phase)
    stage.command(rollout, CommandKind.ROLLBACK)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert_confined(stage, rollout)


def test_a_green_that_fails_is_taken_back_under_the_policy(stage: Elsewhere) -> None:
    rollout = stage.start(stage.spec(stage.revision({"TEAL_DEMO_ERROR_RATE": "1"})))
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert_confined(stage, rollout)


def test_blue_after_a_swap_and_its_next_rollout_are_each_in_their_own_policy() -> None:
    with Elsewhere(scalable=False) as stage:
        first = stage.start(stage.spec(stage.revision(), ending=Ending.DELETE), key="first")
        assert stage.until(first).phase is Phase.SUCCEEDED
        stage.let_run(timedelta(minutes=2))
        again = stage.start(stage.spec(stage.revision(), ending=Ending.DELETE), key="second")
        row = stage.until(again)
        assert row.phase is Phase.SUCCEEDED, stage.story(again)
        writers = {call.by.removeprefix(SESSIONS) for call in stage.calls if not is_read(call)}
        assert writers == {first, again}
        assert not [call for call in stage.calls if "authorized" in str(call.error)]


def test_a_revision_of_its_own_is_registered_under_the_policy(stage: Elsewhere) -> None:
    images = ((stage.scenery.container, "example.com/checkout:2"),)
    rollout = stage.start(stage.spec("", images=images))
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    assert_confined(stage, rollout)


def test_a_rule_with_cognito_is_written_under_the_policy_which_names_its_pool(stage: Elsewhere) -> None:
    """AWS looks the pool's client up in the name of whoever writes the rule."""
    pool = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_A"
    config = {"UserPoolArn": pool, "UserPoolClientId": "c", "UserPoolDomain": "d"}
    forward = {**rule_of(stage)["Actions"][-1], "Order": 2}
    call(
        stage,
        "CreateListener",
        LoadBalancerArn=stage.scenery.load_balancer,
        Protocol="HTTPS",
        Port=8443,
        Certificates=[{"CertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1"}],
        DefaultActions=[
            {"Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": config},
            forward,
        ],
    )
    rollout = stage.start(stage.spec(stage.revision()))
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    scope = scope_of(row)
    assert scope is not None
    assert pool in scope.policies[0]
    assert_confined(stage, rollout)
    assert not [one for one in stage.calls if "describeUserPoolClient" in str(one.error)]


def attempts(row: Rollout, neighbour: Scenery) -> Iterator[effects.Effect]:
    """Writes to things of a neighbour, and to things of blue that this rollout leaves alone."""
    assert row.blue is not None
    cluster, group = row.blue.cluster, row.pairs[0].blue
    write = effects.WriteRule(
        rule=RuleArn(neighbour.rules[0]),
        listener=ListenerArn(neighbour.listeners[0]),
        is_default=False,
        actions=row.rules[0].base,
        green=None,
        to_safety=False,
    )
    yield write
    yield replace(write, is_default=True)
    yield effects.DeleteTargetGroup(group=group)
    yield effects.DeleteService(cluster=cluster, service=row.blue.name)
    yield effects.ScaleService(cluster=cluster, service=neighbour.service, desired=0)
    yield effects.CreateTargetGroup(name="teal-cart-0a1b2c3d-0", template=row.pairs[0].template, tags=())
    yield effects.PutTags(service=row.blue.arn, groups=(group,), tags=(("a", "b"),))


def test_a_write_beyond_the_policy_is_denied_by_aws_itself(stage: Elsewhere) -> None:
    neighbour = furnish(
        stage.world, service="cart", load_balancer=stage.scenery.load_balancer, listener_port=82
    )
    until_steady(stage.world, neighbour)
    rollout = stage.start(stage.spec(stage.revision()))
    row = stage.until(rollout, Phase.SHIFTING)
    cloud = stage.cloud.of("production").within(scope_of(row))
    tried = list(attempts(row, neighbour))
    for attempt in tried:
        with pytest.raises(Denied, match="no session policy allows"):
            stage.run(cloud.perform(attempt))
    assert len(tried) == 7
    assert stage.until(rollout).phase is Phase.SUCCEEDED


def test_a_rollback_passes_over_a_policy_that_is_in_its_way(stage: Elsewhere) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    row = stage.until(rollout, Phase.SHIFTING)
    scope = scope_of(row)
    assert scope is not None
    assert row.green is not None
    narrow = replace(scope, policies=(Json('{"Version":"2012-10-17","Statement":[]}'),))
    scale = effects.ScaleService(cluster=stage.scenery.cluster_arn, service=row.green.name, desired=2)
    there = stage.cloud.of("production")
    with pytest.raises(Denied):
        stage.run(there.within(narrow).perform(scale))
    stage.run(there.within(replace(narrow, is_way_back=True)).perform(scale))
    assert stage.calls[-1].by == f"{SESSIONS}teal"
    assert stage.calls[-1].error is None


def test_a_rollback_goes_on_where_no_session_of_its_own_can_be_had(stage: Elsewhere) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    row = stage.until(rollout, Phase.SHIFTING)
    scope = scope_of(row)
    assert scope is not None
    assert row.green is not None
    broken = replace(scope, policies=(Json("no policy"),), is_way_back=True)
    scale = effects.ScaleService(cluster=stage.scenery.cluster_arn, service=row.green.name, desired=2)
    stage.run(stage.cloud.of("production").within(broken).perform(scale))
    assert stage.calls[-1].by == f"{SESSIONS}teal"


@pytest.mark.long
def test_a_rollout_that_lasts_a_day_renews_its_session_before_every_hour_ends() -> None:
    period = timedelta(minutes=5)
    with Elsewhere(minute=period, requests_per_second=0.05, check_interval=timedelta(seconds=300)) as stage:
        steps = (Step(weight=ALL, bake=timedelta(hours=25)),)
        spec = stage.spec(
            stage.revision(),
            plan=Plan(name="custom", steps=steps),
            metrics=MetricsSpec(period=period, lag=2 * period),
            limits=Limits(provision=timedelta(hours=1), settle=timedelta(hours=6)),
        )
        rollout = stage.start(spec)
        stage.ask_store = timedelta(seconds=20)
        stage.let_run(timedelta(hours=29))
        row = stage.row(rollout)
        assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
        assert_confined(stage, rollout)
        assert not [call for call in stage.calls if "xpired" in str(call.error)]
        renewed = [call.at for call in stage.world.log.of("AssumeRole") if "Policy" not in call.params]
        assert len(renewed) > 25
        assert max(b - a for a, b in pairwise(renewed)) <= timedelta(minutes=55)


@pytest.mark.parametrize(
    ("rollout", "session"),
    [
        ("checkout-0a1b2c3d", "checkout-0a1b2c3d"),
        ("a b/c-1", "a-b-c-1"),
        ("x" * 100 + "-0a1b", "x" * 59 + "-0a1b"),
    ],
)
def test_a_session_is_named_by_its_rollout(rollout: str, session: str) -> None:
    assert session_of(rollout) == session


def test_blue_is_known_before_there_is_anything_to_confine(stage: Elsewhere) -> None:
    rollout = stage.start(stage.spec(stage.revision()))
    assert scope_of(stage.row(rollout)) is None
    assert scope_of(stage.until(rollout, Phase.PREPARING)) is not None
