"""Faults in core/break_glass: rolling back with AWS alone."""

from tests.mutants.fault import Fault

DIRECT_ROLLBACK = "orchestrator/core/break_glass/direct_rollback.py"

BY_MOVES = "tests/direct/test_moves.py"

FAULTS = (
    Fault(
        name="breaking the glass leaves sticky users",
        file=DIRECT_ROLLBACK,
        text="    is_sticky = bool(cookie_life(rule.actions))\n",
        instead="    is_sticky = False\n",
        breaks="Whoever rolls back with AWS alone frees users whom a cookie keeps on green.",
        caught_by=(f"{BY_MOVES}::test_no_look_gives_green_more_or_touches_what_is_not_the_two_colours",),
    ),
    Fault(
        name="breaking the glass ends on an unread rule",
        file=DIRECT_ROLLBACK,
        text="is_all_on_blue = not (writes or place.unread) and all(",
        instead="is_all_on_blue = not writes and all(",
        breaks="Breaking the glass ends once everything was read.",
        caught_by=(f"{BY_MOVES}::test_nothing_is_over_while_something_could_not_be_read",),
    ),
    Fault(
        name="breaking the glass trusts one look",
        file=DIRECT_ROLLBACK,
        text="    if state.has_acted and (since is None or now < since + STAYS):\n",
        instead="    if state.has_acted and since is None:\n",
        breaks="Breaking the glass looks again before it ends: a dying engine's write may land late.",
        caught_by=(f"{BY_MOVES}::test_it_ends_when_traffic_stayed_on_blue_in_two_looks",),
    ),
)
