"""`SqueezeExcitation` for PyTorch; see `attn_core.blocks.squeeze_excitation`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from attn_core import blocks as core
from attn_core.interpreters.shapes import explain
from attn_core.spec.primitives import Activation, GateOrRelu
from attn_torch.layer import Layer, run


class SqueezeExcitation(Layer, of=core.SqueezeExcitation):
    r"""Scale each channel by a gate computed from the spatial means of all channels.

    x * sigma(W2 delta(W1 mean(x) + b1) + b2)

    .. math::
        z = \frac{1}{HW} \sum_{i,j} x_{ij}, \qquad
        s = \sigma(W_2 \, \delta(W_1 z + b_1) + b_2), \qquad
        \tilde{x} = s \odot x
        \qquad \text{(equations 2, 3 and 4 of the paper)}

    **Shape**: image (batch, channels, \*space) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``reduction``: the hidden layer has ``channels // reduction`` units (the paper's r); left out, it is 16 or, of
      fewer channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``bias``: whether both dense layers have a bias.
    - ``activation``: the paper's delta: "relu", "silu" (EfficientNet), "gelu", "hard_swish" or "leaky_relu".
    - ``gate``: the paper's sigma: "sigmoid", "hard_sigmoid" (MobileNetV3) or "relu" (MONAI's `ResidualSELayer`).
    - ``norm``: whether hidden units are normalised over the batch before delta (ReXNet), and ``momentum`` of that
      (PyTorch's).
    - ``residual``: whether the image is added to the scaled one (MONAI's `ResidualSELayer`).
    - ``device``, ``dtype``: as in `torch.nn`.

    **Raises** `SpecError` (a `ValueError`) for a configuration that cannot be built. A wrong input raises PyTorch's own
    error, with a note that says which step could not take it.
    """

    if TYPE_CHECKING:
        reduce: nn.Linear
        expand: nn.Linear
        reduce_norm: nn.BatchNorm1d

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
        gate: GateOrRelu = "sigmoid",
        norm: bool = False,
        momentum: float = 0.1,
        residual: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        block = core.SqueezeExcitation(
            channels,
            reduction,
            hidden=hidden,
            bias=bias,
            activation=activation,
            gate=gate,
            norm=norm,
            momentum=momentum,
            residual=residual,
        )
        super().__init__(block, device=device, dtype=dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, x)
        except Exception as error:
            explain(error, self.block, x.shape)
            raise
