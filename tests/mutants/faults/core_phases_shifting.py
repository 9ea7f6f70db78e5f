"""Faults in core/phases: shifting and watching."""

from tests.mutants.fault import Fault

SHIFTING = "orchestrator/core/phases/shifting.py"

BY_SHIFTING = "tests/core/phases/test_shifting.py"

FAULTS = (
    Fault(
        name="a failure while watching is ignored",
        file=SHIFTING,
        text="if failing is not None and turns_back and not forbidden:",
        instead=(
            "if failing is not None and turns_back and not forbidden and draft.row.phase is Phase.SHIFTING:"
        ),
        breaks="A gate that fails while green is watched takes all traffic off green.",
        caught_by=(f"{BY_SHIFTING}::test_errors_of_green_alone_roll_back",),
    ),
    Fault(
        name="a failure is forgotten",
        file=SHIFTING,
        text=(
            '    if failing is not None:\n        draft.change(failed=f"{failing.gate}: {failing.reason}")\n'
        ),
        instead="    if failing is not None:\n",
        breaks="With `on_failure: hold` a failure holds until a person says otherwise.",
        caught_by=(
            f"{BY_SHIFTING}::test_a_failure_that_the_file_turns_into_a_hold_keeps_the_weights_and_never_grows",
        ),
    ),
    Fault(
        name="a failure holds nothing",
        file=SHIFTING,
        text=("    if draft.row.waiting.failed:\n        draft.hold("),
        instead=("    if draft.row.waiting.failed and failing is None:\n        draft.hold("),
        breaks="With `on_failure: hold` green's weight does not grow from the failure on.",
        caught_by=(
            f"{BY_SHIFTING}::test_a_failure_that_the_file_turns_into_a_hold_keeps_the_weights_and_never_grows",
        ),
    ),
    Fault(
        name="half a bake is enough",
        file=SHIFTING,
        text="if row.progress.bake.done < step.bake and not is_waived:",
        instead="if row.progress.bake.done < step.bake / 2 and not is_waived:",
        breaks="A step is held as long as the file says.",
        caught_by=(f"{BY_SHIFTING}::test_a_bake_is_a_minimum",),
    ),
    Fault(
        name="evidence that is missing holds nothing",
        file=SHIFTING,
        text="if not (is_waived and answer.is_evidence)])",
        instead="if not answer.is_evidence])",
        breaks="A gate that holds keeps the step from being left.",
        caught_by=(f"{BY_SHIFTING}::test_a_bake_that_is_over_waits_for_an_interval",),
    ),
    Fault(
        name="a blue short of tasks is ignored",
        file=SHIFTING,
        text=(
            "    why = cannot_take_all(draft.seen.blue, blue.former, targets_of(draft, "
            "Colour.BLUE), needed)\n"
        ),
        instead="    why = str()\n",
        breaks="Green's weight grows only while blue could take everything back.",
        caught_by=(f"{BY_SHIFTING}::test_what_is_missing_or_unread_never_counts_as_a_pass",),
    ),
    Fault(
        name="a bake goes on unseen",
        file=SHIFTING,
        text="if row.progress.bake.since is not None and can_see:",
        instead="if row.progress.bake.since is not None:",
        breaks="Only time in which everything could be seen counts as a bake.",
        caught_by=(f"{BY_SHIFTING}::test_time_in_which_nothing_could_be_seen_does_not_count",),
    ),
    Fault(
        name="a bake goes on at another weight",
        file=SHIFTING,
        text=(
            "    if row.progress.bake.since is not None and not rules.all_at(row, _weight(draft)):\n"
            "        bake.stop(draft, last_there=row.ticks.ticked_at or draft.now)\n"
            "        return\n"
        ),
        instead="",
        breaks="A bake begins anew once its weight was not there.",
        caught_by=(f"{BY_SHIFTING}::test_a_weight_that_is_not_there_any_more_begins_its_bake_anew",),
    ),
)
