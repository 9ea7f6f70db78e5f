import asyncio

import pytest

from orchestrator.aws.client.call import PAGES_MAX, Caller, Patience, chunks
from orchestrator.aws.client.errors import refused, unanswered
from orchestrator.aws.client.rate_limits import ALONE, FAMILIES, Limits, family_of
from orchestrator.aws.client.transport import Answer
from orchestrator.core.domain.errors import Denied, Outside, Rejected, Throttled, Unreachable
from tests.aws.clock import run_in_no_time
from tests.aws.script import Script

THROTTLE = refused("ecs", "DescribeServices", code="ThrottlingException", message="Rate exceeded", status=400)
SILENCE = unanswered("ecs", "DescribeServices", why="no answer")
DENIAL = refused("ecs", "DescribeServices", code="AccessDeniedException", message="", status=400)
NOTHING: Answer = {"services": [], "failures": []}
ASKED = {"services": ["checkout"]}


@pytest.mark.parametrize("trouble", [THROTTLE, SILENCE])
def test_a_read_is_repeated_while_aws_throttles_or_is_silent(trouble: Outside) -> None:
    script = Script({"DescribeServices": [trouble, trouble, NOTHING]})
    assert run_in_no_time(Caller(script).read("ecs", "DescribeServices", ASKED)) == NOTHING
    assert len(script.calls) == 3


def test_a_read_gives_up_after_its_attempts_and_says_why() -> None:
    script = Script({"DescribeServices": [SILENCE]})
    with pytest.raises(Unreachable, match="no answer"):
        run_in_no_time(Caller(script).read("ecs", "DescribeServices", ASKED))
    assert len(script.calls) == Patience().attempts


def test_a_refused_read_is_not_repeated() -> None:
    script = Script({"DescribeServices": [DENIAL]})
    with pytest.raises(Denied):
        run_in_no_time(Caller(script).read("ecs", "DescribeServices", ASKED))
    assert len(script.calls) == 1


@pytest.mark.parametrize("trouble", [THROTTLE, SILENCE])
def test_a_write_is_sent_once_whatever_happens(trouble: Outside) -> None:
    script = Script({"UpdateService": [trouble]})
    with pytest.raises(type(trouble)):
        run_in_no_time(
            Caller(script).write("ecs", "UpdateService", {"service": "checkout", "desiredCount": 1})
        )
    assert len(script.calls) == 1


def test_back_off_is_jittered_and_grows() -> None:
    async def waits(chance: float) -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        script = Script({"DescribeServices": [THROTTLE, THROTTLE, NOTHING]})
        await Caller(script, chance=lambda: chance).read("ecs", "DescribeServices", ASKED)
        return loop.time() - began

    assert run_in_no_time(waits(0.0)) == 0
    assert run_in_no_time(waits(1.0)) == pytest.approx(0.4 + 0.8)


def test_a_call_without_an_answer_ends_within_its_timeout() -> None:
    class Silent:
        async def call(self, service: str, operation: str, params: object) -> Answer:
            await asyncio.Event().wait()
            raise AssertionError("never")

    async def took() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(Unreachable, match=r"within 7\.5 s"):
            await Caller(Silent(), patience=Patience.once()).write("elbv2", "ModifyRule", {})
        return loop.time() - began

    assert run_in_no_time(took()) == pytest.approx(7.5, abs=0.01)


def test_all_attempts_of_a_read_end_before_a_ticks_deadline() -> None:
    patience = Patience()
    wait_for_a_token = ALONE.patience
    assert patience.budget + wait_for_a_token + patience.timeout < 15


def test_pages_are_followed_to_the_end() -> None:
    first = {"Rules": [{"RuleArn": "one"}], "NextMarker": "more"}
    script = Script({"DescribeRules": [first, {"Rules": [{"RuleArn": "two"}]}]})
    read = Caller(script).pages(
        "elbv2", "DescribeRules", {"ListenerArn": "l"}, items="Rules", token="NextMarker", sent_as="Marker"
    )
    assert [rule["RuleArn"] for rule in run_in_no_time(read)] == ["one", "two"]
    assert script.asked("DescribeRules")[1] == {"ListenerArn": "l", "Marker": "more"}


