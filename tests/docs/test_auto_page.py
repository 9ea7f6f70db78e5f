"""The page on `auto`: its figures are the code's, and its commands run."""

import re
import shlex
from pathlib import Path
from statistics import fmean
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from api.cli.main import teal
from orchestrator.config import load_text
from orchestrator.core.analysis import auto_plan
from orchestrator.core.domain.plan import AutoSpec
from orchestrator.simulate.defects import Defect
from orchestrator.simulate.paths import svg
from orchestrator.simulate.rivals import RIVALS
from orchestrator.simulate.teal import roll_out
from orchestrator.simulate.traffic import Demand

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = DOCS / "pictures"
PAGE = (DOCS / "auto.md").read_text(encoding="utf-8")
FILE = "service: prod/checkout\nrevision: {task_definition: 'checkout:43'}\nplan: auto\n"
DEFAULT = AutoSpec()


@pytest.mark.parametrize(
    "words",
    [
        f"about {DEFAULT.first_requests} requests a period",
        f"{DEFAULT.first_min / 10:g} to {DEFAULT.first_max / 10:g} % of the traffic",
        f"once {DEFAULT.requests} requests of green were seen",
        f"After {DEFAULT.bake_max} periods",
        f"evidence of {DEFAULT.hesitate_at:g} to 1 or more) it stays up to {DEFAULT.hesitate_max} periods longer",
        f"{DEFAULT.budget:g} periods of all traffic",
        f"at most {DEFAULT.factor} times the",
        f"control group of about {DEFAULT.hold_back} requests a period ({DEFAULT.hold_back_min / 10:g} to "
        f"{DEFAULT.hold_back_max / 10:g} %), for {DEFAULT.watch} periods",
        f"fewer than {auto_plan.ERRORS_LEAST:g} errors of blue",
        "takes 2, 10 and 50 % with 3, 6 and 6 periods",
    ],
)
def test_the_page_says_what_the_code_does(words: str) -> None:
    assert words in " ".join(PAGE.split())


def test_the_low_traffic_plan_is_the_one_it_names() -> None:
    assert [(weight / 10, periods) for weight, periods in auto_plan.LOW_TRAFFIC] == [(2, 3), (10, 6), (50, 6)]


def test_every_defect_is_explained() -> None:
    assert all(f"`{defect.value}`" in PAGE for defect in Defect)


def blocks(kind: str) -> list[str]:
    found = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.S)
    assert found
    return found


def files() -> list[str]:
    """The page's rollout files; what is no whole file is part of the least one."""
    rest = FILE.replace("plan: auto\n", "")
    return [block if block.startswith("service:") else rest + block for block in blocks("yaml")]


def test_its_rollout_files_are_valid() -> None:
    assert [load_text(file).plan.name for file in files()] == ["auto", "auto"]


@pytest.mark.machine(seconds=15)
def test_its_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rollout.yaml").write_text(files()[-1])
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    for command in commands:
        name, *arguments = shlex.split(command)
        assert name == "teal"
        result = CliRunner().invoke(teal, [*arguments, "--runs", "2", "--alone"])
        assert result.exit_code == 0, result.output
    drawn = {path.name for path in tmp_path.glob("*.svg")}
    assert drawn == {path.name for path in PICTURES.glob("auto-*.svg")}


def test_its_pictures_are_there_small_and_drawings() -> None:
    for name in re.findall(r"!\[[^]]+\]\(pictures/([^)]+)\)", PAGE):
        picture = PICTURES / name
        assert picture.stat().st_size < 50_000, name
        assert ElementTree.fromstring(picture.read_text(encoding="utf-8")).tag.endswith("svg")


def test_the_picture_of_five_rollouts_is_what_the_command_draws_today() -> None:
    shown = [Defect.NONE, Defect.TWICE, Defect.FIVE, Defect.SLOW, Defect.TOTAL]
    drawn = svg(load_text(files()[-1]), load_of(1000), shown, seed=3)
    assert drawn == (PICTURES / "auto-paths.svg").read_text(encoding="utf-8"), (
        "draw it again as the page says"
    )


# The tables, at a small size ---------------------------------------------------------------------------------------


def load_of(rate: float) -> Demand:
    return Demand(requests_per_second=rate, error_rate=0.001)


def table(rate: int) -> dict[str, dict[str, str]]:
    """One of the page's tables: the cells of each policy by the table's own heads."""
    rows = PAGE.split(f"**{rate:,} requests a second**")[1].split("\n\n")[1].splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {row[0]: dict(zip(cells[0], row, strict=True)) for row in cells[2:]}


def test_every_policy_and_every_defect_is_in_every_table() -> None:
    for rate in (1000, 100, 10):
        shown = table(rate)
        for rival in RIVALS:
            assert rival.name in shown
        assert "Teal `auto`" in shown
        assert {"2x", "5x", "20x", "total", "slow", "highload", "leak"} <= set(shown["Teal `auto`"])


def test_the_variants_are_worth_what_the_page_says_of_them() -> None:
    """`fast` is quicker than `auto`; `careful` is slower, and does less harm where something shows early."""
    shown = table(1000)
    full = {
        name: float(shown[f"Teal `{name}`"]["full after"].split()[0]) for name in ("fast", "auto", "careful")
    }
    assert full["fast"] < full["auto"] < full["careful"]
    for defect in ("2x", "5x", "20x", "total", "slow", "leak"):
        harm = {name: float(shown[f"Teal `{name}`"][defect].split()[0]) for name in full}
        assert harm["careful"] < harm["auto"], defect
        assert harm["auto"] < harm["fast"] or defect in {"20x", "leak"}, defect


@pytest.mark.parametrize(
    ("rate", "defect", "times"),
    [
        (1000, "total", 1.5),
        (1000, "5x", 2.5),
        (1000, "highload", 1.5),
        (100, "total", 1.5),
        (10, "total", 1.6),
    ],
)
def test_a_few_rollouts_say_what_the_table_says(rate: int, defect: str, times: float) -> None:
    spec = load_text(files()[-1])
    harm = [roll_out(spec, load_of(rate), Defect(defect), seed=seed).harm for seed in range(10)]
    percent = 100 * fmean(harm) / (60 * rate)
    told = float(table(rate)["Teal `auto`"][defect].split()[0])
    assert told / times < percent < told * times


@pytest.mark.machine(seconds=60)
def test_an_outage_of_both_rolls_back_as_few_good_releases_as_the_table_says() -> None:
    """Of 40 rollouts no more than three, where the table says about one in a hundred (by chance: once in 5,000)."""
    told = float(table(1000)["Teal `auto`"]["outage rolled back"].split()[0])
    spec = load_text(files()[-1])
    taken = sum(roll_out(spec, load_of(1000), Defect.OUTAGE, seed=seed).is_rolled_back for seed in range(40))
    assert told <= 2
    assert taken <= 3
