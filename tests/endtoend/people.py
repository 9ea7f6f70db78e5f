"""What people do beside a running `teal deploy`: from a second process, by signals, by starting it twice."""

import signal
import time
from urllib.parse import urlsplit

from tests.endtoend.stage import Shop, Stage

SLOW = """\
service: prod/{service}
revision: {{task_definition: {revision}}}
plan: [{{weight: 10, bake: 0s}}, {{weight: 50, bake: 10m, approval: true}}, {{weight: 100, bake: 10m}}]
metrics: {{period: 1s, lag: 2 periods}}
"""
STAYS_AT_HALF = """\
service: prod/{service}
revision: {{task_definition: {revision}}}
plan: [{{weight: 50, bake: 3s, approval: true}}, {{weight: 100, bake: 2s}}]
metrics: {{period: 1s, lag: 2 periods}}
"""


async def applied(shop: Shop, *command: str, told: str) -> None:
    """Give a command from a process of its own; it is in the log a second after it was accepted."""
    given = await shop.teal(command[0], shop.name, *command[1:])
    accepted = time.time()
    assert given.code == 0, given
    await shop.event(f"command_applied: {told}")
    print(f"{command[0]}: in the log {time.time() - accepted:.2f} s after the command returned")


async def commands_beside_two_deploys(made: Stage) -> None:
    shop = await made.shop("steered")
    before = await shop.state()
    file = shop.file(shop.revision(TEAL_DEMO_VERSION="2"), text=SLOW)
    both = [await shop.deploy(file), await shop.deploy(file)]  # neither knows of the other
    await shop.until(lambda view: view.green_percent == 50)
    await applied(shop, "approve", told="approve by ")
    await applied(shop, "pause", "-r", "lunch", told="pause by ")
    again = await shop.teal("pause", shop.name)
    assert again.code == 5, again
    assert "already paused" in again.err
    await applied(shop, "resume", told="resume by ")
    await applied(shop, "back", "--to", "10%", told="back by ")
    await shop.until(lambda view: view.green_percent == 10)
    await shop.until(lambda view: view.green_percent == 50)
    await applied(shop, "approve", told="approve by ")
    await applied(shop, "promote", told="promote by ")
    await shop.in_phase("watching")
    await applied(shop, "promote", told="promote by ")
    ends = [await deploy.ended() for deploy in both]
    assert [ended.code for ended in ends] == [0, 0], ends
    assert len(await shop.rollouts()) == 1
    assert await shop.changes(before) == []
    late = await shop.teal("rollback", shop.name)
    assert late.code != 0, late
    assert "Traceback" not in late.err
    assert (await shop.load.finish()).shift == {}


async def ctrl_c_leaves_and_sigterm_takes_back(made: Stage) -> None:
    shop = await made.shop("stopped")
    before, former = await shop.state(), await shop.on()
    new = shop.revision(TEAL_DEMO_VERSION="2")
    file = shop.file(new, text=SLOW)
    deploy = await shop.deploy(file)
    await shop.until(lambda view: view.green_percent == 10)
    await deploy.send(signal.SIGINT)
    left = await deploy.ended()
    assert left.code == 130, left
    rollout = (await shop.newest()).id
    assert f"Go on: `teal deploy -f {file}`" in left.out
    assert f"`teal rollback {rollout}`" in left.out
    other = await shop.teal("deploy", "-f", shop.file(f"{shop.name}:1", text=SLOW, name="other.yaml"))
    assert other.code == 5, other
    assert f"revision.task_definition: {new} is now {shop.name}:1" in other.err
    assert rollout in other.err
    deploy = await shop.deploy(file)
    await shop.until(lambda view: view.green_percent == 50)
    await deploy.send(signal.SIGTERM)
    ended = await deploy.ended()
    assert ended.code == 3, ended
    assert "rolling back: rollback by " in ended.out
    assert await shop.on() == former
    assert await shop.changes(before) == []
    assert (await shop.load.finish()).shift == {}


async def watched_through_a_server_that_restarts(made: Stage) -> None:
    shop = await made.shop("watched")
    serve = await shop.start("serve", "--port", "0")
    server = (await serve.says("\n")).partition("\n")[0]
    there = {"TEAL_SERVER": server}
    file = shop.file(shop.revision(TEAL_DEMO_VERSION="2"), text=STAYS_AT_HALF)
    started = await shop.teal("start", "-f", file, **there)
    assert started.code == 0, started
    rollout = (await shop.newest()).id
    wait = await shop.start("wait", rollout, **there)
    watch = await shop.start("watch", rollout, **there)
    await watch.says("\n")
    await shop.teal("get", rollout, **there)  # begun last: once it has its answer, `wait` has had one
    await shop.until(lambda view: view.green_percent == 50)
    await serve.kill()
    await watch.says("Connection lost")
    await shop.start("serve", "--port", str(urlsplit(server).port))
    await watch.says("Connected again")
    approved = await shop.teal("approve", rollout, **there)
    assert approved.code == 0, approved
    ended, waited = await watch.ended(), await wait.ended()
    assert (ended.code, waited.code) == (0, 0), (ended, waited)
    said = ended.out.splitlines()
    assert f"Connection lost: the server at {server} does not answer" in ended.out
    assert [line.partition(" after ")[0] for line in said if line.startswith("Connected")] == [
        "Connected again"
    ]
    told = [line.partition("  ")[2] for line in said]
    # What was measured beside the weight may follow, where chance made the two differ.
    steps = [words.partition(";")[0] for words in told]
    steps = [words for words in steps if words in ("step 1 passed", "step 2 passed")]
    assert steps == ["step 1 passed", "step 2 passed"], f"each event is told once: {told}"
    assert "Connection lost" in waited.err
    print("\n".join(line for line in said if line.startswith("Connect")))
    refused = await shop.teal("watch", rollout, TEAL_SERVER="http://127.0.0.1:9")
    assert (refused.code, "Connection lost" in refused.out) == (1, False), "one that never answered"
    assert (await shop.load.finish()).shift == {}


SCENES = (
    watched_through_a_server_that_restarts,
    commands_beside_two_deploys,
    ctrl_c_leaves_and_sigterm_takes_back,
)
