"""Faults in core/tick: the tick's draft, and where there is no way back."""

from tests.mutants.fault import Fault

DRAFT = "orchestrator/core/tick/draft.py"
POINT_OF_NO_RETURN = "orchestrator/core/tick/point_of_no_return.py"

BY_TURN_BACK = "tests/core/tick/test_turn_back.py"
BY_PROVISIONING = "tests/core/phases/test_provisioning.py"
BY_POINT_OF_NO_RETURN = "tests/core/tick/test_point_of_no_return.py"
BY_UNREAD = "tests/core/tick/test_unread.py"
BY_ROLLING_BACK = "tests/core/phases/test_rolling_back.py"
BY_REMOVING_GREEN = "tests/core/phases/test_removing_green.py"
BY_PREPARING = "tests/core/phases/test_preparing.py"
BY_HOLDS = "tests/core/test_holds.py"
BY_73_ONE_WAY = "tests/cases/test_73_one_way.py"

FAULTS = (
    Fault(
        name="what was asked for before turning back is done",
        file=DRAFT,
        text="        self.effects.clear()\n",
        instead="",
        breaks="A tick that turns back does nothing of what it had asked for before.",
        caught_by=(
            f"{BY_TURN_BACK}::test_hold_that_lasted_too_long_rolls_back_although_somebody_raised_green",
        ),
    ),
    Fault(
        name="one look is two",
        file=DRAFT,
        text="        since = self.row.progress.ready_since or self.now\n",
        instead="        since = self.row.progress.ready_since or self.now - self.row.spec.metrics.look_gap\n",
        breaks="Ready takes two looks, apart from each other.",
        caught_by=(f"{BY_PROVISIONING}::test_green_is_made_where_it_is_missing",),
    ),
    Fault(
        name="one look agrees with itself",
        file=DRAFT,
        text="return since is not None and self.now - since >= self.row.spec.metrics.look_gap",
        instead="return since is not None",
        breaks="Nothing that is for good hangs on one look.",
        caught_by=(
            f"{BY_POINT_OF_NO_RETURN}::test_blue_is_taken_for_deleted_once_two_looks_did_not_find_it",
        ),
    ),
    Fault(
        name="unread is not held",
        file=DRAFT,
        text='                self.hold(kind, f"{what} could not be read: {why}", clears_when=clears)\n',
        instead="",
        breaks="What could not be read holds.",
        caught_by=(f"{BY_UNREAD}::test_what_is_not_known_is_waited_for_in_words",),
    ),
    Fault(
        name="what nobody looked at is well",
        file=DRAFT,
        text='known = Unread(why="it was not looked at") if seen is None else seen',
        instead="known = seen",
        breaks="What had to be looked at and was not holds.",
        caught_by=(f"{BY_UNREAD}::test_what_is_not_known_is_waited_for_in_words",),
    ),
    Fault(
        name="a write to safety is asked for once",
        file=DRAFT,
        text="if known.times and not is_to_safety(effect) and self.now < again:",
        instead="if known.times and self.now < again:",
        breaks="A write to safety is asked for in every tick until it is seen to have worked.",
        caught_by=(f"{BY_ROLLING_BACK}::test_a_write_to_safety_is_asked_for_in_every_tick_until_it_is_seen",),
    ),
    Fault(
        name="a write is repeated at every look",
        file=DRAFT,
        text="if known.times and not is_to_safety(effect) and self.now < again:",
        instead="if known.times < 0:",
        breaks="A write that does not show yet is not sent again at once.",
        caught_by=(
            f"{BY_REMOVING_GREEN}::test_a_write_that_does_not_show_yet_is_sent_again_ever_more_slowly_and_not_at_every_look",
        ),
    ),
    Fault(
        name="a call that makes something is not remembered",
        file=DRAFT,
        text="        if must_not_stay(effect):\n",
        instead="        if not must_not_stay(effect):\n",
        breaks="While a call that makes something may land late, no rollout ends.",
        caught_by=(f"{BY_PREPARING}::test_a_group_is_made_like_blues_and_tagged",),
    ),
    Fault(
        name="one page is for all reasons",
        file=DRAFT,
        text="known = next((one for one in self.row.waiting.paged if one.about == about), None)",
        instead="known = next((one for one in self.row.waiting.paged), None)",
        breaks="People are paged for each reason.",
        caught_by=(f"{BY_HOLDS}::test_what_people_were_paged_for_swallows_no_other_reason",),
    ),
    Fault(
        name="a standstill is never told again",
        file=DRAFT,
        text="if known is not None and (not again or self.now < known.at + again):",
        instead="if known is not None:",
        breaks="People are paged again where a standstill lasts.",
        caught_by=(f"{BY_HOLDS}::test_what_lasts_is_told_again_after_the_time_that_the_file_names",),
    ),
    Fault(
        name="people are paged at every look",
        file=DRAFT,
        text="if known is not None and (not again or self.now < known.at + again):",
        instead="if known is None and again < timedelta(0):",
        breaks="People are paged once for one reason of a standstill.",
        caught_by=(f"{BY_HOLDS}::test_a_hold_that_may_last_calls_people_once_and_changes_nothing",),
    ),
    Fault(
        name="a page of another phase swallows the next",
        file=DRAFT,
        text="ready_since=None, paged=())",
        instead="ready_since=None)",
        breaks="A new phase pages people anew.",
        caught_by=(
            f"{BY_HOLDS}::test_blue_that_fails_in_settling_calls_people_although_they_were_called_before",
        ),
    ),
    Fault(
        name="time in which nobody looked is a bake",
        file=DRAFT,
        text="        return gap if gap <= 2 * self.poll + SLACK else timedelta(0)",
        instead="        return gap",
        breaks="Time in which nobody looked is no bake.",
        caught_by=(f"{BY_HOLDS}::test_down_time_does_not_bake",),
    ),
    Fault(
        name="late calls are over at once",
        file=DRAFT,
        text="return self.now if last is None else last + LATE",
        instead="return self.now if last is None else last",
        breaks="A call that makes something may land half a minute later.",
        caught_by=(f"{BY_REMOVING_GREEN}::test_a_creation_that_may_still_arrive_is_waited_for",),
    ),
    Fault(
        name="one_way is rolled back by a gate",
        file=POINT_OF_NO_RETURN,
        text="    is_begun = row.green is not None and row.green.is_asked\n",
        instead="    is_begun = False\n",
        breaks="With `one_way` no gate and no timer takes a green back that has started.",
        caught_by=(
            f"{BY_73_ONE_WAY}::test_case_73_a_failing_green_holds_and_calls_people_instead_of_going_back",
        ),
    ),
    Fault(
        name="a deleted blue is a way back",
        file=POINT_OF_NO_RETURN,
        text=('    if row.blue_loss is Loss.DELETED:\n        return f"{row.spec'),
        instead=('    if row.blue_loss is Loss.EMPTY:\n        return f"{row.spec'),
        breaks="Where blue was deleted, nothing rolls back: green keeps the users.",
        caught_by=(f"{BY_TURN_BACK}::test_where_there_is_no_way_back_the_tick_goes_on_and_holds",),
    ),
    Fault(
        name="one look finds blue deleted",
        file=POINT_OF_NO_RETURN,
        text=(
            "return isinstance(draft.seen.blue, Absent) and "
            "draft.is_agreed(draft.row.way_out.blue_absent_since)"
        ),
        instead="return isinstance(draft.seen.blue, Absent)",
        breaks="Two looks agree before blue counts as deleted.",
        caught_by=(
            f"{BY_POINT_OF_NO_RETURN}::test_blue_is_taken_for_deleted_once_two_looks_did_not_find_it",
        ),
    ),
    Fault(
        name="an empty blue is not noticed",
        file=POINT_OF_NO_RETURN,
        text="draft.change(blue_loss=Loss.EMPTY if is_empty else None)",
        instead="draft.change(blue_loss=None)",
        breaks="A blue that somebody scaled to nothing is noticed, and people are paged.",
        caught_by=(
            f"{BY_POINT_OF_NO_RETURN}::test_a_blue_that_somebody_scaled_to_nothing_is_noticed_holds_and_calls_people",
        ),
    ),
    Fault(
        name="lost listeners roll back",
        file=POINT_OF_NO_RETURN,
        text=(
            "    if row.rules and {rule.listener for rule in row.rules} <= set(row.listeners.lost_listeners):"
        ),
        instead=(
            "    if row.rules and not {rule.listener for rule in row.rules} | "
            "set(row.listeners.lost_listeners):"
        ),
        breaks="Where no weight can be written any more, nothing rolls back.",
        caught_by=(
            f"{BY_POINT_OF_NO_RETURN}::test_where_every_listener_is_gone_nothing_rolls_back_and_people_are_called",
        ),
    ),
)
