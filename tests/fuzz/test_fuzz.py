"""The door under requests that nobody thought of, in short; `make fuzz` plays at length."""

import pytest

from tests.fuzz.playing import LIVE, fuzz

pytestmark = pytest.mark.machine(seconds=20)


def test_no_request_gets_an_answer_that_is_not_documented(capsys: pytest.CaptureFixture[str]) -> None:
    code, told, faults = fuzz(examples=3, seed=1187, phases="examples,fuzzing,stateful")
    with capsys.disabled():
        print(told[told.rfind("= SUMMARY =") :])
    assert faults == ""
    assert code == 0, told


def test_ending_rollouts_and_tokens_that_there_are_gets_no_answer_that_is_not_documented() -> None:
    ending = ("rollback_rollout", "reject_rollout", "abandon_rollout", "revoke_token")
    code, told, faults = fuzz(examples=10, seed=1187, phases="fuzzing", only=ending, config=LIVE)
    assert faults == ""
    assert code == 0, told
    assert "Missing test data" not in told
