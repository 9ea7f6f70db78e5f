"""Random rollouts, each held to the promises after every step; and an oracle that would notice.

A few of those that `make night` plays by the thousand.
"""

import pytest

from orchestrator.core.cloud.effects import Tags
from orchestrator.core.cloud.forward_action import without_green
from orchestrator.core.cloud.resources import RuleSeen
from orchestrator.core.cloud.survey import Survey
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.phases import blue_former, preparing, removing_green, shifting
from orchestrator.core.rollout import rule_lists
from orchestrator.core.rollout.rollout import Decision, Rollout
from orchestrator.core.rollout.rule_state import RuleState
from orchestrator.core.tick.draft import Draft
from orchestrator.core.traffic import leaving_rules, rules
from orchestrator.engine import tick
from orchestrator.ports.leases import Leased
from orchestrator.store.memory.store import MemoryStore
from tests.sim.run import complaint, play_seed, play_swap
from tests.sim.scenario import scenario_of
from tests.sim.stage import play

SEEDS = 16
SWAPS = 8


@pytest.mark.long
def test_no_random_rollout_breaks_a_promise_and_they_meet_both_ends() -> None:
    played = [play_seed(seed) for seed in range(SEEDS)]
    broken = [one for one in played if one.broken]
    assert not broken, "\n\n".join(complaint(one) for one in broken)
    assert {one.phase for one in played} == {Phase.SUCCEEDED, Phase.ROLLED_BACK}


@pytest.mark.long
def test_no_random_rollout_in_which_green_stays_breaks_a_promise() -> None:
    broken = [played for seed in range(SWAPS) if (played := play_swap(seed)).broken]
    assert not broken, "\n\n".join(complaint(played) for played in broken)


def test_the_same_seed_plays_the_same() -> None:
    first, second = play(scenario_of(31)), play(scenario_of(31))
    assert (first.story, first.calls, first.seconds) == (second.story, second.calls, second.seconds)


def test_the_seeds_meet_every_kind_of_trouble() -> None:
    scenarios = [scenario_of(seed) for seed in range(400)]
    kinds = {command.kind for scenario in scenarios for command in scenario.commands}
    assert {CommandKind.ROLLBACK, CommandKind.BACK, CommandKind.PROMOTE, CommandKind.PAUSE} <= kinds
    assert {fault.when for scenario in scenarios for fault in scenario.faults} == {"before", "after", "late"}
    assert any(scenario.deaths for scenario in scenarios)
    assert any(scenario.workers == 2 for scenario in scenarios)
    assert any(scenario.starts for scenario in scenarios)
    assert any("TEAL_DEMO_HANG" in scenario.green for scenario in scenarios)


def test_green_that_answers_nothing_is_taken_back_though_it_looks_healthy() -> None:
    hangs = [s for seed in range(80) if "TEAL_DEMO_HANG" in (s := scenario_of(seed)).green]
    ends = {scenario.seed: play(scenario).phase for scenario in hangs}
    assert set(ends.values()) == {Phase.ROLLED_BACK}, ends


def never_fails(draft: Draft, answers: object) -> bool:
    return False


def always_leaves(draft: Draft, answers: object) -> bool:
    return True


def always_ready(draft: Draft) -> bool:
    return True


def nothing_left(draft: Draft, *_: object, **__: object) -> str:
    return ""


def no_tags(row: Rollout) -> Tags:
    return (("teal:managed", "true"),)


def restore_by_own_form(draft: Draft, rule: RuleState, seen: RuleSeen) -> None:
    green = rule_lists.green_of(draft.row, rule)
    assert green is not None
    mended = without_green(seen.actions, blue=rule.blue_group, green=green)
    rules.ask_write(draft, rule, rules.write_of(rule, mended, None, to_safety=False))


def gives_any_claim(store: MemoryStore, rollout: RolloutId, claims: frozenset[str]) -> None:
    """Nobody is refused what another holds."""


def claims_no_rule(row: Rollout, survey: Survey) -> frozenset[str]:
    return frozenset()


COMMIT = MemoryStore.commit


async def commits_and_lets_go(store: MemoryStore, leased: Leased, decision: Decision) -> Leased:
    """Another holds the row while the effects of this tick are performed."""
    committed = await COMMIT(store, leased, decision)
    if decision.rollout.phase is Phase.PREPARING:  # for a while, so that it comes to an end
        store._rows[decision.rollout.id].lease(owner="another", until=leased.until)
    return committed


SABOTAGE: list[tuple[str, object, str, object, int, int]] = [
    ("a failing gate is passed over", shifting, "_failure_ends_it", never_fails, 1, 14),
    ("steps are left without evidence", shifting, "_may_leave", always_leaves, 1, 0),
    ("blue's scaling is not restored", removing_green, "_restore_scaling", nothing_left, 7, 0),
    ("what is made has no tag", preparing, "tags_of", no_tags, 6, 0),
    ("green's groups stay", removing_green, "_remove_group", nothing_left, 6, 0),
    (
        "traffic goes back to a blue on the bad revision",
        blue_former,
        "is_steady_again",
        always_ready,
        3,
        15,
    ),
    ("rules get back another form of their list", leaving_rules, "_restore", restore_by_own_form, 8, 1),
    ("a service may have two rollouts", MemoryStore, "_take", gives_any_claim, 5, 0),
    ("a rule may have two rollouts", tick, "claims_of", claims_no_rule, 5, 0),
    ("a row has two writers", MemoryStore, "commit", commits_and_lets_go, 5, 0),
]


@pytest.mark.long
@pytest.mark.parametrize(
    ("where", "name", "sabotage", "promise", "first"),
    [pytest.param(*case[1:], id=case[0]) for case in SABOTAGE],
)
def test_the_oracle_notices_when(
    monkeypatch: pytest.MonkeyPatch,
    where: object,
    name: str,
    sabotage: object,
    promise: int,
    first: int,
) -> None:
    monkeypatch.setattr(where, name, sabotage)
    broken: set[int] = set()
    for seed in range(first, first + 40):
        broken |= {one.promise for one in play_seed(seed).broken}
        if promise in broken:
            return
    pytest.fail(f"promise {promise} was never broken; broken were {sorted(broken)}")
