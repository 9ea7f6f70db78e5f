"""What a run leaves when things go wrong: cleaning always runs, forgets nothing, and says what stays."""

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import replace

import pytest

from orchestrator.verify.cleaning import Elsewhere, clean
from orchestrator.verify.journal import FILE, Busy, Journal, Made, held, unfinished
from orchestrator.verify.place.removing import Left
from orchestrator.verify.report.building import report_of
from orchestrator.verify.run import Outcome, verify
from orchestrator.verify.wanted import Wanted
from sandbox.scenarios.scenery import Scenery, furnish, until_steady
from sandbox.world.kernel.errors import AwsRefusal, Json
from tests.verify.stage import RUN, WANTED, Call, Lie, Stage, honest, only
from tests.verify.test_killed import killed

TORN = '{"entry": "making", "kind": "load bal'


def refusing(operation: str, code: str = "AccessDeniedException", when: str = "") -> Lie:
    def lie(call: Call, service: str, asked: str, params: Json) -> Json:
        if asked == operation and when in json.dumps(params, default=str):
            raise AwsRefusal(code, "you may not", 400)
        return call(service, asked, params)

    return lie


def cleaned(stage: Stage) -> tuple[Left, ...]:
    journal, wanted = Journal.read(stage.folder / RUN)
    left: tuple[Left, ...] = stage.run(clean(wanted, stage.means, journal, stage.said.append))
    return left


def names_left(stage: Stage) -> set[tuple[str, str]]:
    return {(made.kind, made.name) for made in Journal.read(stage.folder / RUN)[0].left}


# where the run was ------------------------------------------------------------------------------------------------


def in_another_region(stage: Stage) -> None:
    stage.means = replace(stage.means, region="us-east-1")


def in_another_account(stage: Stage) -> None:
    def other(call: Call, service: str, operation: str, params: Json) -> Json:
        answer = call(service, operation, params)
        return answer | {"Account": "210987654321"} if operation == "GetCallerIdentity" else answer

    stage.ways.lie = other


@pytest.mark.parametrize(
    ("there", "named"), [(in_another_region, "us-east-1"), (in_another_account, "210987654321")]
)
def test_cleaning_elsewhere_is_refused_with_both_places_named_and_forgets_nothing(
    stage: Stage, there: Callable[[Stage], None], named: str
) -> None:
    killed(stage, 6, is_done=True)
    before, calls = (stage.folder / RUN / FILE).read_bytes(), len(stage.log.calls)
    there(stage)
    with pytest.raises(Elsewhere) as refused:
        cleaned(stage)
    for place in ("123456789012", "eu-west-1", named):
        assert place in str(refused.value)
    assert (stage.folder / RUN / FILE).read_bytes() == before
    assert {call.operation for call in stage.log.calls[calls:]} == {"GetCallerIdentity"}


def test_cleaning_whose_account_cannot_be_read_is_refused_and_forgets_nothing(stage: Stage) -> None:
    killed(stage, 6, is_done=True)
    before = (stage.folder / RUN / FILE).read_bytes()
    stage.ways.lie = refusing("GetCallerIdentity", "ExpiredToken")
    with pytest.raises(Elsewhere, match="ExpiredToken"):
        cleaned(stage)
    assert (stage.folder / RUN / FILE).read_bytes() == before


# what is refused --------------------------------------------------------------------------------------------------


def test_where_the_third_revision_is_refused_the_first_two_are_removed(stage: Stage) -> None:
    stage.ways.lie = refusing("RegisterTaskDefinition", when='"value": "1"')
    outcome = stage.play(only("good"))
    assert "AccessDeniedException" in outcome.stopped
    assert outcome.left == ()
    assert stage.letter() == stage.before


def test_a_revision_that_cannot_be_deregistered_stays_in_the_journal_by_name_and_the_others_go(
    stage: Stage,
) -> None:
    stage.ways.lie = refusing("DeregisterTaskDefinition", when=f"{WANTED.name}:1")
    outcome = stage.play(only("preflight"))
    (left,) = outcome.left
    assert f"{WANTED.name}:1: AccessDeniedException: you may not" in left.why
    assert f"{WANTED.name}:2" not in left.why
    assert not outcome.is_whole
    assert names_left(stage) == {("task definitions", WANTED.name)}
    there = stage.world.call("ecs", "ListTaskDefinitions", {"status": "ACTIVE"})["taskDefinitionArns"]
    assert [arn.rpartition("/")[2] for arn in there] == [f"{WANTED.name}:1"]
    stage.ways.lie = honest
    assert cleaned(stage) == ()
    assert stage.letter() == stage.before


def test_an_answer_of_aws_own_fault_may_have_made_the_thing_so_it_is_looked_for(stage: Stage) -> None:
    def broken(call: Call, service: str, operation: str, params: Json) -> Json:
        answer = call(service, operation, params)
        if operation == "CreateTargetGroup":
            raise AwsRefusal("InternalFailure", "try again", 500)
        return answer

    stage.ways.lie = broken
    outcome = stage.play(only("preflight"))
    assert "InternalFailure" in outcome.stopped
    assert stage.letter() == stage.before


