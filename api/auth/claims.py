"""What an issuer's claims make of somebody: a person with a role by their groups, or a CI job with a scope.

The claims have been verified; here it is only decided what they are worth.
"""

import re
from typing import Any

from api.problems import Forbidden
from orchestrator.core.domain.roles import Principal, Role
from orchestrator.settings import Issuer, JobRule, Settings

Claims = dict[str, Any]  # of a verified token: any JSON
NAME_MAX = 200
SOURCE = "http"


def principal_of(claims: Claims, issuer: Issuer, settings: Settings) -> Principal:
    """Who it is. Raises Forbidden for somebody whom the settings give nothing."""
    return _job(claims, issuer, settings) if issuer.jobs else _person(claims, issuer, settings)


def _person(claims: Claims, issuer: Issuer, settings: Settings) -> Principal:
    name = _name(claims, issuer.name_claim)
    groups = _texts(claims.get(issuer.groups_claim))
    person = settings.person_named(name)
    known = {group: role for group, role in issuer.roles if group in groups}
    role = person.role if person is not None and person.role is not None else _highest(tuple(known.values()))
    if role is None:
        raise Forbidden(
            what=f"{name} has no role",
            why="none of their groups at the issuer gives one, and neither do the settings",
            next_step="ask for a group that does",
        )
    return Principal(
        name=person.name if person else name,
        role=role,
        source=SOURCE,
        services=person.services if person else (),
        groups=tuple(dict.fromkeys((*groups, *(person.groups if person else ())))),
    )


def _job(claims: Claims, issuer: Issuer, settings: Settings) -> Principal:
    """A CI job, by the first rule that fits: rules do not add up, so that one cannot lend its role to another's scope.

    The job acts in the name of whoever set it off, and has neither their role nor their groups.
    """
    rule = next((one for one in issuer.jobs if fits(claims, one)), None)
    if rule is None:
        raise Forbidden(
            what="no rule of the settings is for this CI job",
            why="the claims of its token (repository, branch …) match none",
            next_step="add a rule for it to the issuer's `jobs`, or run it where one applies",
        )
    actor = _name(claims, issuer.actor_claim)
    person = settings.person_named(actor)
    return Principal(
        name=person.name if person else actor, role=rule.role, source=SOURCE, services=rule.services
    )


def fits(claims: Claims, rule: JobRule) -> bool:
    """True if every claim that the rule names is there and matches; a rule that names none fits nothing."""
    return bool(rule.claims) and all(
        matches(text, pattern)
        for text, pattern in ((_text(claims.get(claim)), pattern) for claim, pattern in rule.claims)
    )


def matches(text: str | None, pattern: str) -> bool:
    """True if a claim's text is the pattern, in which ``*`` stands for anything and nothing else is special."""
    if text is None:
        return False
    return (
        re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), text, re.DOTALL) is not None
    )


def _name(claims: Claims, claim: str) -> str:
    name = claims.get(claim)
    if not isinstance(name, str) or not name.strip() or len(name) > NAME_MAX or not name.isprintable():
        raise Forbidden(
            what=f"the token does not say who it is for: its claim `{claim}` holds no name",
            next_step="have the issuer add it, or name another claim in the settings",
        )
    if claim == "email" and claims.get("email_verified") not in (True, "true"):
        # OpenID Connect Core 1.0, section 5.1: only true says that the address is this person's.
        raise Forbidden(
            what="the issuer does not say that it has verified this email address",
            why="its claim `email_verified` is not true",
            next_step="verify the address there, have the issuer send the claim, or name people by another claim "
            "(`name_claim` in the settings)",
        )
    return name.strip()


def _highest(roles: tuple[Role, ...]) -> Role | None:
    return max(roles, key=tuple(Role).index, default=None)


def _texts(value: object) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(one for one in listed if isinstance(one, str) and one)


def _text(value: object) -> str | None:
    match value:
        case bool():
            return str(value).lower()
        case str() | int():
            return str(value)
        case _:
            return None
