"""What a tick sends to addresses of the rollout file, beside its look at AWS: a probe's batch, webhooks' questions."""

import asyncio
from collections.abc import Mapping

from orchestrator.core.cloud.probes_and_webhooks import HookSeen, HookTrouble, ProbeSeen
from orchestrator.core.cloud.resources import Unread
from orchestrator.core.tick.needs import Needs
from orchestrator.ports.outbound import OutboundCalls

NOBODY = "this process sends no requests to addresses of rollout files"


async def probe_and_ask(
    outward: OutboundCalls | None, needs: Needs
) -> tuple[ProbeSeen | Unread | None, Mapping[str, HookSeen]]:
    """The probe's batch and the webhooks' answers, all side by side; a webhook still at work is left out."""
    if needs.probe is None and not needs.hooks:
        return None, {}
    if outward is None:
        trouble = HookTrouble(why=NOBODY)
        return (Unread(why=NOBODY) if needs.probe else None), dict.fromkeys(
            (n.key for n in needs.hooks), trouble
        )
    async with asyncio.TaskGroup() as group:
        probed = group.create_task(outward.probe(needs.probe)) if needs.probe else None
        asked = {need.key: group.create_task(outward.ask(need)) for need in needs.hooks}
    answers = {key: seen for key, task in asked.items() if (seen := task.result()) is not None}
    return (probed.result() if probed else None), answers
