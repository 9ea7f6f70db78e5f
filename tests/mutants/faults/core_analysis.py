"""Faults in core/analysis: what the metrics say."""

from tests.mutants.fault import Fault

INTERVALS = "orchestrator/core/analysis/intervals.py"
BAKE = "orchestrator/core/analysis/bake.py"
AUTO_PLAN = "orchestrator/core/analysis/auto_plan.py"

BY_INTERVALS = "tests/core/analysis/test_intervals.py"
BY_APPLY_COMMANDS = "tests/core/test_apply_commands.py"
BY_SHIFTING = "tests/core/phases/test_shifting.py"
BY_AUTO_PLAN = "tests/core/analysis/test_auto_plan.py"

FAULTS = (
    Fault(
        name="a period read once is final",
        file=INTERVALS,
        text="return _has_all(reading) and is_apart and reading in row.evidence.reading",
        instead="return _has_all(reading)",
        breaks="A period is taken once two reads, apart from each other, agree.",
        caught_by=(f"{BY_INTERVALS}::test_one_read_alone_takes_nothing_and_is_noted",),
    ),
    Fault(
        name="a period at two weights is compared",
        file=INTERVALS,
        text=("    if interval.weight is None:\n        return Use.WEIGHT_CHANGE\n"),
        instead="",
        breaks="A period in which the weight changed compares nothing.",
        caught_by=(
            f"{BY_INTERVALS}::test_a_period_in_which_the_weight_changed_and_green_s_warm_up_compare_nothing",
        ),
    ),
    Fault(
        name="green's first traffic is compared",
        file=INTERVALS,
        text="    if row.evidence.warm_up_left:\n",
        instead="    if row.evidence.warm_up_left > 1000:\n",
        breaks="Green's warm-up is not held against it.",
        caught_by=(
            f"{BY_INTERVALS}::test_a_period_in_which_the_weight_changed_and_green_s_warm_up_compare_nothing",
        ),
    ),
    Fault(
        name="periods of the weight before count",
        file=INTERVALS,
        text="return tuple(interval for interval in row.evidence.intervals if interval.start >= first)",
        instead="return row.evidence.intervals",
        breaks="A weight is judged by periods at this weight.",
        caught_by=(
            f"{BY_INTERVALS}::test_a_failing_period_of_a_former_weight_that_comes_late_still_fails_green",
        ),
    ),
    Fault(
        name="counts that were not read are none",
        file=INTERVALS,
        text="    if len(points) < len(wanted):\n",
        instead="    if len(points) < len(wanted) and not points:\n",
        breaks="Counts that could not be read are not taken for zero.",
        caught_by=(f"{BY_INTERVALS}::test_what_is_unread_takes_nothing_and_holds_once_it_should_be_there",),
    ),
    Fault(
        name="what a person let pass counts again",
        file=INTERVALS,
        text=(
            "return tuple(i for i in before if row.evidence.judged_from is None or i.start >= "
            "row.evidence.judged_from)"
        ),
        instead="return before",
        breaks="Periods that a person let pass do not fail green again.",
        caught_by=(f"{BY_INTERVALS}::test_what_a_person_passed_over_is_not_held_against_green_again",),
    ),
    Fault(
        name="a period is at the weight it ended with",
        file=BAKE,
        text="if first_whole(spell.since, period) <= start and is_within:",
        instead="if spell.since <= start + period and is_within:",
        breaks="A period says something of a weight that it had all through.",
        caught_by=(
            f"{BY_INTERVALS}::test_periods_are_read_on_through_a_change_of_weight_and_bear_the_weight_they_had",
        ),
    ),
    Fault(
        name="approvals outlive going back",
        file=BAKE,
        text="approvals=tuple(a for a in draft.row.progress.approvals if a.step < step),",
        instead="approvals=draft.row.progress.approvals,",
        breaks="A step that begins anew is approved anew.",
        caught_by=(
            f"{BY_APPLY_COMMANDS}::test_going_back_takes_the_approvals_of_the_steps_that_are_walked_again",
        ),
    ),
    Fault(
        name="a failure outlives going back",
        file=BAKE,
        text='        failed="",\n',
        instead="",
        breaks="Whoever goes back to an earlier weight has it judged anew.",
        caught_by=(f"{BY_APPLY_COMMANDS}::test_going_back_after_a_failure_that_holds_is_a_way_on",),
    ),
    Fault(
        name="a new step inherits the old one's proof",
        file=BAKE,
        text="comparison=at_new_weight(draft.row.evidence.comparison),",
        instead="comparison=draft.row.evidence.comparison,",
        breaks="Green is shown not to be worse at each weight anew.",
        caught_by=(
            f"{BY_SHIFTING}::test_evidence_against_green_goes_on_to_the_next_weight_and_what_speaks_for_it_begins_anew",
        ),
    ),
    Fault(
        name="auto leaps to half the traffic",
        file=AUTO_PLAN,
        text="highest = min(spec.factor * weight, HALF)",
        instead=("return HALF\n    highest = min(spec.factor * weight, HALF)"),
        breaks="The plan `auto` grows as far as what is known of green allows.",
        caught_by=(
            f"{BY_AUTO_PLAN}::test_the_next_weight_spends_no_more_than_the_budget_on_the_worst_that_green_could_still_be",
        ),
    ),
    Fault(
        name="auto's bound is the measured rate",
        file=AUTO_PLAN,
        text="return (rate + z2 / (2 * n) + spread) / (1 + z2 / n) - blue",
        instead="return rate - blue",
        breaks="The plan `auto` reckons with a green as bad as it could still be.",
        caught_by=(
            f"{BY_AUTO_PLAN}::test_a_green_without_an_error_could_still_be_bad_where_few_requests_have_reached_it",
        ),
    ),
    Fault(
        name="auto leaves a step at once",
        file=AUTO_PLAN,
        text='        return "the datapoint of one whole period at this weight"',
        instead='        return ""',
        breaks="The plan `auto` sees a whole period at a weight before it leaves it.",
        caught_by=(f"{BY_AUTO_PLAN}::test_it_waits_for_the_datapoint_and_not_for_the_clock",),
    ),
    Fault(
        name="auto keeps no control group",
        file=AUTO_PLAN,
        text="return Tenths(min(max(wanted, spec.hold_back_min), spec.hold_back_max))",
        instead="return Tenths(0)",
        breaks="During the watch of plan `auto` some users stay on blue to compare with.",
        caught_by=(
            f"{BY_AUTO_PLAN}::test_after_a_half_comes_the_watch_with_a_control_group_and_then_everything",
        ),
    ),
)
