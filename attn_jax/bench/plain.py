"""The peers that are always there: functions as a person writes them by hand, from the equations of the papers.

They take canonical weights by name, and images with their channels last, as Flax does. Maxima are `jnp.max`, of which
equal numbers share the derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from attn_core.spec import Block

Weights = Mapping[str, Array]
Function = Callable[[Weights, Array, bool], Array]  # of weights, image, and whether to train


def _dense(weights: Weights, name: str, x: Array) -> Array:
    y = x @ weights[f"{name}.weight"].T
    bias = weights.get(f"{name}.bias")
    return y if bias is None else y + bias


def _spread(gate: Array) -> Array:
    return gate[:, None, None, :]


def _squeeze_excitation(block: Any, weights: Weights, x: Array) -> Array:
    hidden = jax.nn.relu(_dense(weights, "reduce", jnp.mean(x, (1, 2))))
    return x * _spread(jax.nn.sigmoid(_dense(weights, "expand", hidden)))


def _channel_attention(block: Any, weights: Weights, x: Array, prefix: str = "") -> Array:
    def perceptron(z: Array) -> Array:
        return _dense(weights, f"{prefix}expand", jax.nn.relu(_dense(weights, f"{prefix}reduce", z)))

    logits = perceptron(jnp.mean(x, (1, 2))) + perceptron(jnp.max(x, (1, 2)))
    return x * _spread(jax.nn.sigmoid(logits))


def _spatial_attention(block: Any, weights: Weights, x: Array, prefix: str = "") -> Array:
    planes = jnp.concatenate([jnp.mean(x, -1, keepdims=True), jnp.max(x, -1, keepdims=True)], -1)
    kernel = weights[f"{prefix}conv.weight"].transpose(2, 3, 1, 0)
    half = block.kernel // 2
    logits = lax.conv_general_dilated(
        planes, kernel, (1, 1), [(half, half)] * 2, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    bias = weights.get(f"{prefix}conv.bias")
    return x * jax.nn.sigmoid(logits if bias is None else logits + bias)


def _cbam(block: Any, weights: Weights, x: Array) -> Array:
    return _spatial_attention(block, weights, _channel_attention(block, weights, x, "channel."), "spatial.")


def _global_context(block: Any, weights: Weights, x: Array) -> Array:
    pixels = x.reshape(x.shape[0], -1, x.shape[-1])
    share = jax.nn.softmax(_dense(weights, "mask", pixels), 1)
    context = jnp.einsum("bno,bnc->bc", share, pixels)
    hidden = _dense(weights, "add_reduce", context)
    centred = hidden - jnp.mean(hidden, -1, keepdims=True)
    normed = centred / jnp.sqrt(jnp.mean(centred**2, -1, keepdims=True) + block.eps)
    normed = normed * weights["add_norm.weight"] + weights["add_norm.bias"]
    return x + _spread(_dense(weights, "add_expand", jax.nn.relu(normed)))


def _shuffle_attention(block: Any, weights: Weights, x: Array) -> Array:
    batch, height, width, channels = x.shape
    groups = x.reshape(batch, height, width, block.groups, -1)
    first, second = jnp.split(groups, 2, -1)
    mean = jnp.mean(first, (1, 2), keepdims=True)
    first = first * jax.nn.sigmoid(mean * weights["channel.weight"] + weights["channel.bias"])
    centred = second - jnp.mean(second, (1, 2), keepdims=True)
    normed = centred / jnp.sqrt(jnp.mean(centred**2, (1, 2), keepdims=True) + 1e-5)
    normed = normed * weights["norm.weight"] + weights["norm.bias"]
    second = second * jax.nn.sigmoid(normed * weights["spatial.weight"] + weights["spatial.bias"])
    joined = jnp.concatenate([first, second], -1).reshape(batch, height, width, 2, channels // 2)
    return jnp.swapaxes(joined, -1, -2).reshape(x.shape)


KNOWN: dict[str, Callable[[Any, Weights, Array], Array]] = {
    "SqueezeExcitation": _squeeze_excitation,
    "ChannelAttention": _channel_attention,
    "SpatialAttention": _spatial_attention,
    "CBAM": _cbam,
    "GlobalContext": _global_context,
    "ShuffleAttention": _shuffle_attention,
}
ONLY = {"activation": "relu", "gate": "sigmoid", "pools": "both", "pool": "attention", "fusion": "add", "norm": False}


def plain(block: Block) -> Callable[[Weights, Array], Array] | None:
    """Return the function that is written out for a block on images of two axes; None for others."""
    function = KNOWN.get(type(block).__name__)
    if function is None or getattr(block, "rank", 2) != 2:
        return None
    if any(getattr(block, field, value) != value for field, value in ONLY.items()):
        return None
    return lambda weights, x: function(block, weights, x)