def test_while_what_rollouts_made_cannot_be_looked_for_the_cluster_stays(stage: Stage) -> None:
    killed(stage, 21, is_done=True)  # green is made
    stage.ways.lie = refusing("ListServices")
    left = {one.kind: one.why for one in cleaned(stage)}
    assert "could not be looked for" in left["cluster"]
    stage.ways.lie = honest
    assert cleaned(stage) == ()
    assert stage.letter() == stage.before


# lists that have pages ---------------------------------------------------------------------------------------------


def one_a_page(call: Call, service: str, operation: str, params: Json) -> Json:
    """Lists of any length come one by one."""
    if operation in ("ListServices", "ListTaskDefinitions"):
        return call(service, operation, {**params, "maxResults": 1})
    if operation == "DescribeTargetGroups" and not params.keys() & {"Names", "TargetGroupArns"}:
        return call(service, operation, {**params, "PageSize": 1})
    if operation in ("DescribeRules", "DescribeListeners") and params.keys() & {
        "ListenerArn",
        "LoadBalancerArn",
    }:
        return call(service, operation, {**params, "PageSize": 1})
    return call(service, operation, params)


@pytest.mark.parametrize("number", [3, 5, 13, 21])
def test_lists_are_read_to_their_last_page(stage: Stage, number: int) -> None:
    killed(stage, number, is_done=True)
    for name in ("aaa", "zzz"):
        group = {"Name": f"teal-{name}", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-0a1b2c3d"}
        stage.world.call("elbv2", "CreateTargetGroup", group | {"TargetType": "ip"})
    others = [f"teal-{name}" for name in ("aaa", "zzz")]
    stage.ways.lie = one_a_page
    assert cleaned(stage) == ()
    stage.ways.lie = honest
    groups = stage.world.call("elbv2", "DescribeTargetGroups", {})["TargetGroups"]
    assert sorted(group["TargetGroupName"] for group in groups) == others
    assert not stage.world.call("ecs", "ListTaskDefinitions", {"status": "ACTIVE"})["taskDefinitionArns"]


# a journal that was torn -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "torn", [TORN.encode(), '{"entry": "made", "name": "é'.encode()[:-1], b'{"entry": 7}']
)
def test_a_torn_line_is_named_and_cleaning_goes_on_and_may_be_repeated(stage: Stage, torn: bytes) -> None:
    killed(stage, 6, is_done=True)
    path = stage.folder / RUN / FILE
    path.write_bytes(path.read_bytes() + torn)
    number = len(path.read_bytes().splitlines())
    stage.ways.lie = refusing("DeleteLoadBalancer", "OperationNotPermitted")
    left = cleaned(stage)
    assert [one.kind for one in left] == ["load balancer"]
    assert any(f"line {number} of" in words for words in stage.said), stage.said
    assert unfinished(stage.folder) == (stage.folder / RUN,)
    stage.ways.lie = honest
    assert cleaned(stage) == ()
    assert stage.letter() == stage.before
    assert unfinished(stage.folder) == ()


def test_what_a_torn_line_may_announce_is_looked_for_by_its_name(stage: Stage) -> None:
    killed(stage, 6, is_done=True)
    path = stage.folder / RUN / FILE
    first, *_ = path.read_text().splitlines()
    place = next(line for line in path.read_text().splitlines() if '"place"' in line)
    path.write_text("\n".join([first, place, TORN]))
    assert unfinished(stage.folder) == (stage.folder / RUN,)
    assert cleaned(stage) == ()
    assert stage.letter() == stage.before
    assert unfinished(stage.folder) == ()


MAKES = {
    *(
        "CreateLoadBalancer",
        "CreateListener",
        "CreateRule",
        "CreateCluster",
        "CreateTargetGroup",
        "CreateService",
    ),
    *("RegisterTaskDefinition", "RegisterScalableTarget", "PutMetricAlarm", "PutCompositeAlarm"),
}


def test_each_thing_is_on_disk_before_the_call_that_makes_it(stage: Stage) -> None:
    wanted = only("composite-alarms", "scalable-target-tags", "service-connect", "past-schedule")
    path = stage.folder / RUN / FILE
    unannounced: list[str] = []

    def look(call: Call, service: str, operation: str, params: Json) -> Json:
        if operation in MAKES:
            text = path.read_text()
            names = [params.get(key) for key in ("Name", "clusterName", "family", "serviceName", "AlarmName")]
            names += [params.get("ResourceId"), params.get("ListenerArn"), params.get("LoadBalancerArn")]
            if not any(name and name in text for name in names) or not text.endswith("\n"):
                unannounced.append(operation)
        return call(service, operation, params)

    stage.ways.lie = look
    stage.play(wanted)
    assert unannounced == []


# whatever ends a run -----------------------------------------------------------------------------------------------

