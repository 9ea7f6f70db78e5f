"""What no rollout file is, is refused by a glance, before anybody reads it."""

import json
import time

import pytest

from api.http.request.rollout_texts import glance, spec_in
from api.problems import RequestInvalid

JSON, YAML = "application/json", "application/yaml"
QUARTER = 250 * 1024


@pytest.mark.parametrize(
    ("kind", "text", "what"),
    [
        (YAML, "service: " + "[" * QUARTER, "more than 10000 lists and objects"),
        (YAML, "\n" * QUARTER, "more than 10000 lines"),
        (YAML, "\r" * QUARTER, "more than 10000 lines"),
        (YAML, "#\n" * (QUARTER // 2), "more than 10000 lines"),
        (YAML, "# " * (QUARTER // 2), "more than 10000 comments"),
        (JSON, "[" + "1," * (QUARTER // 2) + "1]", "more than 10000 values"),
        (JSON, "[" * QUARTER, "nested too deeply"),
        (JSON, '{"plan":' * 30 + "1" + "}" * 30, "nested too deeply"),
    ],
)
def test_it_is_refused_within_milliseconds(kind: str, text: str, what: str) -> None:
    raw = text.encode()
    began = time.process_time()
    with pytest.raises(RequestInvalid, match=what) as refused:
        glance(raw, kind)
    assert time.process_time() - began < 0.05
    assert refused.value.parts[0].instead


def test_where_it_becomes_too_deep_is_said() -> None:
    text = '{\n"plan": "[[[[[[[[[[[[[[[[[[[[[[[[[",\n' + '"gates": ' + "[" * 40 + "]" * 40 + "}"
    with pytest.raises(RequestInvalid) as refused:
        glance(text.encode(), JSON)
    assert refused.value.parts[0].line == 3


def test_brackets_in_texts_are_no_depth() -> None:
    file = {"service": "prod/checkout", "revision": {"task_definition": "checkout:43"}, "override": "[" * 900}
    raw = json.dumps(file).encode()
    glance(raw, JSON)
    with pytest.raises(Exception, match="override"):
        spec_in(raw, JSON)
