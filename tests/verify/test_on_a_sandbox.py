"""The whole command as a process, on a sandbox with real tasks and real requests, in minutes of one second."""

import asyncio
import json
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.sandbox import Sandbox

pytestmark = pytest.mark.machine(seconds=150)
PARTS = (
    "preflight,good,bad,in-flight,request-count,datapoint-delay,datapoint-revision,written-back,"
    "stickiness-left-out,weights-of-zero,scalable-target-tags,stopped-tasks"
)


def environment(sandbox: Sandbox, folder: Path) -> dict[str, str]:
    return {**os.environ, **sandbox.environment, "XDG_STATE_HOME": str(folder)}


async def begin(sandbox: Sandbox, folder: Path, *more: str) -> asyncio.subprocess.Process:
    port = sandbox.proxy.reserve()
    place = ("--subnets", "subnet-0aaa,subnet-0bbb", "--security-group", "sg-0123")
    there = ("--port", str(port), "--url", f"http://127.0.0.1:{port}", "--minute", "1s")
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "api.cli.main", "verify-account", *place, *there, "--yes", "--output", str(folder / "out")),
        *more,
        env=environment(sandbox, folder),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def left(sandbox: Sandbox) -> list[str]:
    call = sandbox.world.call
    clusters = call("ecs", "ListClusters", {})["clusterArns"]
    groups = call("elbv2", "DescribeTargetGroups", {})["TargetGroups"]
    names = [arn.rpartition("/")[2] for arn in clusters] + [one["TargetGroupName"] for one in groups]
    return [name for name in names if "verify" in name]


def test_a_run_on_a_sandbox_sees_what_teal_believes_and_says_what_could_not_be_asked(tmp_path: Path) -> None:
    async def run() -> tuple[int, str, list[str]]:
        async with Sandbox(minute=timedelta(seconds=1)) as sandbox:
            process = await begin(sandbox, tmp_path, "--only", PARTS)
            out, errors = await process.communicate()
            return process.returncode or 0, (out + errors).decode(), left(sandbox)

    code, text, remaining = asyncio.run(run())
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    verdicts = {belief["name"]: belief["verdict"] for belief in report["beliefs"]}
    assert [(one["name"], one["phase"]) for one in report["rollouts"]] == [
        ("good", "succeeded"),
        ("bad", "rolled_back"),
    ], text
    assert report["rollouts"][0]["failed"] == 0
    assert verdicts.pop("stopped-tasks") == "not asked"
    # How late the sandbox's minutes of one second are, hangs on how busy this machine is.
    late = {verdicts.pop("datapoint-delay"), verdicts.pop("datapoint-revision")}
    assert late <= {"as believed", "wrong"}
    assert set(verdicts.values()) == {"as believed"}, text
    assert code == (1 if "wrong" in late else 0), text
    assert remaining == []


def test_ctrl_c_removes_what_was_made_and_exits_130(tmp_path: Path) -> None:
    async def run() -> tuple[int, str, list[str]]:
        async with Sandbox(minute=timedelta(seconds=1)) as sandbox:
            process = await begin(sandbox, tmp_path, "--only", "good")
            assert process.stdout is not None
            said = b""
            while b"made cluster" not in said:
                said += await process.stdout.readline()
            process.send_signal(signal.SIGINT)
            out, errors = await process.communicate()
            return process.returncode or 0, (said + out + errors).decode(), left(sandbox)

    code, text, remaining = asyncio.run(run())
    assert code == 130, text
    assert "Everything that was made is removed." in text
    assert remaining == []
