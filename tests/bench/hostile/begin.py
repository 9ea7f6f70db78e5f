"""Start rollouts beside a server, past its doors: ``python -m tests.bench.hostile.begin SERVICE REVISION …``.

Doors start few in a row, since they have a small part of what AWS answers; a table of cells needs hundreds.
"""

import asyncio
import sys

from orchestrator.aws.client.rate_limits import Share
from orchestrator.aws.session import open_cloud
from orchestrator.bootstrap import SystemClock, open_store
from orchestrator.config.rollout_file.load import load_text
from orchestrator.core.domain.commands import Actor
from orchestrator.engine import commands
from tests.bench.hostile.wide_buckets import widen

FILE = """
service: prod/{service}
revision: {{task_definition: "{revision}"}}
metrics: {{period: 60s}}
plan: [{{weight: 50, bake: 1h}}, {{weight: 100, bake: 1h}}]
"""


async def main(*names: str) -> None:
    """Start a rollout of each service to its revision."""
    widen()
    author, clock = Actor(name="bench"), SystemClock()
    async with open_store() as store, open_cloud(share=Share(patience=60)) as cloud:
        for service, revision in zip(names[::2], names[1::2], strict=True):
            spec = load_text(FILE.format(service=service, revision=revision))
            await commands.start(spec, author=author, key=service, store=store, cloud=cloud, clock=clock)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
