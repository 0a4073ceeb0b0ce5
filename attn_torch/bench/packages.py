"""What packages call our blocks, and with which arguments: their layers are imported from where they are installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from torch import nn

from attn_core.parity.foreign.importing import load
from attn_core.spec import Block

Arguments = Callable[[Any], Mapping[str, Any]]


def _hidden(block: Any) -> dict[str, Any]:
    return {"channels": block.channels, "rd_channels": block.width}


TIMM: dict[str, tuple[str, Arguments]] = {
    "SqueezeExcitation": ("timm.layers:SEModule", lambda block: _hidden(block) | {"bias": block.bias}),
    "EffectiveSqueezeExcitation": ("timm.layers:EffectiveSEModule", lambda block: {"channels": block.channels}),
    "EfficientChannelAttention": ("timm.layers:EcaModule", lambda block: {"kernel_size": block.kernel}),
    "ChannelAttention": ("timm.layers.cbam:ChannelAttn", lambda block: _hidden(block) | {"mlp_bias": block.bias}),
    "SpatialAttention": ("timm.layers.cbam:SpatialAttn", lambda block: {"kernel_size": block.kernel}),
    "CBAM": (
        "timm.layers.cbam:CbamModule",
        lambda block: _hidden(block.parts()["channel"]) | {"spatial_kernel_size": block.kernel, "mlp_bias": block.bias},
    ),
    "GlobalContext": (
        "timm.layers:GlobalContext",
        lambda block: (
            _hidden(block)
            | {
                "use_attn": block.pool == "attention",
                "fuse_add": block.fusion != "scale",
                "fuse_scale": block.fusion != "add",
            }
        ),
    ),
    "NonLocal": (
        "timm.layers:NonLocalAttn",
        lambda block: {"in_channels": block.channels, "rd_channels": block.hidden},
    ),
}
TORCHVISION: dict[str, tuple[str, Arguments]] = {
    "SqueezeExcitation": (
        "torchvision.ops:SqueezeExcitation",
        lambda block: {"input_channels": block.channels, "squeeze_channels": block.width},
    )
}
PACKAGES = {"timm": TIMM, "torchvision": TORCHVISION}


def named(package: str, block: Block) -> tuple[str, nn.Module] | None:
    """Return the name and a fresh layer of a package for a block of two axes; None where it has none.

    What it cannot be told, such as that it should not normalise, it does in its own way.
    **Raises** `ImportError` if the package is not installed, `ForeignError` if it does not give the layer.
    """
    if find_spec(package) is None:
        raise ImportError(f"{package} is not installed: install it, or leave it out of --against.")
    known = PACKAGES[package].get(type(block).__name__)
    if known is None or getattr(block, "rank", 2) != 2:
        return None
    path, arguments = known
    text = ", ".join(f"{name}={value!r}" for name, value in arguments(block).items())
    layer: nn.Module = load(path, text)
    return path.replace(":", "."), layer
