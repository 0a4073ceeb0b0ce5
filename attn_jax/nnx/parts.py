"""The parts as NNX modules."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from flax.nnx.nn.dtypes import promote_dtype

from attn_core.interpreters.shapes.ops import require_space
from attn_core.spec import Block, Part, parts
from attn_jax import ops
from attn_jax.convolution import convolve
from attn_jax.initializers import law, laws


class Conv(nnx.Conv):
    """Flax's convolution, for images of one rank: Flax takes a further axis for another batch axis."""

    def __call__(self, inputs: jax.Array, out_sharding: Any = None) -> jax.Array:
        """Convolve an image."""
        require_space(ops.canonical([inputs])[0], len(self.kernel_size), "Conv")
        return super().__call__(inputs, out_sharding)


class Affine(nnx.Module):
    """Scale and shift each channel."""

    def __init__(
        self, channels: int, *, weight_init: Any, bias_init: Any = None, dtype: Any, param_dtype: Any, rngs: nnx.Rngs
    ) -> None:
        self.weight = nnx.Param(weight_init(rngs.params(), (channels,), param_dtype))
        if bias_init:
            self.bias = nnx.Param(bias_init(rngs.params(), (channels,), param_dtype))
        self.dtype = dtype

    def __call__(self, x: jax.Array) -> jax.Array:
        """Scale and shift an image or a vector."""
        arrays = [getattr(self, name)[...] for name in ("weight", "bias") if hasattr(self, name)]
        x, weight, *bias = promote_dtype((x, *arrays), dtype=self.dtype)
        scaled: jax.Array = x * weight
        return scaled + bias[0] if bias else scaled


class Running(nnx.Module):
    """An array that moves in training (`use_running_average` ends it); at least in float32, as those of batch norm."""

    def __init__(
        self, part: parts.Running, *, dtype: Any, param_dtype: Any, axis_name: str | None = None, rngs: nnx.Rngs
    ) -> None:
        wide = jnp.promote_types(param_dtype, jnp.float32)
        self.value = nnx.BatchStat(law(part.law)(rngs.params(), part.shape, wide))
        self.momentum = part.momentum
        self.axis_name = axis_name
        self.dtype = dtype or param_dtype
        self.use_running_average = False

    def __call__(self) -> jax.Array:
        """Return the array."""
        return self.value[...].astype(self.dtype)

    def update(self, new: jax.Array) -> None:
        """Move the array in training."""
        if not self.use_running_average:
            self.value[...] = ops.moved(self.value[...], new, self.momentum, self.axis_name)


@singledispatch
def native(part: Part | Block, **options: Any) -> nnx.Module:
    """Return the module for this part; that of a block is registered by `attn_jax.nnx.layer`."""
    raise NotImplementedError(f"attn_jax.nnx has no {type(part).__name__}")


@native.register
def _dense(part: parts.Dense, **options: Any) -> nnx.Module:
    return nnx.Linear(part.inputs, part.outputs, use_bias=part.bias, **(laws(part) | options))


@native.register
def _conv(part: parts.Conv, **options: Any) -> nnx.Module:
    return Conv(
        part.inputs,
        part.outputs,
        part.kernel,
        strides=part.stride,
        padding=ops.padding(part),
        kernel_dilation=part.dilation,
        feature_group_count=part.groups,
        use_bias=part.bias,
        conv_general_dilated=convolve,
        **(laws(part) | options),
    )


# Norms have use_fast_variance=False: E[x²] - E[x]² loses the digits that both have in common.


class BatchNorm(nnx.BatchNorm):
    """Flax's batch norm, whose statistics a batch without samples would turn to NaN."""

    def __call__(self, x: jax.Array) -> jax.Array:  # type: ignore[override]
        """Normalise each channel of an image."""
        is_none = x.size == 0
        normalised: jax.Array = super().__call__(x, use_running_average=True if is_none else None)
        return normalised


@native.register
def _batch_norm(part: parts.BatchNorm, **options: Any) -> nnx.Module:
    return BatchNorm(
        part.channels,
        momentum=1 - part.momentum,
        epsilon=part.eps,
        use_fast_variance=False,
        promote_dtype=_as_they_are,
        **laws(part),
        **options,
    )


def _as_they_are(arrays: Any, /, *, dtype: Any = None, inexact: bool = True) -> Any:
    """Keep the dtypes, as Linen does: statistics in float32 are neither rounded nor make the output float32."""
    return arrays


@native.register
def _group_norm(part: parts.GroupNorm, **options: Any) -> nnx.Module:
    return nnx.GroupNorm(part.channels, part.groups, epsilon=part.eps, use_fast_variance=False, **laws(part), **options)


@native.register
def _layer_norm(part: parts.LayerNorm, **options: Any) -> nnx.Module:
    return nnx.LayerNorm(part.features, epsilon=part.eps, use_fast_variance=False, **laws(part), **options)


@native.register
def _dropout(part: parts.Dropout, *, rngs: nnx.Rngs, **options: Any) -> nnx.Module:
    return nnx.Dropout(part.rate, rngs=rngs)


@native.register
def _affine(part: parts.Affine, **options: Any) -> nnx.Module:
    return Affine(part.channels, **laws(part), **options)


@native.register
def _running(part: parts.Running, **options: Any) -> nnx.Module:
    return Running(part, **options)
