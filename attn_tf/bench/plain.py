"""The peers that are always there: Keras layers as a person writes them by hand, from the equations of the papers.

Images have their channels last. Maxima are Keras' own, of which TensorFlow lets equal numbers share the derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
from keras import ops
from numpy.typing import NDArray

from attn_core.spec import Block


class Plain(keras.layers.Layer):
    """A formula and its weights, by their canonical names."""

    def __init__(self, block: Block, arrays: Mapping[str, NDArray[Any]], dtype: str) -> None:
        super().__init__(dtype=dtype)
        self.block, self.formula = block, KNOWN[type(block).__name__]
        self.own = {name: self._weight(name, array) for name, array in arrays.items()}
        self.built = True

    def _weight(self, name: str, array: NDArray[Any]) -> Any:
        turned = array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T  # as Keras lays kernels out
        return self.add_weight(
            shape=turned.shape, initializer=keras.initializers.Constant(turned), name=name.replace(".", "_")
        )

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.formula(self.block, self.own, x)


Weights = Mapping[str, Any]


def _dense(weights: Weights, name: str, x: Any) -> Any:
    y = ops.matmul(x, weights[f"{name}.weight"])
    bias = weights.get(f"{name}.bias")
    return y if bias is None else y + bias


def _spread(gate: Any) -> Any:
    return gate[:, None, None, :]


def _squeeze_excitation(block: Any, weights: Weights, x: Any) -> Any:
    hidden = ops.relu(_dense(weights, "reduce", ops.mean(x, (1, 2))))
    return x * _spread(ops.sigmoid(_dense(weights, "expand", hidden)))


def _channel_attention(block: Any, weights: Weights, x: Any, prefix: str = "") -> Any:
    def perceptron(z: Any) -> Any:
        return _dense(weights, f"{prefix}expand", ops.relu(_dense(weights, f"{prefix}reduce", z)))

    logits = perceptron(ops.mean(x, (1, 2))) + perceptron(ops.max(x, (1, 2)))
    return x * _spread(ops.sigmoid(logits))


def _spatial_attention(block: Any, weights: Weights, x: Any, prefix: str = "") -> Any:
    planes = ops.concatenate([ops.mean(x, -1, keepdims=True), ops.max(x, -1, keepdims=True)], -1)
    logits = ops.conv(planes, weights[f"{prefix}conv.weight"], padding="same", data_format="channels_last")
    bias = weights.get(f"{prefix}conv.bias")
    return x * ops.sigmoid(logits if bias is None else logits + bias)


def _cbam(block: Any, weights: Weights, x: Any) -> Any:
    return _spatial_attention(block, weights, _channel_attention(block, weights, x, "channel."), "spatial.")


def _global_context(block: Any, weights: Weights, x: Any) -> Any:
    pixels = ops.reshape(x, (x.shape[0], -1, x.shape[-1]))
    share = ops.softmax(_dense(weights, "mask", pixels), 1)
    context = ops.matmul(ops.transpose(share, (0, 2, 1)), pixels)[:, 0]
    hidden = _dense(weights, "add_reduce", context)
    centred = hidden - ops.mean(hidden, -1, keepdims=True)
    normed = centred / ops.sqrt(ops.mean(ops.square(centred), -1, keepdims=True) + block.eps)
    normed = normed * weights["add_norm.weight"] + weights["add_norm.bias"]
    return x + _spread(_dense(weights, "add_expand", ops.relu(normed)))


def _shuffle_attention(block: Any, weights: Weights, x: Any) -> Any:
    batch, height, width, channels = x.shape
    first, second = ops.split(ops.reshape(x, (batch, height, width, block.groups, -1)), 2, -1)
    mean = ops.mean(first, (1, 2), keepdims=True)
    first = first * ops.sigmoid(mean * weights["channel.weight"] + weights["channel.bias"])
    centred = second - ops.mean(second, (1, 2), keepdims=True)
    normed = centred / ops.sqrt(ops.mean(ops.square(centred), (1, 2), keepdims=True) + 1e-5)
    normed = normed * weights["norm.weight"] + weights["norm.bias"]
    second = second * ops.sigmoid(normed * weights["spatial.weight"] + weights["spatial.bias"])
    joined = ops.reshape(ops.concatenate([first, second], -1), (batch, height, width, 2, channels // 2))
    return ops.reshape(ops.swapaxes(joined, -1, -2), x.shape)


KNOWN: dict[str, Callable[[Any, Weights, Any], Any]] = {
    "SqueezeExcitation": _squeeze_excitation,
    "ChannelAttention": _channel_attention,
    "SpatialAttention": _spatial_attention,
    "CBAM": _cbam,
    "GlobalContext": _global_context,
    "ShuffleAttention": _shuffle_attention,
}
ONLY = {"activation": "relu", "gate": "sigmoid", "pools": "both", "pool": "attention", "fusion": "add", "norm": False}


def plain(block: Block, arrays: Mapping[str, NDArray[Any]], dtype: str) -> Plain | None:
    """Return the layer that is written out for a block on images of two axes; None for others."""
    if type(block).__name__ not in KNOWN or getattr(block, "rank", 2) != 2:
        return None
    if any(getattr(block, field, value) != value for field, value in ONLY.items()):
        return None
    return Plain(block, arrays, dtype)
