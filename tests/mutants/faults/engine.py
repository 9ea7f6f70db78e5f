"""Faults in engine: ticks, the worker, commands."""

from tests.mutants.fault import Fault

TICK = "orchestrator/engine/tick.py"
WORKER = "orchestrator/engine/worker.py"
UNWRITABLE_STORE = "orchestrator/engine/unwritable_store.py"
COMMANDS = "orchestrator/engine/commands.py"
START_KEYS = "orchestrator/engine/start_keys.py"
RETENTION = "orchestrator/engine/retention.py"
UNDO = "orchestrator/engine/undo.py"
AFTERCARE = "orchestrator/engine/aftercare.py"
CALENDAR = "orchestrator/engine/calendar.py"
STEADY_CLOCK = "orchestrator/engine/steady_clock.py"

BY_LEASE_OF_A_TICK = "tests/engine/test_lease_of_a_tick.py"
BY_38_AWS_DOES_NOT_ANSWER = "tests/cases/test_38_aws_does_not_answer.py"
BY_58_LATE_UPDATES = "tests/cases/test_58_late_updates.py"
BY_FULL_DISK = "tests/engine/test_full_disk.py"
BY_UNRECORDED_WRITES = "tests/engine/test_unrecorded_writes.py"
BY_SCALING = "tests/engine/test_scaling.py"
BY_WINDOW = "tests/engine/test_window.py"
BY_FAILING_TICKS = "tests/engine/test_failing_ticks.py"
BY_ROLLOUTS = "tests/http/test_rollouts.py"
BY_ACCOUNTS = "tests/engine/test_accounts.py"
BY_COMMAND_KEYS = "tests/engine/test_command_keys.py"
BY_UNDO = "tests/engine/test_undo.py"
BY_START_KEYS = "tests/engine/test_start_keys.py"
BY_RETENTION = "tests/engine/test_retention.py"
BY_78_AFTER_THE_END = "tests/cases/test_78_after_the_end.py"
BY_CALENDAR = "tests/engine/test_calendar.py"
BY_STEADY_CLOCK = "tests/engine/test_steady_clock.py"

