"""Layers that scale channels and normalise over them, as networks after ResNet have them."""

from __future__ import annotations

from attn_core.porting.keras.nodes import Tensor
from attn_core.porting.keras.use import UnknownLayerError, Use, Write


def layer_norm(use: Use, x: Tensor) -> Tensor:
    """Write `LayerNormalization` over the last axis: (x - mean) / sqrt(variance + epsilon) * gamma + beta."""
    nodes, scope = use.nodes, use.scope
    if use.option("axis", -1) not in (-1, x.rank - 1, [-1], [x.rank - 1]):
        raise UnknownLayerError("it normalises over other axes than the last")
    if use.option("rms_scaling"):
        raise UnknownLayerError("it takes no mean away (rms_scaling)")
    options = {"gamma": "scale", "beta": "center"}
    roles = [role for role, option in options.items() if use.option(option, True)]
    found = dict(zip(roles, use.weights(*roles), strict=True))
    mean = _mean(use, "mean", x)
    centred = nodes.binary("Sub", f"{scope}/sub", x, mean.ref)
    variance = _mean(use, "variance", nodes.unary("Square", f"{scope}/Square", centred))
    total = nodes.binary("AddV2", f"{scope}/add", variance, nodes.number(f"{scope}/add/y", _epsilon(use)))
    y = nodes.binary("Mul", f"{scope}/mul", centred, nodes.unary("Rsqrt", f"{scope}/Rsqrt", total).ref)
    if "gamma" in found:
        y = nodes.binary("Mul", f"{scope}/mul_1", y, found["gamma"])
    return nodes.binary("AddV2", f"{scope}/add_1", y, found["beta"]) if "beta" in found else y


def _epsilon(use: Use) -> float:
    return float(use.option("epsilon", 1e-3))


def _mean(use: Use, name: str, x: Tensor) -> Tensor:
    axes = use.nodes.integers(f"{use.scope}/{name}/axes", [x.rank - 1])
    return Tensor(use.nodes.of_floats("Mean", f"{use.scope}/{name}", x.ref, axes, keep_dims=True), x.rank)


def layer_scale(use: Use, x: Tensor) -> Tensor:
    """Write `LayerScale` of Keras' own ConvNeXt: x * gamma. Other code may mean something else by the name."""
    if not {"init_values", "projection_dim"} <= use.options.keys():
        raise UnknownLayerError("its options are not those of Keras' ConvNeXt")
    (gamma,) = use.weights("gamma")
    return use.nodes.binary("Mul", f"{use.scope}/mul", x, gamma)


LAYERS: dict[str, Write] = {"LayerNormalization": layer_norm, "LayerScale": layer_scale}
