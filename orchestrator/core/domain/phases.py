"""Where in its life a rollout is, and the one list of legal moves. ``docs/states.md`` is drawn from it."""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """A rollout's phase; the same words in the log, in JSON and in the docs."""

    PENDING = "pending"
    PREPARING = "preparing"
    PROVISIONING = "provisioning"
    SHIFTING = "shifting"
    WATCHING = "watching"
    SETTLING = "settling"
    RETIRING = "retiring"
    SUCCEEDED = "succeeded"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    ABANDONED = "abandoned"

    @property
    def is_final(self) -> bool:
        """True once Teal will never write for this rollout again."""
        return self in (Phase.SUCCEEDED, Phase.ROLLED_BACK, Phase.ABANDONED)

    @property
    def blue_is_safe_side(self) -> bool:
        """True until the watch has passed: a FAIL, a reject and a rollback all mean 100 % blue, one write."""
        return self in (Phase.PENDING, Phase.PREPARING, Phase.PROVISIONING, Phase.SHIFTING, Phase.WATCHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One legal move between phases, and when it is made."""

    start: Phase
    end: Phase
    when: str


P = Phase
TRANSITIONS: tuple[Move, ...] = (
    Move(start=P.PENDING, end=P.PREPARING, when="blue, its rules and its scaling are read"),
    Move(start=P.PREPARING, end=P.PROVISIONING, when="green's target groups are in every rule at weight 0"),
    Move(start=P.PROVISIONING, end=P.SHIFTING, when="green is steady and healthy in two looks"),
    Move(start=P.SHIFTING, end=P.WATCHING, when="the last step's weight is on every rule"),
    Move(start=P.WATCHING, end=P.SHIFTING, when="a person goes back to an earlier step"),
    Move(start=P.WATCHING, end=P.SETTLING, when="the watch has passed"),
    Move(
        start=P.WATCHING, end=P.RETIRING, when="the watch has passed, and green is to stay (`ending: swap`)"
    ),
    Move(start=P.SETTLING, end=P.SUCCEEDED, when="blue serves the new revision and green is gone"),
    Move(start=P.RETIRING, end=P.SUCCEEDED, when="green serves alone, and blue has no task or is gone"),
    Move(start=P.PENDING, end=P.ROLLING_BACK, when="rolled back before anything was made"),
    Move(start=P.PREPARING, end=P.ROLLING_BACK, when="rolled back, or green cannot be created"),
    Move(
        start=P.PROVISIONING,
        end=P.ROLLING_BACK,
        when="a gate fails, green does not start, or a person rolls back",
    ),
    Move(
        start=P.SHIFTING,
        end=P.ROLLING_BACK,
        when="a gate fails, a hold lasts too long, or a person rolls back",
    ),
    Move(
        start=P.WATCHING,
        end=P.ROLLING_BACK,
        when="a gate fails, a hold lasts too long, or a person rolls back",
    ),
    Move(start=P.SETTLING, end=P.ROLLING_BACK, when="a person rolls back before green is gone"),
    Move(start=P.RETIRING, end=P.ROLLING_BACK, when="a person rolls back before blue's target groups go"),
    Move(start=P.ROLLING_BACK, end=P.ROLLED_BACK, when="all traffic is on blue and green is gone"),
    *(
        Move(
            start=phase,
            end=P.SETTLING,
            when="the store was put back to an earlier time: blue runs the revision, and green is gone",
        )
        for phase in (P.PREPARING, P.PROVISIONING, P.SHIFTING)
    ),
    *(
        Move(
            start=phase,
            end=P.SUCCEEDED,
            when="the store was put back to an earlier time: green serves in blue's place",
        )
        for phase in (P.PREPARING, P.PROVISIONING, P.SHIFTING, P.WATCHING)
    ),
    *(
        Move(start=phase, end=P.ABANDONED, when="an admin abandons")
        for phase in (
            P.PENDING,
            P.PREPARING,
            P.PROVISIONING,
            P.SHIFTING,
            P.WATCHING,
            P.SETTLING,
            P.RETIRING,
            P.ROLLING_BACK,
        )
    ),
)
LEGAL = frozenset((move.start, move.end) for move in TRANSITIONS)


def mermaid(moves: tuple[Move, ...] = TRANSITIONS) -> str:
    """The state diagram as Mermaid text, one line a move, in the table's order."""
    lines = [f"    {move.start} --> {move.end}: {move.when}" for move in moves]
    ends = [f"    {phase} --> [*]" for phase in Phase if phase.is_final]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {Phase.PENDING}", *lines, *ends])
