"""Three rules on two listeners, with OIDC, a rewrite, stickiness and another team's group: all as it was at last."""

import difflib
from collections.abc import Iterator

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.spec import ApprovalSpec
from orchestrator.engine.commands import look_before
from sandbox.world.kernel.faults import Fault
from tests.cases.rule_stage import (
    REWRITE,
    SECRET,
    as_text,
    call,
    forward_of,
    green_group,
    rule_of,
    teams_own,
    weights_of,
)
from tests.cases.starts import preflight
from tests.support.rehearsal import Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    yield from teams_own()


def diff(before: str, after: str) -> str:
    return "\n".join(
        difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "after", lineterm="")
    )


def test_case_07_all_rules_of_all_listeners_move_together_and_are_as_they_were_after_a_success(
    stage: Rehearsal,
) -> None:
    """Every rule of every listener that carries blue moves in the same step, and holds its first list again."""
    before = as_text(stage)
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.WATCHING)
    green = green_group(stage)
    sticky, oidc, shared = (weights_of(stage, rule) for rule in stage.scenery.rules)
    assert sticky[green] == oidc[green] == 999
    assert shared[green] == 750, "the other team keeps its quarter"
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    assert diff(before, as_text(stage)) == ""


def test_case_07_all_rules_of_all_listeners_are_as_they_were_after_a_rollback(stage: Rehearsal) -> None:
    """A rollback leaves every rule of every listener to the letter as it was."""
    before = as_text(stage)
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SHIFTING)
    stage.command(rollout, CommandKind.ROLLBACK)
    row = stage.until(rollout)
    assert row.phase is Phase.ROLLED_BACK, stage.story(rollout)
    assert diff(before, as_text(stage)) == ""


def test_case_29_what_a_rule_holds_besides_the_two_weights_is_kept_all_the_way(stage: Rehearsal) -> None:
    """During the rollout a rule's authentication, its order, conditions, transforms and stickiness are untouched."""
    sticky, oidc, _ = stage.scenery.rules
    first = [rule_of(stage, sticky), rule_of(stage, oidc)]
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.WATCHING)
    now = [rule_of(stage, sticky), rule_of(stage, oidc)]
    assert (
        forward_of(now[0])["TargetGroupStickinessConfig"]
        == forward_of(first[0])["TargetGroupStickinessConfig"]
    )
    assert now[1]["Actions"][0] == first[1]["Actions"][0]
    assert [action["Order"] for action in now[1]["Actions"]] == [10, 20]
    assert now[1]["Transforms"] == [REWRITE]
    assert [rule["Conditions"] for rule in now] == [rule["Conditions"] for rule in first]
    assert stage.world.client_secret(oidc) == SECRET


def test_case_15_a_default_rule_is_written_through_its_listener(stage: Rehearsal) -> None:
    """ModifyRule refuses a default rule: Teal writes it by ModifyListener, with nothing but its actions."""
    default = stage.scenery.rules[2]
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.WATCHING)
    written = [record.params for record in stage.world.log if record.operation == "ModifyListener"]
    assert written
    assert all(set(params) == {"ListenerArn", "DefaultActions"} for params in written)
    assert default not in [r.params["RuleArn"] for r in stage.world.log if r.operation == "ModifyRule"]


def test_case_55_rules_of_which_some_were_written_converge(stage: Rehearsal) -> None:
    """A write that is lost, and one that took effect unseen, leave no rule behind: seen is compared with wanted."""
    stage.world.faults.add(Fault(operation="ModifyListener", nth=2, times=2))
    stage.world.faults.add(Fault(operation="ModifyRule", nth=4, when="after"))
    before = as_text(stage)
    rollout = stage.start(stage.spec(stage.revision()))
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    assert diff(before, as_text(stage)) == ""


def test_case_66_a_rule_added_meanwhile_that_leads_to_blue_alone_is_named_within_a_period(
    stage: Rehearsal,
) -> None:
    """Teal reads each listener whole once a period, and names a new rule whose users never meet green."""
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SHIFTING)
    stage.let_run(stage.world.minute)
    listener = stage.scenery.listeners[0]
    call(
        stage,
        "CreateRule",
        ListenerArn=listener,
        Priority=2000,
        Conditions=[{"Field": "host-header", "Values": ["new.example"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": stage.scenery.target_group}],
    )
    stage.let_run(1.5 * stage.world.minute)
    told = [line for line in stage.story(rollout).splitlines() if "forwards to blue of prod/checkout" in line]
    assert len(told) == 1, stage.story(rollout)
    assert "rule 2000 of load balancer prod-lb" in told[0]


def test_case_65_a_rule_put_in_front_meanwhile_is_named(stage: Rehearsal) -> None:
    """A new rule of higher priority takes traffic away from both colours: it is named, once, and left as it is."""
    rollout = stage.start(stage.spec(stage.revision()))
    stage.until(rollout, Phase.SHIFTING)
    stage.let_run(stage.world.minute)
    call(
        stage,
        "CreateRule",
        ListenerArn=stage.scenery.listeners[0],
        Priority=3,
        Conditions=[{"Field": "path-pattern", "Values": ["/sale/*"]}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}],
    )
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
    told = [line for line in stage.story(rollout).splitlines() if "takes precedence" in line]
    assert len(told) == 1
    assert "rule 3 of load balancer prod-lb" in told[0]


def test_case_07_a_rule_that_the_file_leaves_out_is_named_and_stays_as_it_is(stage: Rehearsal) -> None:
    """Preflight warns of each rule whose users stay on blue; no weight of it is written."""
    moved, oidc, shared = stage.scenery.rules
    before = rule_of(stage, oidc), rule_of(stage, shared)
    spec = stage.spec(stage.revision(), rules=(moved,))
    looked = stage.run(look_before(spec, cloud=stage.cloud, clock=stage.clock))
    left = [finding.what for finding in looked.findings if finding.code == "rule-left-out"]
    assert len(left) == 2
    assert all("is not in traffic.rules" in what for what in left)
    rollout = stage.start(spec)
    stage.until(rollout, Phase.WATCHING)
    assert (rule_of(stage, oidc), rule_of(stage, shared)) == before
    assert weights_of(stage, moved)[green_group(stage)] == 999


def test_case_07_a_test_rule_points_at_green_before_any_user_does_and_its_lack_is_told() -> None:
    """With `traffic.test_rules` green is reached by them first; without, preflight says that users are first."""
    with Rehearsal(test_port=8443) as stage:
        (tests,) = stage.scenery.test_rules
        before = rule_of(stage, tests)
        asks = ApprovalSpec(before_traffic=True)
        spec = stage.spec(stage.revision(), test_rules=(tests,), approval=asks)
        assert "no-test-rule" in preflight(stage, stage.spec(stage.revision()))
        assert "no-test-rule" not in preflight(stage, spec)
        rollout = stage.start(spec)
        stage.let_run(4 * stage.world.minute)
        green = green_group(stage)
        assert (weights_of(stage, tests)[green], weights_of(stage)[green]) == (999, 0)
        stage.command(rollout, CommandKind.APPROVE, reason="tried it")
        row = stage.until(rollout)
        assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
        assert rule_of(stage, tests) == before
