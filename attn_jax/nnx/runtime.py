"""NNX as a runtime of `attn_core.parity`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import jax
from flax import nnx
from numpy.typing import ArrayLike

from attn_core.interpreters import trace
from attn_core.interpreters.trace import Interpreter, Step
from attn_core.spec import Block
from attn_jax import ops, runtime
from attn_jax.nnx.binding import bind
from attn_jax.nnx.layer import Layer, build
from attn_jax.weights import Variables, traverse


def purify(block: Block, dtype: str, train: bool) -> runtime.Pure:
    """Return the module as pure functions; see `runtime.Pure`."""
    graph, shapes = nnx.split(nnx.eval_shape(lambda: build(block, rngs=nnx.Rngs(0), param_dtype=dtype)))

    def layer(params: Variables, statistics: Variables, train: bool) -> Layer:
        own = jax.tree.map(lambda leaf: leaf, shapes)  # variables of this trace, which it may move
        nnx.replace_by_pure_dict(own, merged(params, statistics))
        module: Layer = nnx.merge(graph, own)
        evaluating = not train
        module.set_attributes(use_running_average=evaluating, deterministic=evaluating, raise_if_not_found=False)
        return module

    def forward(params: Variables, statistics: Variables, *inputs: jax.Array) -> tuple[jax.Array, Variables]:
        module = layer(params, statistics, train)
        output: jax.Array = module(*inputs)
        return output, nnx.to_pure_dict(nnx.state(module, nnx.BatchStat))

    def look(params: Variables, statistics: Variables, *inputs: jax.Array) -> dict[str, jax.Array]:
        return layer(params, statistics, train=False).gates(*inputs)

    return forward, look


def merged(one: Variables, other: Variables) -> Variables:
    """Put the leaves of two trees into one."""
    both = traverse.flatten_dict(one) | traverse.flatten_dict(other)
    tree: Variables = traverse.unflatten_dict(both)
    return tree


def _watched(block: Block, weights: Mapping[str, ArrayLike], inputs: list[jax.Array], dtype: str) -> list[Step]:
    layer = bind(block, weights, param_dtype=dtype)
    layer.set_attributes(use_running_average=True, deterministic=True, raise_if_not_found=False)
    return trace.steps(block, layer, Interpreter(ops, getattr, lambda part, own: own), inputs)


steps = partial(runtime.steps, _watched)
run = partial(runtime.run, purify)  # see `attn_core.parity.Runtime`
