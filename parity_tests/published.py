"""What classes compute of which only the code was published: each by its own names and layouts, in plain NumPy.

Written from the code that `definition` of the dialect names, and not from the dialect. Images are (batch, channels,
height, width); a kernel of TensorFlow's is (inputs, outputs) or (height, width, inputs, outputs).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

Array = np.ndarray
State = Mapping[str, Array]


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def swish(x: Array) -> Array:
    return x * sigmoid(x)


def hard_sigmoid(x: Array) -> Array:
    return np.clip(x + 3, 0, 6) / 6


def mean(x: Array) -> Array:
    return x.mean((2, 3))


def gated(x: Array, gate: Array) -> Array:
    return x * gate[:, :, None, None]


def dense(vector: Array, s: State, layer: str) -> Array:
    """Apply a dense layer of TensorFlow's, or its convolution of one pixel."""
    kernel = s[f"{layer}/kernel"]
    return vector @ kernel.reshape(kernel.shape[-2:]) + s.get(f"{layer}/bias", 0)


def pixel(vector: Array, s: State, layer: str) -> Array:
    """Apply PyTorch's convolution of one pixel to a vector."""
    return vector @ s[f"{layer}.weight"][:, :, 0, 0].T + s[f"{layer}.bias"]


# ---- the classes -----------------------------------------------------------------------------------------------------


def timm_squeeze_excite(s: State, x: Array) -> Array:
    return gated(x, sigmoid(pixel(relu(pixel(mean(x), s, "conv_reduce")), s, "conv_expand")))


def keras_hub_mbconv(s: State, x: Array) -> Array:
    return gated(x, sigmoid(dense(swish(dense(mean(x), s, "se_conv1")), s, "se_conv2")))


def keras_hub_squeeze(s: State, x: Array) -> Array:
    """As its MobileNet calls it."""
    return gated(x, hard_sigmoid(dense(relu(dense(mean(x), s, "conv_reduce")), s, "conv_expand")))


def kobiso_se(s: State, x: Array) -> Array:
    return gated(x, sigmoid(dense(relu(dense(mean(x), s, "bottleneck_fc")), s, "recover_fc")))


def taki0112_squeeze(s: State, x: Array) -> Array:
    return gated(x, sigmoid(dense(relu(dense(mean(x), s, "dense")), s, "dense_1")))


def kobiso_cbam(s: State, x: Array) -> Array:
    """Channel attention, then spatial attention; without biases this is the usual variant of it."""

    def perceptron(vector: Array) -> Array:
        return dense(relu(dense(vector, s, "ch_at/mlp_0")), s, "ch_at/mlp_1")

    x = gated(x, sigmoid(perceptron(mean(x)) + perceptron(x.max((2, 3)))))
    planes = np.stack([x.mean(1), x.max(1)], -1)
    kernel = s["sp_at/conv/kernel"][..., 0]
    margin = kernel.shape[0] // 2
    padded = np.pad(planes, [(0, 0), (margin, margin), (margin, margin), (0, 0)])
    logits = np.zeros(planes.shape[:3])
    for i, j in np.ndindex(kernel.shape[:2]):
        logits += padded[:, i : i + planes.shape[1], j : j + planes.shape[2]] @ kernel[i, j]
    return x * sigmoid(logits + s.get("sp_at/conv/bias", 0))[:, None]


def mmcv_context(s: State, x: Array) -> Array:
    """With pooling_type="att" and fusion_types=("channel_add",), which are its defaults."""
    flat = x.reshape(*x.shape[:2], -1)
    scores = np.einsum("c,bcn->bn", s["conv_mask.weight"][0, :, 0, 0], flat) + s["conv_mask.bias"]
    powers = np.exp(scores)
    context = np.einsum("bn,bcn->bc", powers / powers.sum(-1, keepdims=True), flat)
    hidden = pixel(context, s, "channel_add_conv.0")
    centred = hidden - hidden.mean(-1, keepdims=True)
    normed = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    scaled = normed * s["channel_add_conv.1.weight"][:, 0, 0] + s["channel_add_conv.1.bias"][:, 0, 0]
    return x + pixel(relu(scaled), s, "channel_add_conv.3")[:, :, None, None]


PUBLISHED: dict[str, Callable[[State, Array], Array]] = {
    "keras_hub.MBConvBlock": keras_hub_mbconv,
    "keras_hub.SqueezeAndExcite2D": keras_hub_squeeze,
    "kobiso.cbam_block": kobiso_cbam,
    "kobiso.se_block": kobiso_se,
    "mmcv.ContextBlock": mmcv_context,
    "taki0112.squeeze_excitation_layer": taki0112_squeeze,
    "tf1.cbam_block": kobiso_cbam,
    "timm.SqueezeExcite": timm_squeeze_excite,
}
