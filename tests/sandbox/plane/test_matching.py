"""Rule conditions match as an Application Load Balancer's do ("Condition types for listener rules")."""

import pytest

from sandbox.http1.messages import RequestHead
from sandbox.plane.balancer.matching import Asked, condition_matcher, rule_matcher
from sandbox.ports import ConditionView, FixedView, RuleView


def asked(target: str = "/", *, method: str = "GET", host: str = "shop.example", **headers: str) -> Asked:
    lines = "".join(f"\r\n{name.replace('_', '-')}: {value}" for name, value in headers.items())
    return Asked.of(RequestHead(f"{method} {target} HTTP/1.1\r\nHost: {host}{lines}".encode()), "127.0.0.1")


@pytest.mark.parametrize(
    ("field", "values", "request_seen", "matches"),
    [
        ("path-pattern", ("/img/*",), asked("/img/a/b.png"), True),
        ("path-pattern", ("/img/*",), asked("/img"), False),
        ("path-pattern", ("/img/*",), asked("/IMG/a"), False),
        ("path-pattern", ("/a?c",), asked("/abc"), True),
        ("path-pattern", ("/a?c",), asked("/ac"), False),
        ("path-pattern", ("/a.c",), asked("/abc"), False),
        ("path-pattern", ("/x", "/y"), asked("/y"), True),
        ("path-pattern", ("/y",), asked("/y?x=1"), True),
        ("path-pattern", ("*x=1",), asked("/y?x=1"), False),
        ("path-pattern", ("/y",), asked("http://shop.example/y"), True),
        ("host-header", ("*.example",), asked(host="Shop.Example"), True),
        ("host-header", ("shop.example",), asked(host="shop.example:8080"), True),
        ("host-header", ("shop.example",), asked(host="other.example"), False),
        ("host-header", ("?hop.example",), asked(host="shop.example"), True),
        ("http-request-method", ("POST", "GET"), asked(method="GET"), True),
        ("http-request-method", ("get",), asked(method="GET"), False),
        ("query-string", ("colour=green",), asked("/?a=1&Colour=GREEN"), True),
        ("query-string", ("colour=green",), asked("/?colour=blue"), False),
        ("query-string", ("colour=*",), asked("/?colour=blue"), True),
        ("query-string", ("green",), asked("/?any=green"), True),
        ("query-string", (r"q=\*",), asked("/?q=*"), True),
        ("query-string", (r"q=\*",), asked("/?q=x"), False),
        ("source-ip", ("127.0.0.0/8",), asked(), True),
        ("source-ip", ("10.0.0.0/8",), asked(), False),
    ],
)
def test_condition_matches_as_an_alb_matches_it(
    field: str, values: tuple[str, ...], request_seen: Asked, matches: bool
) -> None:
    assert condition_matcher(ConditionView(field=field, values=values))(request_seen) is matches


@pytest.mark.parametrize(
    ("value", "matches"), [("Canary-7", True), ("canary-", True), ("stable", False), (None, False)]
)
def test_header_condition_ignores_case_of_name_and_value(value: str | None, matches: bool) -> None:
    condition = ConditionView(field="http-header", name="X-Group", values=("canary-*",))
    request_seen = asked(x_group=value) if value is not None else asked()
    assert condition_matcher(condition)(request_seen) is matches


def test_rule_needs_all_its_conditions() -> None:
    conditions = (
        ConditionView(field="path-pattern", values=("/api/*",)),
        ConditionView(field="http-request-method", values=("POST",)),
    )
    rule = RuleView(arn="r", conditions=conditions, action=FixedView(status=200, content_type="", body=""))
    matcher = rule_matcher(rule)
    assert matcher is not None
    assert matcher(asked("/api/x", method="POST"))
    assert not matcher(asked("/api/x"))
    assert not matcher(asked("/", method="POST"))


def test_unknown_condition_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="jwt-claim"):
        condition_matcher(ConditionView(field="jwt-claim", values=("x",)))


@pytest.mark.parametrize(
    ("field", "value", "request_seen", "matches"),
    [
        ("path-pattern", "^/api/v[0-9]+/", asked("/api/v2/x"), True),
        ("path-pattern", "^/api/v[0-9]+/", asked("/API/v2/x"), False),
        ("path-pattern", "^/api$", asked("/api/x"), False),
        ("path-pattern", "api", asked("/my/api?x=1"), True),
        ("path-pattern", "x=1", asked("/api?x=1"), False),
        ("host-header", r"^(.*)\.example\.com$", asked(host="Shop.Example.com:8080"), True),
        ("host-header", r"^(.*)\.example\.com$", asked(host="example.com"), False),
        ("http-header", "^chrome/", asked(User_Agent="Chrome/120"), True),
        ("http-header", ".+", asked(), False),
    ],
)
def test_a_regular_expression_is_looked_for_as_it_is_written(
    field: str, value: str, request_seen: Asked, matches: bool
) -> None:
    condition = ConditionView(field=field, values=("never", value), name="User-Agent", is_regex=True)
    assert condition_matcher(condition)(request_seen) is matches
