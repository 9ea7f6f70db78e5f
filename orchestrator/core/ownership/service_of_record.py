"""Which ECS service is the service of record: the one the team named, or a green that stayed in its place."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.core.domain.phases import Phase

if TYPE_CHECKING:
    from orchestrator.core.rollout.rollout import Rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class Serves:
    """The service of record as a rollout leaves it, or finds it."""

    name: str
    arn: str
    task_definition: str
    groups: tuple[str, ...]  # its target groups, by ARN
    before: str = ""  # the service whose place it took; empty: it was there before
    is_before_kept: bool = False  # that one is still there, without tasks


def serves(row: "Rollout") -> Serves | None:
    """Who serves as far as this rollout knows; None: it was abandoned, or has not read blue.

    Until its rules have their final lists an active rollout's blue is the service of record, whatever green's weight.
    """
    if row.blue is None or row.green is None or row.phase is Phase.ABANDONED:
        return None
    retirement = row.retirement
    is_back = row.phase in (Phase.ROLLING_BACK, Phase.ROLLED_BACK)
    if retirement is not None and retirement.swapped_at is not None and not is_back:
        return Serves(
            name=row.green.name,
            arn=row.green.arn,
            task_definition=row.green.task_definition,
            groups=tuple(dict.fromkeys(pair.green or "" for pair in row.pairs)),
            before=row.blue.name,
            is_before_kept=not (retirement.is_gone or retirement.is_deleting),
        )
    took_over = row.phase is Phase.SUCCEEDED
    return Serves(
        name=row.blue.name,
        arn=row.blue.arn,
        task_definition=row.green.for_blue if took_over else row.blue.former,
        groups=tuple(dict.fromkeys(pair.blue for pair in row.pairs)),
    )
