"""Long proofs go on where they were stopped, and their page tells the last figures of each."""

from pathlib import Path

import pytest

from tests.night.__main__ import Progress, prove, row_of, rows_of
from tests.night.proofs import PROOFS, Proof, kills_told, mutants_told, restarts_told, seeds_told

THREE = Proof(
    name="simulation",
    claim="All is well.",
    pieces=(("1",), ("2",), ("3",)),
    told=" ".join,
)


class Run:
    """Runs pieces, fails the one it is told to, and is stopped before another."""

    def __init__(self, *, bad: str = "", stopped_at: str = "") -> None:
        self.bad, self.stopped_at, self.ran = bad, stopped_at, ""

    def __call__(self, piece: tuple[str, ...]) -> tuple[int, str, str]:
        if piece[0] == self.stopped_at:
            raise KeyboardInterrupt
        self.ran += piece[0]
        return int(piece[0] == self.bad), f"piece\n{piece[0]} good\n\n", ""


def test_stopped_run_goes_on_where_it_was(tmp_path: Path) -> None:
    kept = tmp_path / "kept" / "proved.json"
    with pytest.raises(KeyboardInterrupt):
        prove(THREE, Progress("a", kept), Run(stopped_at="3"))
    again = Run()
    proved = prove(THREE, Progress("a", kept), again)
    assert again.ran == "3"
    assert proved is not None
    assert [one.last for one in proved] == ["1 good", "2 good", "3 good"]


def test_another_commit_is_proved_anew(tmp_path: Path) -> None:
    prove(THREE, Progress("a", tmp_path / "proved.json"), Run())
    again = Run()
    prove(THREE, Progress("b", tmp_path / "proved.json"), again)
    assert again.ran == "123"


def test_piece_that_fails_is_told_and_tried_again_the_next_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prove(THREE, Progress("a", tmp_path / "proved.json"), Run(bad="2")) is None
    assert "`python 2` exits 1" in capsys.readouterr().out
    again = Run()
    assert prove(THREE, Progress("a", tmp_path / "proved.json"), again) is not None
    assert again.ran == "2"


def test_page_keeps_the_figures_of_what_was_not_proved_now(tmp_path: Path) -> None:
    proved = prove(THREE, Progress("a", tmp_path / "proved.json"), Run())
    assert proved is not None
    row = row_of(THREE, proved, "a")
    page = f"| proof | what |\n|---|---|\n{row}\n| fuzz | an older one |\n"
    assert rows_of(page) == {"simulation": row, "fuzz": "| fuzz | an older one |"}
    assert row.endswith("| 1 good 2 good 3 good |")


def test_every_proof_has_a_name_of_its_own_and_no_piece_twice() -> None:
    assert len({proof.name for proof in PROOFS}) == len(PROOFS)
    pieces = [piece for proof in PROOFS for piece in proof.pieces]
    assert len(set(pieces)) == len(pieces)


def test_figures_of_pieces_are_added_up() -> None:
    seeds = "50 seeds in 60.1 s (30 succeeded, 20 rolled_back), 1000 calls, 0 broke a promise"
    assert seeds_told([seeds, seeds]) == (
        "100 rollouts (60 succeeded, 40 rolled_back), 2,000 calls to AWS, 0 broke a promise"
    )
    kills = "10 rollouts, 9 ended right, 1 of 5000 requests lost by a shift"
    assert kills_told([kills, kills]) == "20 rollouts, 18 ended right, 2 requests lost by a shift"
    faults = "12 faults, 12 caught (12 by tests/core), 0 not; median 1.0 s, 0.2 CPU-minutes"
    assert mutants_told([faults, faults]) == "24 faults, one at a time, 24 caught"
    restarts = [
        "10 kills, 10 with a write within 5 s, the slowest after 3.21 s",
        "10 kills, 9 with a write within 5 s, the slowest after 6.50 s",
    ]
    assert restarts_told(restarts) == (
        "20 kills, 19 with a write to AWS within 5 s of the next exec, the slowest after 6.50 s"
    )
