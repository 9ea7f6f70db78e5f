"""`teal evidence`: what it reads, what it prints, and how it refuses what it cannot weigh."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from api.cli.main import teal
from tests.config.test_words_of_mistakes import FOREIGN

SERIES: dict[str, Any] = {
    "name": "late",
    "process": "fail_start_time",
    "margin": 1.25,
    "intervals": [{"green_requests": 100, "blue_requests": 900, "green_errors": 9, "blue_errors": 9}],
}
RULE = {
    "name": "rule",
    "process": "absolute_promote",
    "p_max": 0.005,
    "intervals": [{"green_requests": 3000, "green_errors": 0}],
}


def evidence(path: Path, content: object, *options: str) -> Result:
    file = path / "series.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return CliRunner().invoke(teal, ["evidence", str(file), *options])


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(SERIES, id="one object"),
        pytest.param([SERIES], id="a list"),
        pytest.param({"about": "…", "vectors": [SERIES], "reject": [{}]}, id="the whole file"),
        pytest.param(json.dumps(SERIES) + "\n" + json.dumps(SERIES), id="one a line"),
    ],
)
def test_every_form_is_weighed(tmp_path: Path, content: object) -> None:
    result = evidence(tmp_path, content)
    assert result.exit_code == 0
    assert "late    1.590076" in result.output


def test_json_is_a_list_of_names_and_logarithms(tmp_path: Path) -> None:
    found = json.loads(evidence(tmp_path, [SERIES, RULE], "--json").output)
    assert [set(one) for one in found] == [{"name", "log_e"}] * 2
    assert found[1]["log_e"] == pytest.approx(13.5653896042)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "it is not JSON"),
        ("[]", "it holds no series"),
        ("3", "it holds no series"),
        ({"vectors": 3}, "/vectors: vectors is no list"),
        ({**SERIES, "process": "fial"}, "/process: there is no such process"),
        ([SERIES, {"intervals": []}], "/1: process is missing"),
        ({**SERIES, "margin": 0.5}, "/margin: it is less than 1: write 1 or more"),
        (
            {**SERIES, "intervals": [{**SERIES["intervals"][0], "green_errors": -1}]},
            "/intervals/0/green_errors:",
        ),
        (
            {**SERIES, "intervals": [{"green_requests": 1}]},
            "/intervals/0/blue_requests: blue_requests is missing",
        ),
        ([{"kind": "held", "facts": {}}], "these events hold no evidence"),
        ([{"kind": "evidence_frozen", "facts": {"stream": "errors"}}], "/0/facts: fact 'margin' is missing"),
    ],
)
def test_what_cannot_be_weighed_is_refused_where_it_stands(
    tmp_path: Path, content: object, words: str
) -> None:
    result = evidence(tmp_path, content)
    assert result.exit_code == 2
    assert words in result.stderr


@pytest.mark.parametrize("value", [None, True, -1, 1.5, 10**17, "", "x", [], ["x"], {}, {"?": 1}])
def test_no_mistake_in_a_series_speaks_python(tmp_path: Path, value: object) -> None:
    for key in SERIES:
        told = evidence(tmp_path, {**SERIES, key: value}).stderr
        assert not FOREIGN.search(told.removeprefix(str(tmp_path))), told
    for key in SERIES["intervals"][0]:
        told = evidence(tmp_path, {**SERIES, "intervals": [{**SERIES["intervals"][0], key: value}]}).stderr
        assert not FOREIGN.search(told.removeprefix(str(tmp_path))), told


def test_a_file_that_is_not_there_is_a_clear_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(teal, ["evidence", str(tmp_path / "none.json")])
    assert (result.exit_code, "it cannot be read" in result.stderr) == (2, True)
