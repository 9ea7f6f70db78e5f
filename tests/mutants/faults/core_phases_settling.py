"""Faults in core/phases: settling."""

from tests.mutants.fault import Fault

SETTLING = "orchestrator/core/phases/settling.py"

BY_SETTLING = "tests/core/phases/test_settling.py"

FAULTS = (
    Fault(
        name="one look fails blue's update",
        file=SETTLING,
        text="    if draft.now < agreed:\n",
        instead="    if draft.now < since:\n",
        breaks="Two looks agree before blue's update counts as failed.",
        caught_by=(
            f"{BY_SETTLING}::test_blue_as_before_its_update_is_an_older_answer_at_first_and_undone_by_ecs_later",
        ),
    ),
    Fault(
        name="an old answer fails blue's update",
        file=SETTLING,
        text="return _doubt(draft, attempt, seen, until=attempt.at + UNREAD_LONGEST)",
        instead="return _doubt(draft, attempt, seen)",
        breaks="An answer from before blue's update does not fail it.",
        caught_by=(
            f"{BY_SETTLING}::test_looks_within_a_minute_of_blues_update_may_all_be_older_than_it_and_fail_nothing",
        ),
    ),
    Fault(
        name="a failure in settling goes on",
        file=SETTLING,
        text="if failing is not None and not draft.row.waiting.failed:",
        instead="if failing is not None and draft.row.waiting.failed:",
        breaks="Where blue fails on the new revision, traffic stops to return to it.",
        caught_by=(
            f"{BY_SETTLING}::test_blue_that_fails_on_the_way_home_puts_the_last_good_step_back_on_green",
        ),
    ),
    Fault(
        name="blue keeps the traffic it fails with",
        file=SETTLING,
        text=('            about="blue fails",\n        )\n        _keep_weights(draft, looks)\n'),
        instead=('            about="blue fails",\n        )\n'),
        breaks="Where blue fails on the new revision, green gets the weight of the last good step back.",
        caught_by=(
            f"{BY_SETTLING}::test_blue_that_fails_on_the_way_home_puts_the_last_good_step_back_on_green",
        ),
    ),
    Fault(
        name="the last good step is the failing one",
        file=SETTLING,
        text="else RETURN_STEPS[row.progress.step - 1]",
        instead="else RETURN_STEPS[row.progress.step]",
        breaks="Where blue fails on the new revision, green gets the weight of the last good step back.",
        caught_by=(
            f"{BY_SETTLING}::test_blue_that_fails_on_the_way_home_puts_the_last_good_step_back_on_green",
        ),
    ),
    Fault(
        name="home without one judged period",
        file=SETTLING,
        text="if not intervals.at_weight(row) or draft.holds:",
        instead="if draft.holds:",
        breaks="Traffic returns to blue one step at a time, each judged for a whole period.",
        caught_by=(
            f"{BY_SETTLING}::test_a_step_home_waits_for_its_period_though_no_gate_that_reads_metrics_is_on",
        ),
    ),
    Fault(
        name="home against every hold",
        file=SETTLING,
        text="if not intervals.at_weight(row) or draft.holds:",
        instead="if not intervals.at_weight(row):",
        breaks="No step of the way home is left while a gate holds.",
        caught_by=(f"{BY_SETTLING}::test_an_alarm_only_holds_on_the_way_home",),
    ),
    Fault(
        name="some of green's tags are enough",
        file=SETTLING,
        text="if all(found.get(FORMER) == row.known.blue.former for found in tags):",
        instead="if any(found.get(FORMER) == row.known.blue.former for found in tags):",
        breaks="Before blue is updated everything of green says which revision blue came from.",
        caught_by=(f"{BY_SETTLING}::test_green_is_tagged_with_blues_former_revision_before_blue_is_touched",),
    ),
    Fault(
        name="home to a blue that is not ready",
        file=SETTLING,
        text="why = cannot_take_all(seen, row.known.green.for_blue, targets_of(draft, Colour.BLUE), needed)",
        instead="why = str()",
        breaks="Blue gets no more traffic than its healthy tasks can take.",
        caught_by=(f"{BY_SETTLING}::test_blue_short_of_a_target_gets_no_more",),
    ),
    Fault(
        name="Teal tries a failed update again by itself",
        file=SETTLING,
        text="row.handover.attempts[-1].is_retried:",
        instead="row.handover.attempts[-1].is_failed:",
        breaks="An update of blue that failed is tried again by a person's word alone.",
        caught_by=(f"{BY_SETTLING}::test_a_hold_that_a_rollback_drops_is_not_told_as_cleared",),
    ),
    Fault(
        name="settling may last for ever",
        file=SETTLING,
        text=("        > row.spec.limits.settle\n        and"),
        instead=("        > row.spec.limits.settle * 1000\n        and"),
        breaks="People are paged once settling lasts too long.",
        caught_by=(f"{BY_SETTLING}::test_settling_too_long_calls_people_and_changes_nothing",),
    ),
    Fault(
        name="home while paused",
        file=SETTLING,
        text="against = [h for h in draft.holds if h.kind is not HoldKind.PAUSED or not is_half_there]",
        instead="against = [h for h in draft.holds if h.kind is not HoldKind.PAUSED]",
        breaks="No more traffic returns to blue while a person has paused the rollout.",
        caught_by=(f"{BY_SETTLING}::test_no_more_traffic_returns_to_blue_while_somebody_has_paused",),
    ),
    Fault(
        name="a weight is written on one look's word",
        file=SETTLING,
        text=("        if not _is_in_doubt(draft.row):\n            _keep_weights(draft, looks)\n"),
        instead="        _keep_weights(draft, looks)\n",
        breaks="No weight is written on the word of one look at blue.",
        caught_by=(
            f"{BY_SETTLING}::test_one_look_that_shows_blue_as_it_was_before_its_update_changes_nothing",
        ),
    ),
    Fault(
        name="blue shrinks as it is updated",
        file=SETTLING,
        text="desired=max(seen.desired, row.known.green.desired),",
        instead="desired=row.known.blue.desired,",
        breaks="Blue takes over with as many tasks as green has.",
        caught_by=(f"{BY_SETTLING}::test_blue_is_made_as_large_as_green",),
    ),
    Fault(
        name="somebody's rollback in settling is taken as the end",
        file=SETTLING,
        text=("    if why:\n        gone = {"),
        instead=("    if why and not row.handover.attempts:\n        gone = {"),
        breaks="Somebody who gives a blue that is not ready all traffic rolls back.",
        caught_by=(f"{BY_SETTLING}::test_blue_given_everything_by_hand_before_it_is_ready_is_a_rollback",),
    ),
)
