"""Gate ``approval``: as many different people as must."""

import pytest

from orchestrator.core.domain.verdict import Verdict
from orchestrator.core.gates.approval import judge


@pytest.mark.parametrize(
    ("people", "required", "verdict", "words"),
    [
        ((), 1, Verdict.HOLD, "leaving step 1 waits for 1 approval"),
        ((), 3, Verdict.HOLD, "leaving step 1 waits for 3 approvals"),
        (("operator",), 1, Verdict.PASS, "leaving step 1 was approved by operator"),
        (("operator",), 2, Verdict.HOLD, "leaving step 1 waits for 1 approval"),
        (("operator", "operator"), 2, Verdict.HOLD, "leaving step 1 waits for 1 approval"),
        (
            ("operator", "approver", "operator"),
            2,
            Verdict.PASS,
            "leaving step 1 was approved by operator, approver",
        ),
        (("o@x.example", "O@X.example"), 2, Verdict.HOLD, "leaving step 1 waits for 1 approval"),
        (("o@x.example", "O@X.example"), 1, Verdict.PASS, "leaving step 1 was approved by o@x.example"),
        (("one", "two", "three"), 2, Verdict.PASS, "leaving step 1 was approved by one, two, three"),
    ],
)
def test_as_many_different_people_must_approve(
    people: tuple[str, ...], required: int, verdict: Verdict, words: str
) -> None:
    answer = judge(people, required, of="leaving step 1")
    assert (answer.verdict, answer.reason) == (verdict, words)


def test_a_missing_approval_is_no_evidence_that_a_promotion_could_waive() -> None:
    answer = judge((), 1, of="leaving step 1")
    assert not answer.is_evidence
    assert answer.clears_when == "leaving step 1 is approved"
