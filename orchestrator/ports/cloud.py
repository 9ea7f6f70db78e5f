"""AWS, by what somebody asks of it: the ticks, preflight, the look at a service's traffic, those who look back.

`Cloud` is all of it in one, as the adapter has it.
"""

from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from orchestrator.core.analysis.detectable_regression import Load
from orchestrator.core.cloud.effects import Effect
from orchestrator.core.cloud.resources import Absent
from orchestrator.core.cloud.survey import Survey
from orchestrator.core.ownership.session_policy import Scope
from orchestrator.core.preflight.environment import Groups, Surroundings, SurroundingsNeed
from orchestrator.core.tick.needs import Needs, SurveyNeed
from orchestrator.core.tick.seen import Seen

CloudInAccount = TypeVar("CloudInAccount", covariant=True)


class ByAccount(Protocol[CloudInAccount]):
    """AWS by the aliases of the settings' accounts."""

    def of(self, account: str) -> CloudInAccount:
        """This AWS as the account of this alias; "" is the server's own credentials. Nothing is called yet.

        Raises Invalid for an alias that the settings do not have.
        """
        ...


class AwsTimeSource(Protocol):
    """AWS's time, as its answers tell it."""

    def ahead(self) -> timedelta:
        """How far AWS's clock is ahead of this machine's, as its answers say; nothing until one has come."""
        ...


class ServiceSurvey(Protocol):
    """What a rollout begins from."""

    async def survey(self, need: SurveyNeed) -> Survey:
        """Read blue and everything that carries its traffic; read-only. Raises Outside (Missing: no blue)."""
        ...


class Observer(Protocol):
    """What is there now."""

    async def observe(self, needs: Needs) -> Seen:
        """Read what a tick needs. Never raises Outside: what could not be read is Unread, what is not there Absent."""
        ...


class Performer(Protocol):
    """Writes, one effect at a time."""

    async def perform(self, effect: Effect) -> None:
        """Carry an effect out; twice is once. Raises Outside; after Unreachable its outcome is unknown."""
        ...


class TickCloud(ServiceSurvey, Observer, Protocol):
    """What a tick needs: look, and act within what its rollout may write."""

    def within(self, scope: Scope | None) -> Performer:
        """This AWS for one rollout's effects: AWS itself refuses writes beyond `scope`, where a role is assumed."""
        ...


class PreflightCloud(ServiceSurvey, Protocol):
    """What preflight reads."""

    async def look_around(self, need: SurroundingsNeed, now: datetime) -> Surroundings:
        """Read what preflight alone looks at; read-only. Never raises Outside: what could not be read is Unread."""
        ...


class TrafficCloud(ServiceSurvey, Protocol):
    """What tells how much traffic a service has."""

    async def load(self, groups: Groups, *, period: timedelta, now: datetime) -> Load | Absent:
        """The traffic of the target groups over `load_window`; Absent: none; read-only. Raises Outside."""
        ...


class Cloud(TickCloud, PreflightCloud, TrafficCloud, Performer, AwsTimeSource, Protocol):
    """The whole of it: one account and region."""

    def of(self, account: str) -> "Cloud":
        """As `ByAccount`."""
        ...
