"""`HybridSN` for PyTorch; see `attn_core.models.hybrid_sn`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

import torch
from torch import Tensor, nn

from attn_core import models as core
from attn_core.interpreters.shapes import explain
from attn_core.models.attention import Attention
from attn_core.models.hybrid_sn import HYBRID_SNS, Order
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.blocks.squeeze_excitation import SqueezeExcitation


class HybridSN(Layer, of=core.HybridSN):
    """Classify the centre pixel of a hyperspectral patch with convolutions over bands and pixels, then over pixels.

    **Shape**: image (batch, 1, bands, size, size) to logits (batch, classes).

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
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        cube1: nn.Conv3d
        cube2: nn.Conv3d
        cube3: nn.Conv3d
        plane: nn.Conv2d
        dense1: nn.Linear
        dense2: nn.Linear
        classify: nn.Linear
        drop: nn.Dropout
        cube_attention: SqueezeExcitation
        plane_attention: SqueezeExcitation
        cube1_norm: nn.BatchNorm3d
        cube2_norm: nn.BatchNorm3d
        cube3_norm: nn.BatchNorm3d
        plane_norm: nn.BatchNorm2d

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the logits."""

    def __init__(
        self,
        bands: int,
        size: int,
        classes: int = 16,
        *,
        order: Order = "3d_first",
        attention: Attention = None,
        norm: bool = False,
        relu: bool = True,
        dropout: float = 0.4,
        hidden: tuple[int, int] = (256, 128),
        filters: tuple[int, int, int, int] = (8, 16, 32, 64),
        momentum: float = 0.1,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.HybridSN(
            bands,
            size,
            classes,
            order=order,
            attention=attention,
            norm=norm,
            relu=relu,
            dropout=dropout,
            hidden=hidden,
            filters=filters,
            momentum=momentum,
        )
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the logits."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise


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
    device: torch.device | str | None
    dtype: torch.dtype | None


def hybrid_sn(bands: int, size: int, classes: int = 16, **options: Unpack[HybridSNOptions]) -> HybridSN:
    """Return the paper's network; options are those of `HybridSN`."""
    return HybridSN(bands, size, classes, **dict(HYBRID_SNS["paper"], **options))


def hybrid_sn_2d_first(bands: int, size: int, classes: int = 16, **options: Unpack[HybridSNOptions]) -> HybridSN:
    """Return the HybridSN article's network that begins in the plane; options are those of `HybridSN`."""
    return HybridSN(bands, size, classes, **dict(HYBRID_SNS["2d_first"], **options))


def hybrid_sn_attention(bands: int, size: int, classes: int = 16, **options: Unpack[HybridSNOptions]) -> HybridSN:
    """Return the HybridSN article's network with squeeze-and-excitation; options are those of `HybridSN`."""
    return HybridSN(bands, size, classes, **dict(HYBRID_SNS["attention"], **options))
