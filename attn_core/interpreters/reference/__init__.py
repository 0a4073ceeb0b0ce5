"""Interpreter: NumPy in float64. What every other runtime is compared with.

Images are (batch, channels, *space). Complex numbers pass through analytically, which is how `gradients` works.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attn_core.interpreters.reference import ops
from attn_core.interpreters.reference.parts import Arrays, State, bind
from attn_core.interpreters.shapes import output_shape
from attn_core.spec import Block
from attn_core.spec.primitives import Primitives
from attn_core.weights import check

Numbers = NDArray[Any]
Inputs = tuple[Numbers, ...]
Given = ArrayLike | tuple[ArrayLike, ...]  # a tuple only for a block of several inputs

STEP = 1e-30  # of the complex step: so small that its square vanishes beside 1, so the derivative has no rounding

PRIMITIVES: Primitives[Numbers] = ops  # mypy holds the module to the protocol


def evaluate(block: Block, weights: Mapping[str, ArrayLike], x: Given, train: bool = False) -> Numbers:
    """Compute the block's output in float64.

    **Shape**: x is (batch, channels, *space), for every framework's layout; for a block of several inputs, a tuple.
    `weights` are the canonical ones. `train` asks for the statistics of the batch, in blocks that normalise with them.
    **Raises** `WeightsError` if the weights are not the block's, `ShapeError` if x cannot be its input.
    """
    arrays, inputs = checked(block, weights, x)
    return _run(block, arrays, inputs, State(train))


def gates(block: Block, weights: Mapping[str, ArrayLike], x: Given, train: bool = False) -> dict[str, Numbers]:
    """Compute the block's gates in float64, by name; raises as `evaluate` does."""
    arrays, inputs = checked(block, weights, x)
    bound = bind(block, Arrays(arrays, State(train)))
    found: dict[str, Numbers] = bound.gates(*inputs)
    return found


def statistics(
    block: Block, weights: Mapping[str, ArrayLike], x: Given, *, unbiased: bool = True
) -> dict[str, Numbers]:
    """Compute where the block's running statistics are after one step of training on x; raises as `evaluate` does.

    Running variances move to the unbiased variance of the batch, as in PyTorch, or to the biased one, as in Keras and
    Flax.
    """
    arrays, inputs = checked(block, weights, x)
    state = State(train=True, unbiased=unbiased)
    _run(block, arrays, inputs, state)
    return state.moved


def gradients(
    block: Block, weights: Mapping[str, ArrayLike], x: Given, cotangent: ArrayLike, train: bool = False
) -> dict[str, NDArray[np.float64]]:
    """Compute the gradients of sum(output * cotangent) for every input and every trainable weight, in float64.

    By complex step, Im f(x + ih) / h: one evaluation per number, exact to rounding, and no rule of differentiation
    is written down that could be wrong. Meant for small images. Raises as `evaluate` does.
    """
    arrays, inputs = checked(block, weights, x)
    every = {**dict(zip(block.inputs, inputs, strict=True)), **arrays}
    wanted = [*block.inputs, *(name for name, array in block.arrays().items() if array.trainable)]
    return {name: _derivative(block, every, name, np.asarray(cotangent, np.float64), train) for name in wanted}


def slope(
    block: Block,
    weights: Mapping[str, ArrayLike],
    x: Given,
    cotangent: ArrayLike,
    directions: Mapping[str, ArrayLike],
    train: bool = False,
) -> float:
    """Compute the derivative of sum(output * cotangent) along directions of inputs and weights, in one evaluation.

    It is the sum of gradient * direction over all numbers named: for images too large for `gradients`.
    """
    arrays, inputs = checked(block, weights, x)
    every = {**dict(zip(block.inputs, inputs, strict=True)), **arrays}
    moved = every | {name: every[name] + 1j * STEP * np.asarray(step) for name, step in directions.items()}
    output = _run(block, moved, tuple(moved[given] for given in block.inputs), State(train))
    return float((output.imag * np.asarray(cotangent, np.float64)).sum() / STEP)


def _derivative(
    block: Block, every: dict[str, Numbers], name: str, cotangent: Numbers, train: bool
) -> NDArray[np.float64]:
    moved = every | {name: every[name].astype(np.complex128)}
    result = np.empty(every[name].shape)
    for index in np.ndindex(result.shape):
        moved[name][index] += 1j * STEP
        output = _run(block, moved, tuple(moved[given] for given in block.inputs), State(train))
        result[index] = (output.imag * cotangent).sum() / STEP
        moved[name][index] = every[name][index]
    return result


def checked(block: Block, weights: Mapping[str, ArrayLike], x: Given) -> tuple[dict[str, Numbers], Inputs]:
    """Return weights and inputs as arrays of float64; raises as `evaluate` does."""
    inputs = tuple(np.asarray(given, np.float64) for given in (x if isinstance(x, tuple) else (x,)))
    output_shape(block, *(given.shape for given in inputs))
    return {name: array.astype(np.float64) for name, array in check(block, weights).items()}, inputs


def _run(block: Block, arrays: Mapping[str, Numbers], inputs: Inputs, state: State) -> Numbers:
    output: Numbers = bind(block, Arrays(arrays, state))(*inputs)
    return output
