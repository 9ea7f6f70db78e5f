"""How fast and how exact the data plane is, measured on a whole sandbox: ``python -m`` this module.

Prints ``name: value`` lines. The World counts every request meanwhile, as it does in a demo; the client and the
tasks run in processes of their own, and only this process's CPU time is charged to the proxy.
"""

import asyncio
import selectors
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass

from sandbox.ports import ForwardView
from sandbox.sandbox import Sandbox
from sandbox.world.kernel.errors import Json

CONNECTIONS = 32
REQUESTS = 40_000
WEIGHED = 20_000
GREEN_TENTHS = 100
FLIPS = 50
MODULE = "tests.bench.data_plane"
REQUEST = b"GET / HTTP/1.1\r\nHost: bench.example\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The figures."""

    requests_per_second: float  # by the clock, with client and tasks on whatever cores are left
    requests_per_second_one_core: float  # by the CPU time of the process that holds proxy, World and API
    weight_error_points: float  # |share that green got − its weight|, in percentage points
    flips: int
    requests_while_flipping: int
    failed_while_flipping: int
    failed_while_draining: int

    def lines(self) -> tuple[str, ...]:
        """One ``name: value`` line a figure."""
        return (
            f"proxy_requests_per_second: {self.requests_per_second:.0f}",
            f"proxy_requests_per_second_one_core: {self.requests_per_second_one_core:.0f}",
            f"weight_error_points_over_{WEIGHED}_requests: {self.weight_error_points:.3f}",
            f"weight_flips: {self.flips}",
            f"requests_while_flipping: {self.requests_while_flipping}",
            f"failed_while_flipping: {self.failed_while_flipping}",
            f"failed_while_draining: {self.failed_while_draining}",
        )


async def measure() -> Measured:
    """All figures; takes some 40 seconds, the most of it for weights to take effect."""
    async with Sandbox() as sandbox:
        cpu, wall = time.process_time(), time.perf_counter()
        await _closed_loop(sandbox, REQUESTS)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        guest = await _green(sandbox)
        await _split(sandbox, guest, GREEN_TENTHS)
        served = await _closed_loop(sandbox, WEIGHED)
        async with sandbox.load(rate=1000) as load:
            for flip in range(FLIPS):
                await _split(sandbox, guest, 0 if flip % 2 else 1000)
            flipped = load.seen()
            await _drain(sandbox, guest)
            ended = await load.finish()
    return Measured(
        requests_per_second=REQUESTS / wall,
        requests_per_second_one_core=REQUESTS / cpu,
        weight_error_points=abs(100 * served["checkout:2"] / WEIGHED - GREEN_TENTHS / 10),
        flips=FLIPS,
        requests_while_flipping=flipped.requests,
        failed_while_flipping=flipped.failed_by_shift + flipped.failed_by_revision,
        failed_while_draining=ended.failed_by_shift - flipped.failed_by_shift,
    )


async def _closed_loop(sandbox: Sandbox, requests: int) -> Counter[str]:
    """Ask so many times on 32 connections, each as soon as the last was answered; answers by revision."""
    port = sandbox.url.rstrip("/").rpartition(":")[2]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", MODULE, port, str(requests), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    words = said.decode().split()
    return Counter({name: int(count) for name, count in zip(words[::2], words[1::2], strict=True)})


async def _green(sandbox: Sandbox) -> str:
    """A second service in a group of its own beside blue, at weight 0; returns the group's ARN."""
    world, scenery = sandbox.world, sandbox.scenery
    assert scenery is not None
    asked: Json = {"TargetGroupArns": [scenery.target_group]}
    blue = world.call("elbv2", "DescribeTargetGroups", asked)["TargetGroups"][0]
    kept = ("Protocol", "Port", "VpcId", "TargetType", "HealthCheckPath", "HealthCheckIntervalSeconds")
    params = {"Name": "checkout-green", **{name: blue[name] for name in kept}}
    group = str(world.call("elbv2", "CreateTargetGroup", params)["TargetGroups"][0]["TargetGroupArn"])
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "2"}
    world.call("elbv2", "ModifyTargetGroupAttributes", {"TargetGroupArn": group, "Attributes": [delay]})
    await _split(sandbox, group, 0)
    await asyncio.sleep(
        world.settings.staleness.total_seconds()
    )  # until then ECS may not see the association
    asked = {"cluster": scenery.cluster, "services": [scenery.service]}
    service = world.call("ecs", "DescribeServices", asked)["services"][0]
    entry = {"containerName": scenery.container, "containerPort": scenery.container_port}
    created: Json = {
        "cluster": scenery.cluster,
        "serviceName": "checkout-green",
        "taskDefinition": sandbox.revisions["good"],
        "desiredCount": 2,
        "launchType": "FARGATE",
        "networkConfiguration": service["networkConfiguration"],
        "loadBalancers": [{"targetGroupArn": group, **entry}],
    }
    world.call("ecs", "CreateService", created)
    states: list[str] = []
    while states != ["healthy", "healthy"]:
        await asyncio.sleep(0.1)
        states = [target.state for target in world.traffic.group(group).targets]
    return group


async def _split(sandbox: Sandbox, green: str, tenths: int) -> None:
    """Write the rule's weights and wait until they are in force."""
    world, scenery = sandbox.world, sandbox.scenery
    assert scenery is not None
    wanted = ((scenery.target_group, min(1000 - tenths, 999)), (green, min(tenths, 999)))
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in wanted]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    world.call("elbv2", "ModifyRule", {"RuleArn": scenery.rules[0], "Actions": [action]})
    in_force = ForwardView(weights=wanted)

    def steers() -> bool:
        return in_force in [rule.action for view in world.traffic.listeners() for rule in view.rules]

    while not steers():  # noqa: ASYNC110 - AWS tells nobody that a write steers now, nor does the World
        await asyncio.sleep(0.02)


async def _drain(sandbox: Sandbox, green: str) -> None:
    """Scale green in and out again while it takes half of the requests, and wait until its tasks have gone."""
    world, scenery = sandbox.world, sandbox.scenery
    assert scenery is not None
    await _split(sandbox, green, 500)
    for desired in (1, 2):
        asked = {"cluster": scenery.cluster, "service": "checkout-green", "desiredCount": desired}
        world.call("ecs", "UpdateService", asked)
        states: list[str] = []
        while states != ["healthy"] * desired:
            await asyncio.sleep(0.1)
            states = [target.state for target in world.traffic.group(green).targets]


def ask(port: int, requests: int) -> Counter[str]:
    """The client: answers by revision."""
    selector = selectors.DefaultSelector()
    answers: Counter[str] = Counter()
    sent = 0
    for _ in range(CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ, connection)
        connection.sendall(REQUEST)
        sent += 1
    while answers.total() < requests:
        for key, _ in selector.select():
            connection = key.data
            answer = connection.recv(65_536)  # one small answer, written in one piece
            _, _, named = answer.partition(b"X-Teal-Revision: ")
            answers[named.partition(b"\r")[0].decode() or answer[9:12].decode()] += 1
            if sent < requests:
                connection.sendall(REQUEST)
                sent += 1
    return answers


def main() -> None:
    """Measure and print; with a port and a number, be the client."""
    if len(sys.argv) == 3:
        print(*(word for pair in ask(int(sys.argv[1]), int(sys.argv[2])).items() for word in pair))
    else:
        print(*asyncio.run(measure()).lines(), sep="\n")


if __name__ == "__main__":
    main()
