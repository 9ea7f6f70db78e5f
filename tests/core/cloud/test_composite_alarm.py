"""Rules of composite alarms: what they name, and what they come to where some states are unknown."""

import pytest

from orchestrator.core.cloud.composite_alarm import Unreadable, evaluate, names

STATES = {"a": "ALARM", "o": "OK", "i": "INSUFFICIENT_DATA"}  # every other alarm's state is unknown


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ("ALARM(a)", ("a",)),
        ("ALARM(\"two words\") or OK('c')", ("two words", "c")),
        ("ALARM(a) AND (OK(b) OR NOT ALARM(a))", ("a", "b")),
        ("ALARM(arn:aws:cloudwatch:eu-west-1:123456789012:alarm:x:y)", ("x:y",)),
        ('AT_LEAST(2, ALARM, (a, b, "c d")) AND TRUE', ("a", "b", "c d")),
        ("TRUE", ()),
    ],
)
def test_a_rule_names_its_alarms(rule: str, named: tuple[str, ...]) -> None:
    assert names(rule) == named


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        ("ALARM(a)", True),
        ("ALARM(o)", False),
        ("OK(o)", True),
        ("INSUFFICIENT_DATA(i)", True),
        ("ALARM(i)", False),
        ("ALARM(unknown)", None),
        ("NOT ALARM(unknown)", None),
        ("NOT (ALARM(a) AND OK(a))", True),
        ("ALARM(a) OR ALARM(unknown)", True),
        ("ALARM(o) OR ALARM(unknown)", None),
        ("ALARM(o) AND ALARM(unknown)", False),
        ("ALARM(a) AND ALARM(unknown)", None),
        ("ALARM(o) OR ALARM(a) AND ALARM(o)", False),
        ("(ALARM(o) OR ALARM(a)) AND ALARM(a)", True),
        ("not alarm(o)", True),
        ("ALARM(a) AND FALSE", False),
        ("AT_LEAST(2, ALARM, (a, a, o))", True),
        ("AT_LEAST(2, ALARM, (a, o, unknown))", None),
        ("AT_LEAST(2, ALARM, (o, i, unknown))", False),
        ("AT_LEAST(50%, NOT OK, (a, i, o))", True),
        ("AT_LEAST(67%, NOT OK, (a, o, o))", False),
    ],
)
def test_a_rule_comes_to_what_its_alarms_states_say_and_no_more(rule: str, outcome: bool | None) -> None:
    assert evaluate(rule, STATES.get) is outcome


@pytest.mark.parametrize(
    "rule",
    ["", "ALARM(", "ALARM()", "ALARM(a", "ALARM(a) AND", "RED(a)", "ALARM(a) ALARM(b)", "(ALARM(a)", 'ALARM("a)',
     "AT_LEAST(x, ALARM, (a))", "AT_LEAST(1, RED, (a))", "AT_LEAST(1, ALARM, a)", "NOT " * 60 + "TRUE"],
)  # fmt: skip
def test_a_rule_that_is_not_understood_is_refused(rule: str) -> None:
    with pytest.raises(Unreadable):
        names(rule)
