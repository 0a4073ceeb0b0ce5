"""Every case of every block in PyTorch on a GPU, for whoever has one: `python parity_tests/on_device.py cuda`.

The reference, the cases and the bounds are those of `test_parity.py`, which runs them on the processor. No machine that
this is checked on by itself has a GPU; this needs only PyTorch and pytest beside what the package needs.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

import numpy as np
import torch
from blocks import CASES, EXAMPLES
from bounds import FLOAT64, HALF
from cases import Case

from attn_core import parity
from attn_core.interpreters.rounding import bounded
from attn_torch import runtime


def shares(case: Case, dtype: str) -> dict[str, float]:
    """Return the error of each array in units of its bound: at most 1."""
    found = runtime.run(case.block, case.weights, case.inputs, case.cotangent, dtype, case.train)
    wanted = case.bounded(dtype)
    if dtype == "float64":
        return {name: error / FLOAT64 for name, error in parity.errors(found, wanted.values).items()}
    return {tensor.name: tensor.share for tensor in parity.compared(found, wanted)}


def half(case: Case, dtype: str) -> dict[str, float]:
    """Return the same of an output in half precision, of inputs and weights that are rounded to it."""
    kind = getattr(torch, dtype)
    image, *more = (torch.tensor(array).to(kind).double().cpu().numpy() for array in case.given)
    weights = {name: torch.tensor(array).to(kind).double().cpu().numpy() for name, array in case.weights.items()}
    given = (image, *more) if more else image
    wanted = bounded(case.block, weights, given, dtype=dtype)
    found = runtime.run(case.block, weights, given, dtype=dtype)
    difference = np.abs(found.output - wanted.values.output)
    with np.errstate(divide="ignore", invalid="ignore"):  # what only moves numbers about has a bound of 0
        found_shares = np.where(difference == 0, 0.0, difference / wanted.bounds["output"])
    return {"output": float(found_shares.max())}


def results() -> Iterator[tuple[str, str, dict[str, float]]]:
    """Run everything; return the dtype, the case's name and its shares."""
    for dtype in ("float64", "float32"):
        for name, case in CASES.items():
            if dtype in case.dtypes:
                yield dtype, name, shares(case, dtype)
    for dtype in HALF:
        for name, case in EXAMPLES.items():
            yield dtype, name, half(case, dtype)


def main(device: str) -> int:
    """Print what is beyond its bound, and how much was run; return 1 if anything is."""
    torch.set_default_device(device)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    largest: Counter[str] = Counter()
    run, beyond = Counter[str](), 0
    for dtype, name, found in results():
        run[dtype] += 1
        largest[dtype] = max(largest[dtype], *found.values())
        for array, share in found.items():
            if not share <= 1:
                beyond += 1
                print(f"{dtype} {name}: {array} at {share:.3g} times its bound")
    named = torch.cuda.get_device_name() if device.startswith("cuda") else device
    for dtype, count in run.items():
        print(f"{dtype}: {count} cases on {named}, at most {largest[dtype]:.3g} times their bounds")
    return int(beyond > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
