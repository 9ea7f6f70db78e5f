"""One thing that AWS refuses, or that is true of it: what is called, what is believed, and what that rests on."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.world.kernel.errors import AwsRefusal
from tests.verify.place import Answer, Needs, Place

MEMORY = "general knowledge, not read anywhere: to be settled on a real account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One call that is refused with `code`; without a code, something that is true where nothing is refused."""

    name: str
    source: str  # the documentation page, report or model that it rests on
    attempt: Callable[[Place], object]
    code: str = ""
    says: str = ""  # a pattern that the message holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a check: as believed, otherwise, or not made for want of something."""

    check: Check
    is_as_believed: bool | None  # None: it was not made
    answer: str


def made(check: Check, place: Place) -> Outcome:
    """Make one check."""
    try:
        found = check.attempt(place)
    except AwsRefusal as refusal:
        fits = refusal.code == check.code and re.search(check.says, refusal.message) is not None
        return Outcome(check=check, is_as_believed=fits, answer=f"{refusal.code}: {refusal.message}")
    except Needs as lack:
        return Outcome(check=check, is_as_believed=None, answer=str(lack))
    if check.code:
        return Outcome(check=check, is_as_believed=False, answer="it was accepted")
    return Outcome(
        check=check, is_as_believed=found is True, answer=f"it is {'so' if found is True else 'not so'}"
    )


def nowhere(arn: str) -> str:
    """An ARN like this one, of a thing that does not exist."""
    return f"{arn[:-16]}{'0' * 16}"


def write(p: Place, *actions: Answer) -> Answer:
    """Give the place's rule these actions."""
    return p.elb("ModifyRule", RuleArn=p.rule, Actions=list(actions))
