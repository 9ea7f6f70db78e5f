"""Faults in core/phases: rolling back, and leaving."""

from tests.mutants.fault import Fault

ROLLING_BACK = "orchestrator/core/phases/rolling_back.py"
REMOVING_GREEN = "orchestrator/core/phases/removing_green.py"
BLUE_FORMER = "orchestrator/core/phases/blue_former.py"
LAST_LOOK = "orchestrator/core/phases/last_look.py"

BY_ROLLING_BACK = "tests/core/phases/test_rolling_back.py"
BY_75_MANY_AT_ONCE = "tests/cases/test_75_many_at_once.py"
BY_REMOVING_GREEN = "tests/core/phases/test_removing_green.py"

FAULTS = (
    Fault(
        name="traffic to a blue on the wrong revision",
        file=ROLLING_BACK,
        text="if draft.row.handover.attempts and not blue_former.is_steady_again(draft):",
        instead="if draft.row.handover.attempts and blue_former.is_steady_again(draft) is None:",
        breaks="Traffic goes back to blue once blue runs its former revision again.",
        caught_by=(
            f"{BY_ROLLING_BACK}::test_a_rollback_in_settling_gives_blue_its_former_revision_and_leaves_the_weights",
        ),
    ),
    Fault(
        name="traffic to a blue without tasks",
        file=ROLLING_BACK,
        text="if draft.row.blue_loss is not None and not _has_blue_its_tasks(draft):",
        instead="if draft.row.blue_loss is not None and _has_blue_its_tasks(draft) is None:",
        breaks="A blue that was scaled to nothing gets its tasks before it gets traffic.",
        caught_by=(
            f"{BY_ROLLING_BACK}::test_a_blue_that_somebody_scaled_to_nothing_gets_its_tasks_before_its_traffic",
        ),
    ),
    Fault(
        name="a rule that was not read is on blue",
        file=ROLLING_BACK,
        text=(
            "            case str():\n"
            "                done = False\n"
            "            case Absent():\n"
            "                verified = None"
        ),
        instead=(
            "            case str():\n"
            "                pass\n"
            "            case Absent():\n"
            "                verified = None"
        ),
        breaks="A rollback counts as done once every rule was read and gives green nothing.",
        caught_by=(
            f"{BY_ROLLING_BACK}::test_a_rule_that_was_not_read_does_not_count_as_on_blue_though_every_other_is",
        ),
    ),
    Fault(
        name="a raise that lands late is not awaited",
        file=ROLLING_BACK,
        text="elif doubted := rule_looks.doubted_on_the_way_back(draft, rule, found):",
        instead="elif doubted := None:",
        breaks="A rule that reads as before a raise is written again: the raise may have landed.",
        caught_by=(
            f"{BY_ROLLING_BACK}::test_a_rule_that_reads_as_before_the_last_raise_is_written_to_blue_again_and_not_believed",
        ),
    ),
    Fault(
        name="a stuck rollback pages nobody",
        file=ROLLING_BACK,
        text="if draft.now >= end.at + longest:",
        instead="if draft.now >= end.at + longest * 1000:",
        breaks="People are paged where a rollback does not come to its end.",
        caught_by=(
            f"{BY_ROLLING_BACK}::test_people_are_called_where_blue_does_not_get_its_traffic_within_a_minute",
        ),
    ),
    Fault(
        name="what a rollback leaves pages nobody",
        file=ROLLING_BACK,
        text="if draft.now >= on_blue + longest and not",
        instead="if draft.now >= on_blue + longest * 1000 and not",
        breaks="People are paged where what Teal made does not go.",
        caught_by=(
            f"{BY_ROLLING_BACK}::test_people_are_called_where_traffic_is_on_blue_and_what_teal_made_does_not_go",
        ),
    ),
    Fault(
        name="a rollback's write waits for the others",
        file=ROLLING_BACK,
        text=("        to_safety=True,\n        harm="),
        instead=("        to_safety=False,\n        harm="),
        breaks="A rollback's writes of rules go first, and are asked for in every tick until they are seen.",
        caught_by=(f"{BY_ROLLING_BACK}::test_a_write_to_safety_is_asked_for_in_every_tick_until_it_is_seen",),
    ),
    Fault(
        name="the least harmful write goes first",
        file=ROLLING_BACK,
        text="return max(1.0, requests) * share",
        instead="return max(1.0, requests) * (1 - share)",
        breaks="Where rollbacks must wait for each other, the one that hurts most users is first.",
        caught_by=(
            f"{BY_75_MANY_AT_ONCE}::test_case_75_the_harm_that_a_rollback_ends_is_greens_share_of_the_requests",
        ),
    ),
    Fault(
        name="a paused rollout cannot roll back",
        file=ROLLING_BACK,
        text='draft.change(paused_by=None, pause_reason="")',
        instead="pass",
        breaks="A rollback waits for nobody.",
        caught_by=(f"{BY_ROLLING_BACK}::test_a_rollback_ends_a_pause",),
    ),
    Fault(
        name="somebody else's tag rolls back",
        file=ROLLING_BACK,
        text="and seen.tags.get(tags.ROLLOUT) == row.id:",
        instead="and seen.tags.get(tags.ROLLOUT):",
        breaks="Only what is tagged as this rollout's can say that it was rolled back.",
        caught_by=(
            f"{BY_ROLLING_BACK}::test_a_tag_on_what_this_rollout_made_says_that_somebody_rolled_it_back_with_aws_alone",
        ),
    ),
    Fault(
        name="green's tasks stop without draining",
        file=REMOVING_GREEN,
        text="if draft.now < empty and leaving_rules.has_served(draft.row):",
        instead="if draft.now < empty and not leaving_rules.has_served(draft.row):",
        breaks="Green's tasks stop once its last requests had their time.",
        caught_by=(f"{BY_REMOVING_GREEN}::test_green_is_stopped_only_once_its_last_requests_have_left",),
    ),
    Fault(
        name="green's tasks stop before the weight is everywhere",
        file=REMOVING_GREEN,
        text="max(PROPAGATION, drain.after)",
        instead="drain.after",
        breaks="Green's tasks stop once its weight of 0 has reached the whole load balancer.",
        caught_by=(f"{BY_REMOVING_GREEN}::test_green_is_stopped_only_once_its_last_requests_have_left",),
    ),
    Fault(
        name="somebody else's service is deleted",
        file=REMOVING_GREEN,
        text="if service.tags.get(ROLLOUT) != draft.row.id:",
        instead="if not service.tags.get(ROLLOUT):",
        breaks="Teal deletes what this rollout made, and nothing else.",
        caught_by=(f"{BY_REMOVING_GREEN}::test_what_teal_did_not_make_is_never_deleted",),
    ),
    Fault(
        name="blue scales in at once",
        file=REMOVING_GREEN,
        text="PERIODS_BEFORE_SCALING = 3",
        instead="PERIODS_BEFORE_SCALING = 0",
        breaks="Blue's scaling is given back once its metrics show all traffic.",
        caught_by=(f"{BY_REMOVING_GREEN}::test_scaling_waits_until_blues_metrics_have_settled",),
    ),
    Fault(
        name="blue's scaling is not given back",
        file=REMOVING_GREEN,
        text="        _restore_scaling(draft),\n",
        instead="",
        breaks="At the end blue may scale in again.",
        caught_by=(f"{BY_REMOVING_GREEN}::test_scaling_is_given_back_as_it_was_read",),
    ),
    Fault(
        name="blue's count is not given back",
        file=REMOVING_GREEN,
        text="        _restore_count(draft),\n",
        instead="",
        breaks="At the end a blue without scaling has the count that it had.",
        caught_by=(
            f"{BY_REMOVING_GREEN}::test_a_blue_that_somebody_deleted_needs_nothing_restored_and_the_end_says_so",
        ),
    ),
    Fault(
        name="somebody's count is overwritten",
        file=REMOVING_GREEN,
        text=('    if seen.desired != raised:\n        return ""\n'),
        instead="",
        breaks="A count that somebody else set stays.",
        caught_by=(
            f"{BY_REMOVING_GREEN}::test_without_scaling_blues_count_is_given_back_if_nobody_changed_it",
        ),
    ),
    Fault(
        name="blue stays unwatched",
        file=REMOVING_GREEN,
        text="        _restore_configuration(draft),\n",
        instead="",
        breaks="At the end blue has its alarms and its circuit breaker back.",
        caught_by=(f"{BY_REMOVING_GREEN}::test_a_blue_that_is_there_again_is_restored_after_all",),
    ),
    Fault(
        name="a late creation is forgotten",
        file=REMOVING_GREEN,
        text="if green.is_asked and draft.may_land_late:",
        instead="if green.is_asked and draft.may_land_late and draft.holds:",
        breaks="No rollout ends while a green that was asked for may still come.",
        caught_by=(f"{BY_REMOVING_GREEN}::test_a_creation_that_may_still_arrive_is_waited_for",),
    ),
    Fault(
        name="an end before late calls have landed",
        file=REMOVING_GREEN,
        text="    if not waiting and draft.may_land_late:\n",
        instead="    if not waiting and draft.may_land_late and draft.holds:\n",
        breaks="No rollout ends while what it asked for may still land.",
        caught_by=(
            f"{BY_REMOVING_GREEN}::test_no_rollout_ends_while_a_call_that_makes_something_may_still_land",
        ),
    ),
    Fault(
        name="green is deleted with its tasks",
        file=REMOVING_GREEN,
        text="if service.running or service.pending:",
        instead="if service.pending:",
        breaks="Green is deleted once its last task has stopped.",
        caught_by=(f"{BY_REMOVING_GREEN}::test_green_is_stopped_then_deleted_and_its_groups_after_it",),
    ),
    Fault(
        name="every task of a slow drain stops at once",
        file=REMOVING_GREEN,
        text="kept = _kept(draft, empty)",
        instead="kept = 0",
        breaks="Where the file says so, green's tasks stop a few at a time.",
        caught_by=(
            f"{BY_REMOVING_GREEN}::test_green_that_is_stopped_in_slices_leaves_the_rule_after_the_last",
        ),
    ),
    Fault(
        name="an update that comes late takes blue away",
        file=REMOVING_GREEN,
        text="waiting = waiting or blue_former.may_be_taken_off(draft) or last_look.waits(draft)",
        instead="waiting = waiting or last_look.waits(draft)",
        breaks="No rollback ends while an update that it overtook may still be carried out.",
        caught_by=(
            f"{BY_REMOVING_GREEN}::test_no_rollback_ends_while_an_update_of_blue_that_it_overtook_may_still_be_carried_out",
        ),
    ),
    Fault(
        name="an update that came late stays",
        file=REMOVING_GREEN,
        text="if why := blue_former.was_taken_off(draft):",
        instead="if why := str():",
        breaks="A blue that a late update has given the new revision gets its former one back.",
        caught_by=(
            f"{BY_REMOVING_GREEN}::test_one_look_that_shows_blue_on_the_revision_that_was_taken_back_changes_nothing",
        ),
    ),
    Fault(
        name="a target group goes before its rule",
        file=REMOVING_GREEN,
        text="if (green is not None and not green.is_gone) or not is_restored:",
        instead="if green is not None and not green.is_gone:",
        breaks="Green's target groups go once no rule uses them.",
        caught_by=(f"{BY_REMOVING_GREEN}::test_greens_group_is_not_deleted_while_a_rule_still_names_it",),
    ),
    Fault(
        name="a rollout ends while something holds",
        file=REMOVING_GREEN,
        text=("    if waiting or draft.holds:\n        return\n    if draft.row.end"),
        instead=("    if waiting:\n        return\n    if draft.row.end"),
        breaks="No rollout ends while something holds it.",
        caught_by=(f"{BY_REMOVING_GREEN}::test_no_rollout_ends_while_somebody_has_paused_it",),
    ),
    Fault(
        name="steady before a late update can come",
        file=BLUE_FORMER,
        text='why = why or ("one more look" if draft.now < newest.at + LATE else "")',
        instead="why = why or str()",
        breaks="Blue counts as steady once no earlier update can hardly come.",
        caught_by=(
            f"{BY_ROLLING_BACK}::test_steady_does_not_count_while_an_earlier_update_may_still_arrive",
        ),
    ),
    Fault(
        name="alarms undo the way back",
        file=BLUE_FORMER,
        text="        or is_watchful(seen.deployment_configuration)\n",
        instead="",
        breaks="While blue goes back, no alarm and no breaker of its own takes it elsewhere.",
        caught_by=(
            f"{BY_ROLLING_BACK}::test_blue_whose_own_alarms_could_still_take_it_elsewhere_is_asked_once_more",
        ),
    ),
    Fault(
        name="one look calls an update late",
        file=BLUE_FORMER,
        text="if not draft.is_agreed(newest.doubted_since):",
        instead="if newest.doubted_since is None and draft.holds:",
        breaks="Two looks agree before blue is given its former revision once more.",
        caught_by=(
            f"{BY_REMOVING_GREEN}::test_one_look_that_shows_blue_on_the_revision_that_was_taken_back_changes_nothing",
        ),
    ),
    Fault(
        name="the end says what it has not read",
        file=LAST_LOOK,
        text=('    if not missing:\n        return ""\n    since'),
        instead=('    if missing:\n        return ""\n    since'),
        breaks="The end waits a moment for what it has yet to compare.",
        caught_by=(f"{BY_REMOVING_GREEN}::test_scaling_is_never_restored_over_somebodys_later_change",),
    ),
    Fault(
        name="the last sentence forgives another revision",
        file=LAST_LOOK,
        text="if due and runs != due:",
        instead="if not due and runs != due:",
        breaks="The last sentence says that blue does not run what it is to run.",
        caught_by=(f"{BY_REMOVING_GREEN}::test_the_last_sentence_says_what_is_not_as_it_was",),
    ),
)
