"""What the World tells a data plane, and what it hears from it."""

from datetime import timedelta

from sandbox.ports import (
    ConditionView,
    FixedView,
    ForwardView,
    GroupView,
    ListenerView,
    RedirectView,
    RuleView,
    SignInView,
    TargetView,
)
from sandbox.world.cloudwatch.metrics import Metrics
from sandbox.world.elb import conditions
from sandbox.world.elb.health import Health
from sandbox.world.elb.state import Balancing, Group, Rule
from sandbox.world.kernel.errors import Json


class LiveTraffic:
    """The World's `hands.Traffic`. Views are cached by `route_version`; counts go into the metrics at once."""

    def __init__(self, balancing: Balancing, health: Health, metrics: Metrics) -> None:
        self._all = balancing
        self._health = health
        self._metrics = metrics
        self._views: tuple[int, tuple[ListenerView, ...], dict[str, GroupView]] = (-1, (), {})
        self._turn = 0

    @property
    def route_version(self) -> int:
        """Grows with every change that may show in a view."""
        return self._all.route_version

    def listeners(self) -> tuple[ListenerView, ...]:
        """Every listener with its rules as they are in force."""
        return self._current()[1]

    def groups(self) -> tuple[GroupView, ...]:
        """Every target group."""
        return tuple(self._current()[2].values())

    def group(self, arn: str) -> GroupView:
        """One target group. Raises KeyError for an unknown ARN."""
        return self._current()[2][arn]

    def check_result(self, group: str, host: str, port: int, *, passed: bool, reason: str) -> None:
        """One health check was made; a group that is gone meanwhile is passed over."""
        found = self._all.groups.get(group)
        if found:
            self._health.check(found, host, port, passed=passed, reason=reason)

    def count_routed(self, *, load_balancer: str, group: str, count: int = 1) -> None:
        """`count` requests were sent to targets of the group."""
        if self._all.kernel.settings.requests_count_when_routed:
            self._metrics.add("RequestCount", *self._names(load_balancer, group), count=count)

    def count_answer(
        self, *, load_balancer: str, group: str, status: int, seconds: float, count: int = 1
    ) -> None:
        """`count` requests were answered by targets of the group with this status in this time."""
        balancer, target_group, zone = self._names(load_balancer, group)
        add = self._metrics.add
        self._count_answered_request((balancer, target_group, zone), count)
        add(f"HTTPCode_Target_{status // 100}XX_Count", balancer, target_group, zone, count=count)
        add("TargetResponseTime", balancer, target_group, zone, value=seconds, count=count)

    def count_connection_error(self, *, load_balancer: str, group: str, count: int = 1) -> None:
        """`count` connections to targets could not be made."""
        self._metrics.add("TargetConnectionErrorCount", *self._names(load_balancer, group), count=count)

    def count_unanswered(self, *, load_balancer: str, group: str, status: int, count: int = 1) -> None:
        """`count` requests had a target but no whole answer; the load balancer answered 502 or 504."""
        balancer, target_group, zone = self._names(load_balancer, group)
        self._count_answered_request((balancer, target_group, zone), count)
        self._made_itself(balancer, zone, status, count)

    def count_rejected(self, *, load_balancer: str, status: int, count: int = 1) -> None:
        """`count` requests were answered by the load balancer itself, no target chosen: in no RequestCount."""
        balancer, _, zone = self._names(load_balancer, "")
        self._made_itself(balancer, zone, status, count)

    def count_hosts(self) -> None:
        """Report how many targets each group in use has, healthy and not, in all and by zone."""
        for group in self._all.groups.values():
            user = self._all.load_balancers.get(group.used_by)
            if user is None or not group.targets or group.is_function:
                continue
            for zone in ("", *sorted({target.zone for target in group.targets.values()})):
                states = [t.state for t in group.targets.values() if zone in ("", t.zone)]
                for metric, state in (("HealthyHostCount", "healthy"), ("UnHealthyHostCount", "unhealthy")):
                    self._metrics.add(
                        metric, user.suffix, group.suffix, zone, value=float(states.count(state))
                    )

    def _count_answered_request(self, names: tuple[str, str, str], count: int) -> None:
        if not self._all.kernel.settings.requests_count_when_routed:
            self._metrics.add("RequestCount", *names, count=count)

    def _made_itself(self, balancer: str, zone: str, status: int, count: int) -> None:
        if status < 300:
            return
        self._metrics.add(f"HTTPCode_ELB_{status // 100}XX_Count", balancer, "", zone, count=count)
        if status in (500, 502, 503, 504):
            self._metrics.add(f"HTTPCode_ELB_{status}_Count", balancer, "", zone, count=count)

    def _names(self, load_balancer: str, group: str) -> tuple[str, str, str]:
        """Dimension values; requests come in through the zones in turn."""
        balancer = self._all.load_balancers[load_balancer]
        self._turn += 1
        zone = balancer.zones[self._turn % len(balancer.zones)][0]
        return balancer.suffix, group.rsplit(":", 1)[1] if group else "", zone

    def _current(self) -> tuple[int, tuple[ListenerView, ...], dict[str, GroupView]]:
        if self._views[0] != self._all.route_version:
            shifted = self._all.shifted_zones
            groups = {group.arn: _group(group, shifted) for group in self._all.groups.values()}
            listeners = tuple(
                ListenerView(
                    arn=listener.arn,
                    load_balancer=listener.load_balancer,
                    port=listener.port,
                    rules=tuple(_rule(rule, groups) for rule in listener.in_order() if rule.live),
                )
                for listener in self._all.listeners.values()
            )
            self._views = (self._all.route_version, listeners, groups)
        return self._views


