"""Rollouts under way in a store of an earlier version are read, go on and end right.

Each folder of `tests.store.rows` holds rows as the code of one version wrote them. This day's code is given each row in
a World that is as it was left, by the calls that were made there, and lets the rollout go on. Rows are known here by
their text, and by what the doors show of them, and never by the fields of the values that they become.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from orchestrator.core.domain.commands import Command
from orchestrator.core.domain.events import Event
from orchestrator.core.domain.ids import RolloutId
from orchestrator.core.domain.phases import Phase
from orchestrator.core.rollout.rollout import Rollout
from orchestrator.core.rollout.spec import Ending
from orchestrator.engine.views.report import report
from orchestrator.store.codec import decode, encode
from orchestrator.store.errors import Unusable
from orchestrator.store.sql.store import SqlStore
from tests.cases.looks import groups_of, live_services, service_of
from tests.store.rows.golden import FOLDER, Golden, leaves, paths
from tests.store.rows.playing import gone_on, look, started_as
from tests.store.rows.scenarios import SCENARIOS
from tests.store.rows.stage import Recorded, filled
from tests.support.everything import OF_A_NEW_REVISION, OF_RELEASES, OF_TIME, difference, sorted_out

R1 = RolloutId("r1")
KINDS = {"rollout": Rollout, "event": Event, "command": Command}
FINAL = {phase.value for phase in Phase if phase.is_final}
DROPPED = {"undriven", "is_paged"}  # nothing is lost with them: never read, or people are paged once more


def name_of(path: Path) -> str:
    return str(path.relative_to(FOLDER).with_suffix(""))


@cache
def golden(path: Path) -> Golden:
    return Golden.read(path)


def is_under_way(path: Path) -> bool:
    return golden(path).shown["phase"] not in FINAL


every_row = pytest.mark.parametrize("path", paths(), ids=name_of)
every_row_under_way = pytest.mark.parametrize(
    "path", [path for path in paths() if is_under_way(path)], ids=name_of
)
every_made_value = pytest.mark.parametrize("path", sorted(FOLDER.glob("*/made/*.json")), ids=name_of)


def without_dropped(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in DROPPED}


def kept(text: str) -> Counter[str]:
    """The values in a row's text that say something by themselves, wherever they stand; how often each is there."""
    document = json.loads(text, object_hook=without_dropped)
    found = Counter(str(leaf) for leaf in leaves(document))
    return Counter(
        {leaf: times for leaf, times in found.items() if len(leaf) > 3 and leaf not in ("None", "False")}
    )


# reading ----------------------------------------------------------------------------------------------------------


def test_there_is_a_row_in_every_phase() -> None:
    assert {golden(path).shown["phase"] for path in paths()} == {phase.value for phase in Phase}


@every_row
def test_a_row_is_read_and_is_the_same_once_it_was_written_anew(path: Path) -> None:
    row = decode(Rollout, golden(path).body, rollout=R1)
    assert decode(Rollout, encode(row), rollout=R1) == row


@every_row
def test_nothing_that_a_row_says_is_lost_when_it_is_written_anew(path: Path) -> None:
    body = golden(path).body
    now = kept(encode(decode(Rollout, body, rollout=R1)))
    assert set(kept(body)) - set(now) == set()


@every_made_value
def test_nothing_is_lost_of_a_value_with_something_in_every_field(path: Path) -> None:
    """Every text, number and time is in it once, so that each is missed by itself, wherever it stands today."""
    kind = KINDS[path.stem.partition("-")[0]]
    made = path.read_text()
    value = decode(kind, made, rollout=R1)
    again = encode(value)
    assert decode(kind, again, rollout=R1) == value
    assert kept(made) - kept(again) == Counter()


# going on ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def place(path: Path) -> Iterator[tuple[Recorded, Golden]]:
    with started_as(golden(path)) as found:
        yield found


def _as_stored(shown: Mapping[str, Any]) -> dict[str, Any]:
    """What is shown, without what each version says anew: the commands that it takes, and what its plan sees."""
    holds = [{name: hold[name] for name in hold if name != "commands"} for hold in shown["holds"]]
    sees = shown["sees"].partition(",")[0]  # by which traffic
    return {**{name: shown[name] for name in shown if name != "accepts"}, "holds": holds, "sees": sees}


@every_row_under_way
def test_a_rollout_under_way_is_shown_as_ever_goes_on_and_ends_right(
    place: tuple[Recorded, Golden],
) -> None:
    stage, row = place
    scenario, rollout = SCENARIOS[row.scenario], RolloutId(row.rollout)
    shown = stage.shown(rollout)
    assert set(shown["accepts"]) <= set(row.shown["accepts"]), "only what would be accepted now"
    was, now = _as_stored(row.shown), _as_stored(shown)
    assert {name: now[name] for name in was} == was
    way, phase = gone_on(stage, row)
    assert phase == row.phase, stage.story(rollout)
    assert way == row.then, stage.story(rollout)
    at_end, services = stage.shown(rollout), live_services(stage)
    serves = at_end["green" if scenario.ending.is_swap and phase == Phase.SUCCEEDED else "blue"]
    assert traffic_goes_to(stage, services) == ({serves} if scenario.has_rules else set())
    if serves == at_end["green"]:
        assert_all_but_green_is_retired(stage, at_end, is_blue_deleted=scenario.ending is Ending.DELETE)
        return
    runs = scenario.runs or at_end["revision" if phase == Phase.SUCCEEDED else "former"]
    assert service_of(stage)["taskDefinition"].rpartition("/")[2] == runs.rpartition("/")[2]
    allowed = OF_A_NEW_REVISION | OF_RELEASES | OF_TIME | dict(scenario.theirs)
    assert sorted_out(difference(stage.before, look(stage)), allowed)[1] == []


