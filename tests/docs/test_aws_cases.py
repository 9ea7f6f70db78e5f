"""The catalogue of edge cases: every case has its tests, and every test that names a case names one there is."""

from docs.pages.aws_cases import cases
from docs.pages.aws_cases import named_tests

MANY = 82


def test_the_catalogue_has_every_case_once_in_order() -> None:
    assert [case.number for case in cases()] == list(range(1, MANY + 1))


def test_every_case_has_a_test_of_its_name_unless_the_catalogue_says_that_it_has_none_yet() -> None:
    assert [case.number for case in cases() if (case.number in named_tests()) is case.untested] == []


def test_every_test_that_is_named_after_a_case_names_one_of_the_catalogue() -> None:
    assert set(named_tests()) <= {case.number for case in cases()}


def test_a_case_is_written_with_two_digits_in_the_names_of_its_tests() -> None:
    wrong = [
        t.name
        for n, named in named_tests().items()
        for t in named
        if not t.name.startswith(f"test_case_{n:02}_")
    ]
    assert wrong == []


def test_what_a_case_does_is_said_once_it_is_tested() -> None:
    assert [case.number for case in cases() if bool(case.teal) is case.untested] == []
