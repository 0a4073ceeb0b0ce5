"""Layers without windows: dense ones, norms, activations, and what does nothing outside of training."""

from __future__ import annotations

from attn_core.porting.graph.graph import Ref
from attn_core.porting.graph.types import FLOAT
from attn_core.porting.keras.activations import activated, leaky_relu
from attn_core.porting.keras.nodes import INT32, Tensor
from attn_core.porting.keras.use import UnknownLayerError, Use, Write

NOTHING = (  # outside of training
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianNoise", "GaussianDropout",
    "AlphaDropout", "ActivityRegularization",
)  # fmt: skip


def dense(use: Use, x: Tensor) -> Tensor:
    """Write a dense layer; on an image it is a convolution of single pixels."""
    kernel, *bias = use.weights("kernel", *(["bias"] if use.option("use_bias", True) else []))
    nodes, scope = use.nodes, use.scope
    if x.rank == 2:
        y = Tensor(nodes.of_floats("MatMul", f"{scope}/MatMul", x.ref, kernel), 2)
        return use.biased(y, bias, "NHWC")
    return use.biased(_on_pixels(use, x, kernel), bias, "NHWC")


def _on_pixels(use: Use, x: Tensor, kernel: Ref) -> Tensor:
    nodes, scope = use.nodes, use.scope
    if not 3 <= x.rank <= 5:
        raise UnknownLayerError(f"it reads an array of {x.rank} axes")
    is_signal, is_volume = x.rank == 3, x.rank == 5
    ones = [1] * (3 if is_volume else 2)
    sizes = nodes.integers(f"{scope}/kernel_sizes", [*ones, *use.shape(kernel)])
    pixel = nodes.add("Reshape", f"{scope}/kernel_of_pixels", kernel, sizes, T=FLOAT, Tshape=INT32)
    image = nodes.expanded(f"{scope}/ExpandDims", x.ref, 1) if is_signal else x.ref
    op, layout = ("Conv3D", "NDHWC") if is_volume else ("Conv2D", "NHWC")
    attributes = {"strides": [1, *ones, 1], "dilations": [1, *ones, 1], "padding": "VALID", "data_format": layout}
    y = nodes.of_floats(op, f"{scope}/{op}", image, pixel, **attributes)
    if is_signal:
        y = nodes.of_floats("Squeeze", f"{scope}/Squeeze", y, squeeze_dims=[1])
    return Tensor(y, x.rank)


def batch_norm(use: Use, x: Tensor) -> Tensor:
    """Write a batch norm with its moving averages: fused on images, else as products and sums."""
    roles = roles_of_norm(use)
    found = dict(zip(roles, use.weights(*roles), strict=True))
    eps = float(use.option("epsilon", 1e-3))
    axis = use.option("axis", -1)
    axis = axis[0] if isinstance(axis, list) else axis
    first = x.rank > 2 and axis % x.rank == 1
    if not first and axis % x.rank != x.rank - 1:
        raise UnknownLayerError(f"its axis is {axis}, which is not that of the channels")
    if x.rank == 4:
        return _fused(use, x, found, eps, "NCHW" if first else "NHWC")
    if first:
        raise UnknownLayerError("it normalises the first axis of something else than images")
    return _unfused(use, x, found, eps)


def roles_of_norm(use: Use) -> list[str]:
    """Return what arrays a batch norm has."""
    options = {"gamma": "scale", "beta": "center"}
    return [*(role for role, option in options.items() if use.option(option, True)), "moving_mean", "moving_variance"]


def _fused(use: Use, x: Tensor, found: dict[str, Ref], eps: float, layout: str) -> Tensor:
    nodes, scope = use.nodes, use.scope
    (channels,) = use.shape(found["moving_mean"])
    # The operation always reads a factor and an offset.
    gamma = found.get("gamma") or nodes.number(f"{scope}/ones", [1.0] * channels)
    beta = found.get("beta") or nodes.number(f"{scope}/zeros", [0.0] * channels)
    given = (gamma, beta, found["moving_mean"], found["moving_variance"])
    attributes = {"U": FLOAT, "epsilon": eps, "data_format": layout, "is_training": False}
    ref = nodes.of_floats("FusedBatchNormV3", f"{scope}/FusedBatchNormV3", x.ref, *given, **attributes)
    return Tensor(ref, x.rank)


def _unfused(use: Use, x: Tensor, found: dict[str, Ref], eps: float) -> Tensor:
    nodes, scope = use.nodes, use.scope
    total = nodes.of_floats("AddV2", f"{scope}/add", found["moving_variance"], nodes.number(f"{scope}/add/y", eps))
    factor = nodes.of_floats("Rsqrt", f"{scope}/Rsqrt", total)
    if "gamma" in found:
        factor = nodes.of_floats("Mul", f"{scope}/mul", factor, found["gamma"])
    product = nodes.of_floats("Mul", f"{scope}/mul_1", x.ref, factor)
    moved = nodes.of_floats("Mul", f"{scope}/mul_2", found["moving_mean"], factor)
    if "beta" in found:
        offset = nodes.of_floats("Sub", f"{scope}/sub", found["beta"], moved)
    else:
        offset = nodes.of_floats("Neg", f"{scope}/neg", moved)
    return Tensor(nodes.of_floats("AddV2", f"{scope}/add_1", product, offset), x.rank)


