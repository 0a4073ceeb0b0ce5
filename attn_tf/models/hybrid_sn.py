"""`HybridSN` for Keras; see `attn_core.models.hybrid_sn`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import models as core
from attn_core.models.attention import Attention, named
from attn_core.models.hybrid_sn import HYBRID_SNS
from attn_tf.layer import Network


@keras.saving.register_keras_serializable(package="attn")
class HybridSN(Network, of=core.HybridSN):
    """Classify the centre pixel of a hyperspectral patch with convolutions over bands and pixels, then over pixels.

    **Shape**: image (batch, bands, size, size, 1) to logits (batch, classes). With ``data_format="channels_first"``,
    channels come second.

    **Fields**: see `attn_core.HybridSN`.

    It is a `keras.Model`: `compile`, `fit`, `evaluate` and `save` are there.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        bands: int,
        size: int,
        classes: int = 16,
        *,
        order: str = "3d_first",
        attention: Attention = None,
        norm: bool = False,
        relu: bool = True,
        dropout: float = 0.4,
        hidden: tuple[int, int] = (256, 128),
        filters: tuple[int, int, int, int] = (8, 16, 32, 64),
        momentum: float = 0.1,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {
            "bands": bands,
            "size": size,
            "classes": classes,
            "order": order,
            "attention": named(attention),
            "norm": norm,
            "relu": relu,
            "dropout": dropout,
            "hidden": hidden,
            "filters": filters,
            "momentum": momentum,
        }
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.HybridSN:
        """Return the block for this many channels and spatial axes."""
        return core.HybridSN(**self.options)

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Compute the logits."""
        return self.block.forward(self.images, self, x)


def hybrid_sn(bands: int, size: int, classes: int = 16, **options: Any) -> HybridSN:
    """Return the paper's network; options are those of `HybridSN`."""
    return HybridSN(bands, size, classes, **(HYBRID_SNS["paper"] | options))


def hybrid_sn_2d_first(bands: int, size: int, classes: int = 16, **options: Any) -> HybridSN:
    """Return the HybridSN article's network that begins in the plane; options are those of `HybridSN`."""
    return HybridSN(bands, size, classes, **(HYBRID_SNS["2d_first"] | options))


def hybrid_sn_attention(bands: int, size: int, classes: int = 16, **options: Any) -> HybridSN:
    """Return the HybridSN article's network with squeeze-and-excitation; options are those of `HybridSN`."""
    return HybridSN(bands, size, classes, **(HYBRID_SNS["attention"] | options))
