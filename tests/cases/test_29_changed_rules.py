"""Rules that somebody else writes during a rollout: noticed within one look, said, and never silently overwritten."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from orchestrator.core.cloud.effects import WriteRule
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import Unfit
from orchestrator.core.domain.ids import RolloutId, Tenths
from orchestrator.core.domain.phases import Phase
from orchestrator.core.domain.plan import ALL, NONE
from orchestrator.core.rollout.rollout import Decision, HoldKind
from orchestrator.core.rollout.spec import Limits, OnDrift
from orchestrator.ports.leases import Leased
from orchestrator.store.memory.store import MemoryStore
from sandbox.world.kernel.faults import Fault
from tests.cases.looks import shifting
from tests.cases.rule_stage import Rule, call, foreign_group, forward_of, green_group, rule_of, weights_of
from tests.support.rehearsal import Rehearsal


@pytest.fixture
def stage() -> Iterator[Rehearsal]:
    with Rehearsal() as rehearsal:
        yield rehearsal


def rewrite(stage: Rehearsal, rule: Rule) -> None:
    call(stage, "ModifyRule", RuleArn=rule["RuleArn"], Actions=rule["Actions"])


def drift(stage: Rehearsal, rollout: RolloutId) -> str:
    return "; ".join(hold.reason for hold in stage.row(rollout).waiting.holds if hold.kind is HoldKind.DRIFT)


def with_foreign(stage: Rehearsal, group: str) -> Rule:
    rule = rule_of(stage)
    forward_of(rule)["TargetGroups"].append({"TargetGroupArn": group, "Weight": 100})
    return rule


def test_case_14_a_rule_that_has_five_target_groups_already_is_refused(stage: Rehearsal) -> None:
    """A rule takes five target groups, which AWS does not raise: preflight says how many there are."""
    rule = rule_of(stage)
    rule["Actions"][0].pop("TargetGroupArn")
    for number in range(4):
        entry = {"TargetGroupArn": foreign_group(stage, f"team-{number}"), "Weight": 1}
        forward_of(rule)["TargetGroups"].append(entry)
    rewrite(stage, rule)
    with pytest.raises(Unfit, match="already forwards to 5 target groups"):
        stage.start(stage.spec(stage.revision()))


def test_case_14_another_teams_group_keeps_its_share_all_the_way(stage: Rehearsal) -> None:
    """Only blue's part is divided: a third group in the action has the same share before, during and after."""
    other = foreign_group(stage)
    rule = rule_of(stage)
    rule["Actions"][0].pop("TargetGroupArn")
    groups = forward_of(rule)["TargetGroups"]
    groups[0]["Weight"] = 4
    groups.append({"TargetGroupArn": other, "Weight": 0})
    rewrite(stage, rule)
    before = rule_of(stage)
    rollout = shifting(stage)
    held = weights_of(stage)
    assert held[other] == 0
    assert held[green_group(stage)] * 9 == held[stage.scenery.target_group]
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert rule_of(stage) == before


def test_case_29_a_target_group_put_in_by_hand_is_named_and_held(stage: Rehearsal) -> None:
    """A changed action list is drift: the rollout holds, names what was put in, and leaves it."""
    rollout = shifting(stage)
    other = foreign_group(stage)
    rewrite(stage, with_foreign(stage, other))
    stage.let_run(stage.world.minute / 2)
    assert "target group search was put in" in drift(stage, rollout)
    stage.command(rollout, CommandKind.ROLLBACK)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK
    assert weights_of(stage)[other] > 0, "somebody else's group stays"


def test_case_29_the_group_of_another_stores_rollout_is_named_as_that(stage: Rehearsal) -> None:
    """Another Teal, of another store, on the same rule is told apart from a person."""
    rollout = shifting(stage)
    rewrite(stage, with_foreign(stage, foreign_group(stage, "teal-checkout-0123abcd-0")))
    stage.let_run(stage.world.minute / 2)
    assert "another rollout, perhaps of another store" in drift(stage, rollout)


