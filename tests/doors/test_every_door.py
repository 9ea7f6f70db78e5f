"""Every command through every door: each cell of the table is a test, and the table is what the tests saw.

`pytest tests/doors -s` prints it.
"""

from collections.abc import Callable, Iterator

import pytest

from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.events import EventKind
from tests.doors.house import House
from tests.doors.ways import REASON, Way, ways
from tests.slack.fake import FakeSlack
from tests.slack.room import APPROVER, OPERATOR, Room
from tests.support.rehearsal import Rehearsal

pytestmark = pytest.mark.machine(seconds=15)

DOORS = ("HTTP", "CLI on the store", "CLI on a server", "client, sync", "client, async")
SOURCE = {"CLI on the store": "cli"}
STATE = {"resume": "paused", "back": "watching", "promote": "watching"}
READS = ("start", "get", "list", "events")
COMMANDS = tuple(kind.value for kind in CommandKind)
BUTTONS = {"approve": "Approve", "reject": "Reject", "pause": "Pause", "rollback": "Roll back"}
BY_SLACK = {*BUTTONS, "resume", "get", "list"}
"""What people on call need there; the rest is for the terminal and for programs."""

Check = Callable[[House, Way, str], None]


@pytest.fixture(scope="module")
def table() -> Iterator[dict[tuple[str, str], str]]:
    """What the tests found, cell by cell; printed at the end."""
    cells: dict[tuple[str, str], str] = {}
    yield cells
    columns = (*DOORS, "Slack")
    print("\n| |", " | ".join(columns), "|\n|", " | ".join(["---"] * (len(columns) + 1)), "|")
    for row in (*COMMANDS, *READS):
        marks = [
            cells.get((row, door), "–" if door == "Slack" and row not in BY_SLACK else "no")
            for door in columns
        ]
        print(f"| {row} |", " | ".join(marks), "|")


def _name(door: str, row: str) -> str:
    return f"{row}-{door.lower().replace(' ', '-').replace(',', '')}"


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("command", COMMANDS)
def test_command_is_kept_with_its_reason(
    command: str, door: str, house: House, table: dict[tuple[str, str], str]
) -> None:
    with house.holding(STATE.get(command, "shifting"), _name(door, command)) as rollout:
        ways(house)[door].give(command, rollout)
        (kept,) = house.commands(rollout)
    assert (kept.kind, kept.reason, kept.by.source) == (command, REASON, SOURCE.get(door, "http"))
    assert (kept.full, kept.to) == (command == "promote", 100 if command == "back" else None)
    table[command, door] = "yes"


@pytest.mark.parametrize("door", DOORS)
def test_rollout_is_started_once_for_a_key(
    door: str, house: House, table: dict[tuple[str, str], str]
) -> None:
    way, file, key = ways(house)[door], house.file(), _name(door, "start")
    rollout = way.start(file, key)
    try:
        assert way.start(file, key) == rollout
        assert way.get(rollout) == "pending"
    finally:
        house.end(rollout)
    table["start", door] = "yes"


def _get(house: House, way: Way, rollout: str) -> None:
    assert way.get(rollout) == "shifting"


def _list(house: House, way: Way, rollout: str) -> None:
    assert way.listed(f"prod/{rollout.removesuffix('-0000')}") == [rollout]


def _events(house: House, way: Way, rollout: str) -> None:
    numbers = way.events(rollout)
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 5


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("row", "check"), [("get", _get), ("list", _list), ("events", _events)])
def test_read_shows_what_the_store_has(
    row: str, check: Check, door: str, house: House, table: dict[tuple[str, str], str]
) -> None:
    with house.holding("shifting", _name(door, row)) as rollout:
        check(house, ways(house)[door], rollout)
    table[row, door] = "yes"


@pytest.fixture
def room() -> Iterator[Room]:
    with Rehearsal(requests_per_second=2) as stage:
        slack = FakeSlack(stage.clock.now)
        slack.open()
        yield Room(stage, slack)
        slack.close()


@pytest.mark.parametrize("row", sorted(BY_SLACK))
def test_people_on_call_have_what_they_need_in_slack(
    row: str, room: Room, table: dict[tuple[str, str], str]
) -> None:
    rollout = room.waiting()
    match row:
        case "get":
            assert rollout in str(room.teal("status checkout"))
        case "list":
            assert "checkout" in str(room.teal("list"))
        case "resume":
            room.teal("pause checkout")
            room.tick()
            room.teal("resume checkout")
        case _:
            room.press(BUTTONS[row], APPROVER if row in ("approve", "reject") else OPERATOR)
            if row in ("reject", "rollback"):
                room.submit(APPROVER if row == "reject" else OPERATOR, REASON)
    if row in COMMANDS:
        room.tick()
        applied = [e.event for e in room.stage.events(rollout) if e.event.kind is EventKind.COMMAND_APPLIED]
        assert dict(applied[-1].facts)["command"] == row
    table[row, "Slack"] = "yes"


def test_table_has_a_cell_for_every_command_and_every_door(
    table: dict[tuple[str, str], str], request: pytest.FixtureRequest
) -> None:
    if len(request.session.items) < len(DOORS) * (len(COMMANDS) + len(READS)):
        pytest.skip("only some of the cells were asked for")
    if hasattr(request.config, "workerinput"):
        pytest.skip("the cells are spread over several processes")
    wanted = {(row, door) for row in (*COMMANDS, *READS) for door in DOORS} | {
        (row, "Slack") for row in BY_SLACK
    }
    assert set(table) == wanted
