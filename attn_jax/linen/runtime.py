"""Linen as a runtime of `attn_core.parity`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
from numpy.typing import ArrayLike

from attn_core.interpreters import trace
from attn_core.interpreters.trace import Interpreter, Step
from attn_core.spec import Block
from attn_jax import ops, runtime
from attn_jax.linen.layer import build
from attn_jax.names import PARAMS, STATISTICS
from attn_jax.weights import Variables, to_flax


def purify(block: Block, dtype: str, train: bool) -> runtime.Pure:
    """Return the module as pure functions; see `runtime.Pure`."""
    module = build(block, param_dtype=dtype)
    apply: Any = module.apply

    def forward(params: Variables, statistics: Variables, *inputs: jax.Array) -> tuple[jax.Array, Variables]:
        variables = {PARAMS: params, STATISTICS: statistics}
        output, moved = apply(variables, *inputs, train=train, mutable=[STATISTICS])
        return output, moved.get(STATISTICS, {})

    def look(params: Variables, statistics: Variables, *inputs: jax.Array) -> dict[str, jax.Array]:
        gates: dict[str, jax.Array] = apply({PARAMS: params, STATISTICS: statistics}, *inputs, method="gates")
        return gates

    return forward, look


def _watched(block: Block, weights: Mapping[str, ArrayLike], inputs: list[jax.Array], dtype: str) -> list[Step]:
    # Inside of a module, Linen lets nobody but itself run the parts: those that are blocks are one step each.
    where = Interpreter(ops, getattr, lambda part, own: own, nested=False)

    def watch(module: Any, *inputs: jax.Array) -> list[Step]:
        return trace.steps(block, module.parts(block, train=False), where, inputs)

    module = build(block, param_dtype=dtype)
    apply: Any = module.apply
    found: list[Step] = apply(to_flax(block, weights, dtype), *inputs, method=watch)
    return found


steps = partial(runtime.steps, _watched)
run = partial(runtime.run, purify)  # see `attn_core.parity.Runtime`
