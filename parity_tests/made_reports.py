"""Made-up reports: what a run could have found, without one. The numbers are drawn; the blocks are real."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

import attn_core as core
from attn_core.interpreters.formula import formula
from attn_core.parity.result import BROKEN, FAILED, LEFT_OUT, PASSED, Cell, Report, Subject, Tensor
from attn_core.spec import Block

RUNTIMES, DTYPES, MODES = ("torch", "keras", "linen", "nnx"), ("float32", "bfloat16"), ("eval", "train")
# With fields and shapes of their own, not those of the day's examples: tests look for them in the pages. One image
# differs from the rest, to be found by its shape.
TRIALS: dict[str, tuple[Block, tuple[int, ...]]] = {
    "SqueezeExcitation": (core.SqueezeExcitation(64, reduction=16), (1, 64, 32, 32)),
    "CBAM": (core.CBAM(64, reduction=16, kernel=7), (1, 64, 32, 32)),
    "ShuffleAttention": (core.ShuffleAttention(128, groups=64), (1, 128, 32, 32)),
    "GlobalPooling": (core.GlobalPooling(pools="both"), (1, 64, 32, 32)),
    "NonLocal": (core.NonLocal(64, hidden=None), (1, 64, 32, 32)),
}
VERSIONS = {
    "python": "3.11.2",
    "numpy": "2.4.6",
    "torch": "2.13.0",
    "keras": "3.15.1",
    "jax": "0.10.2",
    "flax": "0.12.8",
}
LARGE = "softmax of logits up to 310: a bound on them says little"


def report(cells: Iterable[Cell], **fields: object) -> Report:
    """Return a run that found these cells."""
    cells = tuple(cells)
    subjects = tuple(subject(TRIALS[name][0]) for name in dict.fromkeys(cell.block for cell in cells))
    about = {"seed": 7, "chance": 1e-6, "versions": VERSIONS, "machine": "x86_64, 2 cores, Linux 6.12"}
    return Report(cells, subjects, **(about | {"created": "2026-03-04T05:06:07+00:00"} | fields))


def subject(block: Block) -> Subject:
    """Return what a report shows of a block."""
    weights = {name: (array.shape, str(array.law)) for name, array in block.arrays().items()}
    return Subject(type(block).__name__, repr(block), block.source, formula(block), block.config(), weights)


def cell(name: str, runtime: str, dtype: str, mode: str, draws: int = 1) -> Cell:
    """Return a cell that passed."""
    (block, shape), rng = TRIALS[name], np.random.default_rng([ord(c) for c in name + runtime + dtype + mode])
    names = ["output", *(f"grad:{array}" for array in ("input", *block.arrays()))]
    tensors = tuple(
        tensor(each, share)
        for each, share in zip(names, np.exp(rng.normal(-3, 1.2, len(names)).clip(-9, -0.2)), strict=True)
    )
    worst = max(each.share for each in tensors)
    shares = (worst, *(float(share) for share in worst * rng.beta(4, 3, draws - 1)))
    return Cell(name, repr(block), runtime, dtype, mode, (shape,), 7, PASSED, tensors, shares, seconds=0.25)


def tensor(name: str, share: float, remark: str = "") -> Tensor:
    """Return a tensor whose worst number differs by this share of its bound."""
    bound, wanted = 3.5e-6, 0.8125
    error = float(share) * bound
    return Tensor(name, 3136, float(share), error, (1, 3, 5), wanted + error, wanted, bound, remark)


def with_share(found: Cell, mode: str, share: float) -> Cell:
    """Return a cell of another mode whose only tensor has this share."""
    status = PASSED if share <= 1 else FAILED
    return replace(found, mode=mode, status=status, tensors=(tensor("output", share),), shares=(share,))


def passing(draws: int = 1) -> Report:
    """Return a run in which everything passed."""
    combinations = ((r, d, m) for r in RUNTIMES for d in DTYPES for m in MODES)
    chosen = list(combinations)
    return report(cell(name, *each, draws=draws) for name in TRIALS for each in chosen)


def failing(draws: int = 12) -> Report:
    """Return a run with every status: one cell that differs, one that raised, cells left out, and a missing runtime."""
    cells = [each for each in passing(draws).cells if each.runtime != "linen"]
    return report(map(_spoilt, cells), missing={"linen": "No module named 'flax'"})


def _spoilt(found: Cell) -> Cell:
    if (found.block, found.runtime, found.dtype, found.mode) == ("CBAM", "torch", "float32", "train"):
        wrong = (tensor("output", 37.4), tensor("grad:spatial.conv.weight", 4100.0, LARGE))
        shares = (4100.0, *(share * 2000 for share in found.shares[1:]))
        where = "spatial.conv"
        return replace(found, status=FAILED, tensors=(*wrong, *found.tensors[1:]), shares=shares, where=where)
    if (found.block, found.runtime, found.dtype) == ("NonLocal", "keras", "bfloat16"):
        return replace(found, status=BROKEN, tensors=(), shares=(), message=f"ValueError: no kernel for {found.dtype}")
    if found.block == "GlobalPooling" and found.mode == "train":
        return replace(found, status=LEFT_OUT, tensors=(), shares=(), message="nothing in it is different in training")
    return found


def nothing() -> Report:
    """Return a run of no cells."""
    return report([])


def all_missing() -> Report:
    """Return a run on a machine without any framework."""
    return report([], missing={name: f"No module named '{name}'" for name in RUNTIMES}, versions={"numpy": "2.4.6"})


def hostile() -> Report:
    """Return a run whose every text attacks the page that shows it, or is no text of XML."""
    text = HOSTILE
    bad = Tensor(text, 4, math.inf, math.nan, (0,), math.nan, -math.inf, 0.0, text)
    broken = Cell(text, text + "(", text, text, text, ((2, 3),), 0, FAILED, (bad,), (math.inf,), text, text)
    about = Subject(text, text + "(", text, text, {text: text}, {text: ((3,), text)})
    return Report(
        (broken, replace(broken, status=BROKEN, mode="x")), (about,), 0, 0.0, {text: text}, text, text, {text: text}
    )


HOSTILE = (
    "</script></style></pre><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "'\" onmouseover=alert(1) {{ 7 * 7 }} ]]> <!-- &amp; \0 \x1b[31m \ud800 \u202e ü 試 🙂"
)
