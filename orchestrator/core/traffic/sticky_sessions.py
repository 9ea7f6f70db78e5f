"""Users whom a cookie keeps on a target group: how many there are, and how long they are waited for.

Group stickiness weakens a weight: who has the cookie of a colour goes on using it, at weight 0 too, until the
cookie ends or the group leaves the rule. So a rollback takes green out of the rule, and what comes after a colour's
last weight waits (`sticky: wait`) until nobody uses the colour any more. Source: "Target group stickiness" and
"Sticky sessions" of the Elastic Load Balancing guide.
"""

from datetime import datetime

from orchestrator.core.analysis import intervals
from orchestrator.core.analysis.measured_share import measured
from orchestrator.core.cloud.resources import MetricQuery, Series, Unread
from orchestrator.core.gates.scene import Colour, first_whole, floor_to
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.rule_lists import life
from orchestrator.core.rollout.spec import Sticky
from orchestrator.core.tick.draft import Draft
from orchestrator.core.tick.needs import MetricsNeed

UNREAD_PERIODS = 3  # so long CloudWatch is waited for, where the rules say already that nobody can be left


def in_words(row: Rollout) -> str:
    """How far what the colours get differs from the weights, and why, in words; empty where chance explains it."""
    share = measured(row)
    return f"; {share.words}" if share and share.words else ""


def still_on(draft: Draft, colour: Colour, *, since: datetime, until: datetime | None = None) -> str:
    """Who still uses a colour that has weight 0, in words, while they are to be waited for; empty: go on.

    `since`: the weight was read back. `until`: the wait ends then even if cookies live on.
    """
    row, lasts = draft.row, life(draft.row)
    end = min(since + lasts, until or since + lasts)
    if not lasts or row.spec.sticky is Sticky.CUT or draft.now >= end:
        return ""
    newest = next(iter(intervals.at_weight(row)[-1:]), None)
    on, other = (newest.of(colour), newest.of(colour.other)) if newest else (None, None)
    if newest is not None and other is not None and not (on and on.requests):
        return ""
    draft.wake_by(min(end, draft.next_look))
    count = f"{on.requests} requests in the last period" if on else "how many is not known yet"
    return f"users whom cookies keep on {colour} ({count}), until {end:%H:%M:%S}Z at the longest"


def need(row: Rollout, now: datetime) -> MetricsNeed | None:
    """Green's requests since no cookie leads to it any more."""
    if row.way_out.unpinned_at is None or row.green is None or row.green.is_gone:
        return None
    start, end = (
        first_whole(row.way_out.unpinned_at, row.spec.metrics.period),
        floor_to(now, row.spec.metrics.period),
    )
    return MetricsNeed(queries=_requests(row), start=start, end=end) if end > start else None


def _requests(row: Rollout) -> tuple[MetricQuery, ...]:
    return tuple(
        query
        for query in intervals.queries(row)
        if query.metric == intervals.METRICS["requests"] and query.id.startswith(Colour.GREEN)
    )


def not_quiet(draft: Draft) -> str:
    """What green's tasks are still kept for once every rule is without it, in words; empty: nobody uses them."""
    row, metrics = draft.row, draft.row.spec.metrics
    if row.way_out.unpinned_at is None or not any(any(rule.intended) for rule in row.rules):
        return ""
    known_at = first_whole(row.way_out.unpinned_at, metrics.period) + metrics.period + metrics.lag
    if draft.now < known_at:
        draft.wake_by(known_at)
        return "a whole period in which no cookie leads to green"
    series = [draft.seen.metrics.get(query.id) for query in _requests(row)]
    read = [one for one in series if one is not None and not isinstance(one, Unread)]
    if len(read) < len(series):
        is_over = draft.now >= known_at + UNREAD_PERIODS * metrics.period
        return "" if is_over else "CloudWatch to say that nobody uses green any more"
    count = _count(read, floor_to(draft.now - metrics.lag, metrics.period) - metrics.period)
    if not count or draft.now >= row.way_out.unpinned_at + life(row) + metrics.lag:
        return ""
    draft.wake_by(draft.now + metrics.period)
    return f"the last users of green: {count} requests in its last period"


def _count(series: list[Series], start: datetime) -> int:
    return round(sum(value for one in series for at, value in one if at == start))
