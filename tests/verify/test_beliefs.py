"""Each belief both ways: the World as Teal believes AWS to be, and the other way, which the report calls wrong."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.verify.beliefs.belief import Belief, Need, Seen, Verdict
from orchestrator.verify.beliefs.registry import BELIEFS
from orchestrator.verify.beliefs.unasked import UNASKED
from orchestrator.verify.report.building import report_of
from orchestrator.verify.report.page import page
from orchestrator.verify.run import part_names
from sandbox.world.kernel.errors import AwsRefusal, Json
from sandbox.world.kernel.settings import WorldSettings
from tests.verify.stage import WANTED, Call, Lie, Stage, Ways


def refusing(operation: str, code: str, when: Callable[[Json], object] = lambda _: True) -> Lie:
    def lie(call: Call, service: str, asked: str, params: Json) -> Json:
        if asked == operation and when(params):
            raise AwsRefusal(code, "no", 400)
        return call(service, asked, params)

    return lie


def sticky(call: Call, service: str, operation: str, params: Json) -> Json:
    """Group stickiness stays on where a write leaves it out."""
    if operation == "DescribeRules":
        answer = call(service, operation, params)
        for rule in answer["Rules"]:
            for action in rule["Actions"]:
                if action["Type"] == "forward":
                    action["ForwardConfig"]["TargetGroupStickinessConfig"] = {"Enabled": True}
        return answer
    return call(service, operation, params)


def second_registration(call: Call, service: str, operation: str, params: Json) -> Json:
    """Tags are taken when a scalable target is made, and refused afterwards."""
    if operation == "RegisterScalableTarget" and "Tags" in params and params["MaxCapacity"] == 5:
        raise AwsRefusal("ValidationException", "tags cannot be changed by this call", 400)
    return call(service, operation, params)


def any_number_of_rules(call: Call, service: str, operation: str, params: Json) -> Json:
    if operation == "DescribeRules" and len(params.get("RuleArns", ())) > 20:
        raise AwsRefusal("RuleNotFound", "One or more rules not found", 400)
    return call(service, operation, params)


def shows_secrets(call: Call, service: str, operation: str, params: Json) -> Json:
    answer = call(service, operation, params)
    for listener in answer.get("Listeners", ()) if operation == "DescribeListeners" else ():
        for action in listener["DefaultActions"]:
            if "AuthenticateOidcConfig" in action:
                action["AuthenticateOidcConfig"]["ClientSecret"] = "not-a-secret"
    return answer


def takes_past_schedules(call: Call, service: str, operation: str, params: Json) -> Json:
    return {} if operation == "PutScheduledAction" else call(service, operation, params)


def is_bare(params: Json) -> bool:
    """True for the read by which nobody's credentials are tried."""
    return not params


def ask(folder: Path, name: str, ways: Ways, settings: WorldSettings | None = None) -> tuple[Seen, Stage]:
    with Stage(folder, ways=ways, settings=settings) as stage:
        outcome = stage.play(replace(WANTED, parts=frozenset({name})))
        assert not outcome.stopped, outcome.stopped
        assert stage.letter() == stage.before
        seen = outcome.beliefs[name]
        if seen.verdict is Verdict.WRONG:
            belief = next(one for one in BELIEFS if one.name == name)
            text = page(report_of(outcome, stage.means))
            assert f"**What Teal does then:** {belief.if_wrong}" in text
            assert not outcome.is_whole
    return seen, stage


OTHERWISE: dict[str, Ways] = {
    "written-back": Ways(
        lie=refusing("UpdateService", "InvalidParameterException", lambda p: "deploymentConfiguration" in p)
    ),
    "stickiness-left-out": Ways(lie=sticky),
    "weights-of-zero": Ways(
        lie=refusing("ModifyRule", "ValidationError", lambda p: '"Weight": 0' in str(p).replace("'", '"'))
    ),
    "scalable-target-tags": Ways(lie=second_registration),
    "long-draining": Ways(
        lie=refusing("ModifyTargetGroupAttributes", "ValidationError", lambda p: "3601" in str(p))
    ),
    "rules-by-arn": Ways(lie=any_number_of_rules),
    "client-secret": Ways(lie=shows_secrets),
    "unknown-credentials": Ways(lie=refusing("DescribeLoadBalancers", "AccessDenied", is_bare)),
    "past-schedule": Ways(lie=takes_past_schedules),
    "service-connect": Ways(
        lie=refusing("CreateService", "AccessDeniedException", lambda p: "serviceConnectConfiguration" in p)
    ),
    "in-flight": Ways(is_cut_with_its_rule=True),
    "request-count": Ways(),
}


