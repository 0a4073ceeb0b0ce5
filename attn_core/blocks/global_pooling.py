"""The mean and the maximum of each channel: what CBAM (ECCV 2018, arXiv:1807.06521) computes its channel gate from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeVar

from attn_core.blocks.channel_attention import POOLS, Pools
from attn_core.spec import Block, Parts, require_choice, require_type
from attn_core.spec.primitives import Primitives

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class GlobalPooling(Block):
    r"""Reduce each channel to its mean over all pixels, or its maximum, or first all means, then all maxima.

    **In short**: [mean(x), max(x)]

    .. math::
        y = [F_{avg}; F_{max}], \qquad
        F_{avg} = \frac{1}{HW} \sum_{i,j} x_{ij}, \quad F_{max} = \max_{i,j} x_{ij}

    **Shape**: image (batch, channels, \*space), of any number of spatial axes from one and any size, to
    (batch, channels), or (batch, 2 channels) with both.

    **Fields**: ``pools``: "mean", "max" or "both".

    **Raises** `SpecError` for another value.

    **Departures**: none. A function often printed beside CBAM as ``spatial_pool`` is "both", with the means first.
    """

    source: ClassVar[str] = "Woo et al.: CBAM: Convolutional Block Attention Module. ECCV 2018, arXiv:1807.06521"
    family: ClassVar[str] = "pooling and sampling"

    pools: Pools = "both"

    def __post_init__(self) -> None:
        require_type(self, pools=str)
        require_choice(self, "pools", POOLS)

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute the vector y."""
        if self.pools == "mean":
            return f.global_mean(x)
        if self.pools == "max":
            return f.global_max(x)
        return f.concat([f.global_mean(x), f.global_max(x)])
