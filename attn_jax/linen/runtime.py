"""Linen as a runtime of `attn_core.parity`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
from numpy.typing import ArrayLike

from attn_core.spec import Block
from attn_jax import runtime
from attn_jax.linen.binding import bind
from attn_jax.names import PARAMS, STATISTICS
from attn_jax.weights import Variables


def _purify(block: Block, weights: Mapping[str, ArrayLike], dtype: str, train: bool) -> runtime.Pure:
    module, variables = bind(block, weights, param_dtype=dtype).unbind()
    apply: Any = module.apply

    def forward(params: Variables, *inputs: jax.Array) -> tuple[jax.Array, Variables]:
        output, moved = apply({**variables, PARAMS: params}, *inputs, train=train, mutable=[STATISTICS])
        return output, moved.get(STATISTICS, {})

    def look(params: Variables, *inputs: jax.Array) -> dict[str, jax.Array]:
        gates: dict[str, jax.Array] = apply({**variables, PARAMS: params}, *inputs, method="gates")
        return gates

    return dict(variables.get(PARAMS, {})), forward, look


run = partial(runtime.run, _purify)  # see `attn_core.parity.Runtime`