def test_case_29_changed_conditions_hold_and_are_kept(stage: Rehearsal) -> None:
    """Conditions are never written: a change of them is said and stays, after a rollback too."""
    rollout = shifting(stage)
    conditions = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/shop/*"]}}]
    call(stage, "ModifyRule", RuleArn=stage.scenery.rules[0], Conditions=conditions)
    stage.let_run(stage.world.minute / 2)
    assert "its conditions: path-pattern /* → path-pattern /shop/*" in drift(stage, rollout)
    stage.command(rollout, CommandKind.ROLLBACK)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK
    assert rule_of(stage)["Conditions"][0]["PathPatternConfig"]["Values"] == ["/shop/*"]


def test_case_29_conditions_by_regular_expressions_are_said_as_they_are_written_and_kept(
    stage: Rehearsal,
) -> None:
    """A rule can be met by regular expressions in the place of values: they are compared, and shown, as such."""
    rule = stage.scenery.rules[0]

    def met_by(*expressions: str) -> None:
        condition = {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": list(expressions)}}
        call(stage, "ModifyRule", RuleArn=rule, Conditions=[condition])

    met_by("^/(.*)$")
    rollout = shifting(stage)
    met_by("^/shop/", "^/cart$")
    stage.let_run(stage.world.minute / 2)
    words = "its conditions: path-pattern regex ^/(.*)$ → path-pattern regex ^/shop/ ^/cart$"
    assert words in drift(stage, rollout)
    met_by("^/(.*)$")
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert rule_of(stage)["Conditions"][0]["PathPatternConfig"] == {"RegexValues": ["^/(.*)$"]}


def test_case_29_changed_transforms_hold_and_are_kept(stage: Rehearsal) -> None:
    """Transforms decide what a task is asked, so a change of them is drift as well."""
    rollout = shifting(stage)
    transform = {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "/a", "Replace": "/b"}]}}
    call(stage, "ModifyRule", RuleArn=stage.scenery.rules[0], Transforms=[transform])
    stage.let_run(stage.world.minute / 2)
    assert "its transforms: none → [{" in drift(stage, rollout)


def test_case_29_what_the_file_accepts_is_the_new_base(stage: Rehearsal) -> None:
    """With `on_drift: accept` another team's new group keeps the share it was given, and the rollout goes on."""
    rollout = shifting(stage, on_drift=OnDrift.ACCEPT)
    other = foreign_group(stage)
    rule = with_foreign(stage, other)
    forward_of(rule)["TargetGroups"][-1]["Weight"] = 0
    rewrite(stage, rule)
    assert stage.until(rollout).phase is Phase.SUCCEEDED, stage.story(rollout)
    assert set(weights_of(stage)) == {stage.scenery.target_group, other}


def test_case_29_green_above_what_teal_wrote_is_put_back_at_once(stage: Rehearsal) -> None:
    """The one change that is not left: more traffic for green than Teal gave it is taken away again, and said."""
    rollout = shifting(stage)
    rule, green = rule_of(stage), green_group(stage)
    for group in forward_of(rule)["TargetGroups"]:
        group["Weight"] = 900 if group["TargetGroupArn"] == green else 100
    rewrite(stage, rule)
    stage.let_run(timedelta(seconds=4))
    assert weights_of(stage)[green] <= 100, stage.story(rollout)
    assert "more than Teal wrote" in stage.story(rollout)


class Rival(MemoryStore):
    """A store in whose commit, between a tick's look and its writes, somebody else acts once."""

    def __init__(self, act: Callable[[Leased, Decision], bool]) -> None:
        super().__init__()
        self._act, self.has_acted = act, False

    async def commit(self, leased: Leased, decision: Decision) -> Leased:
        """As the store's own; whoever is quicker than Teal's writes acts right before them."""
        done = await super().commit(leased, decision)
        self.has_acted = self.has_acted or self._act(leased, decision)
        return done


@pytest.mark.parametrize("weight", [NONE, Tenths(100), ALL, None])
def test_case_29_a_rival_between_look_and_write_is_not_overwritten(
    stage: Rehearsal, weight: Tenths | None
) -> None:
    """Right before a write the rule is read once more: whoever was quicker is found, held and kept."""
    other = foreign_group(stage)

    def act(_: Leased, decision: Decision) -> bool:
        writes = [effect for effect in decision.effects if isinstance(effect, WriteRule)]
        if not any(write.green == weight and not write.to_safety for write in writes):
            return False
        rule = with_foreign(stage, other)
        rule["Actions"][0].pop("TargetGroupArn", None)
        rewrite(stage, rule)
        return True

    stage.store = rival = Rival(act)
    rollout = stage.start(stage.spec(stage.revision(), limits=Limits(hold=timedelta(minutes=1))))
    row = stage.until(rollout)
    assert rival.has_acted, stage.story(rollout)
    assert other in weights_of(stage), "the rival's write is still there"
    expected = Phase.SUCCEEDED if weight is None else Phase.ROLLED_BACK
    assert row.phase is expected, stage.story(rollout)
    assert weight is None or "target group search was put in" in stage.story(rollout)


def test_case_30_a_deleted_rule_pauses_and_is_never_made_again(stage: Rehearsal) -> None:
    """Traffic follows other rules now: the rollout holds and says so, and makes no rule."""
    rollout = shifting(stage)
    call(stage, "DeleteRule", RuleArn=stage.scenery.rules[0])
    stage.let_run(stage.world.minute)
    assert "does not exist any more" in drift(stage, rollout)
    assert len(call(stage, "DescribeRules", ListenerArn=stage.scenery.listeners[0])["Rules"]) == 1
    stage.command(rollout, CommandKind.ROLLBACK)
    assert stage.until(rollout).phase is Phase.ROLLED_BACK


def test_case_32_a_write_that_does_not_read_back_is_written_again_and_said(stage: Rehearsal) -> None:
    """An acknowledged write that cannot be seen is asked for again, with pauses; nothing advances meanwhile."""
    rollout = shifting(stage)
    stage.world.faults.add(Fault(operation="ModifyRule", nth=1, times=3))
    row = stage.until(rollout)
    assert row.phase is Phase.SUCCEEDED, stage.story(rollout)
