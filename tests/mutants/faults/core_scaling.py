"""Faults in core/scaling: auto scaling and task counts."""

from tests.mutants.fault import Fault

BLUE_FLOOR = "orchestrator/core/scaling/blue_floor.py"
CAPACITY = "orchestrator/core/scaling/capacity.py"
TARGET_VALUES = "orchestrator/core/scaling/target_values.py"
GREEN_SCALING = "orchestrator/core/scaling/green_scaling.py"

BY_BLUE_FLOOR = "tests/core/scaling/test_blue_floor.py"
BY_REMOVING_GREEN = "tests/core/phases/test_removing_green.py"
BY_SHIFTING = "tests/core/phases/test_shifting.py"
BY_GREEN_SCALING = "tests/core/scaling/test_green_scaling.py"

FAULTS = (
    Fault(
        name="blue's scale-in is not suspended",
        file=BLUE_FLOOR,
        text=("    elif seen != wanted(known):\n        _write(draft, blue, known)\n"),
        instead="",
        breaks="Blue's scale-in is suspended while it must be able to take everything back.",
        caught_by=(f"{BY_BLUE_FLOOR}::test_an_older_write_of_teals_own_that_came_late_is_written_over",),
    ),
    Fault(
        name="somebody's bounds are lost",
        file=BLUE_FLOOR,
        text=("    known = with_theirs(known, seen)\n    if seen == kept(known):"),
        instead="    if seen == kept(known):",
        breaks="What others set of blue's scaling meanwhile is what it is given back.",
        caught_by=(f"{BY_REMOVING_GREEN}::test_scaling_is_never_restored_over_somebodys_later_change",),
    ),
    Fault(
        name="a scaling changed by others holds nothing",
        file=BLUE_FLOOR,
        text=("    if known.is_foreign:\n        _hold(draft, blue, seen, needed)\n"),
        instead=("    if known.is_foreign:\n        pass\n"),
        breaks="Somebody else's change of blue's scaling holds until a person has seen it.",
        caught_by=(f"{BY_BLUE_FLOOR}::test_what_others_set_is_held_for_until_it_is_put_back",),
    ),
    Fault(
        name="blue that shrank stays small",
        file=BLUE_FLOOR,
        text="    if is_short and draft.row.green_weight != NONE:\n",
        instead="    if is_short and draft.row.green_weight == NONE:\n",
        breaks="While green has traffic blue keeps what all traffic needs.",
        caught_by=(
            f"{BY_BLUE_FLOOR}::test_a_suspension_that_somebody_lifts_is_written_again_while_green_has_traffic",
        ),
    ),
    Fault(
        name="a late suspension stays",
        file=BLUE_FLOOR,
        text="if seen != back and draft.may_land_late and seen in (wanted(known), *known.written):",
        instead="if seen != back and seen in (wanted(known), *known.written) and draft.holds:",
        breaks="A suspension that lands after scaling was given back is lifted again.",
        caught_by=(
            f"{BY_REMOVING_GREEN}::test_a_suspension_that_lands_after_scaling_was_given_back_is_lifted_again",
        ),
    ),
    Fault(
        name="blue is as large as at the start",
        file=CAPACITY,
        text="return max(least, seen.desired) if isinstance(seen, ServiceSeen) else least",
        instead="return least",
        breaks="Blue is kept as large as it has grown to be.",
        caught_by=(
            f"{BY_SHIFTING}::test_a_blue_that_has_scaled_out_meanwhile_must_be_able_to_take_back_what_it_carries_now",
        ),
    ),
    Fault(
        name="green does not follow blue",
        file=CAPACITY,
        text="        if wanted > row.known.green.desired:\n",
        instead="        if wanted < row.known.green.desired:\n",
        breaks="Green is as large as its weight needs of what blue has by now.",
        caught_by=(f"{BY_SHIFTING}::test_green_follows_blue_when_blue_has_scaled_out",),
    ),
    Fault(
        name="the suspension is somebody's",
        file=TARGET_VALUES,
        text="    return may_be_late(known) and seen in known.written\n",
        instead="    return False\n",
        breaks="A write of Teal's own that lands late is not taken for somebody's.",
        caught_by=(
            f"{BY_BLUE_FLOOR}::test_a_write_that_lands_after_a_later_one_was_read_back_accuses_nobody_and_is_written_over",
        ),
    ),
    Fault(
        name="all traffic's need bows to others' bounds",
        file=TARGET_VALUES,
        text="        min_capacity=max(end.min_capacity, floor),\n",
        instead="        min_capacity=end.min_capacity,\n",
        breaks="Blue runs at least as many tasks as all traffic needs.",
        caught_by=(f"{BY_BLUE_FLOOR}::test_an_older_write_of_teals_own_that_came_late_is_written_over",),
    ),
    Fault(
        name="green scales in",
        file=GREEN_SCALING,
        text=(
            "    return replace(base, min_capacity=green.desired, max_capacity=most, scale_in_suspended=True)"
        ),
        instead="    return replace(base, min_capacity=green.desired, max_capacity=most)",
        breaks="Green only scales out while it is judged.",
        caught_by=(
            f"{BY_GREEN_SCALING}::test_the_target_comes_first_with_the_tasks_that_green_has_and_blues_tags",
        ),
    ),
)
