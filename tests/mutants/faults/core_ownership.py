"""Faults in core/ownership: claims, and what was left behind."""

from tests.mutants.fault import Fault

AFTERCARE = "orchestrator/core/ownership/aftercare.py"

BY_AFTERCARE = "tests/core/ownership/test_aftercare.py"

FAULTS = (
    Fault(
        name="what was not read is as it was left",
        file=AFTERCARE,
        text=("        if not isinstance(found, RuleSeen | Absent):\n            return None\n"),
        instead=("        if not isinstance(found, RuleSeen | Absent):\n            continue\n"),
        breaks="Nothing is said of what could not be read.",
        caught_by=(f"{BY_AFTERCARE}::test_what_cannot_be_read_says_nothing",),
    ),
)
