"""Windows of the rollout file and freezes of the settings: what they mean, and every mistake in them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from orchestrator.config import differences, dump, load_text
from orchestrator.config.settings_file.load import read_settings
from orchestrator.core.domain.calendar import AtClose, Freeze, Opening, WindowSpec
from orchestrator.core.domain.errors import Invalid
from orchestrator.core.rollout.spec import Spec

HEAD = 'service: prod/checkout\nrevision: {task_definition: "checkout:43"}\n'
HOUR = timedelta(hours=1)


def read(rest: str) -> Spec:
    return load_text(HEAD + rest, "r.yaml")


def opening(begins: float, ends: float, *days: int) -> Opening:
    return Opening(days=days, begins=begins * HOUR, ends=ends * HOUR)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Mon-Thu 09:00-17:00", (opening(9, 17, 0, 1, 2, 3),)),
        ("mon,Wed,FRI 09:30-17:00", (opening(9.5, 17, 0, 2, 4),)),
        ("Sat-Mon 00:00-24:00", (opening(0, 24, 0, 5, 6),)),
        ("Fri 22:00-04:00", (opening(22, 4, 4),)),
        ("daily 09:00 - 12:00", (opening(9, 12, *range(7)),)),
        ("[Mon 09:00-12:00, Mon 13:00-17:00]", (opening(9, 12, 0), opening(13, 17, 0))),
    ],
)
def test_windows_are_read_as_people_write_them(written: str, meant: tuple[Opening, ...]) -> None:
    quoted = written if written.startswith("[") else f'"{written}"'
    found = read(f"gates: {{window: {{allow: {quoted}}}}}").gates.window
    assert found == WindowSpec(allow=meant)


def test_a_whole_window_is_written_back_as_it_was_read() -> None:
    spec = read(
        "gates:\n  window:\n    allow: [Mon-Thu 09:00-17:00, Sat 22:00-02:00]\n    zone: Europe/Berlin\n"
        "    holidays: [2026-12-25, 2026-12-24, 2026-12-24]\n    at_close: rollback\noverride: payments fail\n"
    )
    assert spec.gates.window.holidays == (date(2026, 12, 24), date(2026, 12, 25))
    assert spec.gates.window.at_close is AtClose.ROLLBACK
    assert spec.override == "payments fail"
    assert load_text(dump(spec), "again") == spec


@pytest.mark.parametrize(
    ("window", "told"),
    [
        ("{}", "gates.window.allow is missing"),
        ("{allow: []}", "gates.window.allow: it allows nothing, or too much to read"),
        ("{allow: Mon-Thu}", 'gates.window.allow: "Mon-Thu" is no window: write days and hours'),
        ('{allow: "Mon 9-17"}', '"Mon 9-17" is no window'),
        ('{allow: "Mon 09:00-25:00"}', '"25:00" is no time of day: write 00:00 to 24:00'),
        ('{allow: "Mon 09:60-12:00"}', '"09:60" is no time of day'),
        ('{allow: "Mon 09:00-09:00"}', "has no length: write the whole day as 00:00-24:00"),
        ('{allow: "Mo-Fr 09:00-12:00"}', '"Mo" is no day of the week: write Mon, Tue'),
        (
            '{allow: ["Mon 09:00-12:00", "x"]}',
            'gates.window.allow[2]: "x" is no window: write days and hours, such as Mon-Thu 09:00-17:00',
        ),
        (
            '{allow: "Mon 09:00-12:00", zone: europe/berlin}',
            '"europe/berlin" is no time zone: did you mean Europe/Berlin?',
        ),
        ('{allow: "Mon 09:00-12:00", zone: Nowhere}', '"Nowhere" is no time zone: write one of the IANA'),
        ('{allow: "Mon 09:00-12:00", holidays: [24.12.]}', '"24.12." is no date: write one such as'),
        ('{allow: "Mon 09:00-12:00", holidays: [2026-02-30]}', '"2026-02-30" is no date'),
        ('{allow: "Mon 09:00-12:00", at_close: abort}', '"abort" is not known here: write hold or rollback'),
    ],
)
def test_mistakes_in_a_window_are_told_at_their_line(window: str, told: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(f"gates:\n  window: {window}\n")
    (mistake,) = caught.value.mistakes
    assert mistake.line == 4
    assert told in str(caught.value)


@pytest.mark.parametrize("reason", ['""', "'  '", "12", "true", '"two\\nlines"', "x" * 301])
def test_an_override_without_a_reason_is_refused(reason: str) -> None:
    with pytest.raises(Invalid, match=r"override: .* is no reason: say it in one line"):
        read(f"override: {reason}\n")


def test_who_goes_on_with_a_rollout_need_not_override_again() -> None:
    overridden = read("override: payments fail\n")
    assert differences(overridden, read("")) == ()
    assert differences(read(""), overridden) == ("override: nothing is now payments fail",)


def freezes(text: str) -> tuple[Freeze, ...] | None:
    return read_settings(text, "s.yaml", {}).freezes


def test_a_freeze_by_dates_lasts_until_the_last_day_is_over_in_its_zone() -> None:
    found = freezes(
        "freezes:\n- {from: 2026-12-19, to: 2027-01-03, zone: Europe/Berlin, reason: year's end, "
        "services: ['prod/*']}\n"
    )
    assert found == (
        Freeze(
            begins=datetime(2026, 12, 18, 23, tzinfo=UTC),
            ends=datetime(2027, 1, 3, 23, tzinfo=UTC),
            reason="year's end",
            zone="Europe/Berlin",
            services=("prod/*",),
        ),
    )


def test_a_freeze_may_be_told_to_the_minute() -> None:
    found = freezes('freezes: [{from: "2026-12-24 18:00", to: 2026-12-24T20:30, reason: the database moves}]')
    assert found is not None
    assert [(one.begins.hour, one.ends.minute) for one in found] == [(18, 30)]


def test_settings_that_say_nothing_of_freezes_are_not_settings_without_any() -> None:
    assert freezes("public_url: https://teal.example.com\n") is None
    assert freezes("freezes: []\n") == ()


@pytest.mark.parametrize(
    ("freeze", "told"),
    [
        ("{to: 2026-12-24, reason: x}", "freezes[1].from is missing"),
        ("{from: 2026-12-24, to: 2026-12-25}", "freezes[1].reason is missing"),
        (
            "{from: soon, to: 2026-12-25, reason: x}",
            'freezes[1].from: "soon" is no date: write 2026-12-24, or',
        ),
        ("{from: 2026-12-24 25:00, to: 2026-12-25, reason: x}", '"2026-12-24 25:00" is no date'),
        ("{from: 2026-12-24, to: 2026-12-23, reason: x}", '"2026-12-23" is not after "2026-12-24"'),
        ("{from: 2026-12-24 10:00, to: 2026-12-24 10:00, reason: x}", "write a later date"),
        (
            "{from: 2026-12-24, to: 2026-12-25, reason: x, zone: Berlin}",
            'freezes[1].zone: "Berlin" is no time zone',
        ),
    ],
)
def test_mistakes_in_a_freeze_are_told_at_their_line(freeze: str, told: str) -> None:
    with pytest.raises(Invalid) as caught:
        freezes(f"freezes:\n- {freeze}\n")
    assert [mistake.line for mistake in caught.value.mistakes] == [2]
    assert told in str(caught.value)
