"""The same service rolled out again and again: no name runs out, and nothing is left over."""

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.phases import Phase
from tests.cases.looks import active_revisions, definition_of, groups_of, live_services, rules_of, service_of
from tests.support.rehearsal import Rehearsal

ROLLOUTS = 12


@pytest.mark.long
def test_rollouts_in_a_row_leave_the_service_its_rules_and_one_revision_each() -> None:
    with Rehearsal() as stage:
        before = rules_of(stage), groups_of(stage), live_services(stage), service_of(stage)["tags"]
        kept = ["checkout:1"]
        for number in range(ROLLOUTS):
            images = (("checkout", f"example.com/checkout:{number}"),)
            spec = stage.spec("", images=images, colour_variable="TEAL_COLOUR")
            rollout = stage.start(spec, key=f"release {number}")
            if number % 4 == 3:
                stage.until(rollout, Phase.SHIFTING)
                stage.command(rollout, CommandKind.ROLLBACK)
            row = stage.until(rollout)
            assert row.phase is (Phase.ROLLED_BACK if number % 4 == 3 else Phase.SUCCEEDED), stage.story(
                rollout
            )
            if row.phase is Phase.SUCCEEDED:
                assert row.green is not None
                kept.append(row.green.for_blue.rpartition("/")[2])
        after = rules_of(stage), groups_of(stage), live_services(stage), service_of(stage)["tags"]
        assert after == before
        assert active_revisions(stage, "checkout") == kept
        assert active_revisions(stage, "checkout-green") == []
        blues = definition_of(stage, service_of(stage)["taskDefinition"])
        teals = [name for name in blues["tags"] if name.startswith("teal:")]
        assert len(teals) == 3  # those of the last rollout alone: copied tags never pile up
        totals = stage.traffic.totals
        assert (totals.rejected, totals.unanswered.total(), totals.errors.total()) == (0, 0, 0)
