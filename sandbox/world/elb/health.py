"""Targets and their health, as the load balancer sees it.

Sources: "Health checks for Application Load Balancer target groups" (states; one passed check is enough for a new
target), "Target group attributes" (deregistration delay).
"""

from collections.abc import Callable

from sandbox.world.elb.state import Balancing, Group, Target
from sandbox.world.kernel.errors import Json

_WHY = {
    "Elb.RegistrationInProgress": "Target registration is in progress",
    "Elb.InitialHealthChecking": "Initial health checks in progress",
    "Target.Timeout": "Request timed out",
    "Target.FailedHealthChecks": "Health checks failed",
    "Target.ResponseCodeMismatch": "Health checks failed with these codes: [503]",
    "Target.NotInUse": "Target group is not configured to receive traffic from the load balancer",
    "Target.DeregistrationInProgress": "Target deregistration is in progress",
    "Target.HealthCheckDisabled": "Health checks are not enabled for this target",
    "": "",
}
NO_OVERRIDE = {
    "State": "no_override",
    "Reason": "AdministrativeOverride.NoOverride",
    "Description": "No override is currently active on target",
}
SHIFTED = {
    "State": "zonal_shift_active",
    "Reason": "AdministrativeOverride.ZonalShiftActive",
    "Description": "Zonal shift is currently active on target",
}


class Health:
    """Registers, judges and drains targets; tells ECS of each change of a state."""

    def __init__(self, balancing: Balancing) -> None:
        self._all = balancing
        self.on_change: list[Callable[[Group, Target], None]] = []
        """Called after a target's state has changed, and when it is gone (state "gone")."""
        self.on_watch: Callable[[Group, Target], None] | None = None
        """Called when a target's checks begin anew; None while somebody outside makes the checks."""

    def register(self, group: Group, host: str, port: int, *, zone: str, owner: str) -> None:
        """Register a target; one that is draining comes back as new."""
        former = group.targets.get((host, port))
        if former and former.leaving:
            former.leaving.cancel()
        target = Target(host=host, port=port, zone=zone, owner=owner, registered=self._all.kernel.now)
        group.targets[(host, port)] = target
        self._begin(group, target)

    def deregister(self, group: Group, host: str, port: int, then: Callable[[], None] | None = None) -> None:
        """Drain a target for the group's delay, then forget it and call `then` (at once if it is not there)."""
        target = group.targets.get((host, port))
        if target is None:
            if then:
                then()
            return
        if target.leaving:
            if then:
                self._all.kernel.at(target.leaving.at, then)
            return
        used = target.state != "unused"
        self._set(group, target, "draining", "Target.DeregistrationInProgress")
        delay = group.draining if used else group.draining * 0

        def gone() -> None:
            if group.targets.get((host, port)) is target:
                del group.targets[(host, port)]
            target.state = "gone"
            self._changed(group, target)
            if then:
                then()

        target.leaving = self._all.kernel.after(delay, gone)

    def zones(self) -> tuple[str, ...]:
        """The zones in which this account's load balancers, and so its tasks, are."""
        region = self._all.kernel.region
        balancer = next(iter(self._all.load_balancers.values()), None)
        return tuple(zone for zone, _ in balancer.zones) if balancer else (f"{region}a", f"{region}b")

    def shift(self, zone: str) -> None:
        """Begin a zonal shift: the load balancer sends nothing to targets in this zone, as far as it has others."""
        self._all.shifted_zones.add(zone)
        self._all.routes_changed()

    def end_shift(self, zone: str) -> None:
        """End it."""
        self._all.shifted_zones.discard(zone)
        self._all.routes_changed()

    def groups_with(self, host: str, port: int) -> list[Group]:
        """The groups in which a target is registered."""
        return [group for group in self._all.groups.values() if (host, port) in group.targets]

    def attached(self, group: Group) -> None:
        """The group is in a rule now: its targets are checked from the beginning."""
        for target in list(group.targets.values()):
            if not target.leaving:
                self._begin(group, target)
        self._all.routes_changed()

    def detached(self, group: Group) -> None:
        """The group is in no rule any more: its targets are unused."""
        for target in list(group.targets.values()):
            if not target.leaving:
                self._set(group, target, "unused", "Target.NotInUse")
        self._all.routes_changed()

    def dropped(self, group: Group) -> None:
        """The group is deleted: what drains is gone at once, and whoever waits for it hears so."""
        for target in list(group.targets.values()):
            if target.leaving and target.leaving.run:
                run = target.leaving.run
                target.leaving.cancel()
                run()
        self._all.routes_changed()

    def check(self, group: Group, host: str, port: int, *, passed: bool, reason: str) -> None:
        """Count one health check and draw the consequence. Unknown, draining and unused targets are not judged."""
        target = group.targets.get((host, port))
        if target is None or target.state in ("draining", "unused", "unavailable"):
            return
        if passed:
            target.good, target.bad = target.good + 1, 0
            needed = 1 if target.state == "initial" else group.settings["HealthyThresholdCount"]
            if target.state != "healthy" and target.good >= needed:
                self._set(group, target, "healthy", "")
            return
        target.good, target.bad = 0, target.bad + 1
        if target.state != "unhealthy" and target.bad >= group.settings["UnhealthyThresholdCount"]:
            self._set(group, target, "unhealthy", reason or "Target.FailedHealthChecks")

    def _begin(self, group: Group, target: Target) -> None:
        target.good = target.bad = 0
        balancer = self._all.load_balancers.get(group.used_by)
        if balancer is None or (target.zone and target.zone not in dict(balancer.zones)):
            # In no rule, or in a zone that is not enabled for the load balancer: AWS gives both the same reason.
            self._set(group, target, "unused", "Target.NotInUse")
        elif not group.settings["HealthCheckEnabled"]:
            self._set(group, target, "unavailable", "Target.HealthCheckDisabled")
        elif group.is_function:
            self._set(group, target, "healthy", "")
        else:
            self._set(group, target, "initial", "Elb.RegistrationInProgress")
            if self.on_watch:
                self.on_watch(group, target)

    def _set(self, group: Group, target: Target, state: str, reason: str) -> None:
        target.state, target.reason, target.description = (
            state,
            reason,
            _WHY.get(reason, "Health checks failed"),
        )
        self._changed(group, target)

    def _changed(self, group: Group, target: Target) -> None:
        self._all.routes_changed()
        for tell in self.on_change:
            tell(group, target)


def view(group: Group, target: Target, *, is_shifted: bool = False) -> Json:
    """A target as DescribeTargetHealth shows it."""
    health: Json = {"State": target.state}
    if target.reason:
        health |= {"Reason": target.reason, "Description": target.description}
    if group.is_function:
        return {"Target": {"Id": target.host, "AvailabilityZone": "all"}, "TargetHealth": health}
    return {
        "Target": {"Id": target.host, "Port": target.port, "AvailabilityZone": target.zone},
        "HealthCheckPort": str(
            target.port
            if group.settings["HealthCheckPort"] == "traffic-port"
            else group.settings["HealthCheckPort"]
        ),
        "TargetHealth": health,
        "AdministrativeOverride": SHIFTED if is_shifted else NO_OVERRIDE,
    }
