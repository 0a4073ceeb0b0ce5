"""Somebody's module of Flax as a function of its weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from flax import nnx

from attn_core.parity.foreign.layer import framework

Pure = tuple[Callable[..., Any], Any, Any]


def pure(module: Any, image: Any) -> Pure | None:
    """Return a function of (weights, fixed, image), and both; None for what is no module of Flax."""
    kind = framework(module)
    if kind == "nnx":
        return _nnx(module)
    return _linen(module, image) if kind == "linen" else None


def _nnx(module: Any) -> Pure:
    split: Any = nnx.split
    graph, weights, rest = split(module, nnx.Param, ...)

    def run(weights: Any, rest: Any, *inputs: Any) -> Any:
        return nnx.merge(graph, weights, rest)(*inputs)

    return run, weights, rest


def _linen(module: Any, image: Any) -> Pure:
    """Of a module alone, the weights are drawn; a pair has its own."""
    layer, variables = module if isinstance(module, tuple) else (module, None)
    if variables is None:
        variables = layer.init(jax.random.key(0), image)
    rest = {name: tree for name, tree in variables.items() if name != "params"}

    def run(weights: Any, rest: Any, *inputs: Any) -> Any:
        return layer.apply({"params": weights, **rest}, *inputs)

    return run, variables.get("params", {}), rest
