"""The whole sandbox: unmodified boto3 moves weights, real requests follow, and nothing is left behind."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.plane.clients.tally import LoadSeen
from sandbox.plane.tasks.control import BadFault, FaultRequest
from sandbox.ports import ForwardView
from sandbox.sandbox import Sandbox
from tests.sandbox.plane.board import run, until
from tests.sandbox.plane.test_supervisor import is_alive

ROOT = Path(__file__).parents[3]
Found = TypeVar("Found")


def client(sandbox: Sandbox, service: str) -> Any:  # noqa: ANN401 -- boto3 has no types
    """An ordinary boto3 client, told nothing but what `describe` says to set."""
    told = sandbox.environment
    return boto3.client(
        service,
        endpoint_url=told["AWS_ENDPOINT_URL"],
        region_name=told["AWS_REGION"],
        aws_access_key_id=told["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=told["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )


async def aside(call: Callable[..., Found], **params: object) -> Found:
    """Make a blocking call on a thread, as boto3 needs it."""
    return await asyncio.to_thread(call, **params)


def control(sandbox: Sandbox, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
    """Ask one of the sandbox's own paths."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(f"{sandbox.endpoint}/_sandbox/{path}", data) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def room(sandbox: Sandbox) -> int | None:
    return sandbox.world.capacity.limit


class Shift:
    """A guest beside blue, made and moved through boto3."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.elb = client(sandbox, "elbv2")
        self.ecs = client(sandbox, "ecs")
        assert sandbox.scenery is not None
        self.scenery = sandbox.scenery
        self.group = ""

    def close(self) -> None:
        self.elb.close()
        self.ecs.close()

    async def provision(self, revision: str) -> None:
        blue = await self.described(self.scenery.target_group)
        kept = ("Protocol", "Port", "VpcId", "TargetType", "HealthCheckPath", "HealthCheckIntervalSeconds")
        made = await aside(self.elb.create_target_group, Name="guest", **{name: blue[name] for name in kept})
        self.group = made["TargetGroups"][0]["TargetGroupArn"]
        delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "1"}
        await aside(self.elb.modify_target_group_attributes, TargetGroupArn=self.group, Attributes=[delay])
        await self.weigh(blue=999, green=0)
        while not (await self.described(self.group))["LoadBalancerArns"]:
            pass  # the association takes a moment to be visible, and a service is refused until then
        await aside(
            self.ecs.create_service,
            cluster=self.scenery.cluster,
            serviceName="guest",
            taskDefinition=revision,
            desiredCount=2,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-0aaa"]}},
            loadBalancers=[
                {"targetGroupArn": self.group, "containerName": self.scenery.container, "containerPort": 8080}
            ],
        )
        await until(lambda: self.states() == ["healthy", "healthy"])

    async def described(self, group: str) -> dict[str, Any]:
        found: dict[str, list[dict[str, Any]]] = await aside(
            self.elb.describe_target_groups, TargetGroupArns=[group]
        )
        return found["TargetGroups"][0]

    def states(self) -> list[str]:
        return [target.state for target in self.sandbox.world.traffic.group(self.group).targets]

    def weight_in_force(self) -> int:
        rules = [rule for view in self.sandbox.world.traffic.listeners() for rule in view.rules]
        forwards = [rule.action for rule in rules if isinstance(rule.action, ForwardView)]
        return dict(forwards[0].weights)[self.group]

    async def errors_counted(self) -> float:
        """5XX answers of the guest's group in CloudWatch, so far as they can be read yet."""
        dimensions = [
            {"Name": "LoadBalancer", "Value": self.scenery.load_balancer.split(":loadbalancer/", 1)[1]},
            {"Name": "TargetGroup", "Value": self.group.rsplit(":", 1)[1]},
        ]
        metric = {
            "Namespace": "AWS/ApplicationELB",
            "MetricName": "HTTPCode_Target_5XX_Count",
            "Dimensions": dimensions,
        }
        cloudwatch = client(self.sandbox, "cloudwatch")
        now = datetime.now(UTC)
        answer = await aside(
            cloudwatch.get_metric_data,
            MetricDataQueries=[{"Id": "e", "MetricStat": {"Metric": metric, "Period": 1, "Stat": "Sum"}}],
            StartTime=now - timedelta(minutes=1),
            EndTime=now,
        )
        cloudwatch.close()
        return float(sum(answer["MetricDataResults"][0]["Values"]))

    async def weigh(self, *, blue: int, green: int) -> None:
        groups = [
            {"TargetGroupArn": self.scenery.target_group, "Weight": blue},
            {"TargetGroupArn": self.group, "Weight": green},
        ]
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
        await aside(self.elb.modify_rule, RuleArn=self.scenery.rules[0], Actions=[action])


