"""What a person sees: bars, spans, tables, JSON; and that a server's JSON gives the same view again."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

from api.cli.following.event_lines import is_told, line_of
from api.cli.following.live import LiveScreen
from api.cli.output.output import paint, percent_text, shape, span_text, table
from api.cli.output.rollout_sheet import BAR, bar, plain, sheet
from api.client.reading import read
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import Event, EventKind
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.engine.views.rollout import HoldView, RolloutView, RuleView, view
from orchestrator.ports.rollouts import EventSeen, Stored
from tests.cli.terminal import played

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def shown() -> RolloutView:
    stage, rollout = played(Phase.SHIFTING)
    with stage:
        stage.let_run(timedelta(seconds=1))
        return view(Stored(rollout=stage.row(rollout), version=3, wake_at=None))


@pytest.mark.parametrize(
    ("percent", "cells"),
    [(None, 0), (0.0, 0), (0.1, 1), (10.0, 4), (50.0, 20), (99.9, BAR - 1), (100.0, BAR)],
)
def test_bar_shows_any_share_and_never_all_of_less_than_all(percent: float | None, cells: int) -> None:
    blue, green = bar(percent)
    assert (len(blue.text), len(green.text)) == (BAR - cells, cells)


def test_server_s_json_gives_the_same_view_again(shown: RolloutView) -> None:
    assert read(RolloutView, json.loads(json.dumps(shape(shown)))) == shown


def test_members_a_newer_server_adds_are_passed_over(shown: RolloutView) -> None:
    assert read(RolloutView, {**shape(shown), "mood": "calm"}) == shown


def test_weight_that_is_on_its_way_is_shown_beside_the_one_that_was_read(shown: RolloutView) -> None:
    rule = RuleView(arn="arn:rule/abcdef", green_percent=10.0, wanted_percent=50.0)
    lines = [plain(line) for line in sheet(replace(shown, rules=(rule,)), NOW)]
    assert any(line.endswith("green 10 % → 50 %") for line in lines)


def test_many_rules_are_counted_rather_than_listed(shown: RolloutView) -> None:
    rules = tuple(RuleView(arn=f"arn:r{n:06}", green_percent=0.0, wanted_percent=0.0) for n in range(7))
    lines = [plain(line) for line in sheet(replace(shown, rules=rules), NOW)]
    assert any(line.startswith("…000003") for line in lines)
    assert any(line.strip() == "and 3 more rules" for line in lines)


def test_hold_that_a_command_ends_names_it_with_the_rollout(shown: RolloutView) -> None:
    hold = HoldView(
        kind="approval",
        reason="leaving step 1 waits for 1 approval",
        clears_when="leaving step 1 is approved",
        since=NOW,
        commands=("approve", "reject"),
    )
    lines = [plain(line) for line in sheet(replace(shown, holds=(hold,)), NOW)]
    assert f"         → teal approve {shown.id} or teal reject {shown.id}" in lines
    assert not any("goes on once" in line for line in lines), "the command says it"


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost(shown: RolloutView, width: int) -> None:
    hold = HoldView(kind="drift", reason="a rule was changed " * 12, clears_when="it is back " * 9, since=NOW)
    long = replace(shown, holds=(hold,))
    lines = [plain(line) for line in sheet(long, NOW, width=width)]
    wordless = [line for line in lines if "█" in line or "▒" in line]
    assert all(len(line) <= width for line in lines if line not in wordless)
    whole = " ".join(plain(line) for line in sheet(long, NOW))
    assert " ".join(" ".join(lines).split()) == " ".join(whole.split())


def test_hold_is_shown_with_since_when_and_what_clears_it(shown: RolloutView) -> None:
    hold = HoldView(
        kind="drift",
        reason="rule changed",
        clears_when="it is changed back",
        since=NOW - timedelta(minutes=3),
    )
    lines = [plain(line) for line in sheet(replace(shown, holds=(hold,)), NOW)]
    assert "held     rule changed (for 3 min)" in lines
    assert "         goes on once it is changed back" in lines


def test_rollout_that_no_engine_looks_at_says_what_must_run(shown: RolloutView) -> None:
    def standing(overdue: timedelta) -> str:
        return plain(sheet(replace(shown, wake_at=NOW - overdue), NOW)[1])

    assert "no engine" not in standing(timedelta(seconds=30))
    assert "no engine has looked for 2 min: `teal serve` or `teal deploy` must run" in standing(
        timedelta(minutes=2)
    )


def test_gate_that_waits_for_evidence_is_a_hold_worth_a_line_only_after_a_while(shown: RolloutView) -> None:
    def is_shown(age: timedelta) -> bool:
        hold = HoldView(kind="gate", reason="guard: no interval", clears_when="one comes", since=NOW - age)
        return any("guard: no interval" in plain(line) for line in sheet(replace(shown, holds=(hold,)), NOW))

    assert not is_shown(timedelta(seconds=10))
    assert is_shown(timedelta(minutes=5))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.4, "0 s"),
        (41, "41 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (90061, "1 d 1 h"),
        (-1, "0 s"),
    ],
)
def test_span_is_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert span_text(seconds) == text


def test_weight_of_a_rule_without_green_is_a_dash() -> None:
    assert (percent_text(None), percent_text(0.5), percent_text(100.0)) == ("–", "0.5 %", "100 %")


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert table(("A", "B"), [("long", "x"), ("s", "")]) == ["A     B", "long  x", "s"]


def test_value_without_a_json_shape_is_refused() -> None:
    assert shape({"a": (1, None, timedelta(seconds=2), CommandKind.PAUSE)}) == {"a": [1, None, 2.0, "pause"]}
    with pytest.raises(TypeError, match="object has no JSON shape"):
        shape(object())


def test_nothing_is_coloured_outside_a_terminal() -> None:
    assert paint("error", "red") == "error"


def event(kind: EventKind, message: str, **facts: str) -> EventSeen:
    return EventSeen(
        rollout=RolloutId("checkout-1"),
        number=1,
        event=Event(kind=kind, at=NOW, message=message, facts=tuple(facts.items())),
    )


def test_line_of_a_phase_begins_with_it() -> None:
    seen = event(EventKind.PHASE_CHANGED, "the watch has passed", start="watching", end="settling")
    assert line_of(seen) == "09:30:00Z  settling: the watch has passed"


def test_line_of_a_hold_says_what_clears_it_and_line_of_a_page_that_people_are_called() -> None:
    seen = event(EventKind.HELD, "blue cannot start", hold="blue", clears_when="a person resumes")
    assert line_of(seen) == "09:30:00Z  held: blue cannot start (goes on once a person resumes)"
    assert line_of(event(EventKind.PAGED, "go")) == "09:30:00Z  people are paged: go"


def test_line_that_scrolls_by_is_whole_however_narrow_the_terminal() -> None:
    narrow = Console(file=StringIO(), width=40, force_terminal=True, color_system=None)
    screen = LiveScreen(narrow)
    words = "blue does not start on checkout:43: 3 tasks stopped, last: Essential container in task exited"
    screen.say(words)
    screen.close()
    assert isinstance(narrow.file, StringIO)
    assert " ".join(words.split()) in " ".join(narrow.file.getvalue().split())


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (event(EventKind.GATE_ANSWERED, "guard: pass", verdict="pass"), True),
        (event(EventKind.GATE_ANSWERED, "guard: hold", verdict="hold"), False),
        (event(EventKind.GATE_ANSWERED, "guard: fail", verdict="fail"), False),
        (event(EventKind.HELD, "guard: no interval", hold="gate", clears_when="one was measured"), True),
        (event(EventKind.HOLD_CLEARED, "cleared: guard: no interval", hold="gate"), False),
        (event(EventKind.HOLD_CLEARED, "cleared: paused by operator", hold="paused"), True),
        (event(EventKind.PHASE_CHANGED, "guard failed", end="rolling_back"), False),
        (event(EventKind.ROLLBACK_DECIDED, "guard failed"), True),
        (event(EventKind.INTERVAL_TAKEN, "0 of 3"), False),
        (event(EventKind.PAGED, "nobody approved"), True),
    ],
)
def test_what_is_told_is_told_once(seen: EventSeen, told: bool) -> None:
    assert is_told(seen) is told


def test_labels_stand_under_the_title_and_take_no_line_where_there_are_none(shown: RolloutView) -> None:
    labelled = replace(shown, labels={"commit": "9fceb02", "build": "4711"})
    with_labels, without = (sheet(view, NOW) for view in (labelled, shown))
    assert plain(with_labels[1]) == "commit 9fceb02 · build 4711"
    assert len(with_labels) == len(without) + 1
