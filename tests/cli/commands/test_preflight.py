"""`teal preflight`: the worst first, each with its remedy, and every note where its reader looks for it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli.output.preflight_sheet import SECTIONS, Section, lines, section_of
from api.http.json_values import PlanView, PreflightView
from orchestrator.core.cloud.survey import Finding, Severity

ROOT = Path(__file__).parents[3] / "orchestrator"
KINDS = {"error": Severity.ERROR, "warning": Severity.WARNING, "note": Severity.NOTE}


def found(*findings: Finding, is_fit: bool = True) -> PreflightView:
    step = PlanView(
        number=1, weight_percent=100, bake_seconds=60, lasts_seconds=60, ends_seconds=60, approval=False
    )
    return PreflightView(
        service="prod/checkout",
        task_definition="checkout:2",
        account="123456789012",
        region="eu-west-1",
        is_fit=is_fit,
        findings=findings,
        plan=(step,),
        rules=(),
        target_groups=(),
    )


def finding(severity: Severity, code: str, why: str = "", next_step: str = "") -> Finding:
    return Finding(severity=severity, code=code, what=f"what of {code}", why=why, next_step=next_step)


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Every call of `error`, `warning` and `note` in the product with a code that is written out."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in KINDS
                and node.args
            ):
                code = node.args[0]
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    yield node.func.id, code.value, node


def test_the_worst_stands_first_and_the_verdict_last() -> None:
    told = list(
        lines(
            found(
                finding(Severity.NOTE, "blue"),
                finding(Severity.WARNING, "alarm-blind", next_step="name another"),
                finding(Severity.ERROR, "blue-unhealthy", why="it could not", next_step="repair blue"),
                is_fit=False,
            ),
            str,
        )
    )
    order = [
        "what refuses it",
        "✗ what of blue-unhealthy",
        "    it could not",
        "    → repair blue",
        "look at these first",
        "! what of alarm-blind",
        "    → name another",
        "what runs",
        "  what of blue",
    ]
    assert [line for line in told if line in order] == order
    assert told[-1] == "1 error: this rollout would be refused. Nothing was touched."


def test_what_is_waited_for_refuses_nothing() -> None:
    told = list(lines(found(finding(Severity.ERROR, "blue-not-completed")), str))
    assert "what it waits for" in told
    assert told[-1] == "This rollout would wait for that to end. Nothing was touched."


def test_warnings_are_counted_where_nothing_refuses() -> None:
    told = list(lines(found(finding(Severity.WARNING, "clock-off")), str))
    assert told[-1] == "Nothing refuses this rollout. 1 warning to look at first. Nothing was touched."


@pytest.mark.parametrize("code", sorted({code for kind, code, _ in calls() if kind == "note"} - {"step"}))
def test_every_note_has_its_section(code: str) -> None:
    assert any(code in codes for codes in SECTIONS.values()), f"{code} is in no section of preflight_sheet"


def test_no_section_lists_a_code_that_nothing_finds() -> None:
    known = {code for _, code, _ in calls()} | {"addresses-unread", "quota-unread"}
    assert {code for codes in SECTIONS.values() for code in codes} <= known


def test_a_note_that_no_list_names_is_good_to_know() -> None:
    assert section_of("something-new") is Section.KNOW


def test_every_error_and_every_warning_says_what_to_do() -> None:
    without = [
        code
        for kind, code, call in calls()
        if kind != "note" and len(call.args) < 4 and not any(key.arg == "next_step" for key in call.keywords)
    ]
    assert without == []
