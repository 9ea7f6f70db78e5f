"""Faults in store: the SQL store."""

from tests.mutants.fault import Fault

LEASES = "orchestrator/store/sql/leases.py"
STARTS = "orchestrator/store/sql/starts.py"
COMMANDS = "orchestrator/store/sql/commands.py"
RETENTION = "orchestrator/store/sql/retention.py"
OUTBOX = "orchestrator/store/sql/outbox.py"
COPIES = "orchestrator/store/sql/copies.py"
SQLITE = "orchestrator/store/sql/sqlite.py"
OWNER_LOCKS = "orchestrator/store/sql/owner_locks.py"
STORE = "orchestrator/store/sql/store.py"
QUERIES = "orchestrator/store/sql/queries.py"
UPGRADE = "orchestrator/store/sql/upgrade.py"
CODEC = "orchestrator/store/codec.py"
ROW_VERSIONS = "orchestrator/store/row_versions.py"
INVARIANTS = "orchestrator/store/invariants.py"

BY_STORE_LEASES = "tests/contract/test_store_leases.py"
BY_STORE = "tests/contract/test_store.py"
BY_STORE_COMMANDS = "tests/contract/test_store_commands.py"
BY_SQLITE = "tests/store/test_sqlite.py"
BY_STORE_CHAIN = "tests/contract/test_store_chain.py"
BY_STORE_OUTBOX = "tests/contract/test_store_outbox.py"
BY_OWNER_LOCKS = "tests/store/test_owner_locks.py"
BY_STORE_NOTES = "tests/contract/test_store_notes.py"
BY_STORE_RETENTION = "tests/contract/test_store_retention.py"
BY_COPIES = "tests/store/test_copies.py"
BY_BACKUP_RESTORE = "tests/cli/commands/test_backup_restore.py"
BY_TOGETHER = "tests/store/test_together.py"
BY_OPENING = "tests/store/test_opening.py"
BY_MIGRATIONS = "tests/store/test_migrations.py"
BY_ROWS_OF_EARLIER_VERSIONS = "tests/store/test_rows_of_earlier_versions.py"

