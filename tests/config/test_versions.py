"""A file of a newer version is refused as such, with the versions in words, and not by what it holds."""

from collections.abc import Callable

import pytest

from orchestrator.config.rollout_file.load import from_json, load_text
from orchestrator.config.settings_file.load import read_settings
from orchestrator.core.domain.errors import Invalid

ROLLOUT = "service: prod/checkout\nrevision: {task_definition: checkout:43}\n"
SETTINGS = "public_url: https://teal.example.com\n"
Read = Callable[[str], object]
both = pytest.mark.parametrize(
    ("read", "text"),
    [(load_text, ROLLOUT), (lambda text: read_settings(text, environment={}), SETTINGS)],
    ids=["rollout", "settings"],
)


@both
def test_a_file_of_this_version_may_say_so(read: Read, text: str) -> None:
    assert read("version: 1\n" + text) == read(text)


@both
def test_a_newer_file_is_refused_by_its_version_alone_at_its_line(read: Read, text: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(text + "version: 2\nbrand_new: {key: 1}\n")
    (mistake,) = caught.value.mistakes
    assert mistake.what == (
        "version: this file is for a newer Teal: it is of version 2, and this one reads up to 1"
    )
    assert mistake.instead == "use a newer Teal, or write it as version 1"
    assert mistake.line == len(text.splitlines()) + 1


def test_a_newer_body_is_refused_as_a_newer_file_is() -> None:
    body = {"service": "prod/checkout", "revision": {"task_definition": "checkout:43"}, "version": 2}
    with pytest.raises(Invalid, match="for a newer Teal"):
        from_json(body)


@both
@pytest.mark.parametrize("version", ["0", "one", "true", "1.5", "[1]"])
def test_what_is_no_version_is_said_to_be_none(read: Read, text: str, version: str) -> None:
    with pytest.raises(Invalid, match="this is no version of a file"):
        read(f"version: {version}\n{text}")
