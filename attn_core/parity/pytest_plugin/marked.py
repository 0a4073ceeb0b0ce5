"""A block in one runtime of ours, as the marker of the plugin for pytest asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec

from attn_core.models.registry import parse
from attn_core.parity.foreign.asserting import ParityError
from attn_core.parity.foreign.checked import Checked
from attn_core.parity.foreign.settings import settled
from attn_core.parity.matrix import Plan, run
from attn_core.parity.report import texts
from attn_core.parity.result import FAILED, Cell
from attn_core.parity.runtimes import RUNTIMES, runtime
from attn_core.parity.subjects import Trial, standard_shapes
from attn_core.spec import Block

FRAMEWORKS = {"torch": "torch", "keras": "keras", "linen": "flax", "nnx": "flax"}


def installed() -> dict[str, bool]:
    """Return of each runtime whether its framework is there; none is imported."""
    return {name: find_spec(FRAMEWORKS[name]) is not None for name in RUNTIMES}


def assert_runtime(
    block: Block | str,
    name: str,
    *,
    shape: Sequence[int] | None = None,
    dtype: str = "float32",
    modes: Sequence[str] | None = None,
    seed: int = 0,
    draws: int = 1,
) -> Checked:
    """Run a block in a runtime, within its bounds. **Raises** `ParityError`, `MissingRuntimeError`, `SpecError`."""
    __tracebackhide__ = True  # of pytest
    runtime(name)
    known = parse(block) if isinstance(block, str) else block
    settings = settled(known, shape, modes)
    trial = Trial(known, (settings.shape, *standard_shapes(known)[1:]))
    plan = Plan((trial,), (name,), (dtype,), settings.modes, seed, draws)
    checked = Checked(tuple(map(_told, run(plan))), "as they are")
    if not checked.passed:
        raise ParityError(checked)
    return checked


def _told(cell: Cell) -> Cell:
    """Return a cell with what to say of it, if it failed."""
    tensor = texts.worst(cell)
    if cell.status != FAILED or tensor is None:
        return cell
    head = f"{cell.text} in {cell.runtime}, {cell.mode}, {cell.dtype}, seed {cell.seed}:"
    lines = (head, f"  {texts.difference(tensor)}", texts.where(cell))
    return replace(cell, message="\n".join(filter(None, lines)))
