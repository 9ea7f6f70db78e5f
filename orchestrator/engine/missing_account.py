"""An account that there is no way to, since the settings no longer have its alias: nothing is seen, nothing done.

A rollout that was started before is held by it, with the reason where people look, until the alias is back.
"""

from datetime import datetime, timedelta
from typing import Self, TypeVar

from orchestrator.core.analysis.detectable_regression import Load
from orchestrator.core.cloud.effects import Effect
from orchestrator.core.cloud.resources import Absent, Unread
from orchestrator.core.cloud.survey import Survey
from orchestrator.core.domain.errors import Denied, Invalid
from orchestrator.core.ownership.session_policy import Scope
from orchestrator.core.preflight.environment import Groups, Surroundings, SurroundingsNeed
from orchestrator.core.tick.needs import Needs, SurveyNeed
from orchestrator.core.tick.seen import Seen
from orchestrator.ports.cloud import ByAccount

OneAccount = TypeVar("OneAccount")


class MissingAccount:
    """A `ports.cloud.Cloud` that answers nothing."""

    def __init__(self, account: str) -> None:
        self._why = Denied(
            what=f'account "{account}"',
            why="it is not in the server's settings any more",
            next_step="add it again, with its role",
        )

    def of(self, account: str) -> Self:
        """As Cloud."""
        return self

    def ahead(self) -> timedelta:
        """As Cloud: nobody answers, so it is not known."""
        return timedelta(0)

    def within(self, scope: Scope | None) -> Self:
        """As Cloud."""
        return self

    async def survey(self, need: SurveyNeed) -> Survey:
        """As Cloud."""
        raise self._why

    async def look_around(self, need: SurroundingsNeed, now: datetime) -> Surroundings:
        """As Cloud: everything is unread."""
        return Surroundings()

    async def load(self, groups: Groups, *, period: timedelta, now: datetime) -> Load | Absent:
        """As Cloud."""
        raise self._why

    async def observe(self, needs: Needs) -> Seen:
        """As Cloud: everything that is asked for is unread."""
        unread = Unread(why=str(self._why))
        return Seen(
            survey=unread if needs.survey else None,
            rules={need.arn: unread for need in needs.rules},
            blue=unread if needs.blue else None,
            green=unread if needs.green else None,
            groups=dict.fromkeys(needs.groups, unread),
            targets=dict.fromkeys(needs.targets, unread),
            scaling=unread if needs.scaling else None,
            alarms=dict.fromkeys(needs.alarms, unread),
            metrics={query.id: unread for query in needs.metrics.queries} if needs.metrics else {},
        )

    async def perform(self, effect: Effect) -> None:
        """As Cloud."""
        raise self._why


def cloud_of(cloud: ByAccount[OneAccount], account: str) -> OneAccount | MissingAccount:
    """The cloud as this account, or one that is shut where the settings do not have it."""
    try:
        return cloud.of(account)
    except Invalid:
        return MissingAccount(account)
