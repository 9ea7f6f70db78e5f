"""Every oracle by its name: which promise it holds to, and what it says.

An oracle reads the World's state and its log of calls, what people asked for and when, and the audit log as text. Each
is shown to fire by a planted violation (`planted`, `shown`).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Promise:
    """Which promise an oracle holds to, and its claim."""

    promise: int
    claim: str


ORACLES: dict[str, Promise] = {
    "healthy before growth": Promise(1, "green grows only where all of its tasks were just seen healthy"),
    "two looks before traffic": Promise(1, "a colour gets its first traffic after two looks that agree"),
    "room on blue": Promise(1, "green grows only while blue was seen able to take everything back"),
    "enough of green": Promise(1, "green grows only to a share that its healthy tasks can carry"),
    "bake": Promise(1, "a step lasts as long as the file says, or a person promotes it"),
    "plan": Promise(1, "green's share is a step's of the file, each after the one before"),
    "approval": Promise(1, "a step that waits for a person is left once a person has approved"),
    "pause": Promise(9, "green does not grow between a pause and what ends it"),
    "evidence": Promise(
        1, "a step is left on a whole period with requests, and on none that speaks against green"
    ),
    "fresh looks": Promise(2, "green grows only on what was just read"),
    "stop when told": Promise(1, "green's tasks are stopped once nobody is sent to them any more"),
    "drain": Promise(1, "green stays in the rules until its tasks have let go of their requests"),
    "blue well before home": Promise(1, "traffic comes home to a blue that was seen steady and healthy"),
    "home in steps": Promise(1, "traffic comes home in three steps, one after the other"),
    "FAIL turns back": Promise(3, "what is known to speak against green is followed by all traffic on blue"),
    "firing alarm": Promise(3, "an alarm that fires turns back"),
    "breaching alarm": Promise(3, "an alarm that would fire for green turns back"),
    "no healthy target": Promise(3, "a green with traffic and no healthy target turns back"),
    "green that gave up": Promise(3, "a green that ECS has given up turns back"),
    "no growth after FAIL": Promise(3, "after what speaks against green a person lets it grow, or nobody"),
    "no growth after rollback": Promise(3, "once it turned back, green gets nothing more"),
    "FAIL in settling": Promise(3, "what speaks against a blue in settling puts traffic back to green"),
    "blue after all": Promise(3, "at the end all traffic is on blue, on the revision that the end says"),
    "former before traffic": Promise(
        3, "a rollback gives a blue that was touched traffic on its former revision"
    ),
    "rollback at once": Promise(4, "a rollback that is decided is written at once, on every rule"),
    "former at once": Promise(
        4, "a rollback of a blue that was touched gives it its former revision at once"
    ),
    "blue is kept": Promise(4, "blue does not shrink while green has traffic"),
    "scale-in is suspended": Promise(4, "blue's scaling may not shrink it while green has traffic"),
    "blue untouched": Promise(4, "blue is not updated before the watch has passed"),
    "one writer": Promise(5, "nobody writes on a look that is older than another's write"),
    "recorded first": Promise(6, "what is made was told of before it existed"),
    "tagged": Promise(6, "what is made says whose it is"),
    "nothing left": Promise(6, "nothing of green is left at the end"),
    "only its own": Promise(6, "nothing is deleted or changed that Teal did not make"),
    "scaling as it was": Promise(7, "blue's scaling is given back, and what others set stays"),
    "bounds of others": Promise(7, "blue's bounds are never lowered below what others set"),
    "size as it was": Promise(7, "blue has its count and configuration back"),
    "rules as they were": Promise(8, "a rule is the same after as before, to the letter"),
    "the rest of a rule": Promise(8, "whatever a rule holds besides the two weights stays"),
    "command answered": Promise(9, "an accepted command is said to be applied or overtaken, once, and soon"),
    "rollback by command": Promise(9, "an applied rollback or reject puts all traffic on blue"),
    "back by command": Promise(9, "an applied back gives green no more than it asked for"),
    "promote by command": Promise(9, "an applied promote moves on, or something that holds is said"),
    "resume by command": Promise(9, "an applied resume ends the pause, and has blue updated once more"),
    "abandon by command": Promise(9, "after an applied abandon nothing is written"),
    "approve by command": Promise(9, "an approval that was given counts"),
    "change noticed": Promise(10, "somebody's change of a rule is said within an interval"),
    "raised green taken back": Promise(10, "green that somebody raised is put back at once"),
    "raised blue is a rollback": Promise(
        10, "blue that somebody raised to everything is taken as a rollback"
    ),
    "nobody is accused": Promise(11, "a change is said to be somebody's only where somebody made one"),
    "told before written": Promise(11, "each weight that is written was said to be wanted"),
    "said as read": Promise(11, "a weight that is said to be read back was in AWS's answer"),
    "true reasons": Promise(11, "a rollback is said to be for what was so"),
    "the end says what differs": Promise(11, "the last line names what is not as it was"),
    "it ends": Promise(12, "a rollout that nobody holds ends by itself"),
    "people are called": Promise(12, "nothing stands longer than its limits without a person being told"),
}
