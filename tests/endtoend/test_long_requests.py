"""Requests that last longer than a rollback: whoever green is answering when it is taken back gets the whole answer."""

import asyncio
import signal
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from api.cli.demo.acts import environment
from sandbox.ports import ForwardView
from sandbox.sandbox import Sandbox
from tests.endtoend.stage import ROOT
from tests.sandbox.plane.board import until

pytestmark = pytest.mark.machine(seconds=70)

LASTS_MS = 16_000  # longer than a written weight takes to steer, and a task told to stop to be killed
STOP_SECONDS = 2
DELAY_SECONDS = 20
IN_FLIGHT = 8
LONGEST_SECONDS = 300.0  # so long only what hangs takes, also on a machine that is busy with other things
FILE = """\
service: prod/checkout
revision: {{task_definition: {revision}}}
plan: [{{weight: 100, bake: 10m}}]
metrics: {{period: 1s, lag: 2 periods}}
gates: {{compare: off, guard: off}}
"""


def slow_revision(sandbox: Sandbox) -> str:
    """A revision like the good one that takes its time for every answer, and little of it to stop."""
    asked = {"taskDefinition": sandbox.revisions["good"]}
    known = sandbox.world.call("ecs", "DescribeTaskDefinition", asked)["taskDefinition"]
    (container,) = known["containerDefinitions"]
    slow = {
        **container,
        "stopTimeout": STOP_SECONDS,
        "environment": [*container["environment"], {"name": "TEAL_DEMO_LATENCY", "value": str(LASTS_MS)}],
    }
    names = ("family", "networkMode", "requiresCompatibilities", "cpu", "memory")
    request = {name: known[name] for name in names} | {"containerDefinitions": [slow]}
    made = sandbox.world.call("ecs", "RegisterTaskDefinition", request)["taskDefinition"]["taskDefinitionArn"]
    return str(made).rpartition("/")[2]


def furnish(sandbox: Sandbox, *, is_sticky: bool) -> None:
    assert sandbox.scenery is not None
    rule, group = sandbox.scenery.rules[0], sandbox.scenery.target_group
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": str(DELAY_SECONDS)}
    sandbox.world.call(
        "elbv2", "ModifyTargetGroupAttributes", {"TargetGroupArn": group, "Attributes": [delay]}
    )
    if is_sticky:
        config = {
            "TargetGroups": [{"TargetGroupArn": group, "Weight": 1}],
            "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 600},
        }
        action = {"Type": "forward", "ForwardConfig": config}
        sandbox.world.call("elbv2", "ModifyRule", {"RuleArn": rule, "Actions": [action]})


def is_all_on_green(sandbox: Sandbox) -> bool:
    """True once the weight steers every request to green."""
    assert sandbox.scenery is not None
    rules = [rule for listener in sandbox.world.traffic.listeners() for rule in listener.rules]
    action = next(rule.action for rule in rules if rule.arn == sandbox.scenery.rules[0])
    weights = dict(action.weights) if isinstance(action, ForwardView) else {}
    return len(weights) == 2 and weights[sandbox.scenery.target_group] == 0


async def answer(url: str) -> bytes:
    """What one request gets, whole."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(f"GET / HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
    whole = await reader.read()
    writer.close()
    return whole


@pytest.mark.parametrize("is_sticky", [False, True], ids=["without stickiness", "with stickiness"])
def test_a_rollback_cuts_no_request_that_green_is_answering(tmp_path: Path, *, is_sticky: bool) -> None:
    async def main() -> tuple[list[bytes], int, str, str]:
        async with Sandbox() as sandbox, asyncio.timeout(LONGEST_SECONDS):
            furnish(sandbox, is_sticky=is_sticky)
            revision = slow_revision(sandbox)
            file = tmp_path / "rollout.yaml"
            file.write_text(FILE.format(revision=revision))
            deploy = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "api.cli.main", "deploy", "-f", str(file)),
                cwd=ROOT,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=environment(sandbox.environment, tmp_path),
            )
            try:
                await until(
                    lambda: is_all_on_green(sandbox) or deploy.returncode is not None, LONGEST_SECONDS
                )
                asked = [asyncio.create_task(answer(sandbox.url)) for _ in range(IN_FLIGHT)]
                await asyncio.sleep(1)
                deploy.send_signal(signal.SIGTERM)  # without a terminal that rolls back
                said, _ = await deploy.communicate()
                return [await one for one in asked], deploy.returncode or 0, revision, said.decode()
            finally:
                if deploy.returncode is None:
                    deploy.kill()

    answers, code, revision, said = asyncio.run(main())
    assert code == 3, said
    for whole in answers:
        assert whole.startswith(b"HTTP/1.1 200"), f"{whole[:200]!r}\n{said}"
        assert f"X-Teal-Revision: {revision}".encode() in whole
        assert whole.rstrip().endswith(b"}"), "the whole answer"
