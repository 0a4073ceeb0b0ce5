"""`ConcurrentSqueezeExcitation` for PyTorch; see `attn_core.blocks.concurrent_squeeze_excitation`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from attn_core import blocks as core
from attn_core.blocks.concurrent_squeeze_excitation import Joined
from attn_core.interpreters.shapes import explain
from attn_core.spec.primitives import Activation, Gate
from attn_torch.layer import Layer, run

if TYPE_CHECKING:
    from attn_torch.parts import Convolution


class ConcurrentSqueezeExcitation(Layer, of=core.ConcurrentSqueezeExcitation):
    r"""Scale an image by a gate of each channel and by a gate of each pixel, and join the two: scSE.

    max(x * sigma(W2 delta(W1 mean(x) + b1) + b2), x * sigmoid(w x + b))

    .. math::
        U_{cSE} = \sigma(W_2 \, \delta(W_1 z + b_1) + b_2) \odot x, \qquad
        U_{sSE} = \operatorname{sigmoid}(w \cdot x_{ij} + b) \, x_{ij}, \qquad
        U_{scSE} = \max(U_{cSE}, U_{sSE})
        \qquad \text{(section 2; z are the means, as in squeeze-and-excitation)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``reduction``, ``hidden``, ``activation``: those of `SqueezeExcitation`; half as many units by default.
    - ``reduction``: the hidden layer has ``channels // reduction`` units (the paper's r); left out, it is 16 or, of
      fewer channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``activation``: the paper's delta: "relu", "silu" (EfficientNet), "gelu", "hard_swish" or "leaky_relu".
    - ``gate``: "sigmoid" or "hard_sigmoid", of the channels.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``bias``: whether the dense layers and the convolution have biases.
    - ``joined``: "maximum", elementwise, or "sum".
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        reduce: nn.Linear
        expand: nn.Linear
        conv: Convolution

        def __call__(self, x: Tensor) -> Tensor:
            """Compute the block's output."""

    def __init__(
        self,
        channels: int,
        reduction: int | None = None,
        *,
        hidden: int | None = None,
        bias: bool = True,
        activation: Activation = "relu",
        gate: Gate = "sigmoid",
        rank: int = 2,
        joined: Joined = "maximum",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.ConcurrentSqueezeExcitation(
            channels, reduction, hidden=hidden, bias=bias, activation=activation, gate=gate, rank=rank, joined=joined
        )
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