@pytest.mark.machine(seconds=20)
def test_weights_written_with_boto3_move_real_requests_and_lose_none() -> None:
    async def scene() -> LoadSeen:
        # Few enough for a busy machine to keep up with; one that stands still for seconds keeps none from being sent.
        async with Sandbox(seed=7) as sandbox, sandbox.load(rate=100, in_flight=1024) as load:
            shift = Shift(sandbox)
            await shift.provision("checkout:2")
            assert "checkout:2" not in load.seen().revisions
            await shift.weigh(blue=500, green=499)
            await until(lambda: "checkout:2" in load.seen().revisions)
            await shift.weigh(blue=999, green=0)
            # The write reads back at once but steers a moment later: scaling in before that gives 503s.
            await until(lambda: shift.weight_in_force() == 0)
            await aside(shift.ecs.update_service, cluster="prod", service="guest", desiredCount=0)
            await until(lambda: shift.states() == [])
            shift.close()
            return await load.finish()

    seen = run(scene())
    assert seen.failed_by_shift == seen.failed_by_revision == 0
    assert set(seen.revisions) == {"checkout:1", "checkout:2"}
    assert seen.unsent == 0


@pytest.mark.machine
def test_bad_revision_shows_as_its_own_failures_and_in_cloudwatch_for_its_group() -> None:
    async def scene() -> LoadSeen:
        minute = timedelta(seconds=1)
        async with Sandbox(minute=minute, bad_error_rate=0.5) as sandbox, sandbox.load(rate=200) as load:
            shift = Shift(sandbox)
            await shift.provision("checkout:3")
            await shift.weigh(blue=500, green=499)
            await until(lambda: load.seen().failed_by_revision > 20)
            while not await shift.errors_counted():
                pass  # every look is a call that takes its time
            shift.close()
            return await load.finish()

    seen = run(scene())
    bad = seen.revisions["checkout:3"]
    assert seen.failed_by_revision == bad.failed > 20
    assert bad.first_failure is not None
    assert seen.revisions["checkout:1"].failed == 0
    assert seen.failed_by_shift == 0


@pytest.mark.machine
def test_empty_sandbox_has_no_resource() -> None:
    async def scene() -> None:
        async with Sandbox(empty=True) as sandbox:
            elb = client(sandbox, "elbv2")
            assert (await aside(elb.describe_load_balancers))["LoadBalancers"] == []
            elb.close()
            assert "cluster" not in sandbox.describe()
            status, state = await aside(control, sandbox=sandbox, path="state")
            assert (status, state["listeners"], state["tasks"], state["problems"]) == (200, [], [], {})

    run(scene())


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"fault": "errors"}, "`rate` is a number from 0 to 1"),
        ({"fault": "errors", "rate": 2}, "`rate` is a number from 0 to 1"),
        ({"fault": "fire"}, "`fault` is one of"),
        ({"fault": "outage", "services": "ecs"}, "`services` is a list of names"),
        ({"fault": "latency", "ms": 5, "speed": 1}, "`latency` knows no `speed`"),
        ([], "write an object"),
    ],
)
def test_fault_that_is_asked_for_wrongly_changes_nothing_and_says_what_to_write(
    asked: object, why: str
) -> None:
    with pytest.raises(BadFault, match=re.escape(why)):
        FaultRequest.of(json.dumps(asked).encode())


