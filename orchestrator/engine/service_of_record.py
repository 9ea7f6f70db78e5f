"""Which ECS service a service of record is by now, as the store knows it. AWS is asked whether that is still so."""

from orchestrator.core.domain.phases import Phase
from orchestrator.core.ownership.service_of_record import serves
from orchestrator.ports.rollouts import Filter, RolloutPages

A_PAGE = 50


async def known(store: RolloutPages, service: str) -> str:
    """The name of the ECS service that serves; empty: no rollout knows, since there was none, or one was abandoned."""
    cursor = ""
    while True:
        page, cursor = await store.list(Filter(service=service), before=cursor, limit=A_PAGE)
        for stored in page:
            if stored.rollout.phase is Phase.ABANDONED and stored.rollout.blue is not None:
                return ""
            found = serves(stored.rollout)
            if found is not None:
                return found.name
        if not cursor:
            return ""
