"""Is this machine's clock right? AWS's answers say what time it is there."""

from collections.abc import Iterator
from datetime import timedelta

from orchestrator.core.cloud.clock_skew import REFUSE_OVER, WARN_OVER
from orchestrator.core.cloud.survey import Finding
from orchestrator.core.domain.text import span
from orchestrator.preflight.findings import error, warning

SET_IT = "set this machine's clock, and have it kept right (chrony, systemd-timesyncd)"


def look(ahead: timedelta) -> Iterator[Finding]:
    """What speaks against this machine's clock, given how far AWS's is ahead of it."""
    if abs(ahead) <= WARN_OVER:
        return
    what = (
        f"this machine's clock is {span(abs(ahead))} {'behind' if ahead > timedelta(0) else 'ahead of'} AWS's"
    )
    if abs(ahead) > REFUSE_OVER:
        why = "AWS refuses calls whose signature is five minutes off: nothing could be done any more, nor taken back"
        yield error("clock-far-off", what, why, SET_IT)
    else:
        why = "AWS's time is used instead; once it is five minutes off AWS refuses every call"
        yield warning("clock-off", what, why, SET_IT)
