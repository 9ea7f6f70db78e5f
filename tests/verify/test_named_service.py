"""The report of a run on a service that the user names: it holds nothing of theirs, whatever it is called."""

import json
from dataclasses import replace

import pytest

from api.cli.output.output import shape
from orchestrator.verify.report.building import Unclean, checked, report_of
from orchestrator.verify.report.page import page
from orchestrator.verify.report.values import RefusalLine
from orchestrator.verify.run import Outcome
from orchestrator.verify.wanted import Wanted
from sandbox.scenarios.scenery import furnish, until_steady
from sandbox.world.kernel.errors import AwsRefusal, Json
from tests.verify.stage import RUN, WANTED, Call, Stage

WORDS = ("db7.shop.example", "payments", "10.1.2.3", "acme", "998877665544", "annas-task")
SAYS = "the host db7.shop.example of payments (10.1.2.3) in acme, account 998877665544, denies annas-task"


def play(stage: Stage, cluster: str, service: str, *parts: str) -> Outcome:
    scenery = furnish(stage.world, cluster=cluster, service=service, alarms=False)
    until_steady(stage.world, scenery)
    stage.kill()  # the clock has moved on
    wanted = Wanted(id=RUN, service=f"{cluster}/{service}", minute=WANTED.minute, parts=frozenset(parts))
    return stage.play(wanted)


def texts(outcome: Outcome, stage: Stage) -> str:
    report = checked(report_of(outcome, stage.means), stage.means)
    return json.dumps(shape(report)) + page(report)


@pytest.mark.parametrize(
    "refused",
    [
        "DeregisterTaskDefinition",
        "DescribeServiceRevisions",
        "CreateService",
        "GetMetricData",
        "DescribeTaskDefinition",
    ],
)
def test_no_sentence_of_aws_about_the_users_own_service_is_in_the_report(stage: Stage, refused: str) -> None:
    def refuse(call: Call, service: str, operation: str, params: Json) -> Json:
        if operation == refused:
            raise AwsRefusal("AccessDeniedException", SAYS, 400)
        return call(service, operation, params)

    stage.ways.lie = refuse
    outcome = play(stage, "shopcluster", "annasshop", "preflight", "rollback-shifting", "beliefs")
    assert any(SAYS in call.message for call in stage.log.refusals)
    text = texts(outcome, stage)
    assert not [
        word for word in (*WORDS, "annasshop", "shopcluster", "arn:aws", "123456789012") if word in text
    ]
    assert "AccessDeniedException" in text


@pytest.mark.parametrize(
    ("cluster", "service"),
    [
        ("api", "web"),
        ("service", "task"),
        ("report", "preflight"),
        ("in-flight", "good"),
        ("ecs", "cluster"),
    ],
)
def test_a_service_with_an_ordinary_name_has_its_report(stage: Stage, cluster: str, service: str) -> None:
    outcome = play(stage, cluster, service, "preflight", "rollback-pending", "beliefs")
    assert not outcome.stopped
    assert [one.phase for one in outcome.rollouts] == ["rolled_back"]
    text = texts(outcome, stage)
    assert f"{cluster}/{service}" not in text


@pytest.mark.parametrize("name", ["web", "annas-shop"])
def test_a_name_where_a_name_stands_stops_the_report_whatever_it_is(stage: Stage, name: str) -> None:
    outcome = play(stage, "shopcluster", name, "preflight")
    report = report_of(outcome, stage.means)
    line = RefusalLine(at=1.0, service="ecs", operation="UpdateService", code="X", message=f"no {name}")
    with pytest.raises(Unclean, match="<service 1>"):
        checked(replace(report, refusals=(line,)), stage.means)


def test_what_has_the_form_of_an_identifier_stops_the_report_although_nobody_knew_it(stage: Stage) -> None:
    outcome = play(stage, "shopcluster", "web", "preflight")
    report = report_of(outcome, stage.means)
    line = RefusalLine(at=1.0, service="ecs", operation="UpdateService", code="X", message="see 10.9.8.7.")
    with pytest.raises(Unclean, match="the form of an identifier"):
        checked(replace(report, refusals=(line,)), stage.means)