FAULTS = (
    Fault(
        name="a decision overwrites a newer row",
        file=LEASES,
        text=("    if row.version != leased.stored.version:\n        raise invariants.moved_on"),
        instead=("    if row.version < 0:\n        raise invariants.moved_on"),
        breaks="A decision about a row that has moved on is refused.",
        caught_by=(f"{BY_STORE_LEASES}::test_a_commit_on_an_old_version_is_lost",),
    ),
    Fault(
        name="a lost lease writes",
        file=LEASES,
        text="    if row is None or (row.fence, row.owner) != (leased.fence, leased.owner):",
        instead="    if row is None or row.owner is None:",
        breaks="Whoever has lost the lease writes nothing.",
        caught_by=(f"{BY_STORE_LEASES}::test_a_commit_on_an_old_fence_is_lost_and_writes_nothing",),
    ),
    Fault(
        name="an old lease of the same owner writes",
        file=LEASES,
        text="    if row is None or (row.fence, row.owner) != (leased.fence, leased.owner):",
        instead="    if row is None or row.owner != leased.owner:",
        breaks="Of two leases of one owner the newer alone counts.",
        caught_by=(f"{BY_STORE_LEASES}::test_the_same_owners_older_lease_is_lost_too",),
    ),
    Fault(
        name="claims are never released",
        file=LEASES,
        text=(
            "    if is_over:\n"
            "        connection.execute(delete(claims).where(claims.c.rollout == rollout.id))\n"
        ),
        instead="",
        breaks="What a rollout held alone is free once it has ended.",
        caught_by=(f"{BY_STORE}::test_claims_are_free_again_once_the_rollout_has_ended",),
    ),
    Fault(
        name="a wake-up during a tick is lost",
        file=LEASES,
        text="wake_at = None if is_over else invariants.earliest(decision.wake_at, row.woken_at)",
        instead="wake_at = None if is_over else decision.wake_at",
        breaks="A wake-up that comes during a tick keeps the row due.",
        caught_by=(f"{BY_STORE_LEASES}::test_a_wake_up_during_a_tick_survives_its_commit",),
    ),
    Fault(
        name="a late command is never answered",
        file=LEASES,
        text="    overtaken, told = invariants.too_late(left if is_over else (), rollout.phase)",
        instead="    overtaken, told = invariants.too_late((), rollout.phase)",
        breaks="A command that comes as its rollout ends is answered: it came too late.",
        caught_by=(
            f"{BY_STORE_COMMANDS}::test_a_command_that_came_while_the_rollout_ended_is_overtaken_and_told",
        ),
    ),
    Fault(
        name="a command is applied twice",
        file=LEASES,
        text="    _answer(connection, rollout.id, decision.outcomes)\n",
        instead="",
        breaks="A command is applied once.",
        caught_by=(f"{BY_STORE_COMMANDS}::test_a_commit_writes_what_became_of_commands_once",),
    ),
    Fault(
        name="an answer changes later",
        file=LEASES,
        text=(
            '    commands.c.key == bindparam("answered"),\n'
            "    commands.c.state == CommandState.ACCEPTED.value,\n"
        ),
        instead='    commands.c.key == bindparam("answered"),\n',
        breaks="What was answered once stays so.",
        caught_by=(f"{BY_STORE_COMMANDS}::test_a_commit_writes_what_became_of_commands_once",),
    ),
    Fault(
        name="a held row is leased again",
        file=LEASES,
        text=(
            "        or_(rollouts.c.lease_until.is_(None), rollouts.c.lease_until <= "
            'bindparam("now")),\n'
            "    )\n"
            "    .order_by(rollouts.c.wake_at, rollouts.c.id)\n"
            '    .limit(bindparam("most"))\n'
            ")\n"
            "_ACTIVE"
        ),
        instead=(
            "    )\n"
            "    .order_by(rollouts.c.wake_at, rollouts.c.id)\n"
            '    .limit(bindparam("most"))\n'
            ")\n"
            "_ACTIVE"
        ),
        breaks="A row has one holder at a time.",
        caught_by=(f"{BY_STORE_LEASES}::test_a_leased_row_is_nobody_elses_until_the_lease_has_passed",),
    ),
    Fault(
        name="the fence does not grow",
        file=LEASES,
        text=".values(fence=rollouts.c.fence + 1, woken_at=None)",
        instead=".values(woken_at=None)",
        breaks="Each lease has a greater fence than the one before.",
        caught_by=(f"{BY_STORE_LEASES}::test_a_leased_row_is_nobody_elses_until_the_lease_has_passed",),
    ),
    Fault(
        name="a lease of the future lasts",
        file=LEASES,
        text='    connection.execute(_BOUND, {"now": now, "latest": now + ttl})\n',
        instead="",
        breaks="No lease lasts longer from now on than a lease does.",
        caught_by=(
            f"{BY_STORE_LEASES}::test_a_lease_that_a_clock_ahead_wrote_lasts_no_longer_than_a_lease_from_now_on",
        ),
    ),
    Fault(
        name="renewing a lost lease succeeds",
        file=LEASES,
        text=(
            "    if renewed.rowcount == 0:\n        raise invariants.passed_on(leased.stored.rollout.id)\n"
        ),
        instead="",
        breaks="A lease that was lost cannot be renewed.",
        caught_by=(f"{BY_STORE_LEASES}::test_a_released_lease_can_neither_commit_nor_be_renewed",),
    ),
    Fault(
        name="a row that cannot be read stops the others",
        file=LEASES,
        text=(
            "    except Unusable as error:\n"
            '        _log.error("row_unreadable rollout=%s why=%s", row.id, error)\n'
            "        return None\n"
        ),
        instead=(
            "    except KeyError as error:\n"
            '        _log.error("row_unreadable rollout=%s why=%s", row.id, error)\n'
            "        return None\n"
        ),
        breaks="A row that cannot be read keeps nobody out.",
        caught_by=(f"{BY_SQLITE}::test_a_row_that_cannot_be_read_keeps_nobody_else_from_work",),
    ),
    Fault(
        name="the chain begins anew with each commit",
        file=LEASES,
        text=("after=row.event_count, before=row.chain\n    )\n    add_events"),
        instead=('after=row.event_count, before=""\n    )\n    add_events'),
        breaks="A rollout's events are one chain.",
        caught_by=(f"{BY_STORE_CHAIN}::test_each_event_is_linked_to_the_one_before_it",),
    ),
    Fault(
        name="nobody is told of new events",
        file=LEASES,
        text=("    if events and row.is_awaited:\n        outbox.note_events("),
        instead=("    if events and not row.is_awaited:\n        outbox.note_events("),
        breaks="What was committed is told to every receiver.",
        caught_by=(
            f"{BY_STORE_OUTBOX}::test_further_events_are_told_after_the_last_one_taken_with_the_state_of_then",
        ),
    ),
    Fault(
        name="records are kept twice",
        file=LEASES,
        text="record.key not in known_keys]",
        instead="record.key]",
        breaks="A record's key is unique within its rollout.",
        caught_by=(f"{BY_STORE}::test_a_record_is_kept_once_as_it_was_first_committed",),
    ),
    Fault(
        name="a release takes another's lease",
        file=LEASES,
        text=(
            '    rollouts.c.fence == bindparam("my_fence"),\n    rollouts.c.owner == bindparam("my_owner"),\n'
        ),
        instead=(
            '    rollouts.c.fence >= bindparam("my_fence"),\n    rollouts.c.owner != bindparam("my_owner"),\n'
        ),
        breaks="Giving a row back frees one's own lease alone.",
        caught_by=(f"{BY_STORE_LEASES}::test_a_released_row_is_free_and_its_lease_is_lost",),
    ),
    Fault(
        name="the dead keep their leases",
        file=LEASES,
        text='.where(rollouts.c.is_active, rollouts.c.owner.in_(bindparam("dead", expanding=True)))',
        instead='.where(rollouts.c.is_active, rollouts.c.owner.not_in(bindparam("dead", expanding=True)))',
        breaks="What a process held that has died on this host is free at once.",
        caught_by=(f"{BY_OWNER_LOCKS}::test_the_leases_of_a_killed_process_are_taken_over_at_once",),
    ),
    Fault(
        name="notes are taken for rollouts under way",
        file=LEASES,
        text=(
            "    if row.is_active or connection.scalar(same_key) or connection.scalar(newest) == record.body:"
        ),
        instead="    if connection.scalar(same_key):",
        breaks="What was found after an end is told once, and of ended rollouts alone.",
        caught_by=(f"{BY_STORE_NOTES}::test_nothing_is_added_while_a_rollout_is_active",),
    ),
    Fault(
        name="one key starts two rollouts",
        file=STARTS,
        text=("    if before is not None:\n        return before\n"),
        instead=('    if before is not None:\n        key = f"{key} "\n'),
        breaks="The same key starts the same rollout.",
        caught_by=(f"{BY_STORE}::test_same_start_key_returns_the_rollout_it_made",),
    ),
    Fault(
        name="claims are taken over",
        file=STARTS,
        text=("        if holder != rollout:\n            raise invariants.held(key, holder=holder)\n"),
        instead=("        if not holder:\n            raise invariants.held(key, holder=holder)\n"),
        breaks="What one rollout holds no other may claim.",
        caught_by=(f"{BY_STORE}::test_conflict_names_the_holder_and_nothing_is_made",),
    ),
    Fault(
        name="a rollout that has ended claims",
        file=STARTS,
        text=("    if not is_active:\n        raise invariants.ended(rollout)\n"),
        instead="",
        breaks="A rollout that has ended claims nothing.",
        caught_by=(f"{BY_STORE}::test_claiming_for_an_unknown_or_ended_rollout_is_refused",),
    ),
    Fault(
        name="receivers are not told of a start",
        file=STARTS,
        text="    outbox.open_rollout(connection, rollout.id, since=log[0].event.at if log else None)\n",
        instead="",
        breaks="Every receiver is told of a rollout from its first event on.",
        caught_by=(f"{BY_STORE_OUTBOX}::test_a_new_rollout_is_to_be_told_from_its_first_event",),
    ),
    Fault(
        name="a command wakes nobody",
        file=COMMANDS,
        text="    wake(connection, rollout, at=command.at)\n",
        instead="",
        breaks="A command is looked at at once.",
        caught_by=(
            f"{BY_STORE_COMMANDS}::test_a_command_makes_its_row_due_at_once_and_comes_with_the_lease",
        ),
    ),
    Fault(
        name="a repeated command is another",
        file=COMMANDS,
        text=(
            "    if before is not None and invariants.still_stands(before, now=command.at):\n"
            "        return before\n"
        ),
        instead="",
        breaks="The same key is the same command.",
        caught_by=(f"{BY_STORE_COMMANDS}::test_the_same_key_returns_the_first_command_without_asking_again",),
    ),
    Fault(
        name="a wake-up delays",
        file=COMMANDS,
        text='            "wake_at": invariants.earliest(row.wake_at, at),\n',
        instead='            "wake_at": at,\n',
        breaks="A wake-up never makes a look come later.",
        caught_by=(
            f"{BY_STORE_LEASES}::test_waking_makes_a_row_due_sooner_never_later_and_leaves_its_version",
        ),
    ),
    Fault(
        name="a command is not checked as it comes",
        file=COMMANDS,
        text="    check(load(connection, rollout))\n",
        instead="",
        breaks="A command is checked against the row that it is for.",
        caught_by=(f"{BY_STORE_COMMANDS}::test_a_refused_command_leaves_nothing",),
    ),
    Fault(
        name="active rollouts are forgotten",
        file=RETENTION,
        text="rollouts.c.created_at < before, rollouts.c.is_active.is_(False))",
        instead="rollouts.c.created_at < before)",
        breaks="What is under way is never forgotten.",
        caught_by=(
            f"{BY_STORE_RETENTION}::test_what_ended_long_ago_goes_with_all_that_belongs_to_it_and_what_is_active_stays",
        ),
    ),
    Fault(
        name="newer rollouts are forgotten",
        file=RETENTION,
        text=".where(rollouts.c.service == service, rollouts.c.created_at < before, rollouts",
        instead=".where(rollouts.c.service == service, rollouts",
        breaks="Only what is older than the settings say is forgotten.",
        caught_by=(
            f"{BY_STORE_RETENTION}::test_what_ended_long_ago_goes_with_all_that_belongs_to_it_and_what_is_active_stays",
        ),
    ),
    Fault(
        name="newer calls are forgotten",
        file=RETENTION,
        text="for row in connection.execute(oldest) if row.at < before]",
        instead="for row in connection.execute(oldest)]",
        breaks="Only calls older than the settings say are forgotten.",
        caught_by=(f"{BY_STORE_RETENTION}::test_calls_go_from_the_oldest_on",),
    ),
    Fault(
        name="an event is told twice",
        file=OUTBOX,
        text=(
            '_let_go(connection, delivery, {"sent": sent, "state": state, "due_at": due_at, '
            '"attempts": 0, "why": ""})'
        ),
        instead='_let_go(connection, delivery, {"state": state, "due_at": due_at, "attempts": 0, "why": ""})',
        breaks="What a receiver has taken is not told to it again.",
        caught_by=(
            f"{BY_STORE_OUTBOX}::test_further_events_are_told_after_the_last_one_taken_with_the_state_of_then",
        ),
    ),
    Fault(
        name="the rest is never told",
        file=OUTBOX,
        text='    due_at = connection.scalar(_NEXT, {"row": rollout, "place": sent + 1})\n',
        instead="    due_at = None\n",
        breaks="What a receiver has not taken yet is told to it.",
        caught_by=(f"{BY_STORE_OUTBOX}::test_a_part_that_was_told_is_taken_and_the_rest_is_due_at_once",),
    ),
    Fault(
        name="a failed delivery is given up",
        file=OUTBOX,
        text=(
            '    _let_go(connection, delivery, {"due_at": again_at, "attempts": attempts, "why": '
            "invariants.short(why)})"
        ),
        instead=(
            '    _let_go(connection, delivery, {"due_at": None, "attempts": attempts, "why": '
            "invariants.short(why)})"
        ),
        breaks="A delivery that failed is tried again.",
        caught_by=(f"{BY_STORE_OUTBOX}::test_a_failed_attempt_waits_for_its_time_and_is_counted",),
    ),
    Fault(
        name="two tell the same receiver",
        file=OUTBOX,
        text=(
            '        deliveries.c.due_at <= bindparam("now"),\n'
            "        or_(deliveries.c.lease_until.is_(None), deliveries.c.lease_until <= "
            'bindparam("now")),\n'
        ),
        instead='        deliveries.c.due_at <= bindparam("now"),\n',
        breaks="One process at a time tells a receiver of a rollout.",
        caught_by=(f"{BY_STORE_OUTBOX}::test_of_two_only_one_tells_a_rollout",),
    ),
    Fault(
        name="a delivery that was lost is noted",
        file=OUTBOX,
        text=("    if done.rowcount == 0:\n        raise invariants.told_by_another(delivery)\n"),
        instead="",
        breaks="Whoever has lost the right to deliver notes nothing.",
        caught_by=(f"{BY_STORE_OUTBOX}::test_what_was_let_go_is_lost_even_if_the_same_owner_has_it_again",),
    ),
    Fault(
        name="an opened receiver gets old events",
        file=OUTBOX,
        text='literal(sink), rollouts.c.id, rollouts.c.event_count, literal("")',
        instead='literal(sink), rollouts.c.id, literal(0), literal("")',
        breaks="A new receiver is told of what comes, not of what was.",
        caught_by=(
            f"{BY_STORE_OUTBOX}::test_a_sink_that_is_opened_later_is_told_of_active_rollouts_from_their_next_event",
        ),
    ),
    Fault(
        name="a backup is not looked at",
        file=COPIES,
        text=("        must_be_whole(fresh, is_full=True)\n        with fresh.open"),
        instead="        with fresh.open",
        breaks="A backup is found whole before it has its name.",
        caught_by=(f"{BY_COPIES}::test_a_store_that_is_not_whole_is_not_taken_for_a_backup",),
    ),
    Fault(
        name="a backup overwrites",
        file=COPIES,
        text=("    if target.exists():\n        raise Refused("),
        instead=("    if target.is_dir():\n        raise Refused("),
        breaks="A backup overwrites nothing.",
        caught_by=(f"{BY_BACKUP_RESTORE}::test_a_backup_overwrites_nothing",),
    ),
    Fault(
        name="a restore under a running engine",
        file=COPIES,
        text=("    if living:\n        raise Refused("),
        instead=("    if living and with_active:\n        raise Refused("),
        breaks="A store is not replaced under an engine that uses it.",
        caught_by=(f"{BY_BACKUP_RESTORE}::test_a_store_that_an_engine_holds_is_not_restored",),
    ),
    Fault(
        name="a restore of rollouts under way",
        file=COPIES,
        text="    if copied.active and not with_active:\n",
        instead="    if copied.active and with_active is None:\n",
        breaks="A backup with rollouts under way is restored only by somebody who says so.",
        caught_by=(
            f"{BY_BACKUP_RESTORE}::test_a_backup_with_rollouts_under_way_is_restored_where_that_is_said",
        ),
    ),
    Fault(
        name="a broken backup is restored",
        file=COPIES,
        text="    must_be_whole(source, is_full=True)\n",
        instead="",
        breaks="A broken backup is not put in a store's place.",
        caught_by=(f"{BY_COPIES}::test_a_backup_that_is_not_whole_replaces_nothing",),
    ),
    Fault(
        name="a broken store is whole",
        file=COPIES,
        text='found = [str(words) for (words,) in connection.execute(ask) if words != "ok"]',
        instead="found = [str(words) for (words,) in connection.execute(ask) if not words]",
        breaks="A store that SQLite finds broken is refused.",
        caught_by=(
            f"{BY_BACKUP_RESTORE}::test_a_broken_store_is_found_at_a_servers_start_and_wholly_by_command",
        ),
    ),
    Fault(
        name="one bad write fails its neighbours",
        file=SQLITE,
        text=(
            "        except BaseException:  # whose it is shows when each runs alone, and goes to "
            "its caller\n"
            "            return False\n"
        ),
        instead=(
            "        except BaseException as error:  # whose it is shows when each runs alone, and "
            "goes to its caller\n"
            "            for write in writes:\n"
            "                write.answer.set_exception(error)\n"
            "            return True\n"
        ),
        breaks="A write that fails fails alone.",
        caught_by=(f"{BY_TOGETHER}::test_a_body_that_raises_takes_nothing_from_its_neighbours",),
    ),
    Fault(
        name="the store is everybody's to read",
        file=SQLITE,
        text="os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))",
        instead="os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o644))",
        breaks="The store's file is its user's alone.",
        caught_by=(f"{BY_SQLITE}::test_a_new_file_and_its_folders_are_for_this_user_alone",),
    ),
    Fault(
        name="a stopped process is dead",
        file=OWNER_LOCKS,
        text=("        except BlockingIOError:\n            return _State.LIVES\n"),
        instead=("        except BlockingIOError:\n            return _State.DEAD\n"),
        breaks="A process that is stopped keeps its leases.",
        caught_by=(f"{BY_OWNER_LOCKS}::test_a_stopped_process_holds_its_leases",),
    ),
    Fault(
        name="one acts alone beside another",
        file=OWNER_LOCKS,
        text=("        if self.living():\n            self.share()\n"),
        instead="",
        breaks="Nobody acts alone while another process works on the store.",
        caught_by=(f"{BY_OWNER_LOCKS}::test_one_acts_alone_only_where_no_other_process_works_on_the_store",),
    ),
    Fault(
        name="it leases while another acts alone",
        file=STORE,
        text="if leased and self._owners is not None and self._owners.is_another_alone():",
        instead="if leased and self._owners is None:",
        breaks="While another acts alone nothing is leased.",
        caught_by=(f"{BY_OWNER_LOCKS}::test_while_one_acts_alone_no_other_is_given_a_lease",),
    ),
    Fault(
        name="leases of the dead are waited for",
        file=STORE,
        text="        await self._take_from_the_dead(owner)\n",
        instead="",
        breaks="What a process held that has died on this host is free at once.",
        caught_by=(f"{BY_OWNER_LOCKS}::test_the_leases_of_a_killed_process_are_taken_over_at_once",),
    ),
    Fault(
        name="commands come in any order",
        file=QUERIES,
        text="    .order_by(commands.c.rollout, commands.c.number)\n",
        instead="    .order_by(commands.c.rollout, commands.c.number.desc())\n",
        breaks="Commands are applied in the order in which they came.",
        caught_by=(
            f"{BY_STORE_COMMANDS}::test_a_command_makes_its_row_due_at_once_and_comes_with_the_lease",
        ),
    ),
    Fault(
        name="a start's key stands for ever",
        file=QUERIES,
        text="select(*SHOWN).where(rollouts.c.start_key == key, rollouts.c.created_at > now - KEYS_HOLD)",
        instead="select(*SHOWN).where(rollouts.c.start_key == key)",
        breaks="A start's key is free again after its time.",
        caught_by=(
            f"{BY_STORE_CHAIN}::test_a_start_key_makes_another_rollout_a_day_later_and_stands_for_that",
        ),
    ),
    Fault(
        name="answered commands come again",
        file=QUERIES,
        text="        commands.c.state == CommandState.ACCEPTED.value,\n",
        instead="        commands.c.state != str(),\n",
        breaks="A command is applied once.",
        caught_by=(f"{BY_STORE_COMMANDS}::test_a_commit_writes_what_became_of_commands_once",),
    ),
    Fault(
        name="an old rollout is the active one",
        file=QUERIES,
        text="active = select(*SHOWN).where(rollouts.c.service == service, rollouts.c.is_active)",
        instead="active = select(*SHOWN).where(rollouts.c.service == service)",
        breaks="The active rollout of a service is one that has not ended.",
        caught_by=(f"{BY_STORE}::test_the_active_rollout_of_a_service_is_found_until_it_ends",),
    ),
    Fault(
        name="a store of a newer Teal is opened",
        file=UPGRADE,
        text=("    if current is not None and current not in known:\n        raise Unusable("),
        instead=("    if current is not None and not known:\n        raise Unusable("),
        breaks="A store of a newer version is refused in words.",
        caught_by=(f"{BY_OPENING}::test_a_database_of_a_newer_version_is_refused_and_left_alone",),
    ),
    Fault(
        name="a store is migrated under its engine",
        file=UPGRADE,
        text="    if current is not None and is_used():\n",
        instead="    if current is not None and is_used() and current == HEAD:\n",
        breaks="A store is not migrated under an engine of an older version.",
        caught_by=(f"{BY_MIGRATIONS}::test_the_tables_are_not_changed_under_an_engine_that_works_on_them",),
    ),
    Fault(
        name="a newer row is read as it can be",
        file=CODEC,
        text="    if version > known:\n",
        instead="    if version > known + 1000:\n",
        breaks="A row that a newer Teal wrote is refused, not misread.",
        caught_by=(
            f"{BY_ROWS_OF_EARLIER_VERSIONS}::test_what_a_newer_version_wrote_is_refused_with_both_versions_and_what_to_do",
        ),
    ),
    Fault(
        name="rows of an earlier version lose what they knew",
        file=ROW_VERSIONS,
        text="            row.setdefault(known[name], {})[name] = value\n",
        instead="            row.setdefault(known[name], {})\n",
        breaks="A rollout that an earlier Teal began goes on.",
        caught_by=(
            f"{BY_ROWS_OF_EARLIER_VERSIONS}::test_nothing_that_a_row_says_is_lost_when_it_is_written_anew",
        ),
    ),
    Fault(
        name="a key stands for a moment",
        file=INVARIANTS,
        text="    return now - since < KEYS_HOLD\n",
        instead="    return now == since\n",
        breaks="A key stands for what it did for a time.",
        caught_by=(f"{BY_STORE_CHAIN}::test_a_start_key_stands_for_its_rollout_for_a_day",),
    ),
    Fault(
        name="a waiting command's key is free",
        file=INVARIANTS,
        text="return seen.state is CommandState.ACCEPTED or stands(seen.command.at, now=now)",
        instead="return stands(seen.command.at, now=now)",
        breaks="A command's key is its own for as long as the command waits.",
        caught_by=(f"{BY_STORE_CHAIN}::test_a_command_that_still_waits_keeps_its_key_for_longer",),
    ),
    Fault(
        name="events have the same number",
        file=INVARIANTS,
        text="enumerate(events, start=after + 1)",
        instead="enumerate(events, start=1)",
        breaks="A rollout's events are numbered one after the other.",
        caught_by=(f"{BY_STORE}::test_events_are_numbered_without_gaps_also_around_a_lost_commit",),
    ),
)