@pytest.mark.machine
def test_faults_come_and_go_on_request() -> None:
    async def ask(sandbox: Sandbox, **fault: object) -> int:
        status, _ = await aside(control, sandbox=sandbox, path="faults", body=fault)
        return status

    async def scene() -> None:
        async with Sandbox() as sandbox, sandbox.load(rate=200) as load:
            ecs = client(sandbox, "ecs")
            assert await ask(sandbox, fault="errors", revision="checkout:1", rate=1) == 200
            await until(lambda: load.seen().failed_by_revision > 10)
            assert await ask(sandbox, fault="errors", revision="checkout:1", end=True) == 200
            assert await ask(sandbox, fault="outage", services=["ecs"]) == 200
            assert await ask(sandbox, fault="throttling", seconds=60) == 200
            with pytest.raises(ClientError) as refused:
                await aside(ecs.list_services, cluster="prod")
            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 503)
            _, shown = await aside(control, sandbox=sandbox, path="faults")
            assert shown == {"faults": ["outage", "throttling"]}
            assert await ask(sandbox, fault="outage", end=True) == 200
            with pytest.raises(ClientError, match="ThrottlingException"):
                await aside(ecs.list_services, cluster="prod")
            assert await ask(sandbox, fault="all", end=True) == 200
            assert (await aside(ecs.list_services, cluster="prod"))["serviceArns"]
            assert await ask(sandbox, fault="nonsense") == 400
            assert await ask(sandbox, fault="no_capacity") == 200
            assert room(sandbox) == 0
            assert await ask(sandbox, fault="no_capacity", end=True) == 200
            assert room(sandbox) is None
            ecs.close()

    run(scene())


@pytest.mark.machine
def test_request_lost_on_a_crashing_task_is_its_revisions_failure_and_the_task_is_replaced() -> None:
    async def scene() -> LoadSeen:
        async with Sandbox() as sandbox, sandbox.load(rate=300) as load:
            assert sandbox.scenery is not None
            group = sandbox.scenery.target_group
            before = {target.port for target in sandbox.world.traffic.group(group).targets}
            crash = {"fault": "crash", "service": "checkout"}
            await aside(control, sandbox=sandbox, path="faults", body=crash)
            await until(lambda: load.seen().failed_by_revision > 0)
            await aside(control, sandbox=sandbox, path="faults", body={**crash, "end": True})

            def replaced() -> bool:
                healthy = {t.port for t in sandbox.world.traffic.group(group).targets if t.state == "healthy"}
                return len(healthy) == 3 and not healthy & before

            await until(replaced, 20)
            return await load.finish()

    seen = run(scene())
    assert seen.revisions["checkout:1"].failed > 0
    assert seen.revisions["checkout:1"].first_failure is not None


SANDBOX = """
import asyncio, json
from sandbox.sandbox import Sandbox, run_until_signal

sandbox = Sandbox(desired=2)
def ready(line):
    print(json.dumps([line, sandbox.tasks.pids()]), flush=True)
asyncio.run(run_until_signal(sandbox, ready))
"""


@pytest.mark.machine
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_sandbox_that_is_stopped_or_killed_leaves_no_process_and_no_port(number: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", SANDBOX], stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    line, pids = json.loads(process.stdout.readline())
    assert len(pids) == 2
    os.kill(process.pid, number)
    assert process.wait(20) == (-number if number == signal.SIGKILL else 0)
    process.stdout.close()
    run(until(lambda: not any(is_alive(pid) for pid in pids)))
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(line["listeners"][0])


@pytest.mark.machine
def test_sandbox_that_cannot_take_its_port_says_so_and_leaves_nothing() -> None:
    async def scene() -> None:
        async with Sandbox(empty=True) as first:
            port = int(first.endpoint.rpartition(":")[2])
            with pytest.raises(OSError, match="in use"):
                async with Sandbox(port=port):
                    pass
            assert {
                task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("sandbox's")
            } == {
                "sandbox's clock",
                "sandbox's listeners",
                "sandbox's health checks",
            }

    run(scene())
