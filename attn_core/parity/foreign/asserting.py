"""`assert_parity`: a layer against the definition, or two layers against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import RLock
from typing import Any

from attn_core.parity.foreign.checked import Checked
from attn_core.parity.foreign.checking import check
from attn_core.parity.foreign.layer import ForeignError, framework
from attn_core.parity.foreign.settings import settled
from attn_core.parity.foreign.twins import twins
from attn_core.parity.result import BROKEN
from attn_core.spec import Block

# While a layer is run, its tensors, its mode, its calls and the generators of its framework are others than its own.
TURN = RLock()


class ParityError(AssertionError):
    """Two that should compute the same do not; `checked` holds what was found."""

    __module__ = "attn_core.parity"  # where users know it from

    def __init__(self, checked: Checked) -> None:
        super().__init__(checked.message)
        self.checked = checked

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.checked,)


def assert_parity(
    layer: Any,
    reference: Any,
    *,
    shape: Sequence[int] | None = None,
    dialect: str | None = None,
    mapping: Mapping[str, str] | None = None,
    dtype: str = "float32",
    modes: Sequence[str] | None = None,
    seed: int = 0,
    draws: int = 3,
    data_format: str | None = None,
) -> Checked:
    """Compare a layer of any framework with a block, or with another layer; nothing changes in either.

    - ``layer``: an `nn.Module`, a Keras layer, an NNX module, a bound Linen module, or (module, variables).
    - ``reference``: a block, or another layer.
    - ``shape``: of the canonical image (batch, channels, *space); with a block, by default, a small one that fits.
    - ``dialect``, ``mapping``: how the layer's arrays are the block's, where they do not tell: a name of
      `attn_core.dialects`, or {"fc1.weight": "reduce.weight"}, or {"fc1": "reduce"} for all arrays of both. Of two
      layers, a mapping is from the first's names to the second's.
    - ``modes``: of "eval" and "train"; by default "train" where the block keeps statistics.
    - ``draws``: of weights, image and cotangent; the first has the layer's own weights, the others move them.

    Compared are output, gradients of the input and the weights and, after a step of training, running statistics,
    within the bounds of `attn_core.interpreters.rounding`. What a layer does with equal maxima, if it is something else
    than the definition, is in the result's `remark`. Threads may call this, also on one layer: they take turns.
    **Raises** `ParityError` for numbers that differ; `ForeignError` if the two cannot be compared, or one raises.
    """
    __tracebackhide__ = True  # of pytest
    rest: dict[str, Any] = {"dtype": dtype, "seed": seed, "draws": draws, "data_format": data_format}
    with TURN:
        if isinstance(reference, Block):
            checked = check(layer, reference, settled(reference, shape, modes, **rest), dialect, mapping)
        elif isinstance(layer, Block):
            raise ForeignError("The layer comes first, then the block: assert_parity(layer, block).")
        elif framework(reference) is None:
            raise ForeignError(f"{reference!r} is neither a block nor a layer of a known framework.")
        else:
            checked = twins(layer, reference, settled(None, shape, modes, **rest), dialect, mapping)
    if any(cell.status == BROKEN for cell in checked.cells):
        raise ForeignError(checked.message)
    if not checked.passed:
        raise ParityError(checked)
    return checked
