"""What identifies anybody is taken out of AWS's sentences, and what helps to understand them stays."""

import pytest

from orchestrator.verify.facts.placeholders import Placeholders

SECRET = (
    "User: arn:aws:sts::123456789012:assumed-role/release/anna is not authorized to perform: ecs:UpdateService on "
    "resource: arn:aws:ecs:eu-west-1:123456789012:service/prod/checkout because no identity-based policy allows it"
)


def test_who_and_what_go_and_the_action_stays() -> None:
    text = Placeholders().scrub(SECRET)
    assert text == (
        "User: <role 1> is not authorized to perform: ecs:UpdateService on resource: <ecs service 1> because no "
        "identity-based policy allows it"
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("the account 123456789012 is", "account"),
        ("vpc-0a1b2c3d4e5f", "resource"),
        ("subnet-0aaa", "resource"),
        ("10.0.12.7", "address"),
        ("10.0.0.0/16", "address"),
        ("2001:db8:0:1::7", "address"),
        ("ASIAABCDEFGHIJKLMNOP", "key"),
        ("AROAABCDEFGHIJKLMNOP", "key"),
        ("shop-lb-1234.eu-west-1.elb.amazonaws.com", "host"),
        ("123.dkr-ecr.eu-west-1.on.aws", "host"),
        ("anna@shop.example", "person"),
        ("app/shop-lb/50dc6c495c0c9188", "balancer"),
        ("targetgroup/shop/50dc6c495c0c9188", "group"),
        ("https://shop.example/pay?card=1", "url"),
        ("request 0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f failed", "id"),
    ],
)
def test_each_form_of_an_identifier_becomes_a_placeholder(text: str, kind: str) -> None:
    assert f"<{kind} 1>" in Placeholders().scrub(text)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("123456789012", "account"),
        ("1234-5678-9012", "account"),
        ("10.0.0.1", "address"),
        ("10.0.0.0/16", "address"),
        ("2001:db8::1", "address"),
        ("2001:db8::", "address"),
        ("ip-10-0-0-1", "address"),
    ],
)
@pytest.mark.parametrize(
    "around", ["{}.", "{}, and", "({})", "x={};", "'{}'", "{}: no", "{}?", "…{}.\nNext", ".{}."]
)
def test_an_identifier_is_taken_out_wherever_its_sentence_ends(value: str, kind: str, around: str) -> None:
    assert Placeholders().scrub(around.format(value)) == around.format(f"<{kind} 1>")


def test_a_name_that_is_a_placeholders_word_takes_no_placeholder_apart() -> None:
    names = Placeholders()
    names.learn("cluster", "service")
    names.learn("service", "cluster")
    text = names.scrub("arn:aws:ecs:eu-west-1:123456789012:service/prod/checkout is not in cluster service")
    assert text == "<ecs service 1> is not in <service 1> <cluster 1>"
    assert names.left_in(text) == ()
    assert names.scrub(text) == text


def test_a_token_has_no_number() -> None:
    token = "FwoGZXIvYXdzEBYaDJ/" + "abcDEF123+/" * 8
    assert Placeholders().scrub(f"token {token}") == "token <token>"
    assert Placeholders().scrub(f"{token} {token}") == "<token> <token>"


def test_the_same_thing_is_the_same_placeholder_and_another_one_is_not() -> None:
    names = Placeholders()
    assert names.scrub("10.0.0.1 10.0.0.2 10.0.0.1") == "<address 1> <address 2> <address 1>"


def test_a_known_name_goes_also_where_others_are_made_of_it() -> None:
    names = Placeholders()
    names.learn("service", "checkout")
    assert names.scrub("green: checkout-3f9a1c07") == "green: <service 1>-3f9a1c07"
    assert names.scrub("checkouts") == "checkouts"
    assert names.left_in("a checkout") == ("<service 1>",)
    assert names.left_in(names.scrub("a checkout")) == ()


@pytest.mark.parametrize(
    "text",
    [
        "12 of 340 requests failed, 10.5 %",
        "ecs:UpdateService",
        "HTTP 503 at 12:30:05",
        "0.123456789012",
        "1.2.3.4.5",
        "12345678901234",
    ],
)
def test_what_names_nobody_stays(text: str) -> None:
    assert Placeholders().scrub(text) == text
