"""Faults in engine: ticks, the worker, commands."""

from tests.mutants.fault import Fault

TICK = "orchestrator/engine/tick.py"
UNDO = "orchestrator/engine/undo.py"

BY_LEASE_OF_A_TICK = "tests/engine/test_lease_of_a_tick.py"
BY_UNDO = "tests/engine/test_undo.py"

FAULTS = (
    Fault(
        name="a tick begins on a lease's last seconds",
        file=TICK,
        text="RENEW_BEFORE = timedelta(seconds=20)",
        instead="RENEW_BEFORE = timedelta(seconds=0)",
        breaks="A tick starts with enough of its lease left to end under it.",
        caught_by=(
            f"{BY_LEASE_OF_A_TICK}::test_a_tick_that_begins_on_the_last_seconds_of_its_lease_holds_on_to_the_row_first",
        ),
    ),
    Fault(
        name="a call outlives its lease",
        file=TICK,
        text="CALL_LONGEST = timedelta(seconds=8)",
        instead="CALL_LONGEST = timedelta(seconds=0)",
        breaks="No call is begun that could outlive its lease.",
        caught_by=(f"{BY_LEASE_OF_A_TICK}::test_no_call_is_begun_that_could_outlive_the_lease",),
    ),
    Fault(
        name="a tick outlives its lease",
        file=TICK,
        text="DEADLINE = timedelta(seconds=15)",
        instead="DEADLINE = timedelta(seconds=150)",
        breaks="A tick that hangs is given up before its lease passes on.",
        caught_by=(
            f"{BY_LEASE_OF_A_TICK}::test_a_look_that_hangs_is_given_up_before_anybody_else_can_have_the_row",
        ),
    ),
    Fault(
        name="undo goes back past a later release",
        file=UNDO,
        text="    if later != row.id:\n",
        instead="    if not later:\n",
        breaks="Only the last release is undone.",
        caught_by=(f"{BY_UNDO}::test_a_service_s_name_means_its_last_rollout_that_succeeded",),
    ),
    Fault(
        name="undo asks for an approval",
        file=UNDO,
        text="        approval=ApprovalSpec(),\n",
        instead="",
        breaks="Going back asks for nobody's approval.",
        caught_by=(
            f"{BY_UNDO}::test_rules_and_gates_are_those_of_what_is_undone_and_nobody_is_asked_to_approve",
        ),
    ),
    Fault(
        name="an abandoned rollout is undone",
        file=UNDO,
        text=("    if row.phase is Phase.ABANDONED:\n        raise Refused("),
        instead=("    if row.phase is Phase.PENDING:\n        raise Refused("),
        breaks="How an abandoned rollout was left is not known, so it is not undone.",
        caught_by=(f"{BY_UNDO}::test_what_did_not_succeed_cannot_be_undone",),
    ),
)
