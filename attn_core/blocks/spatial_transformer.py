"""Jaderberg, Simonyan, Zisserman, Kavukcuoglu: Spatial Transformer Networks. NeurIPS 2015, arXiv:1506.02025."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, TypeVar

import numpy as np

from attn_core.blocks.affine_sampler import AffineSampler, Size, hold_size
from attn_core.spec import Block, Part, Parts, require, require_odd, require_type
from attn_core.spec.initializers import Values
from attn_core.spec.parts import ZERO, Conv, Dense
from attn_core.spec.primitives import Border, Primitives

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class SpatialTransformer(Block):
    r"""Transform an image by the affine map that a small network reads from it; at the start, the identity.

    **In short**: x sampled at the points theta(x) @ (x, y, ..., 1)

    .. math::
        \theta = f_{loc}(U), \qquad V = \text{the samples of } U \text{ at } A_\theta G
        \qquad \text{(section 3 of the paper; } \texttt{AffineSampler} \text{ for the samples)}

    .. math::
        f_{loc}(U) = W_3 \, \mathrm{relu}(W_2 \, \mathrm{pool}(\mathrm{relu}(W_1 * U + b_1)) + b_2) + b_3

    pool means over ``pooled`` bins along each axis, so that images of any size give as many numbers.

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes, of any size, to (batch, channels, \*size).

    **Fields**

    - ``channels``: number of channels.
    - ``size``, ``rank``, ``align_corners``, ``padding``: those of `AffineSampler`.
    - ``features``: number of channels of the localisation network's convolution.
    - ``kernel``: length of its kernel along each axis, odd.
    - ``pooled``: number of bins along each axis.
    - ``hidden``: number of hidden units of its dense layers.

    **In PyTorch**: the kernel of `grid_sample` has no derivative in forward mode (`torch.func.jvp`,
    `torch.func.hessian`); gradients, and gradients of gradients, are there.

    **Raises** `SpecError` as `AffineSampler` does, for an even kernel, or where a number of channels, features, bins or
    hidden units is not positive.

    **Departures**: the paper leaves the localisation network open, but for a last layer that starts as the identity:
    here W_3 starts at 0 and b_3 at the identity; other weights and biases are
    PyTorch's own, as the survey's `STN` leaves them. With another size than the
    image's, the identity resizes it.
    """

    source: ClassVar[str] = "Jaderberg et al.: Spatial Transformer Networks. NeurIPS 2015, arXiv:1506.02025"
    family: ClassVar[str] = "pooling and sampling"
    words: ClassVar[tuple[str, ...]] = ("STN",)

    channels: int
    size: Size = None
    _: KW_ONLY
    features: int = 16
    kernel: int = 5
    pooled: int = 4
    hidden: int = 32
    rank: int = 2
    align_corners: bool = False
    padding: Border = "zeros"

    def __post_init__(self) -> None:
        hold_size(self)
        counts = ("channels", "features", "kernel", "pooled", "hidden")
        require_type(self, **dict.fromkeys(counts, int))
        for name in counts:
            require(getattr(self, name) >= 1, f"{self!r}: {name} must be at least 1.")
        require_odd(self)
        self.parts()

    def parts(self) -> dict[str, Part | Block]:
        """Return the localisation network's layers, and the sampler."""
        sampler = AffineSampler(self.size, rank=self.rank, align_corners=self.align_corners, padding=self.padding)
        identity = tuple(np.eye(self.rank, self.rank + 1).ravel().tolist())
        return {
            "conv": Conv(self.channels, self.features, (self.kernel,) * self.rank),
            "reduce": Dense(self.features * self.pooled**self.rank, self.hidden),
            "regress": Dense(self.hidden, len(identity), law=ZERO, bias_law=Values(identity)),
            "sampler": sampler,
        }

    def transform(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute theta, matrices (batch, rank, rank + 1)."""
        found = f.adaptive_mean(f.relu(p.conv(x)), (self.pooled,) * self.rank)
        return f.matrices(p.regress(f.relu(p.reduce(f.flatten(found)))), self.rank)

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute V."""
        output: T = p.sampler(x, self.transform(f, p, x))
        return output
