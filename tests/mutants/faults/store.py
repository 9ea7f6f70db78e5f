"""Faults in store: the SQL store."""

from tests.mutants.fault import Fault

LEASES = "orchestrator/store/sql/leases.py"
STARTS = "orchestrator/store/sql/starts.py"
COMMANDS = "orchestrator/store/sql/commands.py"
RETENTION = "orchestrator/store/sql/retention.py"

BY_STORE_LEASES = "tests/contract/test_store_leases.py"
BY_STORE = "tests/contract/test_store.py"
BY_STORE_COMMANDS = "tests/contract/test_store_commands.py"
BY_SQLITE = "tests/store/test_sqlite.py"
BY_STORE_CHAIN = "tests/contract/test_store_chain.py"
BY_STORE_OUTBOX = "tests/contract/test_store_outbox.py"
BY_OWNER_LOCKS = "tests/store/test_owner_locks.py"
BY_STORE_NOTES = "tests/contract/test_store_notes.py"
BY_STORE_RETENTION = "tests/contract/test_store_retention.py"

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
)