def traffic_goes_to(stage: Recorded, services: list[str]) -> set[str]:
    """The services that get requests by the rules."""
    found = look(stage)
    rules = [
        rule for name, rules in found.items() if name.startswith("elbv2 DescribeRules") for rule in rules
    ]
    actions = [rule["Actions"][-1] for rule in rules if rule["RuleArn"] in stage.scenery.rules]
    weights = [each for action in actions for each in action["ForwardConfig"]["TargetGroups"]]
    groups = {each["TargetGroupArn"] for each in weights if each.get("Weight", 1)}
    of = {
        each["targetGroupArn"]: name for name in services for each in service_of(stage, name)["loadBalancers"]
    }
    return {of[group] for group in groups}


def assert_all_but_green_is_retired(
    stage: Recorded, at_end: dict[str, Any], *, is_blue_deleted: bool
) -> None:
    """Green serves, what was there first is kept without tasks or gone, and what came between is gone."""
    stays = {stage.scenery.service, at_end["green"]} - ({at_end["blue"]} if is_blue_deleted else set())
    assert set(live_services(stage)) == stays
    assert all(service_of(stage, name)["desiredCount"] == 0 for name in stays - {at_end["green"]})
    (own,) = service_of(stage, at_end["green"])["loadBalancers"]
    assert set(groups_of(stage)) == {stage.scenery.target_group, own["targetGroupArn"]}
    assert service_of(stage, at_end["green"])["taskDefinition"] == at_end["revision"]


# logs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [path for path in paths() if golden(path).rows.get("events")], ids=name_of)
def test_a_log_is_whole_every_event_is_the_same_anew_and_a_report_is_made_of_it(path: Path) -> None:
    row = golden(path)
    store, rollout = SqlStore(filled(row)), RolloutId(row.rollout)
    told = asyncio.run(report(store, rollout))
    assert (told.chain.is_whole, told.chain.events) == (True, len(row.rows["events"]))
    assert told.rollout.phase == row.shown["phase"]
    assert told.moves
    log = asyncio.run(store.events(rollout))
    assert [decode(Event, encode(seen.event), rollout=rollout) for seen in log] == [
        seen.event for seen in log
    ]


def test_between_them_the_logs_hold_most_kinds_of_events() -> None:
    kinds = {event["kind"] for path in paths("0.1.0") for event in golden(path).rows.get("events", ())}
    assert len(kinds) > 25


# newer ones -------------------------------------------------------------------------------------------------------


def of_version(body: str, version: object) -> str:
    return json.dumps({**json.loads(body), "version": version})


@pytest.mark.parametrize("word", KINDS)
def test_what_a_newer_version_wrote_is_refused_with_both_versions_and_what_to_do(word: str) -> None:
    body = (FOLDER / "0.1.0" / "made" / f"{word}-1.json").read_text()
    known = json.loads(encode(decode(KINDS[word], body, rollout=R1)))["version"]
    decode(KINDS[word], of_version(body, known), rollout=R1)
    with pytest.raises(Unusable) as caught:
        decode(KINDS[word], of_version(body, 99), rollout=R1)
    assert f"its {word} was written by a newer Teal: it is of version 99" in str(caught.value)
    assert f"this Teal reads {word}s up to version {known}" in str(caught.value)
    assert "Use the version of Teal that wrote it or a newer one" in str(caught.value)


@pytest.mark.parametrize("version", ["two", None, 1.5])
def test_a_version_that_is_none_is_refused(version: object) -> None:
    body = (FOLDER / "0.1.0" / "made" / "event-1.json").read_text()
    with pytest.raises(Unusable, match="its event does not fit: version"):
        decode(Event, of_version(body, version), rollout=R1)


def test_a_row_of_a_newer_version_is_left_as_it_is_and_told_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    row = golden(FOLDER / "0.1.0" / "shifting-paused.json")
    database, change = filled(row), text("UPDATE rollouts SET body = :body, wake_at = 0")
    body = of_version(row.body, 99)
    database.now(lambda c: c.execute(change, {"body": body}))
    store, now = SqlStore(database), datetime.fromisoformat(row.at)
    leased = asyncio.run(store.lease_due(owner="one", now=now, ttl=timedelta(seconds=30), limit=9))
    assert leased == ()
    assert "it is of version 99" in caplog.text
    assert database.now(lambda c: c.execute(text("SELECT body FROM rollouts")).scalar()) == body
