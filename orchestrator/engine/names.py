"""Which rollout a person means by a name: one rule, for every way of reading the store."""

from collections.abc import Sequence

from orchestrator.core.domain.errors import NotFound, Refused


def meant(name: str, services: Sequence[str]) -> int | None:
    """Which of these services has this name without its cluster, its account, or both; None: none has.

    Raises Refused where several have.
    """
    hits = [index for index, whole in enumerate(services) if name in _parts(whole)]
    if len(hits) > 1:
        raise Refused(
            what=f"`{name}` means more than one rollout",
            why=", ".join(services[index] for index in hits),
            next_step="write the whole name of one",
        )
    return hits[0] if hits else None


def no_rollout(name: str) -> NotFound:
    """The error of a name that is no rollout's."""
    return NotFound(
        what=f"no rollout `{name}`",
        why="there is neither a rollout by this id nor an active one of a service by this name",
        next_step="`teal list` shows them",
    )


def _parts(whole: str) -> tuple[str, ...]:
    account, _, path = whole.rpartition(":")
    own = path.rpartition("/")[2]
    return own, path, f"{account}:{own}"
