"""Cao, Xu, Lin, Wei, Hu: GCNet: Non-local Networks Meet Squeeze-Excitation Networks and Beyond.

ICCV Workshops 2019, arXiv:1904.11492.
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Literal, TypeVar, get_args

from attn_core.blocks.bottleneck import Bottleneck
from attn_core.spec import Block, Part, Parts, require, require_choice, require_type
from attn_core.spec.initializers import Normal
from attn_core.spec.parts import ZERO, Dense, LayerNorm
from attn_core.spec.primitives import Primitives

T = TypeVar("T")

Pool = Literal["attention", "mean"]
POOLS: tuple[str, ...] = get_args(Pool)
Fusion = Literal["add", "scale", "both"]
FUSIONS: dict[str, tuple[str, ...]] = {"add": ("add",), "scale": ("scale",), "both": ("scale", "add")}


@dataclass(frozen=True, repr=False)
class GlobalContext(Bottleneck):
    r"""Add to each pixel, or scale its channels by, what two layers make of one weighted mean of all pixels.

    **In short**: x + W2 relu(norm(W1 (sum over j of softmax(W_k x)_j x_j)))

    .. math::
        c = \sum_j \alpha_j x_j, \qquad \alpha_j = \frac{e^{W_k x_j}}{\sum_m e^{W_k x_m}}, \qquad
        t(c) = W_{v2} \, \mathrm{relu}(\mathrm{LN}(W_{v1} c)), \qquad
        z_i = x_i + t(c)
        \qquad \text{(the global context block, figure 4d of the paper)}

    LN normalises over the hidden units. With fusion "scale", :math:`z_i = \sigma(t(c)) \odot x_i`; with "both",
    :math:`z_i = \sigma(t(c)) \odot x_i + t'(c)`, where t' has weights of its own.

    **Shape**: image (batch, channels, \*space) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``reduction``: each t has ``channels // reduction`` hidden units (the paper's r); left out, it is 16 or, of fewer
      channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``bias``: whether the dense layers have biases; that of W_k has no effect, but is in other people's weights.
    - ``pool``: how c is made: with "attention", or as the plain "mean".
    - ``fusion``: what is done with t(c): "add", "scale" or "both".
    - ``eps``: what LN adds to the variance (1e-6 in timm).

    **Raises** `SpecError` if there is no hidden unit, eps is not above 0, or a field has a value that is not listed.

    **Departures**: none from the authors' code, whose names of the pools are "att" and "avg", and of the fusions
    "channel_add" and "channel_mul". The paper's equation shows no biases. As there, W_v2 starts at 0: a fresh
    block that adds returns its input, one that scales half of it. As there, W_k is normal with std sqrt(2 / channels),
    its bias and that of W_v2 are 0, and W_v1 is PyTorch's own. Of one hidden unit LN leaves nothing, of two only which
    is larger: choose more.
    """

    source: ClassVar[str] = "Cao et al.: GCNet. ICCV Workshops 2019, arXiv:1904.11492"
    family: ClassVar[str] = "gates of channels"
    words: ClassVar[tuple[str, ...]] = ("GC", "GCNet", "ContextBlock", "GC block")

    _: KW_ONLY
    pool: Pool = "attention"
    fusion: Fusion = "add"
    eps: float = 1e-5

    def __post_init__(self) -> None:
        require_type(self, pool=str, fusion=str, eps=(float, int))
        super().__post_init__()
        require_choice(self, "pool", POOLS)
        require_choice(self, "fusion", tuple(FUSIONS))
        require(self.eps > 0, f"{self!r}: eps must be above 0.")

    def parts(self) -> dict[str, Part | Block]:
        """Return W_k as `mask`, and the layers of each t."""
        found: dict[str, Part | Block] = {}
        if self.pool == "attention":
            law = Normal(math.sqrt(2 / self.channels))
            found["mask"] = Dense(self.channels, 1, bias=self.bias, law=law, bias_law=ZERO)
        for way in FUSIONS[self.fusion]:
            found[f"{way}_reduce"] = Dense(self.channels, self.width, bias=self.bias)
            found[f"{way}_norm"] = LayerNorm(self.width, eps=self.eps)
            found[f"{way}_expand"] = Dense(self.width, self.channels, bias=self.bias, law=ZERO, bias_law=ZERO)
        return found

    def transform(self, f: Primitives[T], p: Parts, way: str, context: T) -> T:
        """Compute t(c) with the weights of one fusion."""
        reduce, norm, expand = (getattr(p, f"{way}_{layer}") for layer in ("reduce", "norm", "expand"))
        result: T = expand(f.relu(norm(reduce(context))))
        return result

    def attend(self, f: Primitives[T], p: Parts, x: T) -> tuple[T, dict[str, T]]:
        """Compute c, a vector, and the gates."""
        gates = {}
        if self.pool == "attention":
            tokens = f.to_tokens(x)
            weights = f.softmax(f.einsum("bno->bon", p.mask(tokens)))
            gates["context"] = f.to_image(f.einsum("bon->bno", weights), x)
            context = f.einsum("bon,bnc->bc", weights, tokens)
        else:
            context = f.global_mean(x)
        if "scale" in FUSIONS[self.fusion]:
            gates["channel"] = f.sigmoid(self.transform(f, p, "scale", context))
        return context, gates

    def gates(self, f: Primitives[T], p: Parts, x: T) -> dict[str, T]:
        """Compute alpha as `context`, an image of one channel, and sigma(t(c)) as `channel`, a vector, where used."""
        return self.attend(f, p, x)[1]

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute z."""
        context, gates = self.attend(f, p, x)
        if "scale" in FUSIONS[self.fusion]:
            x = f.scale(x, gates["channel"])
        if "add" in FUSIONS[self.fusion]:
            x = f.shift(x, self.transform(f, p, "add", context))
        return x
