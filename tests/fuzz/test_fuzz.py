"""The door under requests that nobody thought of, in short; `make fuzz` plays at length."""

import pytest

from tests.fuzz.playing import fuzz

pytestmark = pytest.mark.machine(seconds=20)


def test_no_request_gets_an_answer_that_is_not_documented(capsys: pytest.CaptureFixture[str]) -> None:
    code, told, faults = fuzz(examples=3, seed=1187, phases="examples,fuzzing,stateful")
    with capsys.disabled():
        print(told[told.rfind("= SUMMARY =") :])
    assert faults == ""
    assert code == 0, told
