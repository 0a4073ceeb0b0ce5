"""Whether bounds hold: the matrix many times with fresh seeds, and each number of a layer that is beyond its own.

``python parity_tests/validity.py --draws 100 --dtypes bfloat16,float16`` runs every standard configuration; with
``--seconds``, as many as are done by then, networks last. docs/numerics.md has what came of it.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from typing import NamedTuple

from attn_core.models import MODELS
from attn_core.parity.matrix import MODES, Plan, run
from attn_core.parity.result import BROKEN, LEFT_OUT, Cell
from attn_core.parity.subjects import Trial, chosen


class Job(NamedTuple):
    """One draw of one configuration in one dtype."""

    place: int
    dtype: str
    seed: int
    runtimes: tuple[str, ...]
    end: float  # when no more are begun


def work(job: Job) -> tuple[Job, list[Cell]] | None:
    """Run a job, if there is time for it."""
    if time.time() > job.end:
        return None
    trial = chosen(["all"])[job.place]
    cells = run(Plan([trial], job.runtimes, (job.dtype,), MODES, job.seed))
    return job, [cell for cell in cells if cell.status != LEFT_OUT]


def jobs(given: argparse.Namespace) -> Iterator[Job]:
    """Yield all jobs, seed by seed, those of networks behind all others."""
    end = time.time() + given.seconds
    trials = list(enumerate(chosen(["all"])))
    for of_networks in (False, True):
        for seed in range(given.seed, given.seed + given.draws):
            for place, trial in trials:
                if is_network(trial) == of_networks:
                    yield from (Job(place, each, seed, given.runtimes, end) for each in given.dtypes)


def is_network(trial: Trial) -> bool:
    """Say whether a configuration takes long."""
    return type(trial.block).__name__ in MODELS


def told(done: Sequence[tuple[Job, list[Cell]]], dtype: str) -> Iterator[str]:
    """Yield the lines of a dtype: how much was run, and what is beyond its bounds."""
    own = [(job, cell) for job, cells in done if job.dtype == dtype for cell in cells]
    draws = Counter(job.place for job, _ in done if job.dtype == dtype)
    tensors = [(job, cell, tensor) for job, cell in own for tensor in cell.tensors]
    beyond = [each for each in tensors if not each[2].passed]
    none = sum("no bound" in tensor.remark for *_, tensor in tensors)
    wide = sum("too wide" in tensor.remark for *_, tensor in tensors)
    worst = max((tensor.share for *_, tensor in tensors), default=0.0)
    trials = chosen(["all"])
    least = {kind: min(draws[i] for i, t in enumerate(trials) if is_network(t) == kind) for kind in (False, True)}
    yield (
        f"{dtype}: {len(tensors):,} arrays in {len(own):,} cells, {len(beyond)} beyond their bounds, "
        f"the worst at {worst:.3g} of its own; {wide:,} with bounds too wide to judge some number, {none:,} without"
    )
    yield f"  draws of each block: {least[False]} at least; of each network: {least[True]} at least"
    for job, cell, tensor in beyond:
        yield f"  seed {job.seed}: {cell.text} in {cell.runtime}, {cell.mode}: {tensor}"
    for job, cell in own:
        if cell.status == BROKEN:
            yield f"  seed {job.seed}: {cell.text} in {cell.runtime}, {cell.mode}: {cell.message[:200]}"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--dtypes", type=lambda text: tuple(text.split(",")), default=("bfloat16", "float16"))
    parser.add_argument("--runtimes", type=lambda text: tuple(text.split(",")), default=("torch",))
    parser.add_argument("--seed", type=int, default=6000, help="the first of fresh ones")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    with get_context("spawn").Pool(given.processes) as pool:
        found = list(pool.imap_unordered(work, jobs(given), chunksize=4))
    done = [each for each in found if each is not None]
    for dtype in given.dtypes:
        print(*told(done, dtype), sep="\n")


if __name__ == "__main__":
    main()
