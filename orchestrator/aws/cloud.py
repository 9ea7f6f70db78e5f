"""``ports.cloud.Cloud`` on AWS: looks by batched reads, acts by one effect at a time."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from orchestrator.aws.break_glass import AwsDirect
from orchestrator.aws.client.accounts import Accounts, unknown
from orchestrator.aws.client.call import Caller
from orchestrator.aws.client.clock_skew import Skew
from orchestrator.aws.client.rate_limits import waiting_for
from orchestrator.aws.preflight import cloudwatch
from orchestrator.aws.preflight.for_init import AwsScout
from orchestrator.aws.preflight.look_around import look_around
from orchestrator.aws.reads.observe import observe
from orchestrator.aws.reads.shared_reads import Reads
from orchestrator.aws.reads.survey import survey
from orchestrator.aws.services import autoscaling, ecs, elbv2, scaling_alarms, task_definitions
from orchestrator.core.analysis.detectable_regression import Load
from orchestrator.core.cloud import effects
from orchestrator.core.cloud.effects import Effect
from orchestrator.core.cloud.resources import Absent, Unread
from orchestrator.core.cloud.survey import Survey
from orchestrator.core.domain.errors import Throttled, Unreachable
from orchestrator.core.domain.tags import FORMER
from orchestrator.core.ownership.session_policy import Scope
from orchestrator.core.preflight.environment import Groups, Surroundings, SurroundingsNeed
from orchestrator.core.tick.needs import Needs, SurveyNeed
from orchestrator.core.tick.seen import Seen

OTHERS_FIRST = "other rollouts are being read first"
SURVEY_PATIENCE_SECONDS, LOOK_PATIENCE_SECONDS = 6.0, 3.0  # for each token, of what waited its turn


class AwsCloud:
    """One account and region of AWS, whatever carries the calls."""

    def __init__(
        self,
        call: Caller,
        *,
        region: str,
        accounts: Accounts | None = None,
        window: float = 0.0,
        shared: dict[Caller, Reads] | None = None,
        skew: Skew | None = None,
        account: str = "",
        writes: Caller | None = None,
    ) -> None:
        """`window`: seconds for which a tick's reads wait for those of others. `shared`: what is read together.

        `account`: its alias. `writes`: what carries the effects; None: what carries the reads.
        """
        self._call = call
        self._account = account
        self._writes = writes or call
        self._region = region
        self._accounts = accounts
        self._skew = skew or Skew()
        self._window = window
        self._shared = {} if shared is None else shared
        self._reads = self._shared.setdefault(call, Reads(call, window=window))

    def of(self, account: str) -> "AwsCloud":
        """This AWS as the account of an alias. Raises Invalid for one that the settings do not have."""
        if not account:
            return self
        if self._accounts is None:
            raise unknown(account, ())
        call, region = self._accounts.caller(account)
        return AwsCloud(
            call,
            region=region,
            accounts=self._accounts,
            window=self._window,
            shared=self._shared,
            skew=self._skew,
            account=account,
        )

    def ahead(self) -> timedelta:
        """How far AWS's clock is ahead of this machine's."""
        return self._skew.ahead

    def within(self, scope: Scope | None) -> "AwsCloud":
        """This AWS, writing under a session policy where it is an account whose role is assumed; it reads as before."""
        if scope is None or self._accounts is None or not self._account:
            return self
        writes = self._accounts.confined(self._account, scope)
        if writes is None:
            return self
        return AwsCloud(
            self._call,
            region=self._region,
            accounts=self._accounts,
            window=self._window,
            shared=self._shared,
            skew=self._skew,
            account=self._account,
            writes=writes,
        )

    def direct(self) -> AwsDirect:
        """The same AWS for a rollback without server, store or file."""
        return AwsDirect(self._call, self.perform)

    def scout(self) -> AwsScout:
        """The same AWS for writing a rollout file from what runs."""
        return AwsScout(self._call)

    async def look_around(self, need: SurroundingsNeed, now: datetime) -> Surroundings:
        """Read what preflight looks at beside the survey; what could not be read is Unread."""
        found = await look_around(self._call, self._region, need, now)
        return replace(found, ahead=self.ahead())

    async def load(self, groups: Groups, *, period: timedelta, now: datetime) -> Load | Absent:
        """The traffic of the target groups in the last hour, as preflight reads it. Raises Outside."""
        return await cloudwatch.load(self._call, groups, period=period, now=now)

    async def survey(self, need: SurveyNeed) -> Survey:
        """Read blue and everything that carries its traffic. Raises Outside (Missing: no blue).

        It waits its turn, and for its tokens. Raises Throttled if others are read first for too long.
        """
        try:
            async with self._reads.turn() as is_mine:
                if not is_mine:
                    raise Throttled(
                        what=f"the survey of {need.cluster}/{need.service}",
                        why=OTHERS_FIRST,
                        next_step="Teal tries again; nothing needs to be done",
                    )
                with waiting_for(SURVEY_PATIENCE_SECONDS):
                    return await survey(self._call, self._region, need)
        except (LookupError, TypeError, ValueError) as error:
            raise Unreachable(
                what=f"the survey of {need.cluster}/{need.service}",
                why=f"AWS's answer cannot be understood: {type(error).__name__} {error}",
                next_step="try again; check AWS_ENDPOINT_URL",
            ) from error

    async def observe(self, needs: Needs) -> Seen:
        """Read what a tick needs; what could not be read is Unread, what is not there Absent.

        What `may_wait` waits its turn; where that does not come in time nothing was looked at.
        """
        if not needs.may_wait:
            return await observe(self._call, self._region, needs, self._reads)
        async with self._reads.turn() as is_mine:
            if not is_mine:
                return Seen(rules={rule.arn: Unread(why=OTHERS_FIRST) for rule in needs.rules})
            with waiting_for(LOOK_PATIENCE_SECONDS):
                return await observe(self._call, self._region, needs, self._reads)

    async def perform(self, effect: Effect) -> None:  # noqa: C901, PLR0912 - one case an effect
        """Carry an effect out. Raises Outside; after Unreachable its outcome is unknown until the next look."""
        call = self._writes
        match effect:
            case effects.WriteRule():
                await elbv2.write_rule(call, effect, self._reads.rules)
            case effects.CreateTargetGroup():
                await elbv2.create_group(call, effect)
            case effects.ConfigureTargetGroup():
                await elbv2.configure_group(call, effect)
            case effects.RegisterRevision():
                await task_definitions.register(call, effect)
            case effects.DeregisterRevision():
                await task_definitions.deregister(call, effect)
            case effects.CreateService():
                await ecs.create_service(call, effect)
            case effects.ScaleService():
                await ecs.scale_service(call, effect)
            case effects.UpdateService():
                await ecs.update_service(call, effect)
            case effects.RestoreDeploymentConfiguration():
                await ecs.restore_configuration(call, effect)
            case effects.TagFormer():
                await ecs.tag(call, effect.service, ((FORMER, effect.former),))
                await elbv2.tag(call, effect.groups, ((FORMER, effect.former),))
            case effects.PutTags():
                await ecs.tag(call, effect.service, effect.tags)
                await elbv2.tag(call, effect.groups, effect.tags)
            case effects.RemoveTags():
                await ecs.untag(call, effect)
            case effects.SetScaling():
                await autoscaling.set_scaling(call, effect)
            case effects.PutScalingPolicy():
                await autoscaling.put_policy(call, effect)
            case effects.PutScheduledAction():
                await autoscaling.put_action(call, effect)
            case effects.PutAlarm():
                await scaling_alarms.put_alarm(call, effect)
            case effects.DeregisterScaling():
                await autoscaling.deregister(call, effect)
            case effects.DeleteAlarms():
                await scaling_alarms.delete_alarms(call, effect)
            case effects.DeleteService():
                await ecs.delete_service(call, effect)
            case effects.DeleteTargetGroup():
                await elbv2.delete_group(call, effect)
            case never:
                assert_never(never)