OTHER_SETTINGS = {"request-count": replace(WorldSettings.kind(), requests_count_when_routed=True)}


@pytest.mark.parametrize("name", OTHERWISE)
def test_a_belief_holds_on_a_world_that_is_as_teal_believes(tmp_path: Path, name: str) -> None:
    seen, _ = ask(tmp_path, name, Ways())
    assert seen.verdict is Verdict.AS_BELIEVED, seen


@pytest.mark.parametrize("name", OTHERWISE)
def test_a_belief_is_called_wrong_on_a_world_that_is_otherwise(tmp_path: Path, name: str) -> None:
    seen, _ = ask(tmp_path, name, replace(OTHERWISE[name]), OTHER_SETTINGS.get(name))
    assert seen.verdict is Verdict.WRONG, seen


@pytest.mark.parametrize(("other", "verdict"), [(False, Verdict.AS_BELIEVED), (True, Verdict.WRONG)])
@pytest.mark.parametrize("name", ["service-revisions", "composite-alarms"])
def test_permissions_are_tried_in_sessions_that_have_no_others(
    tmp_path: Path, name: str, other: bool, verdict: Verdict
) -> None:
    ways = Ways()
    with Stage(tmp_path, ways=ways) as stage:
        if other:
            ways.lie = stage.asks_no_policy
        outcome = stage.play(replace(WANTED, parts=frozenset({name})))
        assert outcome.beliefs[name].verdict is verdict, outcome.beliefs[name]
        assert stage.letter() == stage.before


@pytest.mark.parametrize(
    "belief", [one for one in BELIEFS if Need.SESSION in one.needs], ids=lambda b: b.name
)
def test_without_a_narrower_session_it_is_said_that_it_could_not_be_asked(
    tmp_path: Path, belief: Belief
) -> None:
    seen, _ = ask(tmp_path, belief.name, Ways(is_narrowed=False))
    assert seen.verdict is Verdict.NOT_ASKED
    assert seen.words == "not asked here, because no role was named that these credentials may assume"


LATE = replace(WorldSettings.kind(), metric_delay_minutes=2.5)
REVISED = replace(WorldSettings.kind(), metric_revised_share=1.0, metric_revision_minutes=1.5)


@pytest.mark.parametrize(
    ("name", "settings", "verdict"),
    [
        ("datapoint-delay", WorldSettings.kind(), Verdict.AS_BELIEVED),
        ("datapoint-delay", LATE, Verdict.WRONG),
        ("datapoint-revision", WorldSettings.kind(), Verdict.AS_BELIEVED),
        ("datapoint-revision", REVISED, Verdict.WRONG),
    ],
)
def test_how_late_datapoints_come_and_change_is_measured(
    tmp_path: Path, name: str, settings: WorldSettings, verdict: Verdict
) -> None:
    seen, stage = ask(tmp_path, name, Ways(), settings)
    assert seen.verdict is verdict, seen
    assert len(tuple(stage.means.datapoints)) >= 6


def test_every_belief_has_a_name_of_its_own_and_all_its_sentences() -> None:
    names = [belief.name for belief in BELIEFS]
    assert len(set(names)) == len(names)
    assert set(names) <= set(part_names())
    for belief in BELIEFS:
        assert belief.believes.endswith(".")
        assert belief.if_wrong.endswith(".")


def test_every_belief_is_played_both_ways_here() -> None:
    elsewhere = {"service-revisions", "composite-alarms", "datapoint-delay", "datapoint-revision"}
    unasked = {belief.name for belief in UNASKED}
    assert {belief.name for belief in BELIEFS} == OTHERWISE.keys() | elsewhere | unasked


def test_what_no_run_asks_is_in_the_report_with_the_reason(tmp_path: Path) -> None:
    for belief in UNASKED[:2]:
        seen, _ = ask(tmp_path / belief.name, belief.name, Ways())
        assert seen.verdict is Verdict.NOT_ASKED
        assert seen.words.startswith("not asked here, because it ")
