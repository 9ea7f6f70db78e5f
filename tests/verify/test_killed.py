"""A run that is killed at any step, and `--clean` afterwards: nothing is left, and nothing of others is touched."""

import asyncio
from dataclasses import replace

import pytest

from orchestrator.verify.cleaning import clean
from orchestrator.verify.journal import FILE, Journal, unfinished
from orchestrator.verify.run import verify
from sandbox.world.kernel.errors import CallLost, Json
from tests.verify.stage import RUN, WANTED, Call, Stage

WRITES = ("Create", "Delete", "Deregister", "Modify", "Put", "Register", "Tag", "Update", "AddTags")
MAKING = 13  # writes until the service is made
PARTS = frozenset({"rollback-shifting", "composite-alarms", "scalable-target-tags"})


class KilledAt:
    """The process dies at its nth write: before AWS has it, or after, and its answer is lost."""

    def __init__(self, stage: Stage, number: int, *, is_done: bool) -> None:
        self._stage, self._number, self._is_done = stage, number, is_done
        self.count = 0
        self.at = ""

    def __call__(self, call: Call, service: str, operation: str, params: Json) -> Json:
        if not operation.startswith(WRITES):
            return call(service, operation, params)
        self.count += 1
        if self.count != self._number:
            return call(service, operation, params)
        if self._is_done:
            call(service, operation, params)
        self.at = operation
        self._stage.is_dead = True
        raise CallLost("the process is dead")


def killed(stage: Stage, number: int, *, is_done: bool) -> KilledAt:
    """Run until the nth write kills the process; without it, to the end."""
    wanted = replace(WANTED, parts=PARTS)
    journal = Journal.begin(stage.folder / RUN, wanted)
    stage.ways.lie = death = KilledAt(stage, number, is_done=is_done)

    async def until_dead() -> None:
        run = asyncio.ensure_future(verify(wanted, stage.means, journal, stage.said.append))
        while not run.done() and not stage.is_dead:  # noqa: ASYNC110 - another task dies
            await asyncio.sleep(0.05)

    stage.run(until_dead())
    stage.kill()
    stage.ways.lie = lambda call, service, operation, params: call(service, operation, params)
    return death


def cleaned(stage: Stage) -> None:
    journal, wanted = Journal.read(stage.folder / RUN)
    left = stage.run(clean(wanted, stage.means, journal, stage.said.append))
    assert left == (), "\n".join(stage.said)
    assert stage.letter() == stage.before


@pytest.mark.parametrize("is_done", [False, True], ids=["not-done", "done"])
@pytest.mark.parametrize("number", range(1, MAKING + 1))
def test_killed_while_the_service_is_made(stage: Stage, number: int, is_done: bool) -> None:
    death = killed(stage, number, is_done=is_done)
    assert death.at
    cleaned(stage)


@pytest.mark.long
@pytest.mark.parametrize("number", range(MAKING + 1, 45))
def test_killed_while_rollouts_are_played_or_beliefs_asked_or_all_is_removed(
    stage: Stage, number: int
) -> None:
    killed(stage, number, is_done=True)
    cleaned(stage)


def test_killed_in_the_middle_of_a_rollout(stage: Stage) -> None:
    death = killed(stage, MAKING + 8, is_done=True)
    assert death.at
    cleaned(stage)


def test_a_journal_whose_last_line_is_torn_is_read(stage: Stage) -> None:
    killed(stage, 5, is_done=True)
    path = stage.folder / RUN / FILE
    path.write_text(path.read_text() + '{"entry": "maki')
    cleaned(stage)


def test_only_runs_that_left_something_are_unfinished(stage: Stage) -> None:
    assert unfinished(stage.folder) == ()
    killed(stage, 3, is_done=True)
    assert unfinished(stage.folder) == (stage.folder / RUN,)
    cleaned(stage)
    assert unfinished(stage.folder) == ()


def test_something_of_the_same_name_without_the_runs_tag_is_left_alone(stage: Stage) -> None:
    killed(stage, 1, is_done=False)
    params = {"Name": WANTED.name, "Subnets": list(WANTED.subnets), "SecurityGroups": ["sg-0123"]}
    stage.world.call("elbv2", "CreateLoadBalancer", params)
    journal, wanted = Journal.read(stage.folder / RUN)
    (left,) = stage.run(clean(wanted, stage.means, journal, stage.said.append))
    assert "not this run's tag" in left.why
    there = stage.world.call("elbv2", "DescribeLoadBalancers", {"Names": [WANTED.name]})
    assert len(there["LoadBalancers"]) == 1


def test_cancelled_once_it_removes_everything_before_it_ends(stage: Stage) -> None:
    wanted = replace(WANTED, parts=frozenset({"good"}))
    journal = Journal.begin(stage.folder / RUN, wanted)

    async def interrupted() -> bool:
        run = asyncio.ensure_future(verify(wanted, stage.means, journal, stage.said.append))
        await asyncio.sleep(45)
        assert not run.done()
        run.cancel()
        return (await run).is_interrupted

    assert stage.run(interrupted())
    assert stage.letter() == stage.before
