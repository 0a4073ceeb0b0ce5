"""Linen as a runtime of `attn_core.parity`."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax

from attn_core.spec import Block
from attn_jax import runtime
from attn_jax.linen.binding import build
from attn_jax.names import PARAMS, STATISTICS
from attn_jax.weights import Variables


def _purify(block: Block, dtype: str, train: bool) -> runtime.Pure:
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


run = partial(runtime.run, _purify)  # see `attn_core.parity.Runtime`
