"""AWS as another account: a role that is assumed when it is needed, over real clients and two Worlds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.aws.client.assumed_roles import AssumedRole
from orchestrator.aws.client.botocore import open_wire
from orchestrator.aws.client.call import Caller, Patience
from orchestrator.aws.cloud import AwsCloud
from orchestrator.aws.session import open_cloud
from orchestrator.core.cloud.effects import DeleteAlarms, ScaleService
from orchestrator.core.cloud.resources import AlarmSeen, Unread
from orchestrator.core.domain.errors import Denied, Invalid, Rejected, Unreachable
from orchestrator.core.domain.ids import Json, RolloutId
from orchestrator.core.ownership.session_policy import Scope
from orchestrator.core.tick.needs import Needs, SurveyNeed
from orchestrator.settings import Account
from sandbox.scenarios.scenery import Scenery, furnish, until_steady
from sandbox.wire.skin import Skin
from sandbox.world import World, WorldSettings
from tests.aws.script import Script
from tests.support.inprocess_wire import attach, session_class

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NUMBER = "210987654321"
ROLE = f"arn:aws:iam::{NUMBER}:role/teal"
PRODUCTION = Account(alias="production", role=ROLE, external_id="x-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The server's own account, which is empty, and another one with a service in it."""

    own: World
    other: World
    scenery: Scenery
    cloud: AwsCloud

    @property
    def need(self) -> SurveyNeed:
        scenery = self.scenery
        return SurveyNeed(
            cluster=scenery.cluster,
            service=scenery.service,
            task_definition=scenery.task_definition,
            rules=(),
            alarms=scenery.alarms,
        )

    def advance(self, duration: timedelta) -> None:
        self.own.advance(duration)
        self.other.advance(duration)


@asynccontextmanager
async def staged(*accounts: Account) -> AsyncIterator[Stage]:
    own = World(start=NOON, settings=WorldSettings.kind())
    other = World(start=NOON, settings=replace(WorldSettings.kind(), validate=True), account=NUMBER)
    scenery = furnish(other)
    until_steady(other, scenery)
    own.run_until(other.now)
    own.sts.allow(ROLE, home=other, external_id="x-1")
    skin = Skin(own)
    opened = open_cloud(
        own.region,
        accounts=accounts or (PRODUCTION,),
        open_transport=lambda region, role: open_wire(
            region,
            role=role,
            http_session=session_class(skin),
            on_cloudwatch=lambda client: attach(client, skin),
        ),
        now=lambda: own.now,
    )
    async with opened as cloud:
        yield Stage(own=own, other=other, scenery=scenery, cloud=cloud)


def on_stage(script: Callable[[Stage], Awaitable[None]], *accounts: Account) -> None:
    async def run() -> None:
        async with staged(*accounts) as stage:
            await script(stage)

    asyncio.run(run())


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "sandbox")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


def test_an_alias_leads_to_its_account_for_both_libraries() -> None:
    async def script(stage: Stage) -> None:
        cloud = stage.cloud.of("production")
        assert not stage.own.log.of("AssumeRole")  # nothing is called before it is needed
        survey = await cloud.survey(stage.need)
        assert survey.account == NUMBER
        assert survey.alarms  # from CloudWatch, which boto3 asks
        callers = {record.by for record in stage.other.log if record.service in ("ecs", "cloudwatch")}
        assert f"arn:aws:sts::{NUMBER}:assumed-role/teal/teal" in callers
        assert len(stage.own.log.of("AssumeRole")) == 1
        assert {record.operation for record in stage.own.log} == {"AssumeRole"}

    on_stage(script)


def test_the_servers_own_credentials_are_used_without_an_alias() -> None:
    async def script(stage: Stage) -> None:
        assert stage.cloud.of("") is stage.cloud
        seen = await stage.cloud.observe(Needs(alarms=("a",)))
        assert "a" in seen.alarms
        assert not stage.own.log.of("AssumeRole")

    on_stage(script)


