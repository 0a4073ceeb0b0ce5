"""NNX as a runtime of `attn_core.parity`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import jax
from flax import nnx
from numpy.typing import ArrayLike

from attn_core.spec import Block
from attn_jax import runtime
from attn_jax.nnx.binding import bind
from attn_jax.nnx.layer import Layer
from attn_jax.weights import Variables


def _purify(block: Block, weights: Mapping[str, ArrayLike], dtype: str, train: bool) -> runtime.Pure:
    bound = bind(block, weights, param_dtype=dtype)
    graph, state = nnx.split(bound)

    def layer(params: Variables, train: bool) -> Layer:
        own = jax.tree.map(lambda leaf: leaf, state)  # variables of this trace, which it may move
        nnx.replace_by_pure_dict(own, params)
        module: Layer = nnx.merge(graph, own)
        evaluating = not train
        module.set_attributes(use_running_average=evaluating, deterministic=evaluating, raise_if_not_found=False)
        return module

    def forward(params: Variables, *inputs: jax.Array) -> tuple[jax.Array, Variables]:
        module = layer(params, train)
        output: jax.Array = module(*inputs)
        return output, nnx.to_pure_dict(nnx.state(module, nnx.BatchStat))

    def look(params: Variables, *inputs: jax.Array) -> dict[str, jax.Array]:
        return layer(params, train=False).gates(*inputs)

    return nnx.to_pure_dict(nnx.state(bound, nnx.Param)), forward, look


run = partial(runtime.run, _purify)  # see `attn_core.parity.Runtime`