def _group(group: Group, shifted: set[str]) -> GroupView:
    settings = group.settings
    # A zonal shift takes a zone's targets out, unless there are no others (it then has no effect).
    reached = [t for t in group.targets.values() if t.zone not in shifted] or list(group.targets.values())
    if group.is_function:
        function = next((t.host for t in reached if t.state in ("healthy", "unavailable")), "")
        reached = []
    else:
        function = ""
    return GroupView(
        arn=group.arn,
        load_balancer=group.used_by,
        targets=tuple(TargetView(host=t.host, port=t.port, state=t.state) for t in reached),
        check_path=settings["HealthCheckPath"],
        check_interval=timedelta(seconds=settings["HealthCheckIntervalSeconds"]),
        check_timeout=timedelta(seconds=settings["HealthCheckTimeoutSeconds"]),
        check_codes=_codes(settings["Matcher"].get("HttpCode", "200")),
        algorithm=group.attributes.get("load_balancing.algorithm.type", ""),
        function=function,
    )


def _codes(matcher: str) -> frozenset[int]:
    """``200``, ``200,202`` or ``200-299``."""
    codes: set[int] = set()
    for part in matcher.split(","):
        low, _, high = part.partition("-")
        codes.update(range(int(low), int(high or low) + 1))
    return frozenset(codes)


def _rule(rule: Rule, groups: dict[str, GroupView]) -> RuleView:
    return RuleView(
        arn=rule.arn,
        conditions=tuple(
            ConditionView(
                field=condition["Field"],
                values=tuple(conditions.regexes(condition) or conditions.values(condition)),
                is_regex=bool(conditions.regexes(condition)),
                name=condition.get("HttpHeaderConfig", {}).get("HttpHeaderName", ""),
            )
            for condition in rule.conditions_in_force
        ),
        action=_action(rule.in_force[-1], groups),
        sign_in=next((found for action in rule.in_force if (found := _sign_in(action))), None),
    )


def _sign_in(action: Json) -> SignInView | None:
    config: Json = action.get("AuthenticateOidcConfig") or action.get("AuthenticateCognitoConfig") or {}
    if not config:
        return None
    domain = config.get("UserPoolDomain", "")
    host = domain if "." in domain else f"{domain}.auth.amazoncognito.com"
    return SignInView(
        cookie=config["SessionCookieName"],
        location=config.get("AuthorizationEndpoint") or f"https://{host}/oauth2/authorize",
        otherwise=config["OnUnauthenticatedRequest"],
    )


def _action(action: Json, groups: dict[str, GroupView]) -> ForwardView | FixedView | RedirectView:
    if action["Type"] == "forward":
        entries = action["ForwardConfig"]["TargetGroups"]
        weights = tuple((e["TargetGroupArn"], e["Weight"]) for e in entries if e["TargetGroupArn"] in groups)
        sticky = action["ForwardConfig"].get("TargetGroupStickinessConfig") or {}
        seconds = sticky["DurationSeconds"] if sticky.get("Enabled") else 0
        return ForwardView(weights=weights, pins_for=timedelta(seconds=seconds))
    if action["Type"] == "fixed-response":
        config = action["FixedResponseConfig"]
        return FixedView(
            status=int(config["StatusCode"]),
            content_type=config.get("ContentType", "text/plain"),
            body=config.get("MessageBody", ""),
        )
    config = action["RedirectConfig"]
    return RedirectView(
        status=int(config["StatusCode"].removeprefix("HTTP_")),
        protocol=config["Protocol"],
        host=config["Host"],
        port=config["Port"],
        path=config["Path"],
        query=config["Query"],
    )
