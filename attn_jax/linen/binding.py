"""Between blocks, canonical weights and Linen modules."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import jax
from flax.core import meta
from numpy.typing import ArrayLike

from attn_core.spec import Block, SpecError
from attn_core.weights import WeightsError, canonical
from attn_jax.linen.layer import Layer, build
from attn_jax.weights import from_flax, to_flax


def bind(
    block: Block,
    weights: Mapping[str, ArrayLike] | None = None,
    *,
    key: jax.Array | None = None,
    **options: Any,
) -> Layer:
    """Return the *bound* module for a block, with these canonical weights or fresh ones drawn with `key`.

    A bound module can be called as it is. ``module, variables = bound.unbind()`` gives the pair that pure functions
    take: ``module.apply(variables, x)``. Without a key, fresh weights are those of ``jax.random.key(0)``.
    `options` are `dtype` and `param_dtype`. **Raises** `attn_core.WeightsError` if the weights are not the block's.
    """
    module = build(block, **options)

    def fresh() -> Any:
        return module.init(jax.random.key(0) if key is None else key, block, method="create")

    if weights is None:
        return module.bind(fresh())
    variables = to_flax(block, weights, module.param_dtype)
    if module.kernel_init or module.bias_init:  # they may say how arrays are partitioned
        variables = meta.replace_boxed(jax.eval_shape(fresh), variables)
    return module.bind(variables)


def weights(module: Layer) -> canonical.Weights:
    """Return a bound module's canonical weights; for a pair, `weights(module.bind(variables))`.

    **Raises** `ValueError` if the module is not bound to variables.
    """
    found = from_flax(module.variables) if module.scope is not None else {}
    for block in _candidates(module, found):
        if {name: array.shape for name, array in block.arrays().items()} == {n: a.shape for n, a in found.items()}:
            return canonical.check(block, found)
    if not found:
        raise ValueError(f"{type(module).__name__} holds no weights: bind it first, weights(module.bind(variables)).")
    shapes = ", ".join(f"{name} {array.shape}" for name, array in found.items())
    raise WeightsError(f"These are not weights of one {type(module).__name__}: {shapes}.")


def load(path: str | os.PathLike[str], **options: Any) -> Layer:
    """Return the bound module that a file of `attn_core.save` describes, with its weights."""
    return bind(*canonical.load(path), **options)


def _candidates(module: Layer, found: canonical.Weights) -> Iterator[Block]:
    """Return the blocks that a module may be: its weights say only together how many channels and axes there are.

    The channels are one of the sizes of the weights or, in blocks that divide them into groups, a multiple of one.
    """
    sizes = sorted({1, *(size for array in found.values() for size in array.shape)})
    multiples = (size * factor for factor in range(1, 1025) for size in sizes)
    for channels in dict.fromkeys(multiples):
        for rank in (1, 2, 3):
            with suppress(SpecError):
                yield module.configure(channels, rank)
