"""`NonLocal` for Linen; see `attn_core.blocks.non_local`."""

from __future__ import annotations

from dataclasses import KW_ONLY

from jax import Array

from attn_core import blocks as core
from attn_core.blocks.non_local import Mode, Scale
from attn_jax.linen.layer import Layer


class NonLocal(Layer, of=core.NonLocal):
    """Add to each pixel what it finds at all positions, weighted by how it relates to them.

    x + W_z (sum over j of f(x_i, x_j) g(x_j), normalised)

    **Shape**: image (batch, *space, channels) of ``rank`` spatial axes to the same shape, of any size that holds a
    window of ``subsample``.

    **Fields**

    - ``hidden``: number of channels of g, theta and phi; half of ``channels`` where None, as in the paper.
    - ``mode``: the function f.
    - ``scale``: the factor s, of the two softmax modes: "none" is 1, "hidden" is hidden :sup:`-1/2`, "channels" is
      channels :sup:`-1/2`.
    - ``subsample``: the positions j are the maxima of phi and g (of x and g in the mode gaussian) over windows side by
      side, of so many pixels along each axis, or along all where it is one number; 1 keeps all positions.
    - ``norm``: whether batch normalisation follows W_z.
    - ``bias``: whether theta, phi, g and W_z have biases.
    - ``momentum``: of the normalisation's running statistics, in PyTorch's sense.
    - ``channels`` and ``rank`` are read from the input.
    - ``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers.
    - ``kernel_init``, ``bias_init``, ``precision``, ``promote_dtype``: those of all dense layers and convolutions
      inside, as in Flax's own; None leaves kernels and biases to the block.

    **Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
    """

    hidden: int | None = None
    _: KW_ONLY
    mode: Mode = "embedded_gaussian"
    scale: Scale = "none"
    subsample: int | tuple[int, ...] = 1
    norm: bool = False
    bias: bool = True
    momentum: float = 0.1

    def configure(self, channels: int, rank: int) -> core.NonLocal:
        """Return the block for this many channels and spatial axes."""
        return core.NonLocal(
            channels,
            self.hidden,
            mode=self.mode,
            scale=self.scale,
            subsample=self.subsample,
            norm=self.norm,
            rank=rank,
            bias=self.bias,
            momentum=self.momentum,
        )

    def __call__(self, x: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(x, train=train)
