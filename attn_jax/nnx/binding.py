"""Between blocks, canonical weights and NNX modules."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
from flax import nnx
from numpy.typing import ArrayLike

from attn_core.spec import Block
from attn_core.weights import canonical
from attn_jax.names import PARAMS, STATISTICS
from attn_jax.nnx.layer import Layer, build
from attn_jax.weights import Variables, from_flax, to_flax

KINDS: dict[str, type[nnx.Variable[Any]]] = {PARAMS: nnx.Param, STATISTICS: nnx.BatchStat}


def bind(
    block: Block,
    weights: Mapping[str, ArrayLike] | None = None,
    *,
    rngs: nnx.Rngs | None = None,
    **options: Any,
) -> Layer:
    """Return the module for a block, with these canonical weights or fresh ones drawn with `rngs`.

    Dropout takes its numbers from `rngs`, too. Without them, it is ``nnx.Rngs(0)``. `options` are `dtype` and
    `param_dtype`. As any new module of Flax it is in training mode; call `.eval()` where running statistics should be
    used and stay.
    **Raises** `attn_core.WeightsError` if the weights are not the block's.
    """
    rngs = nnx.Rngs(0) if rngs is None else rngs
    if weights is None:
        return build(block, rngs=rngs, **options)
    variables = to_flax(block, weights, options.get("param_dtype", "float32"))
    module: Layer = nnx.eval_shape(lambda: build(block, rngs=nnx.Rngs(0), **options))  # fresh weights are not drawn
    assign(module, variables)
    _seed(module, rngs)
    return module


def weights(module: Layer) -> canonical.Weights:
    """Return a module's canonical weights as NumPy arrays."""
    variables = {collection: nnx.to_pure_dict(nnx.state(module, kind)) for collection, kind in KINDS.items()}
    return canonical.check(module.block, from_flax(variables))


def load(path: str | os.PathLike[str], **options: Any) -> Layer:
    """Return the module that a file of `attn_core.save` describes, with its weights."""
    return bind(*canonical.load(path), **options)


def _seed(module: Layer, rngs: nnx.Rngs) -> None:
    for _, stream in nnx.iter_graph(module):
        if isinstance(stream, nnx.RngStream):
            stream.key.set_value(rngs.dropout())
            stream.count.set_value(jnp.zeros((), jnp.uint32))


def assign(module: Layer, variables: Variables) -> None:
    """Give a module these variables."""
    for collection, values in variables.items():
        state = nnx.state(module, KINDS[collection])
        nnx.replace_by_pure_dict(state, values)
        nnx.update(module, state)
