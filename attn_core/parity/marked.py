"""A block in one runtime of ours, as the marker of the plugin for pytest asks for it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib.util import find_spec

from attn_core.parity.comparing import compared
from attn_core.parity.foreign.asserting import ParityError
from attn_core.parity.foreign.checking import Checked, Settings, settled
from attn_core.parity.foreign.running import drawn
from attn_core.parity.foreign.wording import sentences
from attn_core.parity.result import FAILED, PASSED, Cell, Tensor
from attn_core.parity.runtimes import RUNTIMES, runtime
from attn_core.registry import parse
from attn_core.rounding import bounded
from attn_core.shapes import output_shape
from attn_core.spec import Block
from attn_core.weights import initialise

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
    known = parse(block) if isinstance(block, str) else block
    settings = settled(known, shape, modes, dtype=dtype, seed=seed, draws=draws)
    checked = Checked(tuple(_cell(known, name, settings, mode) for mode in settings.modes), "as they are")
    if not checked.passed:
        raise ParityError(checked)
    return checked


def _cell(block: Block, name: str, settings: Settings, mode: str) -> Cell:
    train, start = mode == "train", time.perf_counter()
    run, unbiased = runtime(name).run, name == "torch"
    out = tuple(map(int, filter(None, output_shape(block, settings.shape))))
    worst: dict[str, Tensor] = {}
    shares: list[float] = []
    message = ""
    for i in range(settings.draws):
        draw = drawn(initialise(block, settings.seed), {}, settings.shape, out, settings.seed, i + 1, settings.dtype)
        given = (block, draw.weights, draw.x, draw.cotangent, settings.dtype, train)
        found = run(*given)
        tensors = compared(found, bounded(*given, unbiased=unbiased))
        shares.append(max(tensor.share for tensor in tensors))
        worst |= {t.name: t for t in tensors if t.name not in worst or t.share > worst[t.name].share}
        if shares[-1] > 1 and not message:
            head = f"{block!r} in {name}, {mode}, {settings.dtype}, seed {settings.seed}:"
            message = "\n".join(sentences(head, list(worst.values()), found))
    status, seconds = FAILED if message else PASSED, time.perf_counter() - start
    given_to = (type(block).__name__, repr(block), name, settings.dtype, mode, (settings.shape,), settings.seed)
    return Cell(*given_to, status, tuple(worst.values()), tuple(shares), message, seconds=seconds)
