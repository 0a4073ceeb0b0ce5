"""Li, Zhong, Wu, Yang, Lin, Liu: Expectation-Maximization Attention Networks for Semantic Segmentation. ICCV 2019, arXiv:1907.13426."""  # noqa: E501

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, TypeVar

from attn_core.spec import Block, Part, Parts, require_momentum, require_positive, require_rank, require_type
from attn_core.spec.initializers import FAN_OUT, Directions
from attn_core.spec.parts import BatchNorm, Conv, Running
from attn_core.spec.primitives import Primitives

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class ExpectationMaximizationAttention(Block):
    r"""Add to the image its reconstruction from a few bases, which expectation-maximisation fits to each image.

    **In short**: relu(norm(W relu(reconstruction of x from a few bases)) + x)

    .. math::
        Z^{(t)} &= \mathrm{softmax}(X (\mu^{(t-1)})^\top)
            && \text{(responsibility estimation, } A_E) \\
        \mu_k^{(t)} &= \mathrm{norm} \sum_n \frac{z_{nk}^{(t)}}{\sum_m z_{mk}^{(t)}} x_n
            && \text{(likelihood maximisation, } A_M) \\
        \tilde X &= Z^{(T)} \mu^{(T)}
            && \text{(data re-estimation, } A_R) \\
        Y &= \mathrm{relu}(\mathrm{BN}(W \, \mathrm{relu}(\tilde X)) + \text{image})

    The rows of X are the pixels of the image after a first 1x1 convolution, the softmax runs over the bases,
    :math:`\mathrm{norm}(v) = v / \|v\|`, and Y is the output. All images start from the same bases :math:`\mu^{(0)}`;
    in training these follow the mean :math:`\bar\mu^{(T)}` over the batch:
    :math:`\mu^{(0)} \leftarrow \alpha \mu^{(0)} + (1 - \alpha) \bar\mu^{(T)}`.

    It was called EMA first; most people who say EMA today mean `EfficientMultiScaleAttention`.

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``bases``: number of bases (the paper's K).
    - ``steps``: number of steps of expectation and maximisation (the paper's T).
    - ``momentum``: of the bases' moving average in PyTorch's sense, the paper's :math:`1 - \alpha`.
    - ``norm_momentum``: of the normalisation's running statistics, in PyTorch's sense (the authors' 3e-4).
    - ``rank``: number of spatial axes: 1, 2 or 3.

    **Raises** `SpecError` if there is no channel, basis or step, for another rank, or a momentum outside of 0 to 1.

    **Departures**: none in the formula; the paper's factor :math:`\lambda` inside the softmax is 1, as in the authors'
    code. As there, both divisions have 1e-6 added to what they divide by, and no gradient passes through the
    reconstruction: the first convolution keeps its fresh weights unless something else moves them, and in PyTorch it
    requires no gradient, for which `DistributedDataParallel` would wait. The authors move the bases in the training
    loop; here the block does. Fresh weights follow the authors' code: convolutions are normal with std
    sqrt(2 / channels), the first one's bias is PyTorch's own, and the bases are vectors of length 1 in any direction.
    """

    source: ClassVar[str] = (
        "Li et al.: Expectation-Maximization Attention Networks for Semantic Segmentation. ICCV 2019, arXiv:1907.13426"
    )
    family: ClassVar[str] = "attention among positions"
    words: ClassVar[tuple[str, ...]] = ("EMA", "EMAU", "EMANet")

    without_gradient: ClassVar[tuple[str, ...]] = ("embed",)

    channels: int
    bases: int = 64
    _: KW_ONLY
    steps: int = 3
    momentum: float = 0.1
    norm_momentum: float = 3e-4
    rank: int = 2

    def __post_init__(self) -> None:
        require_type(self, channels=int, bases=int, steps=int, momentum=(float, int), norm_momentum=(float, int))
        require_rank(self)
        require_positive(self, "channels", "bases", "steps")
        for field in ("momentum", "norm_momentum"):
            require_momentum(self, field)

    def parts(self) -> dict[str, Part | Block]:
        """Return the convolutions before and after the reconstruction, the normalisation and the bases."""
        return {
            "embed": Conv(self.channels, self.channels, (1,) * self.rank, start=FAN_OUT),
            "bases": Running((self.bases, self.channels), Directions(), momentum=self.momentum),
            "fuse": Conv(self.channels, self.channels, (1,) * self.rank, bias=False, start=FAN_OUT),
            "norm": BatchNorm(self.channels, self.rank, momentum=self.norm_momentum),
        }

    def maximise(self, f: Primitives[T], tokens: T, z: T) -> T:
        """Compute the bases (batch, bases, channels) from responsibilities (batch, positions, bases)."""
        shares = f.normalise(f.einsum("bnk->bkn", z), 1)
        return f.normalise(f.einsum("bkn,bnc->bkc", shares, tokens), 2)

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute relu(BN(W relu(reconstruction)) + x)."""
        tokens = f.stop_gradient(f.to_tokens(p.embed(x)))
        z = f.softmax(f.einsum("bnc,kc->bnk", tokens, p.bases()))
        mu = self.maximise(f, tokens, z)
        for _ in range(self.steps - 1):
            z = f.softmax(f.einsum("bnc,bkc->bnk", tokens, mu))
            mu = self.maximise(f, tokens, z)
        p.bases.update(f.batch_mean(mu))
        reconstruction = f.to_image(f.einsum("bnk,bkc->bnc", z, mu), x)
        return f.relu(f.add(p.norm(p.fuse(f.relu(reconstruction))), x))
