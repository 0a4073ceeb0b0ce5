"""What blocks whose convolutions are followed by batch normalisation have in common."""

from __future__ import annotations

from typing import Any

from attn_core.spec import Block, Part, Parts
from attn_core.spec.parts import BatchNorm, Conv


def convolution(name: str, conv: Conv, momentum: float, norm: bool = True) -> dict[str, Part | Block]:
    """Return a convolution as a part of this name and, if it is normalised, the normalisation as `<name>_norm`."""
    after = {f"{name}_norm": BatchNorm(conv.outputs, conv.rank, momentum=momentum)} if norm else {}
    return {name: conv, **after}


def convolve(p: Parts, name: str, x: Any, norm: bool = True) -> Any:
    """Convolve an image with the part of this name and, if it is normalised, normalise the result."""
    y = getattr(p, name)(x)
    return getattr(p, f"{name}_norm")(y) if norm else y
