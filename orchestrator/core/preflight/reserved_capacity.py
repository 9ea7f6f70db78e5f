"""What active rollouts will still take: room that AWS does not count yet, and that a second rollout cannot have.

Preflight alone is a race (two rollouts that start in one minute both see the same free room), so what others have
been promised is taken off what AWS says is free.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.core.domain.ids import LoadBalancerArn
from orchestrator.core.domain.phases import Phase
from orchestrator.core.preflight.environment import fargate_kinds
from orchestrator.core.rollout.rollout import Rollout

_COMING = frozenset({Phase.PREPARING, Phase.PROVISIONING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """Room promised to other rollouts. `unknown`: those that have not looked yet, and so have nothing promised."""

    rollouts: tuple[str, ...] = ()
    groups: Mapping[LoadBalancerArn, int] = field(default_factory=dict)
    targets: Mapping[LoadBalancerArn, int] = field(default_factory=dict)
    tasks: Mapping[str, int] = field(
        default_factory=dict
    )  # by subnet: each task takes an address of one of them
    vcpu: Mapping[str, float] = field(default_factory=dict)  # by Fargate's capacity: FARGATE, FARGATE_SPOT
    unknown: tuple[str, ...] = ()

    def tasks_in(self, subnets: Iterable[str]) -> int:
        """Tasks that may take an address of these subnets."""
        return max((self.tasks.get(subnet, 0) for subnet in subnets), default=0)


def reserved(rollouts: Iterable[Rollout], *, account: str, service: str) -> Reserved:
    """What the active rollouts of other services in an account (its alias) will still take."""
    others = [row for row in rollouts if row.spec.account == account and str(row.spec.service) != service]
    groups: dict[LoadBalancerArn, int] = {}
    targets: dict[LoadBalancerArn, int] = {}
    tasks: dict[str, int] = {}
    vcpu: dict[str, float] = {}
    for row in others:
        coming = row.green.desired if row.green is not None and row.phase in _COMING else 0
        for pair in row.pairs:
            groups[pair.load_balancer] = groups.get(pair.load_balancer, 0) + (
                pair.green is None and not pair.is_deleted
            )
            targets[pair.load_balancer] = targets.get(pair.load_balancer, 0) + coming
        for subnet in _subnets(row):
            tasks[subnet] = tasks.get(subnet, 0) + coming
        for kind in _kinds(row):
            each = row.green.vcpu if row.green is not None else 0.0
            vcpu[kind] = vcpu.get(kind, 0.0) + coming * each
    return Reserved(
        rollouts=tuple(row.id for row in others if row.phase in _COMING),
        groups=groups,
        targets=targets,
        tasks=tasks,
        vcpu=vcpu,
        unknown=tuple(row.id for row in others if row.blue is None),
    )


def _kinds(row: Rollout) -> frozenset[str]:
    """Fargate's capacities that green's tasks may be placed on."""
    return fargate_kinds(json.loads(row.blue.template)) if row.blue is not None else frozenset()


def _subnets(row: Rollout) -> tuple[str, ...]:
    if row.blue is None:
        return ()
    network = json.loads(row.blue.template).get("networkConfiguration") or {}
    return tuple((network.get("awsvpcConfiguration") or {}).get("subnets", ()))
