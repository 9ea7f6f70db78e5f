"""Faults in core/phases: shifting and watching."""

from tests.mutants.fault import Fault

SHIFTING = "orchestrator/core/phases/shifting.py"

BY_SHIFTING = "tests/core/phases/test_shifting.py"
BY_APPLY_COMMANDS = "tests/core/test_apply_commands.py"
BY_13_STICKY_SESSIONS = "tests/cases/test_13_sticky_sessions.py"
BY_INTERVENTION = "tests/core/evaluation/test_intervention.py"

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
        name="promote waives health",
        file=SHIFTING,
        text="if not (is_waived and answer.is_evidence)])",
        instead="if not is_waived])",
        breaks="A promotion waives evidence, never health.",
        caught_by=(
            f"{BY_APPLY_COMMANDS}::test_a_promotion_in_the_watch_touches_no_blue_while_health_capacity_or_drift_hold",
        ),
    ),
    Fault(
        name="green grows against every hold",
        file=SHIFTING,
        text="rules.write(draft, looks, safe_is_less=True, may_grow=not against)",
        instead="rules.write(draft, looks, safe_is_less=True, may_grow=True)",
        breaks="Green's weight does not grow while anything holds.",
        caught_by=(f"{BY_SHIFTING}::test_a_weight_that_no_rule_has_yet_is_not_written_while_anything_holds",),
    ),
    Fault(
        name="green grows while paused",
        file=SHIFTING,
        text="against = [h for h in draft.holds if h.kind not in LATER or not is_half_there]",
        instead="against = [h for h in draft.holds if h.kind not in LATER]",
        breaks="Green's weight does not grow while a person has paused the rollout, or its window is shut.",
        caught_by=(f"{BY_SHIFTING}::test_a_weight_that_no_rule_has_yet_is_not_written_while_anything_holds",),
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
    Fault(
        name="one rule stands for all",
        file=SHIFTING,
        text=(
            "    if not rules.all_at(draft.row, _weight(draft)):\n        draft.change(waiting_for=f\"green's"
        ),
        instead=(
            "    if not any(rule.verified == _weight(draft) for rule in draft.row.rules):\n"
            "        draft.change(waiting_for=f\"green's"
        ),
        breaks="A step begins once its weight was read back on every rule.",
        caught_by=(f"{BY_SHIFTING}::test_no_step_begins_while_one_of_the_rules_has_not_its_weight",),
    ),
    Fault(
        name="a rule that never reads back is waited for",
        file=SHIFTING,
        text="lost = rules.unread_write(draft, _weight(draft))",
        instead="lost = str()",
        breaks="A rule that AWS acknowledges and does not change ends the rollout.",
        caught_by=(
            f"{BY_SHIFTING}::test_a_rule_that_aws_acknowledges_and_does_not_change_ends_the_rollout_after_a_minute",
        ),
    ),
    Fault(
        name="blue is updated while cookies keep users on it",
        file=SHIFTING,
        text="pinned = sticky_sessions.still_on(draft, Colour.BLUE, since=row.progress.bake.since)",
        instead="pinned = str()",
        breaks="Blue is not touched while cookies keep users on it.",
        caught_by=(
            f"{BY_13_STICKY_SESSIONS}::test_case_13_pinned_users_leave_blue_slowly_and_it_is_said_how_many_stay",
        ),
    ),
    Fault(
        name="a waived step counts as passed",
        file=SHIFTING,
        text=("    if row.progress.waived_step != row.progress.step:\n        draft.change(passed"),
        instead=("    if True:\n        draft.change(passed"),
        breaks="A weight that a person waived is none that the gates have passed.",
        caught_by=(f"{BY_SHIFTING}::test_a_weight_that_a_person_waived_is_none_that_the_gates_have_passed",),
    ),
    Fault(
        name="a gate is asked of green without traffic",
        file=SHIFTING,
        text="return () if _trial(draft) == NONE else evaluate",
        instead="return evaluate",
        breaks="A green that was taken off the traffic to see what hurts blue is not judged.",
        caught_by=(
            f"{BY_INTERVENTION}::test_a_green_that_was_taken_off_the_traffic_is_not_judged_meanwhile",
        ),
    ),
)
