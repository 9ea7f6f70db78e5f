"""Conditions of a rule: values or regular expressions, how many, and what no regular expression may have."""

import pytest

from sandbox.world import AwsRefusal
from tests.sandbox.world.places import Shop, Wire, shop

PATH = {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/api/(.*)$"]}}
HOST = {"Field": "host-header", "HostHeaderConfig": {"RegexValues": [r"^(.*)\.example\.com$"]}}
AGENT = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "User-Agent", "RegexValues": [".+"]}}


def write(s: Shop, *conditions: Wire) -> list[Wire]:
    params = {"RuleArn": s.scenery.rules[0], "Conditions": list(conditions)}
    return list(s.world.call("elbv2", "ModifyRule", params)["Rules"][0]["Conditions"])


def by_path(*expressions: str) -> Wire:
    return {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": list(expressions)}}


def test_regular_expressions_read_back_can_be_written_as_read_and_reach_the_load_balancer() -> None:
    s = shop()
    shown = write(s, PATH, HOST, AGENT)
    assert [one["Field"] for one in shown] == ["path-pattern", "host-header", "http-header"]
    assert shown[0]["PathPatternConfig"] == PATH["PathPatternConfig"]
    assert "Values" not in shown[0]
    assert write(s, *shown) == shown
    views = s.world.traffic.listeners()[0].rules[0].conditions
    assert [(view.values, view.is_regex) for view in views] == [
        (("^/api/(.*)$",), True),
        ((r"^(.*)\.example\.com$",), True),
        ((".+",), True),
    ]


def test_the_old_form_of_a_regular_expression_says_the_same() -> None:
    s = shop()
    assert write(s, {"Field": "path-pattern", "RegexValues": ["^/api/(.*)$"]}) == write(s, PATH)


@pytest.mark.parametrize(
    "wrong",
    [
        {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/a"], "Values": ["/a"]}},
        {"Field": "http-request-method", "HttpRequestMethodConfig": {"RegexValues": ["GET"]}},
        {"Field": "http-header", "RegexValues": [".+"]},
        by_path("a", "b", "c", "d"),
        by_path("a" * 129),
        by_path("("),
        *map(by_path, (r"a(?=b)", r"(?<!a)b", r"(a)\1", r"(?>a)", "a++", r"\p{L}", r"(?P>name)", "(?R)")),
    ],
    ids=str,
)
def test_what_a_condition_may_not_have_is_refused(wrong: Wire) -> None:
    s = shop()
    before = write(s, PATH)
    with pytest.raises(AwsRefusal, match=r"ValidationError|InvalidParameterException"):
        write(s, wrong)
    rules = s.world.call("elbv2", "DescribeRules", {"RuleArns": [s.scenery.rules[0]]})["Rules"]
    assert rules[0]["Conditions"] == before


def test_values_and_regular_expressions_count_together_for_a_rule() -> None:
    s = shop()
    header = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "A", "Values": ["1", "2", "3"]}}
    write(s, by_path("a", "b"), header)
    with pytest.raises(AwsRefusal, match="TooManyConditions"):
        write(s, by_path("a", "b", "c"), header)


def test_a_rule_has_one_condition_on_paths_and_several_on_headers() -> None:
    s = shop()
    write(s, AGENT, AGENT)
    with pytest.raises(AwsRefusal, match="one condition of each field"):
        write(s, PATH, by_path("b"))
