"""docs/gates.md: what gates are, and what each asks, when it answers what, and its settings."""

import importlib
import pkgutil
from dataclasses import dataclass
from types import ModuleType

from docs.pages import rollout_file
from docs.pages.markdown import document, paragraphs, table
from orchestrator import config
from orchestrator.core import gates
from orchestrator.core.domain.verdict import Verdict
from orchestrator.core.gates import compare, guard, health

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
    do: str = ""  # what a person does who is woken by it


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
        f"error rate over {guard.ALWAYS_OVER:.0%} and at least {guard.TIMES_WORSE_OUTRIGHT} times the other "
        f"colour's, or over `errors` and over "
        f"{guard.TIMES_WORSE} times the other colour's. Or more than {guard.ALWAYS_OVER:.0%} of at least "
        f"{guard.REQUESTS_LEAST} requests got no answer at all, and that is usual neither for the other colour nor, "
        "while that has no traffic, for blue's last hour before the rollout.",
        hold="No whole interval was measured yet, no request reached it in the last one, both colours fail alike, or "
        "most requests got no answer and it is not known whether that is usual.",
        passes="Neither of these.",
        not_applicable="It takes no traffic.",
    ),
    "compare": Words(
        asks="Is green worse than blue, beyond what chance explains, or shown not to be?",
        fail="In one of its streams (errors, unanswered requests, 4xx, slow requests) the evidence that green "
        "is more "
        "than `margin` times as bad as blue has reached 1 to `alpha`, shared by the streams, with at least "
        f"{compare.EVENTS_LEAST} such events on green; it stays a FAIL whatever comes after. Or blue went bad when "
        "green grew and recovered when its growth was taken back.",
        hold="No whole period with traffic on both colours was measured at this weight, or only green's warm-up; or, "
        "with `inconclusive: hold`, neither was shown.",
        passes="Either `green is shown not to be 2 times as bad as blue` (evidence of 1 to `beta`, "
        f"{compare.INTERVALS_LEAST} periods and `requests` of green at this weight), or only `no evidence against "
        "green`: the two are never mixed up.",
        not_applicable="Only one colour has traffic, or both run the same revision (on the way home).",
        do="On a FAIL traffic is on blue already. The reason has both colours' counts; `teal evidence` "
        "recomputes them. "
        "Read green's errors of those minutes. One broken client that stickiness keeps on green looks the same. On a "
        "HOLD wait for traffic, or `teal promote` if you know better: it waives what is not known, never a FAIL.",
    ),
    "alarms": Words(
        asks="Do the team's own CloudWatch alarms, as far as they can see it, fire?",
        fail="One of them is in ALARM, or went to ALARM and back between two looks; or, for an alarm on blue's"
        " names, green's own series is over the threshold in as many periods as the alarm asks for; or a "
        "composite alarm's rule comes true with what its parts say of green.",
        hold="One of them is not there, unread, not evaluated as a whole (`PARTIAL_DATA`, `EVALUATION_ERROR`, "
        "`EVALUATION_FAILURE`), or without data that says enough; or it fires for both colours.",
        passes="All that apply are OK, and could know of this weight.",
        not_applicable="It fired before the rollout began (an approval of the first traffic is then needed), it "
        "can say nothing about green (`teal preflight` says why), or the colour takes no traffic.",
        do="A FAIL names the alarm: open it in CloudWatch; traffic is on its way back to blue already. A "
        "HOLD that says `fires for blue too` is an outage of both: green is not the cause, and nothing "
        "moves until it is over. A HOLD without data lasts until `limits.hold`; if that silence is good, "
        "the next file says `no_data: pass`.",
    ),
    "metric": Words(
        asks="Is a number of the team's own within its bounds?",
        fail="It was out of them for as many whole, final periods in a row as `periods` says (one, if it says "
        "nothing).",
        hold="No whole period was measured at this weight yet; a period out of bounds is not final yet, or "
        "there are too few of them in a row; there is no data, and `no_data` does not define it; "
        "CloudWatch is away, answers in part, or refuses the query.",
        passes="Its newest whole period is within its bounds.",
        not_applicable="`applies` says so, the colour takes no traffic, or the query compares it with one that takes "
        "none.",
        do="The reason says the number, the bound and the period's time. `CloudWatch refuses it` does not "
        "clear by waiting: roll back and correct `gates.metric`. `could not be read` does: CloudWatch is "
        "away, traffic stays where it is; once `limits.unseen` has passed, people are called and green goes back to "
        "the last weight at which every gate passed (to 0 % where none has), until evidence can be read again.",
    ),
    "probe": Words(
        asks="Does green answer Teal's own requests well, before any user meets it?",
        fail="More of the judged answers than `max_failures` are not as `expect` and `latency` say, or did not come "
        "within `timeout`. Green is taken back; no user has met it.",
        hold="Fewer than `count` requests were answered yet; or there is no way to the test listener: its name does "
        "not resolve, nobody listens, its certificate is not trusted, the server's settings do not allow it.",
        passes="`count` requests were answered and no more than `max_failures` of them wrongly. It says what "
        "share of "
        "failures could have stayed hidden: 150 good answers out of 150 show, with 95 %, that green fails no more "
        "than 2 % of such requests (3 divided by the number of answers).",
        not_applicable="Green has had its first traffic: it was judged before.",
        do="On a FAIL: its reason names the path, the status and how often; send the same request through the test "
        "listener, and read green's logs at that minute. Nothing is on fire. On a HOLD: try the URL from where Teal "
        "runs (`curl`), and look at `hosts.private` in the server's settings; once there is a way it goes on by "
        "itself.",
    ),
    "webhook": Words(
        asks="Does a system of the team's own say that the rollout may go on?",
        fail="One of the webhooks of this step answered `fail`: traffic goes back to blue, with its reason.",
        hold="One has not answered, answered `hold`, an error, or something that makes no sense; or its `timeout` is "
        "over. It is asked again by itself: after errors within a minute at the latest.",
        passes="Every webhook of this step answered `pass`.",
        not_applicable="No webhook is asked on this step.",
        do="The reason names the host and what it said. If the system behind it is ill, mend it, and the "
        "rollout goes "
        "on by itself; if it cannot be mended tonight, `teal promote ID --reason` waives its HOLD on a step (never a "
        "FAIL), and `teal rollback ID` goes back. Before the first traffic no user is touched: rolling back is safe.",
    ),
    "window": Words(
        asks="May green's traffic grow at this hour?",
        fail="The window has closed, or a freeze has begun, and `at_close` says `rollback`: all traffic goes back to "
        "blue, until the watch has passed.",
        hold="It is closed, or there is a freeze: nothing starts and no weight grows until it opens. Gates go on "
        "judging, a FAIL rolls back as ever, and no limit of time counts what the hours cost.",
        passes="It is open and nothing is frozen; or the rollout was started with an `override`.",
        not_applicable="Green has all traffic already: nothing grows any more.",
        do="On a HOLD: nothing is on fire, and it goes on by itself at the hour it names. Green keeps the "
        "weight it has, "
        "with blue beside it able to take everything back. If it must not stay so over night, `teal rollback "
        "ID`. If the "
        "release cannot wait, roll back and start it again with `--override 'why'`, which takes an approver; a "
        "window "
        "cannot be promoted past.",
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
        "A gate asks one question at every look and answers with a verdict, a reason in words, and the numbers "
        "behind "
        "it. One FAIL outweighs every HOLD, and one HOLD every PASS. What could not be read never counts as a PASS.",
        table(["verdict", "meaning"], [[f"`{verdict}`", VERDICTS[verdict]] for verdict in Verdict]),
        "A step is left at the later of two moments: its bake is over, and every gate that applies has judged one "
        "whole measured interval that began after the weight was read back. `promote` waives time and the HOLDs of "
        "`guard` and `alarms`; it waives no FAIL, and nothing of `health`.",
        "While traffic comes home to blue, the same gates judge blue. A FAIL there puts the last good step back on "
        "green, holds and calls people; it never rolls the release back by itself.",
        table(["gate", "it asks"], [[f"[`{name}`](#{name})", words.asks] for name, words in WORDS.items()]),
        *[part for module in _modules() for part in _section(module)],
    )


BESIDE = {"alarm_evaluation", "alarm_scope", "scene"}  # what gates share


def _modules() -> list[ModuleType]:
    """The gates' modules in the order of the words here; one without words is an error."""
    names = {found.name for found in pkgutil.iter_modules(gates.__path__)} - BESIDE
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
        *([f"**What to do.** {words.do}"] if words.do else []),
        "In the rollout file:",
        table(rollout_file.HEAD, rollout_file.rows_under(place)),
    ]
