"""Faults in the core: `decide`, people's commands, and what is read."""

from tests.mutants.fault import Fault

DECIDE = "orchestrator/core/decide.py"
APPLY_COMMANDS = "orchestrator/core/apply_commands.py"
WHAT_TO_READ = "orchestrator/core/what_to_read.py"

BY_HOLDS = "tests/core/test_holds.py"
BY_FULL_DISK = "tests/engine/test_full_disk.py"
BY_ROLLING_BACK = "tests/core/phases/test_rolling_back.py"
BY_CHANGE_WINDOWS = "tests/core/evaluation/test_change_windows.py"
BY_SHIFTING = "tests/core/phases/test_shifting.py"
BY_58_LATE_UPDATES = "tests/cases/test_58_late_updates.py"
BY_38_AWS_DOES_NOT_ANSWER = "tests/cases/test_38_aws_does_not_answer.py"
BY_BEFORE_TRAFFIC = "tests/core/evaluation/test_before_traffic.py"
BY_APPLY_COMMANDS = "tests/core/test_apply_commands.py"
BY_COMMANDS = "tests/core/domain/test_commands.py"
BY_RETIRING = "tests/core/phases/test_retiring.py"
BY_SETTLING = "tests/core/phases/test_settling.py"

FAULTS = (
    Fault(
        name="a hold lasts for ever",
        file=DECIDE,
        text="if draft.row.waiting.held < limits.hold:",
        instead="if draft.row.waiting.held < limits.hold * 1000:",
        breaks="A hold that has lasted as long as the file allows ends the rollout.",
        caught_by=(f"{BY_HOLDS}::test_a_hold_that_lasts_rolls_back_at_its_limit_and_not_before",),
    ),
    Fault(
        name="a pause counts as a hold",
        file=DECIDE,
        text=("    if not row.pause.paused_by:\n        draft.change(held="),
        instead=("    if True:\n        draft.change(held="),
        breaks="The time that people have paused a rollout is not held against it.",
        caught_by=(f"{BY_HOLDS}::test_time_paused_by_a_person_is_not_held_time",),
    ),
    Fault(
        name="a long hold takes a settled release back",
        file=DECIDE,
        text=("        and row.phase.blue_is_safe_side\n        and not point_of_no_return"),
        instead="        and not point_of_no_return",
        breaks="Once the watch has passed no timer rolls a release back.",
        caught_by=(f"{BY_HOLDS}::test_in_settling_a_hold_calls_people_and_never_rolls_back",),
    ),
    Fault(
        name="the next standstill pages nobody",
        file=DECIDE,
        text="draft.change(paged=())  # this standstill is over",
        instead="pass  # this standstill is over",
        breaks="People are paged again for another standstill.",
        caught_by=(f"{BY_HOLDS}::test_people_are_called_again_for_another_standstill",),
    ),
    Fault(
        name="what was done without a record is not told",
        file=DECIDE,
        text=("    _tell_unrecorded(draft)\n    draft"),
        instead="    draft",
        breaks="The log says what was done while the store could not be written.",
        caught_by=(
            f"{BY_FULL_DISK}::test_a_bad_green_is_taken_back_while_nothing_can_be_kept_and_the_log_says_so_first_afterwards",
        ),
    ),
    Fault(
        name="what was done without a record is undone",
        file=DECIDE,
        text="(done := draft.seen.unrecorded) is not None and draft.row.phase.blue_is_safe_side",
        instead="(done := draft.seen.unrecorded) is not None and draft.row.phase.is_final",
        breaks="A rollback that was begun while the store could not be written goes on once it can.",
        caught_by=(
            f"{BY_FULL_DISK}::test_a_rollback_is_done_when_it_is_ordered_and_its_person_is_named_afterwards",
        ),
    ),
    Fault(
        name="a rollback with AWS alone is not seen",
        file=DECIDE,
        text="elif words := rolling_back.taken_back_by(draft):",
        instead="elif words := str():",
        breaks="Whoever rolls back with AWS alone is followed, not fought.",
        caught_by=(
            f"{BY_ROLLING_BACK}::test_a_tag_on_what_this_rollout_made_says_that_somebody_rolled_it_back_with_aws_alone",
        ),
    ),
    Fault(
        name="the window's close ends nothing",
        file=DECIDE,
        text="elif not is_held and not change_windows.close_ends_it(draft):",
        instead="elif not is_held:",
        breaks="Where the file says so, a rollout under way is rolled back as its window closes.",
        caught_by=(f"{BY_CHANGE_WINDOWS}::test_at_the_close_it_is_taken_back_where_the_file_says_so",),
    ),
    Fault(
        name="a refused write holds nothing",
        file=DECIDE,
        text=(
            "if draft.row.phase is not Phase.ROLLING_BACK:\n            draft.hold(HoldKind.AWS, failure.why"
        ),
        instead=(
            "if draft.row.phase is Phase.ROLLING_BACK:\n            draft.hold(HoldKind.AWS, failure.why"
        ),
        breaks="A rollout does not go on while AWS refuses what it asked for.",
        caught_by=(f"{BY_HOLDS}::test_what_aws_refuses_is_told_once_and_holds_as_long_as_it_lasts",),
    ),
    Fault(
        name="a write is read back late",
        file=DECIDE,
        text="draft.wake_by(draft.now + min(draft.poll, LOOK_AFTER_EFFECT))",
        instead="draft.wake_by(draft.now + draft.poll)",
        breaks="What was written is read back a second later.",
        caught_by=(
            f"{BY_SHIFTING}::test_the_first_step_is_written_once_green_is_ready_and_read_back_a_second_later",
        ),
    ),
    Fault(
        name="a new phase waits for the next look",
        file=DECIDE,
        text=("    if draft.row.phase is not draft.before.phase:\n        return draft.now\n"),
        instead="",
        breaks="A phase that has begun is looked at at once.",
        caught_by=(f"{BY_SHIFTING}::test_the_watch_passed_begins_settling",),
    ),
    Fault(
        name="abandon rolls back",
        file=DECIDE,
        text="        _abandon(draft, ending)\n",
        instead='        turn_back.roll_back(draft, "abandoned", ending.by)\n',
        breaks="Once a rollout is abandoned Teal writes nothing more.",
        caught_by=(
            f"{BY_ROLLING_BACK}::test_an_abandoned_rollout_writes_nothing_more_and_says_what_is_left",
        ),
    ),
    Fault(
        name="late calls are forgotten at once",
        file=DECIDE,
        text="draft.change(unanswered=without_answered(draft.row.ticks, draft.seen.answered, draft.now))",
        instead="draft.change(unanswered=())",
        breaks="A call that AWS may still carry out is remembered until it cannot.",
        caught_by=(
            f"{BY_58_LATE_UPDATES}::test_case_58_an_update_of_blue_that_lands_after_the_rollback_is_undone_before_the_rollout_ends",
        ),
    ),
    Fault(
        name="no access pages nobody",
        file=DECIDE,
        text="    aws_access.hold_if_denied(draft)\n",
        instead="",
        breaks="People are paged at the first look that AWS denies.",
        caught_by=(
            f"{BY_38_AWS_DOES_NOT_ANSWER}::test_case_39_without_access_nothing_moves_and_people_are_called_at_the_first_look",
        ),
    ),
    Fault(
        name="a pause runs down every limit",
        file=DECIDE,
        text="draft.change(paused_for=draft.row.pause.paused_for + draft.now - draft.row.ticks.ticked_at)",
        instead="pass",
        breaks="The time that people have paused a rollout does not count for its limits.",
        caught_by=(f"{BY_BEFORE_TRAFFIC}::test_time_that_people_paused_does_not_count_towards_the_limit",),
    ),
    Fault(
        name="a command is applied where it makes no sense",
        file=APPLY_COMMANDS,
        text="        why = refusal(draft.row, command)\n",
        instead="        why = str()\n",
        breaks="A command that came too late is overtaken, and says so.",
        caught_by=(
            f"{BY_APPLY_COMMANDS}::test_what_a_phase_does_not_accept_is_refused_with_what_it_does_and_changes_nothing",
        ),
    ),
    Fault(
        name="an approval counts for a later step",
        file=APPLY_COMMANDS,
        text="if command.step is not None and command.step != current_step(row):",
        instead="if command.step is not None and command.step > current_step(row):",
        breaks="A command that was given for a step is for no other.",
        caught_by=(
            f"{BY_APPLY_COMMANDS}::test_a_command_bound_to_another_step_is_overtaken_and_changes_nothing",
        ),
    ),
    Fault(
        name="the author approves under another spelling",
        file=APPLY_COMMANDS,
        text="command.by.identity == row.author.identity:",
        instead="command.by.name == row.author.name:",
        breaks="Who started a rollout does not approve it, however a door spells the name.",
        caught_by=(f"{BY_COMMANDS}::test_who_may_approve",),
    ),
    Fault(
        name="anybody approves",
        file=APPLY_COMMANDS,
        text="if approvers and not command.by.is_among(approvers):",
        instead="if approvers and not command.by.name:",
        breaks="Only those whom the file names approve.",
        caught_by=(f"{BY_COMMANDS}::test_who_may_approve",),
    ),
    Fault(
        name="one person approves twice",
        file=APPLY_COMMANDS,
        text="if any(a.by.identity == command.by.identity and a.step == step for a",
        instead="if any(a.by.identity == command.by.identity and a.step > step for a",
        breaks="Two approvals are two people's.",
        caught_by=(f"{BY_APPLY_COMMANDS}::test_two_different_people_of_one_tick_approve_together",),
    ),
    Fault(
        name="a promotion passes an approval by",
        file=APPLY_COMMANDS,
        text="if steps[number].approval and len(people) < row.spec.approval.required:",
        instead="if steps[number].approval and not row.spec.approval.required:",
        breaks="A promotion to the last step passes by no step that a person must approve.",
        caught_by=(
            f"{BY_APPLY_COMMANDS}::test_a_promotion_to_the_end_is_refused_where_it_would_pass_an_approval_by",
        ),
    ),
    Fault(
        name="a rollback to a deleted blue",
        file=APPLY_COMMANDS,
        text="if row.blue_loss is Loss.DELETED:",
        instead="if row.blue_loss is Loss.EMPTY:",
        breaks="No traffic is led back to a blue that was deleted.",
        caught_by=(f"{BY_APPLY_COMMANDS}::test_nothing_leads_back_to_a_blue_that_was_deleted",),
    ),
    Fault(
        name="a rollback while green is taken away",
        file=APPLY_COMMANDS,
        text="row.green is not None and row.green.is_leaving:",
        instead="row.green is not None and row.green.is_gone:",
        breaks="Once green's tasks stop, a rollback is refused and says what to do instead.",
        caught_by=(f"{BY_COMMANDS}::test_a_rollback_is_refused_once_green_is_on_its_way_out",),
    ),
    Fault(
        name="a rollback after blue's groups went",
        file=APPLY_COMMANDS,
        text="if row.retirement is not None and row.retirement.is_clearing:",
        instead="if row.retirement is not None and row.retirement.cleared:",
        breaks="From the first deletion of blue's target groups on there is no way back.",
        caught_by=(f"{BY_RETIRING}::test_a_rollback_is_refused_once_blues_groups_may_be_gone",),
    ),
    Fault(
        name="the last ending counts",
        file=APPLY_COMMANDS,
        text="if not why and ending is not None:",
        instead="if not why and ending is not None and ending.kind is command.kind:",
        breaks="Of two commands that end a rollout the first counts.",
        caught_by=(f"{BY_APPLY_COMMANDS}::test_commands_of_one_tick_are_applied_in_their_order",),
    ),
    Fault(
        name="resume does not try again",
        file=APPLY_COMMANDS,
        text="replace(attempts[-1], is_retried=True)",
        instead="replace(attempts[-1], is_retried=False)",
        breaks="A person's resume has blue updated once more.",
        caught_by=(f"{BY_SETTLING}::test_a_failed_attempt_stays_failed_until_a_person_resumes",),
    ),
    Fault(
        name="what a person let pass fails again",
        file=APPLY_COMMANDS,
        text=("                    judged_from=draft.now,\n                    comparison"),
        instead="                    comparison",
        breaks="What a person has seen and let go on does not fail the rollout again.",
        caught_by=(
            f"{BY_APPLY_COMMANDS}::test_resuming_after_a_pause_keeps_the_bake_and_after_a_failure_begins_it_anew",
        ),
    ),
    Fault(
        name="old evidence fails it again",
        file=APPLY_COMMANDS,
        text="comparison=anew(draft.row.evidence.comparison)",
        instead="comparison=draft.row.evidence.comparison",
        breaks="After a resume the comparison begins anew.",
        caught_by=(
            f"{BY_APPLY_COMMANDS}::test_evidence_that_a_person_has_seen_and_let_go_on_does_not_fail_the_rollout_again",
        ),
    ),
    Fault(
        name="promote waives the next step",
        file=APPLY_COMMANDS,
        text="draft.change(waived_step=row.progress.step, is_leaping",
        instead="draft.change(waived_step=row.progress.step + 1, is_leaping",
        breaks="A promotion waives the step that it was given for.",
        caught_by=(f"{BY_APPLY_COMMANDS}::test_a_promotion_waives_time_and_the_holds_of_evidence",),
    ),
    Fault(
        name="going back stays in the watch",
        file=APPLY_COMMANDS,
        text=("            if row.phase is Phase.WATCHING:\n                draft.move("),
        instead=("            if row.phase is Phase.SETTLING:\n                draft.move("),
        breaks="Whoever goes back to an earlier weight is not in the watch any more.",
        caught_by=(f"{BY_APPLY_COMMANDS}::test_going_back_from_the_watch_is_told_and_waives_nothing",),
    ),
    Fault(
        name="a rollback reads everything first",
        file=WHAT_TO_READ,
        text="if any(c.kind in ENDING and not refusal(row, c) for c in commands):",
        instead="if any(c.kind in ENDING and refusal(row, c) for c in commands):",
        breaks="A rollback that a person orders reads the rules alone, so that nothing else can hold it up.",
        caught_by=(f"{BY_ROLLING_BACK}::test_a_rollback_reads_only_the_rules",),
    ),
)
