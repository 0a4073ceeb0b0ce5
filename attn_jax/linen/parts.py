"""The parts as Linen modules."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype

from attn_core.interpreters.shapes.ops import require_space
from attn_core.spec import Block, Part, parts
from attn_jax import asking, ops
from attn_jax.convolution import convolve
from attn_jax.initializers import law, laws
from attn_jax.names import STATISTICS


class Conv(nn.Conv):
    """Flax's convolution, for images of one rank: Flax takes a further axis for another batch axis."""

    def __call__(self, x: jax.Array) -> jax.Array:
        """Convolve an image."""
        require_space(ops.canonical([x])[0], len(self.kernel_size), "Conv")  # type: ignore[arg-type]
        return super().__call__(x)


class Affine(nn.Module):
    """Scale and shift each channel."""

    channels: int
    weight_init: Any
    bias_init: Any = None  # where there is no bias
    dtype: Any = None
    param_dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Scale and shift an image or a vector."""
        laws = {"weight": self.weight_init, "bias": self.bias_init}
        arrays = [self.param(name, law, (self.channels,), self.param_dtype) for name, law in laws.items() if law]
        x, weight, *bias = promote_dtype(x, *arrays, dtype=self.dtype)
        scaled: jax.Array = x * weight
        return scaled + bias[0] if bias else scaled


class Running(nn.Module):
    """An array that moves in training; in "batch_stats" and at least in float32, as those of batch norm."""

    part: parts.Running
    train: bool
    dtype: Any = None
    param_dtype: Any = jnp.float32
    axis_name: str | None = None

    def setup(self) -> None:
        """Find the array, or draw it."""
        dtype = jnp.promote_types(self.param_dtype, jnp.float32)
        self.value = self.variable(
            STATISTICS, "value", lambda: law(self.part.law)(self.make_rng("params"), self.part.shape, dtype)
        )

    def __call__(self) -> jax.Array:
        """Return the array."""
        value: jax.Array = self.value.value
        return value.astype(self.dtype or self.param_dtype)

    def update(self, new: jax.Array) -> None:
        """Move the array in training."""
        if self.train and not self.is_initializing():
            old, share = self.value.value, self.part.momentum
            self.value.value = ops.moved(old, new, share, self.axis_name)


class Nested:
    """The layer of a block that is a part, in training or not."""

    def __init__(self, layer: Any, train: bool) -> None:
        self.layer, self.train = layer, train

    def __call__(self, *inputs: jax.Array) -> jax.Array:
        """Compute the block's output."""
        output: jax.Array = self.layer(*inputs, train=self.train)
        return output

    def gates(self, *inputs: jax.Array) -> dict[str, jax.Array]:
        """Compute the block's gates."""
        return self.with_gates(*inputs)[1]

    def with_gates(self, *inputs: jax.Array) -> tuple[jax.Array, dict[str, jax.Array]]:
        """Call the layer; return its output and the gates of this call."""
        with asking.asking(self.layer) as answers:
            output = self(*inputs)
        return output, answers[-1].gates


@singledispatch
def native(part: Part | Block, train: bool, **options: Any) -> Any:
    """Return the module for this part, in training or not; that of a block is registered by `attn_jax.linen.layer`."""
    raise NotImplementedError(f"attn_jax.linen has no {type(part).__name__}")


@native.register
def _dense(part: parts.Dense, train: bool, **options: Any) -> nn.Module:
    return nn.Dense(part.outputs, use_bias=part.bias, **(laws(part) | options))


@native.register
def _conv(part: parts.Conv, train: bool, **options: Any) -> nn.Module:
    return Conv(
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


class BatchNorm(nn.BatchNorm):
    """Flax's batch norm, whose statistics a batch without samples would turn to NaN."""

    train: bool = False

    def __call__(self, x: jax.Array) -> jax.Array:  # type: ignore[override]
        """Normalise each channel of an image."""
        normalised: jax.Array = super().__call__(x, use_running_average=not self.train or x.size == 0)
        return normalised


@native.register
def _batch_norm(part: parts.BatchNorm, train: bool, **options: Any) -> nn.Module:
    return BatchNorm(
        train=train,
        momentum=1 - part.momentum,
        epsilon=part.eps,
        use_fast_variance=False,
        **laws(part),
        **options,
    )


@native.register
def _group_norm(part: parts.GroupNorm, train: bool, **options: Any) -> nn.Module:
    return nn.GroupNorm(part.groups, epsilon=part.eps, use_fast_variance=False, **laws(part), **options)


@native.register
def _layer_norm(part: parts.LayerNorm, train: bool, **options: Any) -> nn.Module:
    return nn.LayerNorm(epsilon=part.eps, use_fast_variance=False, **laws(part), **options)


@native.register
def _dropout(part: parts.Dropout, train: bool, **options: Any) -> nn.Module:
    return nn.Dropout(part.rate, deterministic=not train)


@native.register
def _affine(part: parts.Affine, train: bool, **options: Any) -> nn.Module:
    return Affine(part.channels, **laws(part), **options)


@native.register
def _running(part: parts.Running, train: bool, **options: Any) -> nn.Module:
    return Running(part, train, **options)


def begin(part: Part | Block, module: Any) -> None:
    """Call a part's module on zeros, one position of them, so that it makes its weights."""
    match part:
        case Block():
            module.layer.create(part)
        case parts.Running():
            module()
        case parts.Dropout():
            pass
        case parts.Dense(inputs=features) | parts.LayerNorm(features=features):
            module(jnp.zeros((1, features)))
        case parts.Conv(inputs=features):
            module(jnp.zeros((1, *(1,) * part.rank, features)))
        case parts.BatchNorm(channels=features) | parts.GroupNorm(channels=features) | parts.Affine(channels=features):
            module(jnp.zeros((1, 1, features)))
        case _:
            raise NotImplementedError(f"attn_jax.linen has no {type(part).__name__}")
