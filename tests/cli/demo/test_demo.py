"""The demo's figures and verdict; and that it leaves nothing behind when it is interrupted."""

import asyncio
import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from api.cli.backend.open import open_door
from api.cli.demo.acts import Act, Player, Result, environment
from api.cli.demo.show import in_a_line, summary, users
from api.cli.output.rollout_sheet import plain
from orchestrator import config
from orchestrator.core.domain.commands import CommandKind
from orchestrator.core.domain.errors import first_of
from orchestrator.core.domain.phases import Phase
from orchestrator.engine.views.rollout import RolloutView, view
from orchestrator.ports.rollouts import Stored
from sandbox.plane.clients.tally import LoadSeen, RevisionSeen
from sandbox.sandbox import Sandbox
from sandbox.scenarios.demo import MINUTE, Gauge, first_failure, rollout_file
from tests.cli import processes
from tests.cli.schemas import hold_to_schema
from tests.cli.terminal import played

GOOD = Act(name="good", about="a good one", revision="checkout:2", wanted_phase="succeeded")
BAD = Act(name="bad", about="a bad one", revision="checkout:2", wanted_phase="rolled_back")
BUCKETS = {20: 90, 60: 10}


def seen(elapsed: float = 10, *, shift: dict[str, int] | None = None, **revisions: RevisionSeen) -> LoadSeen:
    named = {name.replace("_", ":"): revision for name, revision in revisions.items()}
    sent = sum(revision.requests for revision in named.values())
    return LoadSeen(elapsed_seconds=elapsed, sent=sent, revisions=named, shift=shift or {})


@pytest.fixture(scope="module")
def good() -> RolloutView:
    return _view(Phase.SUCCEEDED)


@pytest.fixture(scope="module")
def bad() -> RolloutView:
    return _view(Phase.ROLLED_BACK, CommandKind.ROLLBACK)


def _view(phase: Phase, end: CommandKind | None = None) -> RolloutView:
    stage, rollout = played(phase, end=end)
    with stage:
        return view(Stored(rollout=stage.row(rollout), version=1, wake_at=None))


def bad_result(view: RolloutView) -> Result:
    assert view.traffic_on_blue_at is not None
    first = view.traffic_on_blue_at.timestamp() - 2.5
    felt = seen(
        checkout_1=RevisionSeen(ok=900), checkout_2=RevisionSeen(ok=80, failed=20, first_failure=first)
    )
    after = seen(checkout_1=RevisionSeen(ok=400))
    return Result(act=BAD, view=view, felt=felt, after=after, green_weight_max=10.0)


def test_good_act_is_whole_and_shaped_as_documented(good: RolloutView) -> None:
    felt = seen(checkout_1=RevisionSeen(ok=900), checkout_2=RevisionSeen(ok=100))
    after = seen(checkout_2=RevisionSeen(ok=400))
    result = Result(act=GOOD, view=good, felt=felt, after=after, green_weight_max=100.0)
    assert result.faults == ()
    hold_to_schema("demo", {"ok": True, "rollouts": [result.shape()]})
    assert result.shape() == {
        "name": "good",
        "id": good.id,
        "phase": "succeeded",
        "seconds": round(result.seconds, 1),
        "requests": 1000,
        "failed": {"revision": 0, "shift": 0},
        "green_weight_max": 100.0,
        "bad_to_blue_seconds": None,
        "rollback_reason": None,
    }


def test_bad_act_says_how_long_users_met_errors_and_why_it_ended(bad: RolloutView) -> None:
    result = bad_result(bad)
    assert result.faults == ()
    shape = result.shape()
    hold_to_schema("demo", {"ok": False, "rollouts": [shape], "error": "interrupted"})
    assert (shape["phase"], shape["failed"]) == ("rolled_back", {"revision": 20, "shift": 0})
    assert (shape["bad_to_blue_seconds"], shape["rollback_reason"]) == (
        2.5,
        "rollback by operator: looks odd",
    )


Change = Callable[[Result], Result]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda r: replace(r, act=replace(r.act, wanted_phase="succeeded")), "is rolled_back, not succeeded"),
        (lambda r: replace(r, felt=seen(shift={"502": 3})), "3 requests failed by no revision's fault"),
        (
            lambda r: replace(r, after=seen(checkout_2=RevisionSeen(ok=1))),
            "checkout:2 answers, not checkout:1",
        ),
        (lambda r: replace(r, after=seen()), "nobody answers, not checkout:1"),
    ],
)
def test_act_that_went_otherwise_says_what_did(bad: RolloutView, change: Change, fault: str) -> None:
    result = change(bad_result(bad))
    assert any(fault in words for words in result.faults)
    assert any(fault in plain(line) for line in summary([result]))


def test_summary_tells_the_whole_story_in_words(bad: RolloutView) -> None:
    text = "\n".join(plain(line) for line in summary([bad_result(bad)]))
    assert "checkout:1 → checkout:2  rolled_back after" in text
    assert "1000 requests; 20 failed by checkout:2 itself, none because of a shift" in text
    assert "all traffic on blue 2.5 s after the first error that a user met" in text