def test_a_list_without_an_end_is_given_up() -> None:
    script = Script({"DescribeRules": [{"Rules": [], "NextMarker": "again"}]})
    read = Caller(script).pages(
        "elbv2", "DescribeRules", {"ListenerArn": "l"}, items="Rules", token="NextMarker", sent_as="Marker"
    )
    with pytest.raises(Unreachable, match="did not end"):
        run_in_no_time(read)
    assert len(script.calls) == PAGES_MAX


def test_a_burst_of_reads_stays_below_the_bucket_of_aws() -> None:
    async def burst() -> float:
        limits, loop = Limits(patience=60), asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            for _ in range(100):
                group.create_task(limits.take("elbv2", "DescribeTargetHealth", to_safety=False))
        return loop.time() - began

    size, reserve, rate = 40 * 0.8, 5, 10 * 0.8
    assert run_in_no_time(burst()) == pytest.approx((100 - size + reserve) / rate, abs=0.1)


def test_a_write_to_safety_goes_through_while_ordinary_writes_wait() -> None:
    async def order() -> list[str]:
        limits, went = Limits(patience=60), []

        async def write(name: str, *, to_safety: bool) -> None:
            await limits.take("elbv2", "ModifyRule", to_safety=to_safety)
            went.append(name)

        for _ in range(11):  # all but the reserve
            await write("ordinary", to_safety=False)
        went.clear()
        async with asyncio.TaskGroup() as group:
            group.create_task(write("ordinary", to_safety=False))
            group.create_task(write("safety", to_safety=True))
        return went

    assert run_in_no_time(order()) == ["safety", "ordinary"]


def test_after_a_throttle_ordinary_calls_wait_and_safety_does_not() -> None:
    async def waits(to_safety: bool) -> float:
        limits, loop = Limits(), asyncio.get_running_loop()
        script = Script({"ModifyRule": [THROTTLE, {"Rules": []}]})
        call = Caller(script, limits=limits)
        write = {"RuleArn": "r", "Actions": []}
        with pytest.raises(Throttled):
            await call.write("elbv2", "ModifyRule", write)
        began = loop.time()
        await call.write("elbv2", "ModifyRule", write, to_safety=to_safety)
        return loop.time() - began

    assert run_in_no_time(waits(to_safety=True)) == 0
    assert run_in_no_time(waits(to_safety=False)) > 0.1


def test_a_call_that_would_wait_too_long_for_its_turn_is_throttled_by_name() -> None:
    async def exhaust() -> None:
        limits = Limits(patience=0.5)
        for _ in range(100):
            await limits.take("application-autoscaling", "RegisterScalableTarget", to_safety=False)

    with pytest.raises(Throttled, match="Teal's own limit"):
        run_in_no_time(exhaust())


def test_every_family_that_is_named_exists() -> None:
    calls = [
        ("elbv2", "DescribeRules"),
        ("elbv2", "AddTags"),
        ("ecs", "ListTasks"),
        ("application-autoscaling", "DescribeScheduledActions"),
        ("sts", "GetCallerIdentity"),
        ("cloudwatch", "DescribeAlarms"),
    ]
    assert {family_of(*call) for call in calls} <= FAMILIES.keys()


def test_chunks_keep_every_item_in_order() -> None:
    assert chunks(("a", "b", "c"), 2) == [("a", "b"), ("c",)]
    assert chunks((), 2) == []


def test_an_answer_that_lacks_what_was_asked_for_is_no_answer() -> None:
    script = Script({"DescribeServices": [{}]})
    with pytest.raises(Unreachable, match="holds no services"):
        run_in_no_time(Caller(script).read("ecs", "DescribeServices", ASKED, has="services"))
    assert len(script.calls) == Patience().attempts


def test_a_rejected_write_reaches_the_caller_as_it_is() -> None:
    no = refused("elbv2", "DeleteTargetGroup", code="ResourceInUse", message="in use", status=400)
    with pytest.raises(Rejected, match="in use"):
        run_in_no_time(
            Caller(Script({"DeleteTargetGroup": [no]})).write(
                "elbv2", "DeleteTargetGroup", {"TargetGroupArn": "t"}
            )
        )