FAULTS = (
    Fault(
        name="a tick begins on a lease's last seconds",
        file=TICK,
        text="RENEW_BEFORE = timedelta(seconds=20)",
        instead="RENEW_BEFORE = timedelta(seconds=0)",
        breaks="A tick starts with enough of its lease left to end under it.",
        caught_by=(
            f"{BY_LEASE_OF_A_TICK}::test_a_tick_that_begins_on_the_last_seconds_of_its_lease_holds_on_to_the_row_first",
        ),
    ),
    Fault(
        name="a call outlives its lease",
        file=TICK,
        text="CALL_LONGEST = timedelta(seconds=8)",
        instead="CALL_LONGEST = timedelta(seconds=0)",
        breaks="No call is begun that could outlive its lease.",
        caught_by=(f"{BY_LEASE_OF_A_TICK}::test_no_call_is_begun_that_could_outlive_the_lease",),
    ),
    Fault(
        name="a tick outlives its lease",
        file=TICK,
        text="DEADLINE = timedelta(seconds=15)",
        instead="DEADLINE = timedelta(seconds=150)",
        breaks="A tick that hangs is given up before its lease passes on.",
        caught_by=(
            f"{BY_LEASE_OF_A_TICK}::test_a_look_that_hangs_is_given_up_before_anybody_else_can_have_the_row",
        ),
    ),
    Fault(
        name="writes to safety wait for the others",
        file=TICK,
        text=(
            "            **await self._attempt_all(first, cloud, leased),\n"
            "            **await self._attempt_all(rest, cloud, leased),\n"
        ),
        instead=(
            "            **await self._attempt_all(rest, cloud, leased),\n"
            "            **await self._attempt_all(first, cloud, leased),\n"
        ),
        breaks="Writes that take traffic off green are performed first, and wait for no other.",
        caught_by=(f"{BY_LEASE_OF_A_TICK}::test_traffic_goes_to_safety_before_anything_else_is_written",),
    ),
    Fault(
        name="what failed is not told to the next tick",
        file=TICK,
        text="        failures=tuple(failure for failure in told.values() if failure is not None),",
        instead="        failures=(),",
        breaks="What AWS refused is known to the next tick.",
        caught_by=(
            f"{BY_38_AWS_DOES_NOT_ANSWER}::test_case_38_pages_of_a_proxy_hold_are_no_refusal_and_are_never_shown",
        ),
    ),
    Fault(
        name="an answer that was lost is an answer",
        file=TICK,
        text="is_answer=not isinstance(why, Unreachable),",
        instead="is_answer=True,",
        breaks="A call without an answer may still be carried out.",
        caught_by=(
            f"{BY_58_LATE_UPDATES}::test_case_58_a_write_of_a_rule_that_lands_late_finds_blue_with_its_tasks_where_green_stays",
        ),
    ),
    Fault(
        name="it acts before it commits",
        file=TICK,
        text="            written = await self._committed(leased, decision)\n",
        instead=(
            "            await self._perform(decision, leased)\n"
            "            written = await self._committed(leased, decision)\n"
        ),
        breaks="An intention is on disk before the first call that changes anything.",
        caught_by=(f"{BY_LEASE_OF_A_TICK}::test_what_was_not_committed_is_not_done",),
    ),
    Fault(
        name="an unsound row is acted on",
        file=TICK,
        text='            assert not broken, f"the row',
        instead='            assert not broken or row, f"the row',
        breaks="A row that cannot be is not acted on.",
        caught_by=(f"{BY_LEASE_OF_A_TICK}::test_a_row_that_cannot_be_is_not_acted_on",),
    ),
    Fault(
        name="a commit whose answer was lost counts as not made",
        file=TICK,
        text="is_mine = stored.version == leased.stored.version + 1 and stored.rollout == decision.rollout",
        instead="is_mine = False",
        breaks="A commit whose answer was lost is read back.",
        caught_by=(f"{BY_FULL_DISK}::test_a_commit_whose_answer_was_lost_is_read_back_and_counts",),
    ),
    Fault(
        name="somebody else's commit is mine",
        file=TICK,
        text="is_mine = stored.version == leased.stored.version + 1 and stored.rollout == decision.rollout",
        instead="is_mine = stored.version == leased.stored.version + 1",
        breaks="Another's commit is never taken for one's own.",
        caught_by=(f"{BY_LEASE_OF_A_TICK}::test_another_s_commit_is_not_taken_for_one_s_own",),
    ),
    Fault(
        name="a full disk rolls settling back",
        file=TICK,
        text=(
            "before.phase is Phase.ROLLING_BACK and before.retirement is None and not "
            "before.handover.attempts"
        ),
        instead="before.phase is Phase.ROLLING_BACK",
        breaks="Without a record nothing is written once settling may have touched blue.",
        caught_by=(
            f"{BY_UNRECORDED_WRITES}::test_nothing_is_written_once_settling_may_have_touched_blue_or_a_swap_has_begun",
        ),
    ),
    Fault(
        name="rules that nobody knows are written without a record",
        file=TICK,
        text="        and effect.rule in known\n",
        instead="",
        breaks="Without a record only rules that the committed row knows are written.",
        caught_by=(
            f"{BY_UNRECORDED_WRITES}::test_a_rule_that_the_committed_row_does_not_know_is_not_written",
        ),
    ),
    Fault(
        name="what was done without a record is forgotten",
        file=TICK,
        text=("        if rules and end is not None:\n            done = Unrecorded"),
        instead=("        if rules and end is None:\n            done = Unrecorded"),
        breaks="What was done while the store could not be written is remembered until it is recorded.",
        caught_by=(
            f"{BY_FULL_DISK}::test_a_bad_green_is_taken_back_while_nothing_can_be_kept_and_the_log_says_so_first_afterwards",
        ),
    ),
    Fault(
        name="a scalable target is written twice at once",
        file=TICK,
        text="groups.setdefault(scalable_target(effect) or number, []).append(effect)",
        instead="groups.setdefault(number, []).append(effect)",
        breaks="A scalable target takes one write at a time.",
        caught_by=(f"{BY_SCALING}::test_a_scalable_target_is_written_once_at_a_time",),
    ),
    Fault(
        name="freezes are not read",
        file=TICK,
        text=(
            "return replace(seen, commands=leased.commands, survey=survey, findings=findings, "
            "freezes=freezes)"
        ),
        instead="return replace(seen, commands=leased.commands, survey=survey, findings=findings)",
        breaks="The operators' freezes bind every rollout.",
        caught_by=(f"{BY_WINDOW}::test_a_freeze_in_the_stores_calendar_holds_every_rollout_of_the_store",),
    ),
    Fault(
        name="one fault stops all",
        file=WORKER,
        text=(
            "        except Exception as error:  # the tick's edge: one rollout's fault never "
            "stops the others"
        ),
        instead=(
            "        except TealError as error:  # the tick's edge: one rollout's fault never "
            "stops the others"
        ),
        breaks="One rollout's fault never stops the others.",
        caught_by=(
            f"{BY_FAILING_TICKS}::test_a_rollout_whose_every_look_fails_calls_people_once_and_can_be_taken_back",
        ),
    ),
    Fault(
        name="a store that fails stops the worker",
        file=WORKER,
        text=("                except TealError as why:\n                    self._unreadable += 1\n"),
        instead=("                except Lost as why:\n                    self._unreadable += 1\n"),
        breaks="A store that fails for a while does not stop the worker.",
        caught_by=(
            f"{BY_FAILING_TICKS}::test_a_store_that_fails_is_asked_less_and_less_often_and_at_once_again_when_it_answers",
        ),
    ),
    Fault(
        name="a full disk stops the worker",
        file=WORKER,
        text=("                except Unwritable as why:\n                    self._unreadable += 1\n"),
        instead=("                except Lost as why:\n                    self._unreadable += 1\n"),
        breaks=(
            "A store that cannot be written does not stop the worker, and rollouts are looked at meanwhile."
        ),
        caught_by=(f"{BY_FULL_DISK}::test_a_rollback_that_was_accepted_before_the_disk_was_full_is_done",),
    ),
    Fault(
        name="a rollout that always fails pages nobody",
        file=WORKER,
        text="if self._stumbles.get(rollout, 0) + 1 >= STUMBLES_PAGED and rollout not in self._paged:",
        instead=(
            "if self._stumbles.get(rollout, 0) + 1 >= STUMBLES_PAGED * 1000 and rollout not in self._paged:"
        ),
        breaks="People are paged where Teal fails at every look at a rollout.",
        caught_by=(
            f"{BY_FAILING_TICKS}::test_a_rollout_whose_every_look_fails_calls_people_once_and_can_be_taken_back",
        ),
    ),
    Fault(
        name="the next tick does not know what failed",
        file=WORKER,
        text="            if ticked.results != NOTHING_KNOWN:\n",
        instead="            if ticked.results == NOTHING_KNOWN:\n",
        breaks="What became of a tick's effects is told to the next tick.",
        caught_by=(
            f"{BY_38_AWS_DOES_NOT_ANSWER}::test_case_38_pages_of_a_proxy_hold_are_no_refusal_and_are_never_shown",
        ),
    ),
    Fault(
        name="the store is asked as ever while it fails",
        file=WORKER,
        text="again = self._ask_store * 2 ** min(self._unreadable, doubled)",
        instead="again = self._ask_store",
        breaks="A store that fails is asked less and less often.",
        caught_by=(
            f"{BY_FAILING_TICKS}::test_a_store_that_fails_is_asked_less_and_less_often_and_at_once_again_when_it_answers",
        ),
    ),
    Fault(
        name="two act without a record",
        file=UNWRITABLE_STORE,
        text="        if not self.is_alone:\n            return\n",
        instead="",
        breaks="Without a record only one that is sure to be alone acts.",
        caught_by=(
            f"{BY_FULL_DISK}::test_nothing_is_written_without_the_store_where_another_engine_may_work_on_it",
        ),
    ),
    Fault(
        name="what was recorded is told again",
        file=UNWRITABLE_STORE,
        text="            self._done.pop(rollout, None)\n",
        instead="            pass\n",
        breaks="What was done without a record is told once.",
        caught_by=(
            f"{BY_FULL_DISK}::test_a_bad_green_is_taken_back_while_nothing_can_be_kept_and_the_log_says_so_first_afterwards",
        ),
    ),
    Fault(
        name="an order is answered before it is done",
        file=UNWRITABLE_STORE,
        text="if order is not None and done is not None and not ticked.results.failures:",
        instead="if order is not None:",
        breaks="Whoever orders a rollback on a full disk is answered once it was done.",
        caught_by=(
            f"{BY_FULL_DISK}::test_an_order_that_could_not_be_done_in_time_is_the_store_s_once_it_takes_it",
        ),
    ),
    Fault(
        name="an order on a full disk is forgotten",
        file=UNWRITABLE_STORE,
        text="                await accept(rollout, order.command, store=self._ticker.store)\n",
        instead="                pass\n",
        breaks="A rollback that was ordered and not done is taken once the store can be written.",
        caught_by=(
            f"{BY_FULL_DISK}::test_an_order_that_could_not_be_done_in_time_is_the_store_s_once_it_takes_it",
        ),
    ),
    Fault(
        name="a start's key starts another file",
        file=COMMANDS,
        text="        if known.rollout.spec != spec:\n",
        instead="        if known.rollout.spec.service != spec.service:\n",
        breaks="A start's key stands for one file.",
        caught_by=(f"{BY_ROLLOUTS}::test_same_key_with_another_file_is_refused",),
    ),
    Fault(
        name="preflight refuses nothing",
        file=COMMANDS,
        text=("    if errors:\n        raise Unfit("),
        instead=("    if errors and known is not None:\n        raise Unfit("),
        breaks="What preflight finds against a rollout keeps it from starting.",
        caught_by=(f"{BY_ACCOUNTS}::test_an_image_of_a_registry_that_is_not_allowed_starts_nothing",),
    ),
    Fault(
        name="a key repeats another command",
        file=COMMANDS,
        text="    if _asked(seen.command) != _asked(command):\n",
        instead="    if seen.command.kind != command.kind:\n",
        breaks="A repeated key with another step, weight or `full` is refused.",
        caught_by=(
            f"{BY_COMMAND_KEYS}::test_another_command_under_the_same_key_is_refused_and_told_the_first",
        ),
    ),
    Fault(
        name="a key is anybody's",
        file=COMMANDS,
        text="if seen.command.by.identity != command.by.identity:",
        instead="if not seen.command.by.identity:",
        breaks="A command's key is its caller's own.",
        caught_by=(f"{BY_COMMAND_KEYS}::test_somebody_else_s_key_is_refused",),
    ),
    Fault(
        name="a command is accepted where it makes no sense",
        file=COMMANDS,
        text="        check_makes_sense(stored, command)\n",
        instead="        assert stored\n",
        breaks="A command that makes no sense where a rollout stands is refused.",
        caught_by=(f"{BY_UNDO}::test_a_rollback_after_the_end_is_told_how_to_go_back",),
    ),
    Fault(
        name="a start's key is everybody's",
        file=START_KEYS,
        text='return f"{key}\\n{author.identity}\\n{service}"',
        instead='return f"{key}\\n{service}"',
        breaks="A start's key is its caller's own.",
        caught_by=(f"{BY_START_KEYS}::test_a_key_stands_for_its_own_caller_s_rollout_of_its_service",),
    ),
    Fault(
        name="an old key is anybody's",
        file=START_KEYS,
        text="    return found if is_theirs else None\n",
        instead="    return found\n",
        breaks="A start's key of an earlier version is its caller's own.",
        caught_by=(f"{BY_START_KEYS}::test_a_key_stands_for_its_own_caller_s_rollout_of_its_service",),
    ),
    Fault(
        name="what undo rests on is forgotten",
        file=RETENTION,
        text="before=min(before, floor), limit=AT_ONCE)",
        instead="before=before, limit=AT_ONCE)",
        breaks="What the present rests on stays, however old.",
        caught_by=(f"{BY_RETENTION}::test_the_last_that_succeeded_and_all_since_stay_and_can_be_undone",),
    ),
    Fault(
        name="a swap rests on nothing",
        file=RETENTION,
        text="                if stored.rollout.retirement is None:\n",
        instead="                if stored.rollout:\n",
        breaks="A green that stayed rests on the rollouts back to one in place.",
        caught_by=(f"{BY_RETENTION}::test_a_green_that_stayed_rests_on_the_rollouts_back_to_one_in_place",),
    ),
    Fault(
        name="undo goes back past a later release",
        file=UNDO,
        text="    if later != row.id:\n",
        instead="    if not later:\n",
        breaks="Only the last release is undone.",
        caught_by=(f"{BY_UNDO}::test_a_service_s_name_means_its_last_rollout_that_succeeded",),
    ),
    Fault(
        name="undo asks for an approval",
        file=UNDO,
        text="        approval=ApprovalSpec(),\n",
        instead="",
        breaks="Going back asks for nobody's approval.",
        caught_by=(
            f"{BY_UNDO}::test_rules_and_gates_are_those_of_what_is_undone_and_nobody_is_asked_to_approve",
        ),
    ),
    Fault(
        name="an abandoned rollout is undone",
        file=UNDO,
        text=("    if row.phase is Phase.ABANDONED:\n        raise Refused("),
        instead=("    if row.phase is Phase.PENDING:\n        raise Refused("),
        breaks="How an abandoned rollout was left is not known, so it is not undone.",
        caught_by=(f"{BY_UNDO}::test_what_did_not_succeed_cannot_be_undone",),
    ),
    Fault(
        name="what is there again is not told",
        file=AFTERCARE,
        text="if found is None or (not found and not await changed(self._store, row)):",
        instead="if found is None or not found:",
        breaks="It is told that what a rollout left is there again.",
        caught_by=(
            f"{BY_78_AFTER_THE_END}::test_case_78_a_rule_that_gives_the_service_nothing_any_more_is_told_and_then_that_it_is_back",
        ),
    ),
    Fault(
        name="the store's freezes are not kept",
        file=CALENDAR,
        text="every = {*(self._own or ()), *await self._store.freezes()}",
        instead="every = set(self._own or await self._store.freezes())",
        breaks="Every engine of a store keeps its calendar, whatever its own settings say.",
        caught_by=(f"{BY_CALENDAR}::test_the_settings_freezes_and_the_stores_hold_together_each_once",),
    ),
    Fault(
        name="a freeze that is over holds",
        file=CALENDAR,
        text="if one.ends > now and one.covers(str(service)))",
        instead="if one.covers(str(service)))",
        breaks="A freeze ends.",
        caught_by=(f"{BY_CALENDAR}::test_a_freeze_that_is_over_is_left_out",),
    ),
    Fault(
        name="the clock goes back",
        file=STEADY_CLOCK,
        text="        nearer = max(-most, min(most, gap))\n",
        instead="        nearer = gap\n",
        breaks="A machine's clock that is stepped stops nothing.",
        caught_by=(
            f"{BY_STEADY_CLOCK}::test_a_step_of_the_machine_s_clock_takes_nothing_from_what_is_waited_for",
        ),
    ),
    Fault(
        name="the clock never comes near",
        file=STEADY_CLOCK,
        text="        nearer = max(-most, min(most, gap))\n",
        instead="        nearer = timedelta(0)\n",
        breaks="The engine's clock comes near the machine's.",
        caught_by=(f"{BY_STEADY_CLOCK}::test_it_never_goes_back_and_comes_near_the_machine_s_in_the_end",),
    ),
)
