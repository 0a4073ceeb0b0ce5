"""The affine grid and sampler of spatial transformer networks for Keras; see `attn_core.blocks.affine_sampler`."""

from __future__ import annotations

from typing import Any

import keras

from attn_core import blocks as core
from attn_tf.layer import Layer


@keras.saving.register_keras_serializable(package="attn")
class AffineSampler(Layer, of=core.AffineSampler):
    """Sample an image at the points to which one matrix for each sample takes the pixels of the output.

    x sampled at the points theta @ (x, y, ..., 1)

    **Shape**: (batch, *space, channels), or (batch, channels, *space) with ``data_format="channels_first"``, and
    theta (batch, d, d + 1), d being the number of spatial axes, to an image of the size asked for.

    **Fields**: see `attn_core.AffineSampler`; rank is read from the input.

    **Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
    """

    def __init__(
        self,
        size: int | tuple[int | None, ...] | None = None,
        *,
        align_corners: bool = False,
        padding: str = "zeros",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {"size": size, "align_corners": align_corners, "padding": padding}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.AffineSampler:
        """Return the block for this many channels and spatial axes."""
        return core.AffineSampler(rank=rank, **self.options)

    def call(self, x: Any, theta: Any) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x, theta)
