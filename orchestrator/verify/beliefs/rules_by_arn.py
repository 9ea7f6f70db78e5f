"""How many rules may be asked for by their ARNs in one call."""

from orchestrator.verify.beliefs.belief import MEMORY, Belief, Need, Seen, judged, unclear
from orchestrator.verify.means import Refusal
from orchestrator.verify.scene import Scene

MOST = 20


async def ask(scene: Scene) -> Seen:
    """Ask for one more than that, of which the first exists: what is refused is the number or what is missing."""
    found: dict[str, str] = {}
    for number in (MOST, MOST + 1):
        rules = [scene.place.rule, *(_nowhere(scene.place.rule, n) for n in range(1, number))]
        try:
            await scene.calls("elbv2", "DescribeRules", RuleArns=rules)
            found[str(number)] = "answered"
        except Refusal as refusal:
            found[str(number)] = refusal.code
    few, many = found[str(MOST)], found[str(MOST + 1)]
    words = f"{MOST}: {few}; {MOST + 1}: {many}"
    facts = {"with_20": few, "with_21": many}
    if few not in ("answered", "RuleNotFound"):
        return unclear(words, **facts)
    return judged(many not in ("answered", "RuleNotFound"), words, **facts)


def _nowhere(arn: str, number: int) -> str:
    return f"{arn[:-16]}{number:016x}"


RULES_BY_ARN = Belief(
    name="rules-by-arn",
    believes="DescribeRules takes 20 ARNs, and refuses 21.",
    asked_by="DescribeRules with 20 and with 21 ARNs, of which one exists.",
    rests_on=MEMORY,
    if_wrong="Teal never asks for more than 20 at once. If fewer were taken, rollouts that share a look would see "
    "their rules as unread and hold.",
    ask=ask,
    needs=frozenset({Need.THROW_AWAY}),
)
