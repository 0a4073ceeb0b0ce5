"""What Linen and NNX share as runtimes of `attn_core.parity`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray

from attn_core.interpreters.trace import Step
from attn_core.parity import Outcome
from attn_core.spec import Block
from attn_jax.names import PARAMS, STATISTICS
from attn_jax.weights import Variables, from_flax, to_flax

# From a block, a dtype and whether to train: a pure function of (parameters, statistics, *inputs) that returns the
# output and the statistics after it, and one that returns the gates outside of training.
Pure = tuple[Callable[..., tuple[jax.Array, Variables]], Callable[..., dict[str, jax.Array]]]
Purify = Callable[[Block, str, bool], Pure]
Watched = Callable[[Block, Mapping[str, ArrayLike], list[jax.Array], str], list[Step]]
Given = NDArray[Any] | tuple[NDArray[Any], ...]

KEPT = 64  # compiled blocks


def run(
    purify: Purify,
    block: Block,
    weights: Mapping[str, ArrayLike],
    x: Given,
    cotangent: NDArray[Any] | None = None,
    dtype: str = "float32",
    train: bool = False,
) -> Outcome:
    """Run the layer as a pure function; see `attn_core.parity.Runtime`. What was compiled is kept."""
    # On some devices float32 products are rounded to fewer bits unless one asks for all of them.
    with jax.enable_x64(dtype == "float64"), jax.default_matmul_precision("highest"):
        variables = to_flax(block, weights, dtype)
        inputs = _inputs(block, x, dtype)
        forward, backward = _compiled(purify, block, dtype, train)
        given = (variables.get(PARAMS, {}), variables.get(STATISTICS, {}))
        (output, pull, moved), looked = forward(*given, *inputs)
        gates = {name: _canonical(gate) for name, gate in looked.items()}
        statistics = _named({STATISTICS: moved}) if train else {}
        if cotangent is None:
            return Outcome(_canonical(output), gates, {}, statistics)
        of_params, *found = backward(pull, _native(cotangent, dtype))
        numbers = [*map(_canonical, found[: block.images]), *map(_numpy, found[block.images :])]
        of_inputs = dict(zip(block.inputs, numbers, strict=True))
        return Outcome(_canonical(output), gates, of_inputs | _named({PARAMS: of_params}), statistics)


def steps(
    watched: Watched, block: Block, weights: Mapping[str, ArrayLike], x: Given, dtype: str = "float32"
) -> list[Step]:
    """Run the block outside of training, step by step; see `attn_core.parity.Runtime`."""
    with jax.enable_x64(dtype == "float64"), jax.default_matmul_precision("highest"):
        found = watched(block, weights, _inputs(block, x, dtype), dtype)
        return [Step(step.name, step.kind, _numpy(step.output)) for step in found]


@lru_cache(KEPT)
def _compiled(purify: Purify, block: Block, dtype: str, train: bool) -> tuple[Any, Any]:
    forward, look = purify(block, dtype, train)

    def whole(params: Variables, statistics: Variables, *inputs: jax.Array) -> Any:
        def run(params: Variables, *inputs: jax.Array) -> Any:
            return forward(params, statistics, *inputs)

        return jax.vjp(run, params, *inputs, has_aux=True), look(params, statistics, *inputs)

    return jax.jit(whole), jax.jit(lambda pull, cotangent: pull(cotangent))


def _named(variables: Variables) -> dict[str, NDArray[np.float64]]:
    return {name: _numpy(array) for name, array in from_flax(variables).items()}


def _inputs(block: Block, x: Given, dtype: str) -> list[jax.Array]:
    given = x if isinstance(x, tuple) else (x,)
    arrays = [jnp.asarray(array, dtype) for array in given[block.images :]]
    return [*(_native(array, dtype) for array in given[: block.images]), *arrays]


def _native(x: NDArray[Any], dtype: str) -> jax.Array:
    """Return an image with its channels last; a vector stays."""
    return jnp.asarray(np.moveaxis(x, 1, -1), dtype)


def _canonical(x: jax.Array) -> NDArray[np.float64]:
    return np.moveaxis(_numpy(x), -1, 1)


def _numpy(x: Any) -> NDArray[np.float64]:
    return np.asarray(x).astype(np.float64)
