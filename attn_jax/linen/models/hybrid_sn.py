"""`HybridSN` for Linen; see `attn_core.models.hybrid_sn`."""

from __future__ import annotations

from dataclasses import KW_ONLY
from typing import Any, TypedDict, Unpack

from jax import Array

from attn_core import models as core
from attn_core.models.attention import Attention
from attn_core.models.hybrid_sn import HYBRID_SNS, Order
from attn_jax.linen.layer import Layer


class HybridSN(Layer, of=core.HybridSN):
    """Classify the centre pixel of a hyperspectral patch with convolutions over bands and pixels, then over pixels.

    **Shape**: image (batch, bands, size, size, 1) to logits (batch, classes).

    **Fields**

    - ``bands``: number of spectral bands, after a reduction such as principal components.
    - ``size``: pixels along the edge of a patch.
    - ``classes``: number of classes.
    - ``order``: "3d_first", the paper's, or "2d_first".
    - ``attention``: that of `ResidualBlock`: one block after the three convolutions, one after the convolution of 3 x 3
      pixels.
    - ``attention``: what stands at A: "se", "cbam", "shuffle", any block of this collection as text
      (``"GlobalContext(reduction=8)"``), a function from the channels to a block, or None.
    - ``norm``: whether convolutions are followed by batch normalisation. ``momentum``: theirs.
    - ``relu``: whether a relu follows the two hidden dense layers.
    - ``dropout``: the probability with which training drops each of their numbers.
    - ``hidden``: their numbers of units. ``filters``: numbers of channels of the four convolutions, the one of 3 x 3
      pixels last.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    In training, dropout takes the key ``rngs={"dropout": key}``.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    bands: int
    size: int
    classes: int = 16
    _: KW_ONLY
    order: Order = "3d_first"
    attention: Attention = None
    norm: bool = False
    relu: bool = True
    dropout: float = 0.4
    hidden: tuple[int, int] = (256, 128)
    filters: tuple[int, int, int, int] = (8, 16, 32, 64)
    momentum: float = 0.1

    def configure(self, channels: int, rank: int) -> core.HybridSN:
        """Return the block for this many channels and spatial axes."""
        return core.HybridSN(
            self.bands,
            self.size,
            self.classes,
            order=self.order,
            attention=self.attention,
            norm=self.norm,
            relu=self.relu,
            dropout=self.dropout,
            hidden=self.hidden,
            filters=self.filters,
            momentum=self.momentum,
        )

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the logits."""
        return self.run(x, train=train)


class HybridSNOptions(TypedDict, total=False):
    """What `HybridSN` takes beside bands, size and classes, for type checkers."""

    order: Order
    attention: Attention
    norm: bool
    relu: bool
    dropout: float
    hidden: tuple[int, int]
    filters: tuple[int, int, int, int]
    momentum: float
    dtype: Any
    param_dtype: Any
    axis_name: str | None
    kernel_init: Any
    bias_init: Any
    precision: Any
    promote_dtype: Any
    name: str | None
    parent: Any


def hybrid_sn(bands: int, size: int, classes: int = 16, **options: Unpack[HybridSNOptions]) -> HybridSN:
    """Return the paper's network; options are those of `HybridSN`."""
    return HybridSN(bands, size, classes, **dict(HYBRID_SNS["paper"], **options))


def hybrid_sn_2d_first(bands: int, size: int, classes: int = 16, **options: Unpack[HybridSNOptions]) -> HybridSN:
    """Return the HybridSN article's network that begins in the plane; options are those of `HybridSN`."""
    return HybridSN(bands, size, classes, **dict(HYBRID_SNS["2d_first"], **options))


def hybrid_sn_attention(bands: int, size: int, classes: int = 16, **options: Unpack[HybridSNOptions]) -> HybridSN:
    """Return the HybridSN article's network with squeeze-and-excitation; options are those of `HybridSN`."""
    return HybridSN(bands, size, classes, **dict(HYBRID_SNS["attention"], **options))
