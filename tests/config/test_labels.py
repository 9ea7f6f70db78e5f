"""Labels: what an author says of a rollout in words of their own."""

import pytest

from orchestrator.config import differences, dump, from_json, load_text
from orchestrator.core.domain.errors import Invalid
from orchestrator.core.domain.plan import NAMED_PLANS
from tests.builders import good_spec

HEAD = "service: prod/checkout\nrevision: {task_definition: checkout:43}\n"


def test_labels_are_kept_by_name_whatever_their_order_in_the_file() -> None:
    spec = load_text(HEAD + 'labels: {commit: 9fceb02, build: "4711"}')
    assert spec == good_spec(plan=NAMED_PLANS["auto"], labels=(("build", "4711"), ("commit", "9fceb02")))
    assert spec == load_text(HEAD + 'labels: {build: "4711", commit: 9fceb02}')
    assert load_text(dump(spec)) == spec


def test_a_rollout_of_another_commit_was_asked_for_otherwise() -> None:
    one, other = (good_spec(labels=(("commit", name),)) for name in ("9fceb02", "1111111"))
    assert differences(one, other) == ("labels.commit: 9fceb02 is now 1111111",)
    assert differences(good_spec(), other) == ("labels.commit: nothing is now 1111111",)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ("commit", '3: labels: "commit" is not names and texts: write a mapping: {commit: 9fceb02}'),
        ("[commit]", "3: labels: a list is not names and texts: write a mapping: {commit: 9fceb02}"),
        ("{commit: 1234567}", '3: labels.commit: "1234567" is not a text: write it in quotes: "1234567"'),
        ("{commit: {a: b}}", '3: labels.commit: a mapping is not a text: write it in quotes: "1234567"'),
        (
            '{commit: " "}',
            '3: labels.commit: "" cannot be shown on a line: write one line of 1 to 256 characters',
        ),
        (
            '{commit: "a\\nb"}',
            '3: labels.commit: "a b" cannot be shown on a line: write one line of 1 to 256 characters',
        ),
        (
            "{9a: b}",
            '3: labels.9a: "9a" is no name of a label: write a letter, then at most 62 letters, digits, _, - or .',
        ),
        (
            f"{{{', '.join(f'l{n}: x' for n in range(17))}}}",
            "3: labels: 17 labels are too many: write at most 16",
        ),
    ],
)
def test_a_label_that_cannot_be_shown_is_refused(labels: str, told: str) -> None:
    with pytest.raises(Invalid) as caught:
        load_text(f"{HEAD}labels: {labels}", "f.yaml")
    assert str(caught.value) == f"f.yaml:{told}"


def test_a_json_body_with_a_wrong_label_names_it_by_its_pointer() -> None:
    with pytest.raises(Invalid) as caught:
        from_json(
            {
                "service": "prod/checkout",
                "revision": {"task_definition": "checkout:43"},
                "labels": {"commit": "x" * 257},
            }
        )
    assert [mistake.pointer for mistake in caught.value.mistakes] == ["/labels/commit"]
