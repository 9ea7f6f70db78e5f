"""Faults in core/phases: the way to green's first traffic."""

from tests.mutants.fault import Fault

PROVISIONING = "orchestrator/core/phases/provisioning.py"
PENDING = "orchestrator/core/phases/pending.py"
PREPARING = "orchestrator/core/phases/preparing.py"

BY_PROVISIONING = "tests/core/phases/test_provisioning.py"
BY_BEFORE_TRAFFIC = "tests/core/evaluation/test_before_traffic.py"
BY_CHANGE_WINDOWS = "tests/core/evaluation/test_change_windows.py"
BY_APPLY_COMMANDS = "tests/core/test_apply_commands.py"
BY_PREPARING = "tests/core/phases/test_preparing.py"

FAULTS = (
    Fault(
        name="green that cannot start is waited for",
        file=PROVISIONING,
        text='if primary is not None and primary.rollout_state == "FAILED":',
        instead="if primary is None:",
        breaks="A green that ECS gave up on is rolled back at once.",
        caught_by=(
            f"{BY_PROVISIONING}::test_green_is_given_up_as_soon_as_it_is_certain_that_it_does_not_start",
        ),
    ),
    Fault(
        name="tasks that fail to start are waited for",
        file=PROVISIONING,
        text="if len(failed_starts) >= FAILED_STARTS or len(stops) > FAILED_STARTS:",
        instead="if len(failed_starts) >= FAILED_STARTS * 1000:",
        breaks="A green whose tasks fail to start is rolled back as soon as that is certain.",
        caught_by=(
            f"{BY_PROVISIONING}::test_green_is_given_up_as_soon_as_it_is_certain_that_it_does_not_start",
        ),
    ),
    Fault(
        name="traffic before blue is kept from scaling in",
        file=PROVISIONING,
        text="if not blue_floor.is_held(draft):",
        instead="if blue_floor.is_held(draft) is None:",
        breaks="Green gets its first traffic once blue's scale-in is seen suspended.",
        caught_by=(f"{BY_BEFORE_TRAFFIC}::test_no_traffic_starts_unless_blue_could_take_everything_back",),
    ),
    Fault(
        name="first traffic in a closed window",
        file=PROVISIONING,
        text="is_ready = is_ready and not change_windows.must_wait(draft)",
        instead="pass",
        breaks="Green gets no first traffic while the window is shut.",
        caught_by=(f"{BY_CHANGE_WINDOWS}::test_green_gets_no_first_traffic_while_the_window_is_closed",),
    ),
    Fault(
        name="first traffic while paused",
        file=PROVISIONING,
        text=("    if is_ready and not row.pause.paused_by:\n        go_to_step"),
        instead=("    if is_ready:\n        go_to_step"),
        breaks="Green gets no first traffic while a person has paused the rollout.",
        caught_by=(
            f"{BY_APPLY_COMMANDS}::test_evidence_that_a_person_has_seen_and_let_go_on_does_not_fail_the_rollout_again",
        ),
    ),
    Fault(
        name="first traffic against every hold",
        file=PROVISIONING,
        text="is_ready = is_tried and not any(h.kind is not HoldKind.PAUSED for h in draft.holds)",
        instead="is_ready = is_tried",
        breaks="Green gets no first traffic while anything holds.",
        caught_by=(f"{BY_BEFORE_TRAFFIC}::test_no_traffic_starts_unless_blue_could_take_everything_back",),
    ),
    Fault(
        name="somebody else's service is taken for green",
        file=PROVISIONING,
        text='case ServiceSeen() if not is_ours(row, dict(seen.tags)) or seen.status != "ACTIVE":',
        instead='case ServiceSeen() if seen.status != "ACTIVE":',
        breaks="A service that this rollout did not make is never taken for green.",
        caught_by=(f"{BY_PROVISIONING}::test_somebody_elses_service_is_never_taken_but_another_name_is",),
    ),
    Fault(
        name="first traffic without the first approval",
        file=PROVISIONING,
        text="if is_ready and needs_first_approval(row):",
        instead="if is_ready and row.spec.approval.before_traffic is None:",
        breaks="Where the file asks for it, a person approves the first traffic.",
        caught_by=(
            f"{BY_BEFORE_TRAFFIC}::test_an_alarm_that_fired_before_the_start_asks_for_a_person_first",
        ),
    ),
    Fault(
        name="it begins in a closed window",
        file=PENDING,
        text=("    if change_windows.must_wait(draft):\n        return\n"),
        instead="",
        breaks="No rollout begins while its window is shut.",
        caught_by=(f"{BY_CHANGE_WINDOWS}::test_a_rollout_waits_for_its_window_without_reading_anything",),
    ),
    Fault(
        name="it begins against preflight",
        file=PENDING,
        text=(
            "        draft.hold(\n"
            '            HoldKind.BLUE, f"preflight refuses: {words}", clears_when="preflight '
            'finds nothing against it"\n'
            "        )\n"
            "        return\n"
        ),
        instead=(
            "        draft.hold(\n"
            '            HoldKind.BLUE, f"preflight refuses: {words}", clears_when="preflight '
            'finds nothing against it"\n'
            "        )\n"
        ),
        breaks="Nothing is made while preflight finds something against it.",
        caught_by=(f"{BY_PREPARING}::test_a_rollout_begins_once_blue_was_read",),
    ),
    Fault(
        name="it begins while paused",
        file=PENDING,
        text=("    if draft.row.pause.paused_by:\n        return\n    _take"),
        instead="    _take",
        breaks="A rollout that was paused before it began makes nothing.",
        caught_by=(f"{BY_PREPARING}::test_a_rollout_begins_once_blue_was_read",),
    ),
    Fault(
        name="somebody else's target group is taken",
        file=PREPARING,
        text="if not is_ours(row, dict(seen.tags)) or not _is_made_of(pair, seen):",
        instead="if not _is_made_of(pair, seen):",
        breaks="A target group that this rollout did not make is never green's.",
        caught_by=(f"{BY_PREPARING}::test_somebody_elses_group_is_never_taken_but_another_name_is",),
    ),
    Fault(
        name="green is made before its rules are read back",
        file=PREPARING,
        text="is_done = rules.all_at(draft.row, NONE) and are_in_rules and is_registered",
        instead="is_done = are_in_rules and is_registered",
        breaks="Green is made once its target groups were read back in every rule.",
        caught_by=(f"{BY_PREPARING}::test_green_is_given_its_place_one_thing_after_another",),
    ),
    Fault(
        name="groups without blue's attributes",
        file=PREPARING,
        text="return all(seen.attributes.get(k) == v for k, v in wanted.items())",
        instead="return bool(wanted) or True",
        breaks="Green's target groups have blue's attributes before a rule uses them.",
        caught_by=(f"{BY_PREPARING}::test_green_is_given_its_place_one_thing_after_another",),
    ),
)
