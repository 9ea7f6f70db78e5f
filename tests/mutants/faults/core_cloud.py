"""Faults in core/cloud: what AWS shows, and what is asked of it."""

from tests.mutants.fault import Fault

EFFECTS = "orchestrator/core/cloud/effects.py"
READINESS = "orchestrator/core/cloud/readiness.py"
STOP_CAUSES = "orchestrator/core/cloud/stop_causes.py"
FORWARD_ACTION = "orchestrator/core/cloud/forward_action.py"

BY_PROVISIONING = "tests/core/phases/test_provisioning.py"
BY_ROLLING_BACK = "tests/core/phases/test_rolling_back.py"
BY_SCALING = "tests/engine/test_scaling.py"
BY_READINESS = "tests/core/cloud/test_readiness.py"
BY_STOP_CAUSES = "tests/core/cloud/test_stop_causes.py"
BY_FORWARD_ACTION = "tests/core/cloud/test_forward_action.py"

FAULTS = (
    Fault(
        name="a late creation may stay",
        file=EFFECTS,
        text=(
            "case CreateTargetGroup() | RegisterRevision() | CreateService() | UpdateService():\n"
            "            return True"
        ),
        instead=(
            "case CreateTargetGroup() | RegisterRevision() | CreateService() | UpdateService():\n"
            "            return False"
        ),
        breaks="No rollout ends while what it created may still come.",
        caught_by=(
            f"{BY_PROVISIONING}::test_green_is_made_as_large_as_blue_is_now_and_asked_for_again_with_the_same_size",
        ),
    ),
    Fault(
        name="no write is to safety",
        file=EFFECTS,
        text="return isinstance(effect, WriteRule) and effect.to_safety",
        instead="return isinstance(effect, WriteRule) and effect.to_safety and effect.is_default",
        breaks="Writes that take traffic off green go first.",
        caught_by=(f"{BY_ROLLING_BACK}::test_a_write_to_safety_is_asked_for_in_every_tick_until_it_is_seen",),
    ),
    Fault(
        name="two writes of one scalable target",
        file=EFFECTS,
        text=('            return f"{effect.cluster} {effect.service}"\n        case _:'),
        instead=('            return ""\n        case _:'),
        breaks="A scalable target takes one write at a time.",
        caught_by=(f"{BY_SCALING}::test_a_scalable_target_is_written_once_at_a_time",),
    ),
    Fault(
        name="a failed deployment is steady",
        file=READINESS,
        text='if primary.rollout_state != "COMPLETED":',
        instead='if primary.rollout_state == "IN_PROGRESS":',
        breaks="A service is steady once ECS says that its deployment is completed.",
        caught_by=(f"{BY_READINESS}::test_a_service_that_lacks_anything_is_not_ready",),
    ),
    Fault(
        name="a blue of half the tasks could take all",
        file=READINESS,
        text="if service.desired < needed:",
        instead="if service.desired < needed // 2:",
        breaks="Blue could take all traffic only with as many tasks as that needs.",
        caught_by=(f"{BY_READINESS}::test_a_colour_that_lacks_anything_could_not_take_everything",),
    ),
    Fault(
        name="initial targets are healthy",
        file=READINESS,
        text="                if seen.initial:\n",
        instead="                if seen.initial and not seen.healthy:\n",
        breaks="A target in its first health check is not healthy yet.",
        caught_by=(f"{BY_READINESS}::test_every_group_must_hold_as_many_healthy_targets_as_tasks",),
    ),
    Fault(
        name="target health that was not read is good",
        file=READINESS,
        text='                return f"target health could not be read: {why}"',
        instead="                continue",
        breaks="Targets whose health could not be read are not healthy.",
        caught_by=(f"{BY_READINESS}::test_every_group_must_hold_as_many_healthy_targets_as_tasks",),
    ),
    Fault(
        name="failed health checks are nobody's doing",
        file=STOP_CAUSES,
        text=(
            "    if reason.startswith(OWN_BEGIN) or any(words in reason for words in OWN_HOLD):\n"
            "        return Cause.OWN\n"
        ),
        instead="",
        breaks="A task that is replaced because it failed health checks is its own doing.",
        caught_by=(
            f"{BY_STOP_CAUSES}::test_a_stop_is_judged_by_its_reason_where_its_code_says_no_more_than_that_ecs_did_it",
        ),
    ),
    Fault(
        name="a reclaimed machine is the task's",
        file=STOP_CAUSES,
        text=("    if stop.code in OF_MACHINE:\n        return Cause.MACHINE\n"),
        instead="",
        breaks="A task whose machine AWS took away is not held against green.",
        caught_by=(
            f"{BY_STOP_CAUSES}::test_a_stop_is_judged_by_its_reason_where_its_code_says_no_more_than_that_ecs_did_it",
        ),
    ),
    Fault(
        name="green's share is rounded up",
        file=FORWARD_ACTION,
        text="green = pair * weight // 1000\n",
        instead="green = -(-pair * weight // 1000)\n",
        breaks="Rounding never gives green more.",
        caught_by=(f"{BY_FORWARD_ACTION}::test_written_weights_keep_every_bound",),
    ),
    Fault(
        name="a raised share reads as less",
        file=FORWARD_ACTION,
        text="return Tenths(-(-1000 * green_weight // total))",
        instead="return Tenths(1000 * green_weight // total)",
        breaks="A share of green that is not nothing never reads as nothing.",
        caught_by=(
            f"{BY_FORWARD_ACTION}::test_a_share_is_rounded_up_so_that_more_for_green_never_reads_as_what_it_was",
        ),
    ),
)
