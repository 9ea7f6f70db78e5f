"""Faults in core/phases: green stays: blue is retired, and called back."""

from tests.mutants.fault import Fault

REMOVING_BLUE = "orchestrator/core/phases/removing_blue.py"
RETIRING = "orchestrator/core/phases/retiring.py"
BRINGING_BLUE_BACK = "orchestrator/core/phases/bringing_blue_back.py"

BY_RETIRING = "tests/core/phases/test_retiring.py"
BY_58_LATE_UPDATES = "tests/cases/test_58_late_updates.py"
BY_SWAP_SCALING = "tests/engine/test_swap_scaling.py"

FAULTS = (
    Fault(
        name="blue's tasks stop while green fails",
        file=REMOVING_BLUE,
        text=('    if draft.holds:\n        return "blue\'s tasks to be stopped"\n'),
        instead="",
        breaks="While green does not do well nothing more is taken from blue.",
        caught_by=(f"{BY_RETIRING}::test_a_paused_retirement_takes_no_further_step",),
    ),
    Fault(
        name="one look deletes blue from memory",
        file=REMOVING_BLUE,
        text="if not (draft.retirement.is_deleting or point_of_no_return.is_blue_gone(draft)):",
        instead="if not isinstance(seen, Absent):",
        breaks="A blue that one look alone did not find is not gone.",
        caught_by=(f"{BY_RETIRING}::test_a_blue_that_one_look_did_not_find_is_not_gone",),
    ),
    Fault(
        name="somebody's blue is deleted",
        file=REMOVING_BLUE,
        text="return row.spec.ending is Ending.DELETE or",
        instead="return row.spec.ending.is_swap or",
        breaks="A blue that Teal did not make goes only where the file says so.",
        caught_by=(
            f"{BY_RETIRING}::test_blue_that_is_kept_ends_the_rollout_without_tasks_and_its_group_is_named",
        ),
    ),
    Fault(
        name="blue's new tasks are stopped",
        file=REMOVING_BLUE,
        text=('    if blue.desired:\n        words = f"somebody'),
        instead=('    if blue.desired < 0:\n        words = f"somebody'),
        breaks="A retired blue that somebody scales again is left as it is.",
        caught_by=(f"{BY_RETIRING}::test_tasks_that_somebody_gives_blue_again_are_left_to_it",),
    ),
    Fault(
        name="blue's connections are not waited for",
        file=REMOVING_BLUE,
        text=(
            "        return f\"blue's last {counted(blue.running + blue.pending, 'task')} to stop\"\n"
            "    return _targets(draft)\n"
        ),
        instead=(
            "        return f\"blue's last {counted(blue.running + blue.pending, 'task')} to stop\"\n"
            "    return str()\n"
        ),
        breaks="Blue goes once its target groups are empty.",
        caught_by=(f"{BY_RETIRING}::test_blues_last_tasks_and_targets_are_waited_for",),
    ),
    Fault(
        name="blue drains while others use it",
        file=RETIRING,
        text="if draft.retirement.drained_from is None and not swap_rules.hold_for_rules_on_blue(draft):",
        instead=(
            "if draft.retirement.drained_from is None and swap_rules.hold_for_rules_on_blue(draft) is None:"
        ),
        breaks="Blue keeps its tasks while a rule that is not this rollout's leads to it.",
        caught_by=(f"{BY_RETIRING}::test_rules_that_cannot_be_listed_stop_the_retirement",),
    ),
    Fault(
        name="blue drains before late writes have landed",
        file=RETIRING,
        text="draft.now < max(empty, late or empty):",
        instead="draft.now < empty:",
        breaks="Blue keeps its tasks while an earlier write of a rule may still be carried out.",
        caught_by=(
            f"{BY_58_LATE_UPDATES}::test_case_58_a_write_of_a_rule_that_lands_late_finds_blue_with_its_tasks_where_green_stays",
        ),
    ),
    Fault(
        name="blue drains at once",
        file=RETIRING,
        text="empty = swapped_at + max(LATE, removing_blue.delay(draft.row))",
        instead="empty = swapped_at",
        breaks="Blue keeps its tasks until its connections had time to end.",
        caught_by=(f"{BY_RETIRING}::test_blue_keeps_its_tasks_until_its_connections_had_their_groups_delay",),
    ),
    Fault(
        name="green fails and nobody is paged",
        file=RETIRING,
        text=("    if is_bad:\n        draft.page("),
        instead=("    if is_bad and draft.holds == []:\n        draft.page("),
        breaks="People are paged where green fails while blue is retired.",
        caught_by=(
            f"{BY_RETIRING}::test_green_without_a_healthy_target_keeps_what_is_left_of_blue_and_calls_people_once",
        ),
    ),
    Fault(
        name="blue's scaling stops before green scales",
        file=RETIRING,
        text="        or _own_scaling(draft)\n",
        instead="",
        breaks="Green has its own scaling before blue loses its.",
        caught_by=(f"{BY_SWAP_SCALING}::test_greens_scaling_is_blues_and_a_kept_blue_stays_at_nothing",),
    ),
    Fault(
        name="green stays unwatched",
        file=RETIRING,
        text="        or _configure_green(draft)\n",
        instead="",
        breaks="A green that stays has blue's alarms and circuit breaker.",
        caught_by=(f"{BY_RETIRING}::test_green_gets_the_deployment_configuration_that_blue_had",),
    ),
    Fault(
        name="nobody can begin from green",
        file=RETIRING,
        text="        or _tag_as_service_of_record(draft)\n",
        instead="",
        breaks="A green that stays is tagged as the service of record.",
        caught_by=(f"{BY_RETIRING}::test_green_is_the_service_of_record_for_good_once_all_the_rest_is_done",),
    ),
    Fault(
        name="traffic to a blue that is in no rule",
        file=BRINGING_BLUE_BACK,
        text='"" if is_in_rules else "blue\'s target groups on every rule again, at weight 0"',
        instead='""',
        breaks="A blue that is called back is in the rules before it gets traffic.",
        caught_by=(
            f"{BY_RETIRING}::test_a_blue_that_has_its_tasks_gets_no_traffic_while_its_group_is_in_no_rule",
        ),
    ),
    Fault(
        name="a late stop empties blue again",
        file=BRINGING_BLUE_BACK,
        text="if not waiting and late is not None and draft.now < late + LATE:",
        instead="if not waiting and late is not None and draft.now < late:",
        breaks="A blue that is called back counts as steady once no earlier call can stop it.",
        caught_by=(
            f"{BY_RETIRING}::test_everything_goes_to_blue_once_it_is_steady_in_two_looks_and_no_late_call_can_stop_it",
        ),
    ),
)
