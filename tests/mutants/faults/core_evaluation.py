"""Faults in core/evaluation: what the gates' answers do."""

from tests.mutants.fault import Fault

APPROVALS = "orchestrator/core/evaluation/approvals.py"
CHANGE_WINDOWS = "orchestrator/core/evaluation/change_windows.py"
EVALUATE = "orchestrator/core/evaluation/evaluate.py"
EVIDENCE_OUTAGE = "orchestrator/core/evaluation/evidence_outage.py"
INTERVENTION = "orchestrator/core/evaluation/intervention.py"
LIMITS = "orchestrator/core/evaluation/limits.py"
BEFORE_TRAFFIC = "orchestrator/core/evaluation/before_traffic.py"

BY_BEFORE_TRAFFIC = "tests/core/evaluation/test_before_traffic.py"
BY_HOLDS = "tests/core/test_holds.py"
BY_APPROVAL = "tests/engine/test_approval.py"
BY_CHANGE_WINDOWS = "tests/core/evaluation/test_change_windows.py"
BY_AGREED_LOOKS = "tests/core/evaluation/test_agreed_looks.py"
BY_SETTLING = "tests/core/phases/test_settling.py"
BY_76_NO_CLOUDWATCH = "tests/cases/test_76_no_cloudwatch.py"
BY_INTERVENTION = "tests/core/evaluation/test_intervention.py"
BY_PROBE = "tests/engine/test_probe.py"
BY_REHEARSAL = "tests/core/evaluation/test_rehearsal.py"