# ---- activations as layers -------------------------------------------------------------------------------------------


def activation(use: Use, x: Tensor) -> Tensor:
    """Write `Activation`."""
    return activated(use.nodes, use.scope, x, use.option("activation"), use.keras_3)


def relu(use: Use, x: Tensor) -> Tensor:
    """Write `ReLU` with its bounds and slope."""
    most, slope = use.option("max_value"), float(use.option("negative_slope") or 0.0)
    if float(use.option("threshold") or 0.0):
        raise UnknownLayerError("its threshold is not 0")
    if slope and most is not None:
        raise UnknownLayerError("it has a slope and a bound")
    if slope:
        return leaky_relu(use.nodes, use.scope, x, slope)
    if most is None:
        return use.nodes.unary("Relu", f"{use.scope}/Relu", x)
    if float(most) == 6:
        return use.nodes.unary("Relu6", f"{use.scope}/Relu6", x)
    above = use.nodes.unary("Relu", f"{use.scope}/Relu", x)
    return use.nodes.binary("Minimum", f"{use.scope}/Minimum", above, use.nodes.number(f"{use.scope}/most", most))


def leaky(use: Use, x: Tensor) -> Tensor:
    """Write `LeakyReLU`, whose slope Keras 3 calls otherwise."""
    return leaky_relu(use.nodes, use.scope, x, float(use.option("negative_slope", use.option("alpha", 0.3))))


def elu(use: Use, x: Tensor) -> Tensor:
    """Write `ELU`."""
    if float(use.option("alpha", 1.0)) != 1:
        raise UnknownLayerError("its alpha is not 1")
    return use.nodes.unary("Elu", f"{use.scope}/Elu", x)


def softmax(use: Use, x: Tensor) -> Tensor:
    """Write `Softmax` over the last axis."""
    if use.option("axis", -1) not in (-1, x.rank - 1, [-1], [x.rank - 1]):
        raise UnknownLayerError("it goes over another axis than the last")
    return use.nodes.unary("Softmax", f"{use.scope}/Softmax", x)


def prelu(use: Use, x: Tensor) -> Tensor:
    """Write `PReLU`: relu(x) - alpha relu(-x)."""
    nodes, scope = use.nodes, use.scope
    (alpha,) = use.weights("alpha")
    above = nodes.unary("Relu", f"{scope}/Relu", x)
    below = nodes.unary("Relu", f"{scope}/Relu_1", nodes.unary("Neg", f"{scope}/Neg", x))
    falling = nodes.of_floats("Neg", f"{scope}/Neg_1", alpha)
    slope = nodes.binary("Mul", f"{scope}/mul", below, falling)
    return nodes.binary("AddV2", f"{scope}/add", above, slope.ref)


def nothing(use: Use, x: Tensor) -> Tensor:
    """Write nothing: the layer changes something in training only."""
    del use
    return x


def rescaling(use: Use, x: Tensor) -> Tensor:
    """Write x * scale + offset."""
    nodes, scope = use.nodes, use.scope
    x = nodes.binary("Mul", f"{scope}/mul", x, nodes.number(f"{scope}/mul/y", float(use.option("scale"))))
    offset = float(use.option("offset", 0.0))
    return nodes.binary("AddV2", f"{scope}/add", x, nodes.number(f"{scope}/add/y", offset)) if offset else x


def normalization(use: Use, x: Tensor) -> Tensor:
    """Write `Normalization`: (x - mean) / max(sqrt(variance), 1e-7) of numbers that are given, or were learned once."""
    nodes, scope = use.nodes, use.scope
    if use.option("invert"):
        raise UnknownLayerError("it is inverted")
    if use.option("axis", -1) not in (None, -1, x.rank - 1, [-1], [x.rank - 1]):
        raise UnknownLayerError("it normalises along other axes than the last")
    if use.option("mean") is None:
        mean, variance, _ = use.weights("mean", "variance", "count")
    else:
        mean, variance = (nodes.number(f"{scope}/{name}", use.option(name)) for name in ("mean", "variance"))
    centred = nodes.binary("Sub", f"{scope}/sub", x, mean)
    root = nodes.of_floats("Sqrt", f"{scope}/Sqrt", variance)
    least = nodes.number(f"{scope}/Maximum/y", 1e-7)
    deviation = nodes.of_floats("Maximum", f"{scope}/Maximum", root, least)
    return nodes.binary("RealDiv", f"{scope}/truediv", centred, deviation)


LAYERS: dict[str, Write] = {
    "Dense": dense,
    "Normalization": normalization,
    "BatchNormalization": batch_norm,
    "SyncBatchNormalization": batch_norm,
    "BatchNormalizationV1": batch_norm,
    "BatchNormalizationV2": batch_norm,
    "Activation": activation,
    "ReLU": relu,
    "LeakyReLU": leaky,
    "ELU": elu,
    "Softmax": softmax,
    "PReLU": prelu,
    "Rescaling": rescaling,
    **dict.fromkeys(NOTHING, nothing),
}
