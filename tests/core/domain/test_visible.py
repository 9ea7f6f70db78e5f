"""Text that cannot lie: whatever is hidden in words is shown, and they stay on their line."""

import pytest

from orchestrator.core.domain.identity import identity_of
from orchestrator.core.domain.text import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("p99 looks odd", "p99 looks odd"),
        ("Straße – größer als 5 µs", "Straße – größer als 5 µs"),
        ("one\r\ntwo\u2028three", "one two three"),
        ("\x1b[2Jgone", r"\u001b[2Jgone"),
        ("\x9b2J", r"\u009b2J"),
        ("a\u202eb\u200bc", r"a\u202eb\u200bc"),
    ],
)
def test_hidden_characters_are_shown_on_one_line(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(visible(text)) == shown


@pytest.mark.parametrize(
    ("one", "other"), [("A@x", "a@X"), (" é ", "É"), ("e\u0301", "é"), ("STRASSE", "straße")]
)
def test_spellings_of_one_name_are_one_identity(one: str, other: str) -> None:
    assert identity_of(one) == identity_of(other)