ERRORS = (
    OSError(28, "No space left on device"),
    KeyError("Subnets"),
    ExceptionGroup("both", [ValueError("odd"), KeyError("x")]),
    KeyboardInterrupt(),
    SystemExit(3),
)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("operation", ["CreateCluster", "DescribeServices"])
def test_whatever_ends_a_run_it_is_cleaned_up_and_has_a_report(
    stage: Stage, error: BaseException, operation: str
) -> None:
    def fail(call: Call, service: str, asked: str, params: Json) -> Json:
        if asked == operation:
            stage.ways.lie = honest
            raise error
        return call(service, asked, params)

    stage.ways.lie = fail
    outcome = stage.play(only("preflight"))
    assert outcome.stopped
    assert not outcome.is_whole
    assert outcome.left == ()
    assert stage.letter() == stage.before
    assert report_of(outcome, stage.means).stopped
    assert outcome.is_interrupted is isinstance(error, KeyboardInterrupt | SystemExit)


def test_on_a_disk_that_is_full_nothing_more_is_made_and_what_was_made_goes(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = 0

    def full(_: int) -> None:
        nonlocal written
        written += 1
        if written > 12:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    outcome = stage.play(only("preflight"))
    assert "No space left on device" in outcome.stopped
    assert outcome.left == ()
    assert stage.letter() == stage.before


def test_an_odd_answer_to_one_removal_does_not_keep_the_others(stage: Stage) -> None:
    def odd(call: Call, service: str, operation: str, params: Json) -> Json:
        if operation == "DeleteAlarms":
            raise KeyError("odd")
        return call(service, operation, params)

    stage.ways.lie = odd
    outcome = stage.play(only("preflight"))
    (left,) = outcome.left
    assert (left.kind, left.name) == ("alarm", WANTED.name)
    assert "KeyError" in left.why


def test_cancelled_twice_it_ends_at_once_and_says_what_it_leaves(stage: Stage) -> None:
    wanted = only("good")
    journal = Journal.begin(stage.folder / RUN, wanted)

    async def interrupted() -> Outcome:
        run = asyncio.ensure_future(verify(wanted, stage.means, journal, stage.said.append))
        await asyncio.sleep(45)
        run.cancel()
        await asyncio.sleep(1)
        run.cancel()
        return await run

    outcome = stage.run(interrupted())
    assert outcome.is_interrupted
    assert outcome.left
    assert all(one.command for one in outcome.left)
    assert cleaned(stage) == ()
    assert stage.letter() == stage.before


# one at a time -----------------------------------------------------------------------------------------------------


def test_a_run_that_is_under_way_is_cleaned_by_nobody_else(stage: Stage) -> None:
    Journal.begin(stage.folder / RUN, WANTED)
    with (
        held(stage.folder / RUN),
        pytest.raises(Busy, match=f"run {RUN} is under way"),
        held(stage.folder / RUN),
    ):
        pass
    with held(stage.folder / RUN):
        pass


# a rollout that is not taken back ----------------------------------------------------------------------------------


def named(stage: Stage) -> tuple[Scenery, Wanted]:
    scenery = furnish(stage.world, cluster="shopcluster", service="annasshop", alarms=False)
    until_steady(stage.world, scenery)
    stage.kill()  # the clock has moved on
    path = f"{scenery.cluster}/{scenery.service}"
    return scenery, Wanted(id=RUN, service=path, minute=WANTED.minute, parts=frozenset({"rollback-shifting"}))


def test_a_rollout_that_cannot_be_taken_back_is_left_and_said_so_until_it_is(stage: Stage) -> None:
    _, wanted = named(stage)
    before = stage.letter()
    is_refused = False

    def stuck(call: Call, service: str, operation: str, params: Json) -> Json:
        nonlocal is_refused
        is_refused = is_refused or operation == "DeleteService"
        if operation == "DeleteService":
            raise AwsRefusal("AccessDeniedException", "you may not", 400)
        return call(service, operation, params)

    stage.ways.lie = stuck
    outcome = stage.play(wanted)
    assert is_refused
    (left,) = outcome.left
    assert left.kind == "rollout"
    assert left.command == "teal rollback shopcluster/annasshop --direct"
    assert not outcome.is_whole
    assert unfinished(stage.folder) == (stage.folder / RUN,)
    stage.ways.lie = honest
    assert cleaned(stage) == ()
    assert stage.letter() == before
    assert unfinished(stage.folder) == ()


def test_where_it_cannot_be_read_which_rollouts_are_under_way_that_is_said(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, wanted = named(stage)
    journal = Journal.begin(stage.folder / RUN, wanted)
    journal.rolling()

    async def broken(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(stage.engine.store, "list", broken)
    (left,) = stage.run(clean(wanted, stage.means, journal, stage.said.append))
    assert (left.kind, left.name) == ("rollout", "shopcluster/annasshop")
    assert "Input/output error" in left.why


def test_made_things_have_names_that_a_journal_of_an_earlier_version_has_too(stage: Stage) -> None:
    journal = Journal.begin(stage.folder / RUN, WANTED)
    journal.made(Made(kind="cluster", name=WANTED.name, arn="arn:aws:ecs:eu-west-1:123456789012:cluster/x"))
    again, wanted = Journal.read(stage.folder / RUN)
    assert again.left == journal.left
    assert wanted == WANTED
    assert again.where is None
