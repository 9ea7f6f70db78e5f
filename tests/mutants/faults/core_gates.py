"""Faults in core/gates: the gates."""

from tests.mutants.fault import Fault

HEALTH = "orchestrator/core/gates/health.py"
GUARD = "orchestrator/core/gates/guard.py"
COMPARE = "orchestrator/core/gates/compare.py"
ALARMS = "orchestrator/core/gates/alarms.py"
ALARM_EVALUATION = "orchestrator/core/gates/alarm_evaluation.py"
METRIC = "orchestrator/core/gates/metric.py"
PROBE = "orchestrator/core/gates/probe.py"
WEBHOOK = "orchestrator/core/gates/webhook.py"
WINDOW = "orchestrator/core/gates/window.py"
APPROVAL = "orchestrator/core/gates/approval.py"

BY_HEALTH = "tests/core/gates/test_health.py"
BY_GUARD = "tests/core/gates/test_guard.py"
BY_COMPARE = "tests/core/gates/test_compare.py"
BY_ALARMS = "tests/core/gates/test_alarms.py"
BY_ALARMS_BEYOND = "tests/core/gates/test_alarms_beyond.py"
BY_METRIC = "tests/core/gates/test_metric.py"
BY_PROBE = "tests/core/gates/test_probe.py"
BY_WEBHOOKS = "tests/engine/test_webhooks.py"
BY_WINDOW = "tests/core/gates/test_window.py"
BY_APPROVAL = "tests/core/gates/test_approval.py"