def test_an_alias_without_a_role_is_the_servers_own_account() -> None:
    async def script(stage: Stage) -> None:
        await stage.cloud.of("here").observe(Needs(alarms=("a",)))
        assert [record.operation for record in stage.own.log] == ["DescribeAlarms"]

    on_stage(script, Account(alias="here"))


def test_an_unknown_alias_is_a_mistake_of_the_file() -> None:
    async def script(stage: Stage) -> None:
        with pytest.raises(
            Invalid, match='account "prod" is not in the server\'s settings: write one of production'
        ):
            stage.cloud.of("prod")

    on_stage(script)


def test_a_wrong_external_id_is_denied_and_says_where_to_look() -> None:
    async def script(stage: Stage) -> None:
        cloud = stage.cloud.of("production")
        with pytest.raises(
            Denied, match=r"account production: role .* cannot be assumed.*compare its external id"
        ):
            await cloud.survey(stage.need)
        seen = await cloud.observe(Needs(alarms=("a",)))
        assert isinstance(seen.alarms["a"], Unread)

    on_stage(script, replace(PRODUCTION, external_id="x-2"))


def test_many_first_calls_assume_the_role_once() -> None:
    async def script(stage: Stage) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(stage.cloud.of("production").survey(stage.need))
        assert len(stage.own.log.of("AssumeRole")) == 1

    on_stage(script)


@pytest.mark.long
def test_credentials_are_renewed_before_they_expire_all_day_long() -> None:
    async def script(stage: Stage) -> None:
        cloud = stage.cloud.of("production")
        for _ in range(24 * 6):
            stage.advance(timedelta(minutes=10))
            seen = await cloud.observe(Needs(alarms=stage.scenery.alarms))
            assert all(isinstance(alarm, AlarmSeen) for alarm in seen.alarms.values())
        assert 24 <= len(stage.own.log.of("AssumeRole")) <= 36

    on_stage(script)


def test_credentials_that_expired_early_are_replaced_within_the_call() -> None:
    async def script(stage: Stage) -> None:
        cloud = stage.cloud.of("production")
        await cloud.survey(stage.need)
        stage.own.sts.expire()
        survey = await cloud.survey(stage.need)  # aiobotocore and boto3
        assert survey.account == NUMBER
        stage.own.sts.expire()
        seen = await cloud.observe(Needs(alarms=stage.scenery.alarms))
        assert all(isinstance(alarm, AlarmSeen) for alarm in seen.alarms.values())
        assert len(stage.own.log.of("AssumeRole")) == 3

    on_stage(script)


def test_aliases_of_one_account_and_region_share_its_rate_limit() -> None:
    async def script(stage: Stage) -> None:
        limits = [stage.cloud.of(alias)._call._limits for alias in ("a", "b", "c", "d")]
        assert limits[0] is limits[1]
        assert limits[0] is not limits[2]
        assert limits[0] is not limits[3]
        assert stage.cloud._call._limits not in limits

    on_stage(
        script,
        replace(PRODUCTION, alias="a"),
        replace(PRODUCTION, alias="b", external_id=""),
        replace(PRODUCTION, alias="c", region="eu-central-1"),
        replace(PRODUCTION, alias="d", role="arn:aws:iam::111111111111:role/teal"),
    )


def a_scope(rollout: str = "checkout-0a1b2c3d", *policies: str) -> Scope:
    everything = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["*"],"Resource":["*"]}]}'
    return Scope(
        rollout=RolloutId(rollout),
        policies=tuple(Json(policy) for policy in policies or (everything,)),
        is_way_back=False,
    )


def test_a_rollouts_writes_are_signed_by_a_session_of_its_own_and_reads_by_the_shared_one() -> None:
    async def script(stage: Stage) -> None:
        cloud = stage.cloud.of("production")
        scale = ScaleService(cluster=stage.scenery.cluster, service=stage.scenery.service, desired=3)
        gone = DeleteAlarms(names=("none",))
        async with asyncio.TaskGroup() as group:  # one set of clients carries all of them at once
            for name in ("checkout-1", "checkout-2"):
                own = cloud.within(a_scope(name))
                group.create_task(own.perform(scale))
                group.create_task(own.perform(gone))
                group.create_task(own.observe(Needs(alarms=stage.scenery.alarms)))
        by = {(record.operation, record.by.rpartition("/")[2]) for record in stage.other.log if record.by}
        assert by == {
            ("UpdateService", "checkout-1"),
            ("UpdateService", "checkout-2"),
            ("DeleteAlarms", "checkout-1"),
            ("DeleteAlarms", "checkout-2"),
            ("DescribeAlarms", "teal"),
        }
        assert len(stage.own.log.of("AssumeRole")) == 3

    on_stage(script)


