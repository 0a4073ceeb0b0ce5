"""`AttentionGate` for Linen; see `attn_core.blocks.attention_gate`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_jax.linen.layer import Layer


class AttentionGate(Layer, of=core.AttentionGate):
    """Scale each pixel of the features by a gate computed from it and from the same pixel of a gating signal.

    x * sigmoid(norm(psi relu(norm(W_x x) + norm(W_g g))))

    **Shape**: image x (batch, *space, channels) and image g (batch, *space, gating), both of ``rank`` spatial axes and
    of the same size, to the shape of x. An axis along which one of the two has one pixel is repeated. With a ``grid``,
    g may have any size, and x at least ``grid`` pixels along each axis.

    **Fields**

    - ``gating``: number of channels of g (the paper's F_g).
    - ``hidden``: number of channels in which they are added (the paper's F_int); None becomes, when the block is made,
      half of the channels of x, one at least.
    - ``momentum``: of the normalisations' running statistics (PyTorch's).
    - ``grid``: how many pixels of x along each axis have one gate, which is interpolated between (the authors'
      ``sub_sample_factor``); None for gates that are each computed.
    - ``align_corners``: whether interpolation, with a ``grid``, aligns the outermost pixels' centres or their edges.
    - ``channels`` and ``rank`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    gating: int
    hidden: int | None = None
    _: KW_ONLY
    momentum: float = 0.1
    grid: int | None = None
    align_corners: bool = False

    def configure(self, channels: int, rank: int) -> core.AttentionGate:
        """Return the block for this many channels and spatial axes."""
        return core.AttentionGate(
            channels,
            self.gating,
            self.hidden,
            rank=rank,
            momentum=self.momentum,
            grid=self.grid,
            align_corners=self.align_corners,
        )

    def __call__(self, x: Array, signal: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, signal, train=train)
