"""Plays seeds, one after the other or in a few processes, and says how to see a failing one again."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.sim.scenario import Scenario, scenario_of, swapping
from tests.sim.shrinking import Shrunk, shrink
from tests.sim.stage import Played, play


def play_seed(seed: int) -> Played:
    """Play one seed; an error of the simulated program itself counts as a broken run, with its seed."""
    try:
        return play(scenario_of(seed))
    except BaseException as error:
        error.add_note(f"see it again: SEED={seed} make sim")
        raise


def play_swap(seed: int) -> Played:
    """Play one seed as a rollout in which green stays."""
    return play(swapping(seed))


def play_seeds(
    seeds: Iterable[int], *, processes: int = 1, of: Callable[[int], Played] = play_seed
) -> Iterator[Played]:
    """Play seeds; the results come in the seeds' order."""
    if processes == 1:
        yield from map(of, seeds)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(of, seeds, chunksize=4)


def complaint(played: Played) -> str:
    """What went wrong in a run, and how to see it again."""
    lines = [f"seed {played.seed} ended {played.phase}:", *map(str, played.broken)]
    return "\n".join([*lines, f"see it again: SEED={played.seed} make sim"])


def shrink_it(scenario: Scenario, promise: int, *, of: Callable[[Scenario], Played] = play) -> Shrunk:
    """The shortest story in which the same promise is broken; one in which the program itself fails is another."""

    def breaks(candidate: Scenario) -> bool:
        try:
            return any(one.promise == promise for one in of(candidate).broken)
        except Exception:  # what a smaller scenario cannot be played with is needed
            return False

    return shrink(scenario, breaks)
