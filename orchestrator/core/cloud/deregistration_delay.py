"""How long a target group lets its targets finish what they answer, by what differs from a new group's defaults.

Source: "Target group attributes" of the Elastic Load Balancing guide.
"""

import json
from collections.abc import Iterable
from datetime import timedelta

from orchestrator.core.domain.ids import Json

DELAY = "deregistration_delay.timeout_seconds"
DELAY_SECONDS = 300  # unless a target group says otherwise


def longest_delay(attributes: Iterable[Json]) -> timedelta:
    """The longest deregistration delay of some target groups, by what differs from a new group's defaults."""
    delays = [int(json.loads(one).get(DELAY, DELAY_SECONDS)) for one in attributes]
    return timedelta(seconds=max(delays, default=DELAY_SECONDS))
