"""`HybridSN` for Keras; see `attn_core.models.hybrid_sn`."""

from __future__ import annotations

from typing import Any, TypedDict, Unpack

import keras

from attn_core import models as core
from attn_core.models.attention import Attention, named
from attn_core.models.hybrid_sn import HYBRID_SNS, Order
from attn_tf.layer import Network


@keras.saving.register_keras_serializable(package="attn")
class HybridSN(Network, of=core.HybridSN):
    """Classify the centre pixel of a hyperspectral patch with convolutions over bands and pixels, then over pixels.

    **Shape**: image (batch, bands, size, size, 1) to logits (batch, classes). With ``data_format="channels_first"``,
    channels come second.

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
    - ``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.
    - ``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense
      layers and convolutions inside.

    It is a `keras.Model`: `compile`, `fit`, `evaluate` and `save` are there.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

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
    data_format: str | None
    synchronized: bool
    kernel_initializer: Any
    kernel_regularizer: Any
    kernel_constraint: Any
    bias_initializer: Any
    bias_regularizer: Any
    bias_constraint: Any
    name: str | None
    dtype: Any
    trainable: bool


def hybrid_sn(bands: int, size: int, classes: int = 16, **options: Unpack[HybridSNOptions]) -> HybridSN:
    """Return the paper's network; options are those of `HybridSN`."""
    return HybridSN(bands, size, classes, **dict(HYBRID_SNS["paper"], **options))


def hybrid_sn_2d_first(bands: int, size: int, classes: int = 16, **options: Unpack[HybridSNOptions]) -> HybridSN:
    """Return the HybridSN article's network that begins in the plane; options are those of `HybridSN`."""
    return HybridSN(bands, size, classes, **dict(HYBRID_SNS["2d_first"], **options))


def hybrid_sn_attention(bands: int, size: int, classes: int = 16, **options: Unpack[HybridSNOptions]) -> HybridSN:
    """Return the HybridSN article's network with squeeze-and-excitation; options are those of `HybridSN`."""
    return HybridSN(bands, size, classes, **dict(HYBRID_SNS["attention"], **options))
