"""docs/gates.md: what gates are, and what each asks, when it answers what, and its settings."""

import importlib
import pkgutil
from dataclasses import dataclass
from types import ModuleType

from docs.pages import rollout_file
from docs.pages.markdown import document, paragraphs, table
from orchestrator import config
from orchestrator.core import gates
from orchestrator.core.gates import guard, health
from orchestrator.core.verdict import Verdict

VERDICTS = {
    Verdict.FAIL: "The evidence is against what is judged: traffic goes back to blue "
    "(or it holds, with `on_failure: hold`).",
    Verdict.HOLD: "Not enough is known, or not everything is ready: no step forward until it clears.",
    Verdict.PASS: "Nothing speaks against it.",
    Verdict.NOT_APPLICABLE: "The question makes no sense where the rollout stands, and it says so.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One gate in words: its question, and when it gives which answer."""

    asks: str
    fail: str
    hold: str
    passes: str
    not_applicable: str = ""


WORDS = {
    "health": Words(
        asks="Are the targets and tasks of the colour that takes traffic well?",
        fail="It takes traffic and has no healthy target; its service or target group is gone; ECS gave up on it; "
        f"or more than {health.FLAPPING_OVER} of its tasks stopped of themselves within "
        f"{config.duration_text(health.FLAPPING_WITHIN)}.",
        hold="Fewer targets are healthy, or fewer tasks run, than are wanted; it could not be read; or somebody gave "
        "the service another revision.",
        passes="All wanted targets are healthy.",
    ),
    "guard": Words(
        asks="Does one interval alone speak loudly enough against it?",
        fail=f"One interval with at least {guard.REQUESTS_LEAST} requests and {guard.ERRORS_LEAST} errors has an "
        f"error rate over {guard.ALWAYS_OVER:.0%} (and the other colour has not), or over `errors` and over "
        f"{guard.TIMES_WORSE} times the other colour's. Or more than {guard.ALWAYS_OVER:.0%} of at least "
        f"{guard.REQUESTS_LEAST} requests got no answer at all, and that is usual neither for the other colour nor, "
        "while that has no traffic, for blue's last hour before the rollout.",
        hold="No whole interval was measured yet, no request reached it in the last one, both colours fail alike, or "
        "most requests got no answer and it is not known whether that is usual.",
        passes="Neither of these.",
        not_applicable="It takes no traffic.",
    ),
    "alarms": Words(
        asks="Do the team's own CloudWatch alarms, as far as they can see it, fire?",
        fail="One of them is in ALARM; or, for an alarm on blue's names, green's own series is over the threshold in "
        "as many periods as the alarm asks for.",
        hold="One of them is not there, unread, or without data that says enough; or it fires for both colours.",
        passes="All that apply are OK.",
        not_applicable="It fired before the rollout began (an approval of the first traffic is then needed), or the "
        "colour takes no traffic.",
    ),
    "approval": Words(
        asks="Has a person said that this step may be left?",
        fail="Never by itself: `reject` and a passed `timeout` roll back, or hold with `on_timeout: hold`.",
        hold="Fewer different people than `required` have approved.",
        passes="Enough people have approved; it may be said from the step's start.",
        not_applicable="The step needs no approval.",
    ),
}


def page() -> str:
    """The page's text."""
    return document(
        "Gates",
        "`orchestrator/core/gates`",
        "A gate asks one question at every look and answers with a verdict, a reason in words, and the numbers behind "
        "it. A step's verdict is the least of its gates' answers. What could not be read never counts as a PASS.",
        table(["verdict", "meaning"], [[f"`{verdict}`", VERDICTS[verdict]] for verdict in Verdict]),
        "A step is left at the later of two moments: its bake is over, and every gate that applies has judged one "
        "whole measured interval that began after the weight was read back. `promote` waives time and the HOLDs of "
        "`guard` and `alarms`; it waives no FAIL, and nothing of `health`.",
        "While traffic comes home to blue, the same gates judge blue. A FAIL there puts the last good step back on "
        "green, holds and calls people; it never rolls the release back by itself.",
        table(["gate", "it asks"], [[f"[`{name}`](#{name})", words.asks] for name, words in WORDS.items()]),
        *[part for module in _modules() for part in _section(module)],
    )


def _modules() -> list[ModuleType]:
    """The gates' modules in the order of the words here; one without words is an error."""
    names = {found.name for found in pkgutil.iter_modules(gates.__path__)}
    assert names == set(WORDS), f"gates and their words differ: {sorted(names ^ set(WORDS))}"
    return [importlib.import_module(f"{gates.__name__}.{name}") for name in WORDS]


def _section(module: ModuleType) -> list[str]:
    words = WORDS[module.NAME]
    answers = [["FAIL", words.fail], ["HOLD", words.hold], ["PASS", words.passes]]
    if words.not_applicable:
        answers.append(["not applicable", words.not_applicable])
    place = module.NAME if module.NAME == "approval" else f"gates.{module.NAME}"
    return [
        f"## {module.NAME}",
        *paragraphs(module.__doc__)[1:],
        table(["answer", "when"], answers),
        "In the rollout file:",
        table(rollout_file.HEAD, rollout_file.rows_under(place)),
    ]
