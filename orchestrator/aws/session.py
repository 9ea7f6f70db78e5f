"""Opens AWS from the environment, as every AWS tool does: credentials, region and endpoint by botocore's own rules."""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import botocore
import botocore.session
from botocore.exceptions import BotoCoreError

from orchestrator.aws.client.accounts import Accounts, Open
from orchestrator.aws.client.batching import WINDOW
from orchestrator.aws.client.botocore import open_wire
from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.clock_skew import Skew
from orchestrator.aws.client.errors import CREDENTIALS_ADVICE
from orchestrator.aws.client.rate_limits import ALONE, Limits, Share
from orchestrator.aws.client.transport import Transport
from orchestrator.aws.cloud import AwsCloud
from orchestrator.core.domain.errors import Denied, Refused
from orchestrator.settings import Account

BOTOCORE_FLOOR = (1, 43, 115)
"""Older models lack members that AWS answers with, and drop them: a rule read and written back would lose them."""


@asynccontextmanager
async def open_cloud(
    region: str | None = None,
    *,
    accounts: Sequence[Account] = (),
    open_transport: Open | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    through: Callable[[Transport], Transport] = lambda transport: transport,
    share: Share = ALONE,
) -> AsyncIterator[AwsCloud]:
    """AWS with the environment's credentials, for as long as the context lasts; nothing is called yet.

    `region` None: the environment's. `accounts`: those that `AwsCloud.of` knows. `open_transport` None: real clients.
    `through`: what every call with the environment's own credentials goes through besides. `share`: how much of AWS's
    buckets this process allows itself.
    Raises Denied if no region or a broken configuration is found, Refused if the installed botocore is too old.
    Missing credentials show as Denied on the first call.
    """
    check_botocore(botocore.__version__)
    where = region or region_of_environment()
    skew = Skew(now)
    opens = open_transport or (lambda region, role: open_wire(region, role=role, heard=skew.hear))
    async with AsyncExitStack() as stack:
        limits = Limits(share)
        own = Caller(through(await stack.enter_async_context(opens(where, None))), limits=limits)
        known = Accounts(
            accounts, own=own, region=where, limits=limits, open_transport=opens, stack=stack, now=now
        )
        yield AwsCloud(own, region=where, accounts=known, window=WINDOW, skew=skew)


def check_botocore(version: str) -> None:
    """Raises Refused if botocore's models are older than the floor."""
    floor = ".".join(str(part) for part in BOTOCORE_FLOOR)
    if tuple(int(part) for part in version.split(".")[:3]) < BOTOCORE_FLOOR:
        raise Refused(
            what=f"botocore {version} is too old",
            why="its models drop parts of AWS's answers, which a write would then delete",
            next_step=f"install botocore {floor} or newer",
        )


def region_of_environment() -> str:
    """The region that the environment or its profile names. Raises Denied if there is none."""
    try:
        found = os.environ.get("AWS_REGION") or botocore.session.Session().get_config_variable("region")
    except BotoCoreError as error:
        raise Denied(what="AWS's configuration", why=str(error), next_step=CREDENTIALS_ADVICE) from error
    if not found:
        raise Denied(
            what="no AWS region",
            why="neither AWS_REGION, AWS_DEFAULT_REGION nor the profile names one",
            next_step="set AWS_DEFAULT_REGION to the region of the service",
        )
    return str(found)
