"""The names, tags and tokens of what a rollout makes."""

import uuid

from orchestrator.core.cloud.effects import Tags
from orchestrator.core.domain.ids import RolloutId, revision_name
from orchestrator.core.domain.tags import MANAGED, REVISIONS, ROLLOUT, SERVICE, VALUE_MAX
from orchestrator.core.gates.scene import Names
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import ServiceName

TOKENS = uuid.UUID("6c1bb1c0-5d0f-4a8e-9f3c-7e41d1f0a7a1")  # namespace of Teal's client tokens


GROUP_NAME_MAX = 32  # characters of a target group's name


def short_id(rollout: RolloutId) -> str:
    """The eight hexadecimal characters at the end of a rollout's id, by which its parts are named."""
    return rollout.rpartition("-")[2][-8:]


def tags_of(row: Rollout) -> Tags:
    """The tags on everything this rollout makes."""
    return ((MANAGED, "true"), (ROLLOUT, row.id), (SERVICE, row.spec.service.path))


def tags_of_registered(row: Rollout) -> Tags:
    """The tag of green's service that names the revisions which the rollout registered and which go with green."""
    own = (each for each in row.revisions.registrations if each.arn and not each.is_former)
    names = " ".join(revision_name(each.arn) for each in own if each.arn)
    return ((REVISIONS, names),) if 0 < len(names) <= VALUE_MAX else ()


def token_of(row: Rollout, name: str) -> str:
    """The client token for making green, by another name than the first where one is given.

    ECS CreateService refuses a token that it knows with anything else in the call.
    """
    return str(uuid.uuid5(TOKENS, f"{row.id} {name}" if name else row.id))


def is_ours(row: Rollout, tags: object) -> bool:
    """True if the tags say that this rollout made the thing."""
    return isinstance(tags, dict) and tags.get(ROLLOUT) == row.id


def first_service_name(rollout: RolloutId, service: ServiceName) -> str:
    """The name of green's service, as long as nobody else's has it."""
    return f"{service.service[:240]}-{short_id(rollout)}"


def next_group_name(name: str) -> str:
    """Another name for a target group: ten numbers on, which no other of this rollout's groups has."""
    stem, hexes, number = name.rsplit("-", 2)
    end = f"-{hexes}-{int(number) + 10}"
    return f"{stem[: GROUP_NAME_MAX - len(end)].rstrip('-')}{end}"


def next_service_name(name: str, rollout: RolloutId) -> str:
    """Another name for green's service: with the next number at its end."""
    stem, hexes, number = name.rpartition(short_id(rollout))
    return f"{stem}{hexes}-{int(number.removeprefix('-') or 1) + 1}"


def names_of(row: Rollout) -> Names:
    """The names by which metrics know the two colours."""
    return Names(
        cluster=row.known.blue.cluster,
        blue_service=row.known.blue.name,
        green_service=row.known.green.name,
        groups=tuple((pair.blue, pair.green) for pair in row.pairs if pair.green is not None),
        balancers=tuple(pair.load_balancer for pair in row.pairs if pair.green is not None),
    )