def test_a_write_beyond_the_policy_is_denied_over_the_wire() -> None:
    async def script(stage: Stage) -> None:
        own = stage.cloud.of("production").within(a_scope("a-1", '{"Version":"2012-10-17","Statement":[]}'))
        scale = ScaleService(cluster=stage.scenery.cluster, service=stage.scenery.service, desired=3)
        with pytest.raises(Denied, match="no session policy allows the ecs:UpdateService action"):
            await own.perform(scale)

    on_stage(script)


def test_a_rollouts_session_shares_the_rate_limit_of_its_account_and_region() -> None:
    async def script(stage: Stage) -> None:
        cloud = stage.cloud.of("production")
        assert cloud.within(a_scope())._writes._limits is cloud._call._limits
        assert cloud.within(a_scope())._reads is cloud._reads
        assert stage.cloud.within(a_scope()) is stage.cloud  # no role is assumed: nothing can be confined

    on_stage(script)


def test_a_policy_that_aws_cannot_pack_gives_way_to_the_next() -> None:
    too_large = Rejected(what="sts AssumeRole", why="AWS answered PackedPolicyTooLarge: 110 % of its limit")
    script = Script({"AssumeRole": [too_large, answer(1, NOON + timedelta(hours=1))]}, is_strict=False)
    held = AssumedRole(
        PRODUCTION,
        Caller(script, patience=Patience.once()),
        now=lambda: NOON,
        session="checkout-1",
        policies=("exact", "coarse"),
    )
    assert asyncio.run(held.current()).access_key.endswith("1")
    assert [params["Policy"] for params in script.asked("AssumeRole")] == ["exact", "coarse"]


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def role(script: Script, clock: Hand) -> AssumedRole:
    return AssumedRole(PRODUCTION, Caller(script, patience=Patience.once()), now=clock)


def answer(number: int, until: datetime) -> dict[str, object]:
    return {
        "Credentials": {
            "AccessKeyId": f"ASIA{number:016}",
            "SecretAccessKey": "secret",
            "SessionToken": "token",
            "Expiration": until,
        }
    }


def test_while_old_credentials_work_a_failed_renewal_costs_nothing() -> None:
    away = Unreachable(what="sts AssumeRole")
    hour = NOON + timedelta(hours=1)
    script, clock = (
        Script({"AssumeRole": [answer(1, hour), away, away, answer(2, hour + timedelta(hours=1))]}),
        Hand(),
    )
    held = role(script, clock)

    async def run() -> None:
        first = await held.current()
        clock.now = hour - timedelta(minutes=10)
        assert await held.current() is first
        assert await held.current() is first  # and AWS is not asked again at once
        assert len(script.calls) == 2
        clock.now += timedelta(seconds=31)
        assert await held.current() is first
        clock.now += timedelta(seconds=31)
        assert (await held.current()).access_key.endswith("2")

    asyncio.run(run())


def test_without_credentials_that_work_the_failure_is_told() -> None:
    script, clock = (
        Script({"AssumeRole": [answer(1, NOON + timedelta(hours=1)), Unreachable(what="sts")]}),
        Hand(),
    )
    held = role(script, clock)

    async def run() -> None:
        await held.current()
        clock.now += timedelta(minutes=59, seconds=30)
        with pytest.raises(Unreachable):
            await held.current()

    asyncio.run(run())


def test_no_credentials_are_printed() -> None:
    held = role(Script({"AssumeRole": [answer(1, NOON + timedelta(hours=1))]}), Hand())
    given = asyncio.run(held.current())
    assert "secret" not in repr(given)
    assert "token=" not in repr(given)