FAULTS = (
    Fault(
        name="an approval is always given",
        file=APPROVALS,
        text="if answer.verdict is not Verdict.HOLD:",
        instead="if answer.verdict is Verdict.HOLD:",
        breaks="A step that needs an approval is left once it was given.",
        caught_by=(
            f"{BY_BEFORE_TRAFFIC}::test_an_alarm_that_fired_before_the_start_asks_for_a_person_first",
        ),
    ),
    Fault(
        name="an approval is waited for without end",
        file=APPROVALS,
        text="if draft.row.progress.waited_for_approval >= spec.timeout:",
        instead="if draft.row.progress.waited_for_approval >= spec.timeout * 1000:",
        breaks="What nobody approves in time ends as the file says.",
        caught_by=(f"{BY_HOLDS}::test_an_approval_that_nobody_gives_rolls_back_at_its_limit_and_not_before",),
    ),
    Fault(
        name="an alarm that fires already asks nobody",
        file=APPROVALS,
        text=(
            'return is_asked or (row.blue is not None and any(alarm.state == "ALARM" for alarm in '
            "row.blue.alarms))"
        ),
        instead="return is_asked",
        breaks="Where an alarm fires before a rollout begins, a person says whether to start.",
        caught_by=(
            f"{BY_BEFORE_TRAFFIC}::test_an_alarm_that_fired_before_the_start_asks_for_a_person_first",
        ),
    ),
    Fault(
        name="a pause uses up the time for an approval",
        file=APPROVALS,
        text=("    if row.pause.paused_by:\n        return False\n"),
        instead="",
        breaks="The time that people have paused a rollout does not count for an approval.",
        caught_by=(f"{BY_APPROVAL}::test_a_pause_stops_the_clock_of_an_approval",),
    ),
    Fault(
        name="an override binds nobody",
        file=CHANGE_WINDOWS,
        text="return not row.spec.override and not standing(",
        instead="return not standing(",
        breaks="A rollout that was started with an override is bound by neither window nor freeze.",
        caught_by=(f"{BY_CHANGE_WINDOWS}::test_an_overridden_rollout_is_bound_by_neither_window_nor_freeze",),
    ),
    Fault(
        name="the close stops a release that has passed",
        file=CHANGE_WINDOWS,
        text="is_under_way = row.phase is not Phase.PENDING and row.phase.blue_is_safe_side",
        instead="is_under_way = row.phase is not Phase.PENDING",
        breaks="A window's close never stops what comes after the watch.",
        caught_by=(f"{BY_CHANGE_WINDOWS}::test_traffic_comes_home_whatever_the_hour",),
    ),
    Fault(
        name="one look is enough to fail",
        file=EVALUATE,
        text=("    if draft.now >= sure_at:\n        return answer\n"),
        instead=("    if draft.now >= since:\n        return answer\n"),
        breaks="What one old answer could show fails green once two looks agree.",
        caught_by=(
            f"{BY_AGREED_LOOKS}::test_one_look_at_a_green_without_a_healthy_target_holds_and_the_next_is_soon",
        ),
    ),
    Fault(
        name="doubt outlives a look that was good",
        file=EVALUATE,
        text="is_of_last_look = last is not None and last.at == draft.row.ticks.ticked_at",
        instead="is_of_last_look = last is not None",
        breaks="Doubt ends with a look that shows something else.",
        caught_by=(
            f"{BY_AGREED_LOOKS}::test_a_doubt_from_before_ticks_in_which_green_was_not_judged_agrees_with_nothing",
        ),
    ),
    Fault(
        name="a look that could not be made ends doubt",
        file=EVALUATE,
        text=(
            "doubted_since is not None and answer.verdict is Verdict.HOLD and not _could_see(draft, judged)"
        ),
        instead="doubted_since is None and answer.verdict is Verdict.HOLD and not _could_see(draft, judged)",
        breaks="A look that could not be made leaves doubt as it is.",
        caught_by=(
            f"{BY_AGREED_LOOKS}::test_a_look_that_could_not_be_made_says_nothing_and_the_next_bad_one_agrees",
        ),
    ),
    Fault(
        name="an alarm fails blue on its way home",
        file=EVALUATE,
        text="if judged is Colour.BLUE and not gate.may_fail_in_settling:",
        instead="if judged is Colour.GREEN and not gate.may_fail_in_settling:",
        breaks="As traffic returns to blue, an alarm that is anybody's holds and fails nobody.",
        caught_by=(f"{BY_SETTLING}::test_an_alarm_only_holds_on_the_way_home",),
    ),
    Fault(
        name="green goes on unseen",
        file=EVIDENCE_OUTAGE,
        text="if blindness is None or draft.now < blindness.since + draft.row.spec.limits.unseen:",
        instead="if blindness is None or draft.now < blindness.since + draft.row.spec.limits.unseen * 1000:",
        breaks="A weight that nobody can judge is given up after `limits.unseen`.",
        caught_by=(
            f"{BY_76_NO_CLOUDWATCH}::test_case_76_green_goes_back_to_the_last_weight_that_passed_and_people_are_called",
        ),
    ),
    Fault(
        name="evidence lost goes back to the last step",
        file=EVIDENCE_OUTAGE,
        text="        go_to_step(draft, row.progress.passed[-1])\n",
        instead="        go_to_step(draft, row.progress.step)\n",
        breaks="Where evidence is lost green goes back to the last weight that passed.",
        caught_by=(
            f"{BY_76_NO_CLOUDWATCH}::test_case_76_green_goes_back_to_the_last_weight_that_passed_and_people_are_called",
        ),
    ),
    Fault(
        name="evidence lost pages nobody",
        file=EVIDENCE_OUTAGE,
        text='    draft.page(words, about="evidence")\n',
        instead="",
        breaks="People are paged where evidence cannot be read.",
        caught_by=(
            f"{BY_76_NO_CLOUDWATCH}::test_case_76_green_goes_back_to_the_last_weight_that_passed_and_people_are_called",
        ),
    ),
    Fault(
        name="one bad period convicts green",
        file=INTERVENTION,
        text="if _bad_periods(row, on) < BAD_LEAST and not row.evidence.outages_passed:",
        instead="if _bad_periods(row, on) < 1 and not row.evidence.outages_passed:",
        breaks="One bad period of blue, which may be chance, convicts nobody.",
        caught_by=(f"{BY_INTERVENTION}::test_one_bad_period_of_blue_alone_convicts_nobody",),
    ),
    Fault(
        name="a recovery of its own convicts green",
        file=INTERVENTION,
        text="is_at_once = not any(bad) and on.trial is _first_trial(on.former)",
        instead="is_at_once = True",
        breaks="A green is convicted where blue recovers as soon as green's growth is taken back.",
        caught_by=(
            f"{BY_INTERVENTION}::test_blue_that_recovers_only_later_acquits_green_once_and_convicts_it_the_second_time",
        ),
    ),
    Fault(
        name="green is convicted of every outage",
        file=INTERVENTION,
        text=('            _next_trial(draft, on)\n        return ""\n    is_at_once'),
        instead=('            return _place(on)\n        return ""\n    is_at_once'),
        breaks="Where blue stays bad without green, green is not the cause.",
        caught_by=(f"{BY_INTERVENTION}::test_blue_that_stays_bad_is_tried_with_less_of_green",),
    ),
    Fault(
        name="an outage of others lets green grow on",
        file=INTERVENTION,
        text="if newest is None or newest.blue is None or is_degraded(row, newest.blue):",
        instead="if newest is None:",
        breaks="After an outage a rollout waits until blue is well again.",
        caught_by=(
            f"{BY_INTERVENTION}::test_blue_that_stays_bad_without_green_acquits_it_and_the_rollout_waits",
        ),
    ),
    Fault(
        name="green is waited for without end",
        file=LIMITS,
        text="if taken > row.spec.limits.provision and not",
        instead="if taken > row.spec.limits.provision * 1000 and not",
        breaks="A green that does not become ready in time is rolled back.",
        caught_by=(f"{BY_HOLDS}::test_green_that_is_not_ready_in_time_rolls_back",),
    ),
    Fault(
        name="an approval uses up the time to start",
        file=LIMITS,
        text="taken = draft.now - since - row.progress.waited_for_approval - row.pause.paused_for",
        instead="taken = draft.now - since",
        breaks="Time that people took does not count for green's time to start.",
        caught_by=(f"{BY_HOLDS}::test_time_that_people_took_to_approve_is_not_held_against_green",),
    ),
    Fault(
        name="a failing probe lets users in",
        file=BEFORE_TRAFFIC,
        text=(
            "    if failing is not None and draft.row.spec.on_failure is OnFailure.ROLLBACK:\n"
            '        roll_back(draft, f"{failing.gate}: {failing.reason}", TEAL)\n'
            "        return False\n"
        ),
        instead="",
        breaks="A green that fails its probe is rolled back before any user meets it.",
        caught_by=(f"{BY_PROBE}::test_green_that_fails_everything_is_taken_back_before_any_user_meets_it",),
    ),
    Fault(
        name="what blue answered counts for green",
        file=BEFORE_TRAFFIC,
        text="case ProbeSeen() if not test_rules.leads_to_green(draft):",
        instead="case ProbeSeen() if draft.row.test_rules is None:",
        breaks="An answer counts for green only where the test rules lead to green.",
        caught_by=(
            f"{BY_REHEARSAL}::test_answers_that_came_while_the_test_rule_led_elsewhere_are_not_counted",
        ),
    ),
)
