"""`EffectiveSqueezeExcitation` for PyTorch; see `attn_core.blocks.effective_squeeze_excitation`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_core.spec.primitives import Gate
from attn_torch.layer import Layer, run


class EffectiveSqueezeExcitation(Layer, of=core.EffectiveSqueezeExcitation):
    r"""Scale each channel by a gate that one dense layer computes from the spatial means of all channels.

    x * sigma(W mean(x) + b)

    .. math::
        z = \frac{1}{HW} \sum_{i,j} x_{ij}, \qquad
        s = \sigma(W z + b), \qquad
        \tilde{x} = s \odot x
        \qquad \text{(eSE, in the section on VoVNetV2)}

    **Shape**: image (batch, channels, \*space) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``bias``: whether the dense layer has a bias.
    - ``gate``: the paper's sigma: "hard_sigmoid" or "sigmoid".
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        dense: nn.Linear

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        *,
        bias: bool = True,
        gate: Gate = "hard_sigmoid",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.EffectiveSqueezeExcitation(channels, bias=bias, gate=gate)
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