def test_gauge_makes_rates_of_the_last_seconds_and_keeps_the_totals() -> None:
    gauge = Gauge()
    for second in range(6):
        count = RevisionSeen(ok=100 * second, buckets={bucket: n * second for bucket, n in BUCKETS.items()})
        felt = gauge.felt(seen(second, checkout_1=count))
    (one,) = felt.revisions
    assert (felt.per_second, one.per_second, one.failed_share, one.requests) == (100, 100, 0.0, 500)
    assert one.half_ms is not None
    assert one.most_ms is not None
    assert one.half_ms < one.most_ms


def test_revision_that_nobody_asks_now_has_no_times_and_no_share() -> None:
    gauge = Gauge()
    count = RevisionSeen(ok=100, buckets=BUCKETS)
    for second in (1, 2, 3, 4):
        felt = gauge.felt(seen(second, checkout_1=count))
    (one,) = felt.revisions
    assert (one.per_second, one.failed_share, one.half_ms, one.most_ms) == (0, None, None, None)
    assert in_a_line(felt) == "0 failed by a shift"


def test_users_are_shown_by_revision_and_shift_apart(bad: RolloutView) -> None:
    gauge = Gauge()
    gauge.felt(seen(1))
    felt = gauge.felt(
        seen(2, shift={"502": 2}, checkout_1=RevisionSeen(ok=300), checkout_2=RevisionSeen(ok=30, failed=10))
    )
    lines = [plain(line) for line in users(felt, bad)]
    assert "checkout:1" in lines[1]
    assert "300/s" in lines[1]
    assert "25.0 %" in lines[2]
    assert lines[3].endswith("2 × 502")


def test_first_failure_is_the_earliest_of_any_revision() -> None:
    two = seen(a_1=RevisionSeen(failed=1, first_failure=8.0), b_1=RevisionSeen(failed=1, first_failure=5.0))
    assert first_failure(two) == 5.0
    assert first_failure(seen()) is None


def test_rollout_file_of_the_demo_is_one_that_teal_reads() -> None:
    text = rollout_file(
        about="a good one", service="prod/checkout", revision="checkout:2", alarm="checkout-5xx"
    )
    spec = config.load_text(text)
    assert (str(spec.service), spec.task_definition) == ("prod/checkout", "checkout:2")
    assert (spec.metrics.period, spec.metrics.lag) == (MINUTE, 2 * MINUTE)
    assert sum((step.bake for step in spec.plan.steps), timedelta(0)) < timedelta(seconds=30)


def test_engine_of_the_demo_sees_nothing_of_the_user_s_own_aws(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = {
        "AWS_PROFILE": "production",
        "TEAL_SERVER": "http://prod",
        "https_proxy": "http://proxy",
        "HOME": "/home/me",
    }
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    env = environment({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, tmp_path)
    assert not {"AWS_PROFILE", "TEAL_SERVER", "https_proxy"} & set(env)
    assert (env["HOME"], env["AWS_ENDPOINT_URL"]) == ("/home/me", "http://127.0.0.1:1")
    assert env["TEAL_STORE"] == str(tmp_path / "teal.db")


@pytest.mark.machine
def test_engine_that_ends_before_its_rollout_is_reported_with_its_own_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TEAL_STORE", str(tmp_path / "teal.db"))
    unknown = replace(GOOD, revision="checkout:99")

    async def play() -> None:
        async with Sandbox(minute=MINUTE) as sandbox, sandbox.load(rate=10) as load, open_door() as door:
            await Player(sandbox, load, door, tmp_path).play(unknown, lambda _: None)

    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(play())
    told = str(first_of(raised.value))
    assert "`teal deploy` ended before its rollout did" in told
    assert "task definition checkout:99 does not exist" in told


@pytest.fixture
def begun_in_the_background() -> Iterator[None]:
    """This process ignores SIGINT, as one does that a shell has begun with `nohup … &`."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.machine(seconds=40)
@pytest.mark.usefixtures("begun_in_the_background")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_demo_stops_everything_and_still_prints_its_line(
    number: signal.Signals, tmp_path: Path
) -> None:
    env = processes.environment(tmp_path, TMPDIR=str(tmp_path))
    with processes.running("demo", "--json", env=env) as demo:
        told = demo.read_until("starts prod/checkout", demo.err)
        code, out, _ = demo.stop(number)
    assert "1 of 2" in told
    assert code == 130
    (line,) = out.splitlines()
    assert json.loads(line) == {
        "ok": False,
        "rollouts": [],
        "error": "interrupted; everything it started is stopped",
    }
    assert list(tmp_path.glob("teal-demo-*")) == []
    assert _left(tmp_path) == []


def _left(folder: Path) -> list[str]:
    """Processes that still know this test's folder from their environment."""
    left = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"TMPDIR={folder}".encode() in path.read_bytes():
                left.append(path.parent.name)
        except OSError:
            continue  # it ended meanwhile, or is somebody else's
    return left