FAULTS = (
    Fault(
        name="no healthy target holds only",
        file=HEALTH,
        text=(
            "return fail(NAME, words, sure_after=STALE_LONGEST if _reads_as_before(seen) else scene.look_gap)"
        ),
        instead='return _hold(words, "a target is healthy")',
        breaks="A green without a healthy target fails.",
        caught_by=(f"{BY_HEALTH}::test_the_targets_decide",),
    ),
    Fault(
        name="both colours down fails green",
        file=HEALTH,
        text=(
            "    if _has_none_healthy(scene.others):\n"
            "        other = scene.judged.other\n"
            "        return _hold"
        ),
        instead=(
            "    if _has_none_healthy(scene.others) and scene.weight == 0:\n"
            "        other = scene.judged.other\n"
            "        return _hold"
        ),
        breaks="Where no colour has a healthy target, green is not blamed.",
        caught_by=(f"{BY_HEALTH}::test_green_is_not_blamed_where_no_target_of_blue_is_healthy_either",),
    ),
    Fault(
        name="tasks may die one after the other",
        file=HEALTH,
        text=("    if len(stops) > FLAPPING_OVER:\n        other"),
        instead=("    if len(stops) > FLAPPING_OVER * 1000:\n        other"),
        breaks="A green whose tasks do not stay up fails.",
        caught_by=(f"{BY_HEALTH}::test_a_colour_that_does_not_stay_up_fails",),
    ),
    Fault(
        name="what befalls both is held against green",
        file=HEALTH,
        text="return [stop for stop in stops if all(abs(stop.at - one.at) > TOGETHER for one in theirs)]",
        instead="return list(stops)",
        breaks="What befalls both colours' tasks is held against neither.",
        caught_by=(
            f"{BY_HEALTH}::test_tasks_that_stop_about_when_the_other_colours_do_are_held_against_neither",
        ),
    ),
    Fault(
        name="green short of targets passes",
        file=HEALTH,
        text=('    if short:\n        return _hold(f"{scene.judged}: {short}"'),
        instead=('    if short and not service.running:\n        return _hold(f"{scene.judged}: {short}"'),
        breaks="A green with fewer healthy targets than it is to have holds.",
        caught_by=(f"{BY_HEALTH}::test_the_service_decides",),
    ),
    Fault(
        name="an unread service passes",
        file=HEALTH,
        text=(
            '            return _hold(f"{scene.judged}\'s service could not be read: {why}", "the '
            'service can be read")'
        ),
        instead='            return passed(NAME, f"{scene.judged}\'s service could not be read: {why}")',
        breaks="A service that could not be read holds.",
        caught_by=(f"{BY_HEALTH}::test_the_service_decides",),
    ),
    Fault(
        name="an error rate over its bound passes",
        file=GUARD,
        text="return mine.error_rate > spec.errors and mine.error_rate > TIMES_WORSE * other_rate",
        instead="return mine.error_rate > ALWAYS_OVER and mine.error_rate > TIMES_WORSE * other_rate",
        breaks="One period with far more errors than the file allows, and than blue has, fails green.",
        caught_by=(f"{BY_GUARD}::test_one_interval_decides",),
    ),
    Fault(
        name="blue's errors are green's",
        file=GUARD,
        text="return mine.error_rate > spec.errors and mine.error_rate > TIMES_WORSE * other_rate",
        instead="return mine.error_rate > spec.errors",
        breaks="Errors that both colours have fail nobody.",
        caught_by=(f"{BY_GUARD}::test_one_interval_decides",),
    ),
    Fault(
        name="a handful of requests fails green",
        file=GUARD,
        text="if mine.requests < REQUESTS_LEAST or mine.errors < ERRORS_LEAST * scene.clump:",
        instead="if mine.errors < 1:",
        breaks="A handful of requests decides nothing.",
        caught_by=(f"{BY_GUARD}::test_one_interval_decides",),
    ),
    Fault(
        name="errors that come in clumps fail green",
        file=GUARD,
        text="mine.errors < ERRORS_LEAST * scene.clump:",
        instead="mine.errors < ERRORS_LEAST:",
        breaks="Where blue's errors come in clumps it takes so many times as many to fail green.",
        caught_by=(f"{BY_GUARD}::test_where_errors_come_in_clumps_it_takes_so_many_times_as_many",),
    ),
    Fault(
        name="requests without an answer pass",
        file=GUARD,
        text="if interval.weight is not None and _hangs(scene, interval, mine):",
        instead="if interval.weight is None and _hangs(scene, interval, mine):",
        breaks="A green that leaves most requests without an answer fails.",
        caught_by=(f"{BY_GUARD}::test_most_requests_without_an_answer_fail_where_that_is_unusual",),
    ),
    Fault(
        name="a period read once is good",
        file=GUARD,
        text=("    if alarming is not None:\n        return hold("),
        instead=("    if alarming is not None and not scene.intervals:\n        return hold("),
        breaks="A period that speaks against green and was read once holds.",
        caught_by=(f"{BY_GUARD}::test_silence_that_was_read_only_once_holds",),
    ),
    Fault(
        name="green is judged before its first period",
        file=GUARD,
        text=(
            "    if not scene.intervals:\n"
            "        return hold(\n"
            "            NAME,\n"
            '            "waits for CloudWatch\'s first whole period at this weight",\n'
            "            clears_when=MEASURED,\n"
            "        )\n"
        ),
        instead=("    if not scene.intervals:\n        return passed(NAME, MEASURED)\n"),
        breaks="Before a whole period was measured at a weight, the guard holds.",
        caught_by=(f"{BY_GUARD}::test_no_interval_yet_is_a_hold",),
    ),
    Fault(
        name="a stream that failed passes",
        file=COMPARE,
        text="if standing.has_failed), None)",
        instead="if standing.has_failed and not scene.intervals), None)",
        breaks="A comparison that has failed green stays a failure.",
        caught_by=(f"{BY_COMPARE}::test_green_that_fails_five_times_as_often_as_blue_fails",),
    ),
    Fault(
        name="each stream has all of alpha",
        file=COMPARE,
        text="return math.log(max(1, len(self.streams)) / self.alpha)",
        instead="return math.log(1 / self.alpha)",
        breaks="The streams share alpha: a good release fails no more often than it says.",
        caught_by=(f"{BY_COMPARE}::test_streams_share_alpha",),
    ),
    Fault(
        name="shown well by a few requests",
        file=COMPARE,
        text=(
            "is_enough = standing.at_weight >= INTERVALS_LEAST and standing.green_at_weight >= spec.requests"
        ),
        instead="is_enough = standing.at_weight >= 1",
        breaks="Green is shown not to be worse by enough periods and requests at a weight.",
        caught_by=(
            f"{BY_COMPARE}::test_green_is_shown_well_by_enough_periods_and_requests_and_never_by_few",
        ),
    ),
    Fault(
        name="inconclusive passes though the file holds",
        file=COMPARE,
        text="if spec.inconclusive is Inconclusive.HOLD:",
        instead="if spec.inconclusive is not Inconclusive.HOLD and not standings:",
        breaks="Where the file says so, a step that shows nothing is not left.",
        caught_by=(
            f"{BY_COMPARE}::test_too_few_errors_pass_in_the_words_of_no_evidence_and_hold_where_the_file_wants_proof",
        ),
    ),
    Fault(
        name="no requests on blue pass",
        file=COMPARE,
        text="        if not _has_requests(newest.of(colour)):",
        instead="        if newest.of(colour) is not None and not _has_requests(newest.of(colour)):",
        breaks="A comparison without requests on both colours holds.",
        caught_by=(f"{BY_COMPARE}::test_a_colour_without_requests_holds",),
    ),
    Fault(
        name="a breaching alarm passes",
        file=ALARMS,
        text="            return _breached(seen, found.words, found.numbers, is_blue_over(seen, scene, found.periods))",
        instead="            return passed(NAME, found.words)",
        breaks="An alarm that green breaches fails green.",
        caught_by=(
            f"{BY_ALARMS}::test_silence_of_greens_series_means_what_the_file_says_and_else_the_alarm",
        ),
    ),
    Fault(
        name="an alarm in ALARM passes",
        file=ALARMS,
        text='            return fail(NAME, f"{seen.name} is in ALARM{since}{_muted(seen)}: {seen.reason}")',
        instead=(
            '            answer = passed(NAME, f"{seen.name} is in ALARM{since}{_muted(seen)}: '
            '{seen.reason}")'
        ),
        breaks="An alarm that sees green and fires fails green.",
        caught_by=(f"{BY_ALARMS}::test_an_alarm_that_sees_both_colours_speaks_by_its_state",),
    ),
    Fault(
        name="an alarm that fired between two looks passes",
        file=ALARMS,
        text="if scene.judged is Colour.GREEN and (unseen := _between_looks(seen, scene)):",
        instead="if scene.judged is Colour.BLUE and (unseen := _between_looks(seen, scene)):",
        breaks="An alarm that fired and is well again has fired.",
        caught_by=(
            f"{BY_ALARMS_BEYOND}::test_case_37_a_short_alarm_between_two_looks_counts_as_having_fired",
        ),
    ),
    Fault(
        name="a new threshold is taken over",
        file=ALARMS,
        text=("    if start is not None:\n        seen = _as_begun(seen, start)\n"),
        instead="",
        breaks="Nobody moves an alarm's threshold while it judges a rollout.",
        caught_by=(f"{BY_ALARMS_BEYOND}::test_a_threshold_moved_during_the_rollout_is_not_judged_by",),
    ),
    Fault(
        name="an alarm that is not there passes",
        file=ALARMS,
        text=(
            "        return hold(\n"
            "            NAME,\n"
            '            f"alarm {spec.name} is not there or unread{why}",\n'
            '            clears_when=f"alarm {spec.name} can be read",\n'
            "        )\n"
        ),
        instead='        return passed(NAME, f"alarm {spec.name} is not there or unread{why}")\n',
        breaks="An alarm that could not be read holds.",
        caught_by=(
            f"{BY_ALARMS}::test_an_alarm_that_is_unread_or_not_there_holds_even_where_silence_is_good",
        ),
    ),
    Fault(
        name="M of N is N of N",
        file=ALARM_EVALUATION,
        text="if breaching >= alarm.datapoints_to_alarm:",
        instead="if breaching >= alarm.evaluation_periods:",
        breaks="An alarm fires for green as it does for blue: M of N datapoints.",
        caught_by=(f"{BY_ALARMS}::test_m_of_the_newest_n_periods_decide",),
    ),
    Fault(
        name="one period out of bounds fails",
        file=METRIC,
        text="        if length >= spec.periods:\n",
        instead="        if length >= 1:\n",
        breaks="A metric fails after as many periods out of bounds as the file says.",
        caught_by=(f"{BY_METRIC}::test_so_many_periods_in_a_row_are_a_failure",),
    ),
    Fault(
        name="below its minimum is well",
        file=METRIC,
        text=("is_under = spec.minimum is not None and value < spec.minimum\n    return"),
        instead=("is_under = spec.minimum is not None and value > spec.minimum\n    return"),
        breaks="A metric below its minimum is out of bounds.",
        caught_by=(f"{BY_METRIC}::test_it_has_a_floor_a_ceiling_or_both",),
    ),
    Fault(
        name="no data is good",
        file=METRIC,
        text=(
            "        case NoData.HOLD:\n"
            '            return hold(NAME, words, clears_when=f"{spec.answerer} has data for '
            '{spec.name}")'
        ),
        instead=("        case NoData.HOLD:\n            return passed(NAME, words)"),
        breaks="A metric without data holds unless the file says otherwise.",
        caught_by=(f"{BY_METRIC}::test_the_newest_final_periods_decide",),
    ),
    Fault(
        name="an unread metric passes",
        file=METRIC,
        text=("    if isinstance(series, Unread):\n        return _unread(spec, series)\n"),
        instead=("    if isinstance(series, Unread):\n        return passed(NAME, series.why)\n"),
        breaks="A metric that could not be read holds.",
        caught_by=(f"{BY_METRIC}::test_a_series_that_could_not_be_read_holds_whatever_silence_means",),
    ),
    Fault(
        name="half the probe is enough",
        file=PROBE,
        text="    if probed.answered >= spec.count:\n",
        instead="    if probed.answered >= spec.count // 2:\n",
        breaks="Every request of a probe is answered before users reach green.",
        caught_by=(f"{BY_PROBE}::test_it_fails_at_the_first_failure_too_many_and_passes_at_the_last_answer",),
    ),
    Fault(
        name="one failure too many passes",
        file=PROBE,
        text="if probed.failed > spec.max_failures:",
        instead="if probed.failed > spec.max_failures + 1:",
        breaks="A probe with more failures than the file allows fails.",
        caught_by=(f"{BY_PROBE}::test_it_fails_at_the_first_failure_too_many_and_passes_at_the_last_answer",),
    ),
    Fault(
        name="a webhook's fail passes",
        file=WEBHOOK,
        text=('    if failed:\n        return fail(NAME, "; ".join(failed))\n'),
        instead=('    if failed:\n        return passed(NAME, "; ".join(failed))\n'),
        breaks="A webhook that says fail fails the rollout.",
        caught_by=(f"{BY_WEBHOOKS}::test_a_fail_at_a_weight_rolls_back",),
    ),
    Fault(
        name="a webhook that is silent passes",
        file=WEBHOOK,
        text="if question is None or question.verdict is not Verdict.PASS",
        instead="if question is not None and question.verdict is Verdict.HOLD",
        breaks="A step waits for its webhooks' verdicts.",
        caught_by=(f"{BY_WEBHOOKS}::test_an_answer_that_is_under_way_is_waited_for_without_a_hold",),
    ),
    Fault(
        name="a closed window passes",
        file=WINDOW,
        text="    if found.is_open:\n",
        instead="    if found.is_open or not freezes:\n",
        breaks="Green's weight does not grow while the window is shut.",
        caught_by=(f"{BY_WINDOW}::test_the_clock_decides",),
    ),
    Fault(
        name="the window binds a settled release",
        file=WINDOW,
        text="    if scene.judged is Colour.BLUE or not (spec.allow or scene.freezes):",
        instead="    if not (spec.allow or scene.freezes):",
        breaks="A window does not stop traffic from returning to blue.",
        caught_by=(f"{BY_WINDOW}::test_blue_on_the_way_home_is_not_asked_for_its_hours",),
    ),
    Fault(
        name="one approval is enough",
        file=APPROVAL,
        text="    if len(people) >= required:",
        instead="    if len(people) >= min(required, 1):",
        breaks="A step waits for as many people as the file says.",
        caught_by=(f"{BY_APPROVAL}::test_as_many_different_people_must_approve",),
    ),
    Fault(
        name="two spellings are two people",
        file=APPROVAL,
        text="people = {identity_of(name): name for name in reversed(approved_by)}",
        instead="people = {name: name for name in reversed(approved_by)}",
        breaks="One person under two spellings is one person.",
        caught_by=(f"{BY_APPROVAL}::test_as_many_different_people_must_approve",),
    ),
)
