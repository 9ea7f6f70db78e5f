"""docs/gates.md: what gates are, and what each asks, when it answers what, and its settings.

Each gate has its page in words beside this file, in `gates/`; what stands in braces there is a constant of the gate's.
"""

import importlib
from datetime import timedelta
from pathlib import Path
from types import ModuleType

from docs.pages import rollout_file
from docs.pages.markdown import document, paragraphs, table
from orchestrator import config
from orchestrator.core import gates
from orchestrator.core.domain.verdict import Verdict
from orchestrator.core.gates import approval
from orchestrator.core.gates.registry import GATES

VERDICTS = {
    Verdict.FAIL: "The evidence is against what is judged: traffic goes back to blue "
    "(or it holds, with `on_failure: hold`).",
    Verdict.HOLD: "Not enough is known, or not everything is ready: no step forward until it clears.",
    Verdict.PASS: "Nothing speaks against it.",
    Verdict.NOT_APPLICABLE: "The question makes no sense where the rollout stands, and it says so.",
}


NAMES = (*(gate.name for gate in GATES.values()), approval.NAME)
WORDS = Path(__file__).with_suffix("")  # the folder of the pages
ANSWERS = ("FAIL", "HOLD", "PASS", "not applicable")
ASKS, DO = "asks", "What to do"
NEVER_WAIVED = ("health", "window", "approval")  # their HOLDs are not evidence: `Answer.is_evidence`
AFTER_TRAFFIC = tuple(
    name for name in NAMES if name not in (*NEVER_WAIVED, "probe")
)  # promote comes with traffic
WAIVED = f"{', '.join(f'`{name}`' for name in AFTER_TRAFFIC[:-1])} and `{AFTER_TRAFFIC[-1]}`"
UNWAIVED = f"{', '.join(f'`{name}`' for name in NEVER_WAIVED[:-1])} and `{NEVER_WAIVED[-1]}`"


def words_of(name: str) -> dict[str, str]:
    """A gate's page by its headings; under `ASKS` its question. One that has no page is an error."""
    text = (WORDS / f"{name}.md").read_text(encoding="utf-8").format_map(_constants(module_of(name)))
    first, *sections = text.split("\n## ")
    title, asks = paragraphs(first)
    assert title == f"# {name}", f"the page of {name} is named {title}"
    split = (section.partition("\n") for section in sections)
    found = {heading: " ".join(body.split()) for heading, _, body in split}
    unknown = found.keys() - {*ANSWERS, DO}
    assert not unknown, f"the page of {name} has headings that mean nothing: {sorted(unknown)}"
    return {ASKS: asks, **found}


def module_of(name: str) -> ModuleType:
    """The file of a gate, which bears its name."""
    return importlib.import_module(f"{gates.__name__}.{name}")


def _constants(module: ModuleType) -> dict[str, object]:
    named = {name: value for name, value in vars(module).items() if name.isupper()}
    return {
        name: config.duration_text(value) if isinstance(value, timedelta) else value
        for name, value in named.items()
    }


def page() -> str:
    """The page's text."""
    return document(
        "Gates",
        "`orchestrator/core/gates`",
        "A gate asks one question at every look and answers with a verdict, a reason in words, and the numbers "
        "behind "
        "it. The worst answer decides: one FAIL outweighs every HOLD, and one HOLD every PASS. What could not be read "
        "never counts as a PASS.",
        table(["verdict", "meaning"], [[f"`{verdict}`", VERDICTS[verdict]] for verdict in Verdict]),
        "A step is left at the later of two moments: its bake is over, and every gate that applies has judged one "
        "whole measured interval that began after the weight was read back. `promote` waives the rest of the bake and "
        "every HOLD that is for want of evidence, whichever of "
        + WAIVED
        + " gave it. It waives no FAIL, nothing of "
        + UNWAIVED
        + ", and no drift or missing capacity.",
        "While traffic returns to blue, the same gates judge blue. A FAIL there puts the last good step back on "
        "green, holds and pages people; it never rolls the release back by itself.",
        "Counts are of what the load balancer saw. A proxy behind it that tries a failed request again, as Service "
        "Connect does, hides green's failures from it: they show as slow answers, so compare `slow` where one is used. "
        "A client that tries again through the load balancer hides none: each attempt counts, on the colour that had "
        "it. What reaches a service by Service Connect alone is in no count of the load balancer: see it by gates of "
        "its own numbers. `teal simulate --defect retried` shows what hidden failures cost.",
        table(["gate", "it asks"], [[f"[`{name}`](#{name})", words_of(name)[ASKS]] for name in NAMES]),
        *[part for name in NAMES for part in _section(name)],
    )


def _section(name: str) -> list[str]:
    words = words_of(name)
    place = name if name == approval.NAME else f"gates.{name}"
    return [
        f"## {name}",
        *paragraphs(module_of(name).__doc__)[1:],
        table(["answer", "when"], [[answer, words[answer]] for answer in ANSWERS if answer in words]),
        *([f"**What to do.** {words[DO]}"] if DO in words else []),
        "In the rollout file:",
        table(rollout_file.HEAD, rollout_file.rows_under(place)),
    ]
