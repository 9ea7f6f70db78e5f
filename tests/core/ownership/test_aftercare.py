"""What counts as changed since a rollout ended: what keeps users from the service, or changes what they meet."""

from dataclasses import replace

import pytest

from orchestrator.core.cloud.resources import Absent, RuleSeen, Unread
from orchestrator.core.domain.ids import Json, TaskDefinitionArn
from orchestrator.core.domain.phases import Phase
from orchestrator.core.ownership import aftercare
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.tick.needs import Needs
from orchestrator.core.tick.seen import Seen
from tests.builders import BLUE_GROUP, FORMER, RULE, WANTED, forward, good_deployment, good_rule
from tests.core.stages import row, seen_of, service

OTHER = BLUE_GROUP.replace("checkout", "search")


def ended(phase: Phase = Phase.SUCCEEDED) -> Rollout:
    return replace(row(phase), rules=tuple(replace(r, verified=None) for r in row(phase).rules))


def left(known: Rollout, **changes: object) -> Seen:
    given = {
        "blue": service("checkout", TaskDefinitionArn(aftercare.revision_left(known))),
        "rules": {RULE: good_rule()},
    }
    return seen_of(known, **{**given, **changes})


@pytest.mark.parametrize(("phase", "revision"), [(Phase.SUCCEEDED, WANTED), (Phase.ROLLED_BACK, FORMER)])
def test_what_a_rollout_left_is_its_rules_and_its_revision(phase: Phase, revision: str) -> None:
    known = ended(phase)
    assert aftercare.revision_left(known) == revision
    assert aftercare.changes(known, left(known)) == ()
    needed = aftercare.needs(known)
    assert ([each.arn for each in needed.rules], needed.blue) == ([RULE], "checkout")


@pytest.mark.parametrize("phase", [Phase.SHIFTING, Phase.ABANDONED])
def test_nothing_is_looked_at_while_a_rollout_is_under_way_or_nobody_knows_how_it_left_things(
    phase: Phase,
) -> None:
    assert aftercare.needs(row(phase)) == Needs()


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        pytest.param(
            good_rule(actions=forward((BLUE_GROUP, 0), (OTHER, 1))), "it forwards to search", id="weight 0"
        ),
        pytest.param(good_rule(actions=forward((OTHER, 1))), "it forwards to search", id="another group"),
        pytest.param(
            good_rule(actions=Json('[{"Type":"redirect"}]')),
            "it forwards to no target group",
            id="a redirect",
        ),
        pytest.param(Absent(), "is gone", id="deleted"),
    ],
)
def test_a_rule_that_leads_users_elsewhere_is_named(seen: RuleSeen | Absent, words: str) -> None:
    known = ended()
    (found,) = aftercare.changes(known, left(known, rules={RULE: seen})) or ("",)
    assert words in found


def test_what_is_the_teams_to_change_is_not_named() -> None:
    known = ended()
    theirs = good_rule(priority="77", conditions=Json("[]"), actions=forward((BLUE_GROUP, 1), (OTHER, 9)))
    assert aftercare.changes(known, left(known, rules={RULE: theirs})) == ()


def test_a_revision_that_no_rollout_brought_is_named() -> None:
    known = ended()
    former = service("checkout", FORMER, deployments=(good_deployment(task_definition=FORMER),))
    (found,) = aftercare.changes(known, left(known, blue=former)) or ("",)
    assert found == "checkout was given checkout:42, not by a rollout: the rollout left it on checkout:43"


@pytest.mark.parametrize("unread", [{"rules": {}}, {"blue": Unread(why="a test")}])
def test_what_cannot_be_read_says_nothing(unread: dict[str, object]) -> None:
    known = ended()
    assert aftercare.changes(known, left(known, **unread)) is None
