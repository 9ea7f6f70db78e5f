"""Faults in core/rollout: the row."""

from tests.mutants.fault import Fault

LATE_CALLS = "orchestrator/core/rollout/late_calls.py"
RULE_STATE = "orchestrator/core/rollout/rule_state.py"
SOUNDNESS = "orchestrator/core/rollout/soundness.py"

BY_LATE_CALLS = "tests/core/rollout/test_late_calls.py"
BY_SETTLING = "tests/core/phases/test_settling.py"
BY_SOUNDNESS = "tests/core/rollout/test_soundness.py"

FAULTS = (
    Fault(
        name="signatures do not age",
        file=LATE_CALLS,
        text="until = now + SIGNED_WITHIN + SKEW + SIGNATURE_AGE",
        instead="until = now",
        breaks="A call may be carried out for as long as its signature is taken.",
        caught_by=(
            f"{BY_LATE_CALLS}::test_a_call_may_be_carried_out_until_it_is_answered_or_its_signature_is_too_old",
        ),
    ),
    Fault(
        name="an update is not watched",
        file=LATE_CALLS,
        text="return isinstance(effect, WriteRule | UpdateService)",
        instead="return isinstance(effect, WriteRule)",
        breaks="An update of blue that may be carried out late is remembered.",
        caught_by=(
            f"{BY_LATE_CALLS}::test_a_call_may_be_carried_out_until_it_is_answered_or_its_signature_is_too_old",
        ),
    ),
    Fault(
        name="another tick's answer clears a call",
        file=LATE_CALLS,
        text="if now < one.until and (one.at != ticks.ticked_at or one.key not in answered)",
        instead="if now < one.until and one.key not in answered",
        breaks="An answer is of the call that it answers, not of an earlier one by the same key.",
        caught_by=(
            f"{BY_LATE_CALLS}::test_a_call_may_be_carried_out_until_it_is_answered_or_its_signature_is_too_old",
        ),
    ),
    Fault(
        name="a rule that was written is at once there",
        file=RULE_STATE,
        text="return self.asked is not None and self.asked != self.wanted",
        instead="return False",
        breaks="A rule is where it is to be once what is wanted was written last and is read.",
        caught_by=(
            f"{BY_SETTLING}::test_a_write_that_is_not_wanted_any_more_is_written_over_and_not_believed_to_be_unwritten",
        ),
    ),
    Fault(
        name="a paused rollback is sound",
        file=SOUNDNESS,
        text=(
            "    if row.phase is Phase.ROLLING_BACK and row.pause.paused_by is not None:\n"
            '        return "it is rolling back and paused: a rollback waits for nobody"\n'
        ),
        instead="",
        breaks="A row that is rolling back and paused is refused as a mistake.",
        caught_by=(f"{BY_SOUNDNESS}::test_row_that_contradicts_itself_is_told_apart",),
    ),
    Fault(
        name="any weight is sound",
        file=SOUNDNESS,
        text="if weight is not None and not NONE <= weight <= ALL:",
        instead="if weight is not None and not weight <= ALL * 1000:",
        breaks="A row with a weight that is no share is refused as a mistake.",
        caught_by=(f"{BY_SOUNDNESS}::test_row_that_contradicts_itself_is_told_apart",),
    ),
)
