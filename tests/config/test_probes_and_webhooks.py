"""Test rules, probes and webhooks in a rollout file: what they mean, and what is told of mistakes."""

from datetime import timedelta

import pytest

from orchestrator.config.rollout_file.dump import dump
from orchestrator.config.rollout_file.load import load_text
from orchestrator.core.domain.errors import Invalid
from orchestrator.core.gates.probe import ProbeSpec
from orchestrator.core.gates.webhook import HookWhen, WebhookSpec
from tests.builders import LISTENER, RULE

HEAD = "service: prod/checkout\nrevision: {task_definition: checkout:43}\n"
TESTS = f"traffic: {{test_rules: [{RULE!r}, {{listener: {LISTENER!r}}}]}}\n"


def mistakes_in(text: str) -> list[str]:
    with pytest.raises(Invalid) as caught:
        load_text(HEAD + text)
    return [str(mistake.at("f")) for mistake in caught.value.mistakes]


def test_a_probe_needs_no_more_than_its_address_and_a_test_rule() -> None:
    spec = load_text(HEAD + TESTS + 'gates: {probe: {url: "https://test.internal:8443"}}')
    assert spec.test_rules == (RULE, LISTENER)
    assert spec.gates.probe == ProbeSpec(url="https://test.internal:8443")
    assert (spec.gates.probe.count, spec.gates.probe.max_failures) == (150, 0)


def test_everything_a_probe_may_say_is_read_and_written_back() -> None:
    spec = load_text(
        HEAD
        + TESTS
        + """
gates:
  probe:
    url: https://test.internal
    paths: [/healthz, "/checkout?dry=1"]
    method: POST
    headers: {Host: checkout.example.com}
    body: '{"dry": true}'
    expect: {status: "200-204,404", contains: ok}
    latency: 800ms
    timeout: 2s
    count: 300
    rate: 20
    max_failures: 1
    warm_up: 0
    verify: false
"""
    )
    assert spec.gates.probe == ProbeSpec(
        url="https://test.internal",
        paths=("/healthz", "/checkout?dry=1"),
        method="POST",
        headers=(("Host", "checkout.example.com"),),
        body='{"dry": true}',
        statuses=((200, 204), (404, 404)),
        contains="ok",
        latency=timedelta(milliseconds=800),
        timeout=timedelta(seconds=2),
        count=300,
        rate=20.0,
        max_failures=1,
        warm_up=0,
        verify=False,
    )
    assert load_text(dump(spec)) == spec


def test_webhooks_are_read_and_written_back() -> None:
    text = (
        'gates: {webhook: [{url: "https://smoke.example/run", when: every_step, timeout: 2m, secret: smoke}]}'
    )
    spec = load_text(HEAD + text)
    assert spec.gates.webhooks == (
        WebhookSpec(
            url="https://smoke.example/run",
            when=HookWhen.EVERY_STEP,
            timeout=timedelta(minutes=2),
            secret="smoke",
        ),
    )
    assert load_text(dump(spec)) == spec


@pytest.mark.parametrize(
    ("gates", "expected"),
    [
        ("probe: {url: 'https://a.b'}", "f:4: a probe without traffic.test_rules has no way to green"),
        ("probe: {url: 'https://u:p@a.b'}", "holds a name or password before its host"),
        ("probe: {url: 'https://a.b/?x=1'}", "the url holds a query: write it with the paths"),
        ("probe: {url: 'https://a.b', paths: [healthz]}", '"healthz" is no path: write one such as /healthz'),
        ("probe: {url: 'https://a.b', paths: []}", "0 paths: write 1 to 100"),
        ("probe: {url: 'https://a.b', method: get}", '"get" is no method'),
        ("probe: {url: 'https://a.b', headers: {Webhook-Id: x}}", "is Teal's own to write: remove it"),
        ("probe: {url: 'https://a.b', headers: {A: x, a: y}}", "is written twice: write it once"),
        ("probe: {url: 'https://a.b', headers: {A: é}}", "is no plain text"),
        ("probe: {url: 'https://a.b', expect: {status: 99}}", '"99" is no HTTP status'),
        ("probe: {url: 'https://a.b', expect: {status: 299-200}}", "299-200 holds no status: write 200-299"),
        ("probe: {url: 'https://a.b', count: 0}", "write a whole number from 1 to 10000"),
        ("probe: {url: 'https://a.b', count: 10, max_failures: 10}", "the probe could never fail"),
        ("probe: {url: 'https://a.b', rate: 500}", "write requests a second, 0.1 to 100"),
        ("probe: {url: 'https://a.b', timeout: 1m}", "write 100ms to 6s"),
        ("webhook: [{url: 'ftp://a.b'}]", "the address is no URL: write https://host/path"),
        ("webhook: [{url: 'https://a.b', when: later}]", "write before_traffic, every_step or before_full"),
        ("webhook: [{when: every_step}]", "gates.webhook[1].url is missing"),
    ],
)
def test_mistakes_are_told_with_what_to_write_instead(gates: str, expected: str) -> None:
    lines = mistakes_in(f"\ngates: {{{gates}}}")
    assert any(expected in line for line in lines), lines


def test_a_webhook_before_full_weight_needs_a_step_before_it() -> None:
    (line,) = mistakes_in("plan: instant\ngates: {webhook: [{url: 'https://a.b', when: before_full}]}")
    assert (
        line
        == "f:4: the plan has no step before full weight: write before_traffic, or add a step below 100 %"
    )
