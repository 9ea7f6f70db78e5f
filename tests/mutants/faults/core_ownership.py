"""Faults in core/ownership: claims, and what was left behind."""

from tests.mutants.fault import Fault

CLAIMS = "orchestrator/core/ownership/claims.py"
AFTERCARE = "orchestrator/core/ownership/aftercare.py"
SERVICE_OF_RECORD = "orchestrator/core/ownership/service_of_record.py"

BY_CLAIMS = "tests/core/ownership/test_claims.py"
BY_AFTERCARE = "tests/core/ownership/test_aftercare.py"
BY_SERVICE_OF_RECORD = "tests/core/ownership/test_service_of_record.py"

FAULTS = (
    Fault(
        name="rules are not claimed",
        file=CLAIMS,
        text="return frozenset({service_claim(row, survey), *(rule.arn for rule in moved)})",
        instead="return frozenset({service_claim(row, survey)})",
        breaks="No rule has two writers.",
        caught_by=(f"{BY_CLAIMS}::test_the_service_and_every_rule_that_leads_to_it_are_claimed",),
    ),
    Fault(
        name="test rules are not claimed",
        file=CLAIMS,
        text="moved = (*in_scope(row.spec, survey), *test_rules_of(row.spec, survey))",
        instead="moved = in_scope(row.spec, survey)",
        breaks="No test rule has two writers.",
        caught_by=(f"{BY_CLAIMS}::test_where_the_file_names_rules_those_alone_are_and_its_test_rules_too",),
    ),
    Fault(
        name="a service is claimed by its alias",
        file=CLAIMS,
        text='return f"service {row.spec.service.path} in {survey.account} {survey.region}"',
        instead='return f"service {row.spec.service.path} in {row.spec.account} {survey.region}"',
        breaks="A service is claimed by the account that it is in, whatever alias leads there.",
        caught_by=(f"{BY_CLAIMS}::test_the_service_and_every_rule_that_leads_to_it_are_claimed",),
    ),
    Fault(
        name="what was not read is as it was left",
        file=AFTERCARE,
        text=("        if not isinstance(found, RuleSeen | Absent):\n            return None\n"),
        instead=("        if not isinstance(found, RuleSeen | Absent):\n            continue\n"),
        breaks="Nothing is said of what could not be read.",
        caught_by=(f"{BY_AFTERCARE}::test_what_cannot_be_read_says_nothing",),
    ),
    Fault(
        name="the service of record is always blue",
        file=SERVICE_OF_RECORD,
        text="if retirement is not None and retirement.swapped_at is not None and not is_back:",
        instead="if retirement is not None and retirement.swapped_at is not None and is_back:",
        breaks="After a swap green is the service of record.",
        caught_by=(f"{BY_SERVICE_OF_RECORD}::test_green_is_the_service_of_record_from_the_final_lists_on",),
    ),
)
