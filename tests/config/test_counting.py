"""A rollout file's metric source, and the settings it names: as values, written back, and every mistake at its line."""

from datetime import timedelta

import pytest

from orchestrator.config.rollout_file.dump import dump
from orchestrator.config.rollout_file.load import load_text
from orchestrator.config.settings_file.load import read_settings
from orchestrator.core.domain.errors import Invalid
from orchestrator.core.rollout.spec import MetricsSpec

LEAST = 'service: prod/checkout\nrevision: {task_definition: "checkout:43"}\n'
REQUESTS = 'sum(increase(http_requests_total{service="{service}"}[{period}]))'
ERRORS = 'sum(increase(http_requests_total{revision="{revision}",code=~"5.."}[{period}]))'
SOURCE = (
    f"metrics:\n  source: main\n  period: 30s\n  lag: 30s\n  requests: '{REQUESTS}'\n  errors: '{ERRORS}'\n"
)


def mistakes_in(text: str) -> list[str]:
    with pytest.raises(Invalid) as caught:
        load_text(LEAST + text, "r")
    return str(caught.value).splitlines()


def test_a_source_and_its_expressions_become_values_and_are_written_back_the_same() -> None:
    spec = load_text(LEAST + SOURCE, "r")
    assert spec.metrics == MetricsSpec(
        period=timedelta(seconds=30),
        lag=timedelta(seconds=30),
        source="main",
        counts=(("requests", REQUESTS), ("errors", ERRORS)),
    )
    assert load_text(dump(spec), "r") == spec


def test_without_a_source_nothing_is_written_of_one() -> None:
    assert "source" not in dump(load_text(LEAST, "r"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("metrics: {source: main}\n", "r:3: metrics.source: requests and errors must be said with it"),
        (
            f"metrics:\n  requests: '{REQUESTS}'\n",
            "r:4: metrics.requests: no source is named that could be asked",
        ),
        (
            f"metrics:\n  source: main\n  requests: '{REQUESTS}'\n  errors: 'sum(increase(e[60s]))'\n",
            "says the same of both colours",
        ),
        (SOURCE.replace("{service}", "{servce}"), "did you mean {service}?"),
        (SOURCE.replace("source: main", "source: Main Server"), "no name of a metric source"),
        (SOURCE.replace(f"'{ERRORS}'", "5"), "is no expression"),
    ],
)
def test_a_source_that_could_not_count_is_told_at_its_line(text: str, words: str) -> None:
    assert any(words in line for line in mistakes_in(text)), mistakes_in(text)


def test_a_number_of_the_gate_metric_may_be_asked_of_a_source_and_is_written_back() -> None:
    query = 'max(queue_depth{service="{service}"})'
    spec = load_text(
        LEAST + f"gates:\n  metric:\n    - {{name: depth, source: main, query: '{query}', max: 5}}\n", "r"
    )
    assert spec.gates.metrics[0].source == "main"
    assert load_text(dump(spec), "r") == spec
    bad = "gates:\n  metric:\n    - {name: depth, source: main, max: 5}\n"
    assert any("asked by one expression" in line for line in mistakes_in(bad)), mistakes_in(bad)


def test_the_settings_name_servers_and_point_to_their_tokens() -> None:
    text = (
        "prometheus:\n"
        "  main: {url: 'http://prometheus.internal:9090'}\n"
        "  mimir: {url: 'https://mimir.example.com/prometheus', token: {env: MIMIR}}\n"
    )
    main, mimir = read_settings(text, environment={"MIMIR": "s3cr3t"}).prometheus
    assert (main.name, main.url, main.token) == ("main", "http://prometheus.internal:9090", None)
    assert mimir.token is not None
    assert mimir.token.reveal() == "s3cr3t"
    assert "s3cr3t" not in repr(mimir)


def test_a_token_is_not_sent_without_tls() -> None:
    text = "prometheus:\n  main: {url: 'http://prometheus.internal:9090', token: {env: T}}\n"
    with pytest.raises(Invalid, match=r"s:2: .*would go to prometheus\.internal without TLS"):
        read_settings(text, "s", {"T": "t"})
