"""Wang, Girshick, Gupta, He: Non-local Neural Networks. CVPR 2018, arXiv:1711.07971."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Literal, TypeVar, get_args

from attn_core.spec import (
    Block,
    Part,
    Parts,
    require,
    require_choice,
    require_momentum,
    require_positive,
    require_rank,
    require_type,
)
from attn_core.spec.initializers import Constant, Normal, Start
from attn_core.spec.parts import ZERO, BatchNorm, Conv, Dense
from attn_core.spec.primitives import Primitives

T = TypeVar("T")

SOFTMAX_MODES = ("embedded_gaussian", "gaussian")
Mode = Literal["embedded_gaussian", "gaussian", "dot_product", "concatenation"]
MODES: tuple[str, ...] = get_args(Mode)
Scale = Literal["none", "hidden", "channels"]
SCALES: tuple[str, ...] = get_args(Scale)


NARROW = Start("NARROW", lambda fan_in, fan_out: Normal(0.01), lambda fan_in, fan_out: Constant(0.0))
"""Of the authors' code: so narrow that all positions are alike at first."""


@dataclass(frozen=True, repr=False)
class NonLocal(Block):
    r"""Add to each pixel what it finds at all positions, weighted by how it relates to them.

    **In short**: x + W_z (sum over j of f(x_i, x_j) g(x_j), normalised)

    .. math::
        y_i = \frac{1}{C(x)} \sum_j f(x_i, x_j) \, g(x_j), \qquad z_i = W_z y_i + x_i
        \qquad \text{(equations 1 and 6 of the paper)}

    with :math:`g(x_j) = W_g x_j, \; \theta(x_i) = W_\theta x_i, \; \phi(x_j) = W_\phi x_j` and, by ``mode``,

    .. math::
        \text{gaussian:} \quad & f = e^{s \, x_i^T x_j}, & C &= \sum_j f(x_i, x_j) & \text{(equation 2)} \\
        \text{embedded\_gaussian:} \quad & f = e^{s \, \theta(x_i)^T \phi(x_j)}, & C &= \sum_j f(x_i, x_j)
        & \text{(equation 3)} \\
        \text{dot\_product:} \quad & f = \theta(x_i)^T \phi(x_j), & C &= N & \text{(equation 4)} \\
        \text{concatenation:} \quad & f = \mathrm{relu}(w_f^T [\theta(x_i), \phi(x_j)]), & C &= N
        & \text{(equation 5)}

    N is the number of positions j. The first two are softmax attention. The dot product is evaluated as
    :math:`\theta(x_i)^T (\sum_j \phi(x_j) g(x_j)^T / N)`: its cost grows with the pixels, not with their square.

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size that holds a
    window of ``subsample``.

    **Fields**

    - ``channels``: number of channels.
    - ``hidden``: number of channels of g, theta and phi; half of ``channels`` where None, as in the paper.
    - ``mode``: the function f.
    - ``scale``: the factor s, of the two softmax modes: "none" is 1, "hidden" is hidden :sup:`-1/2`, "channels" is
      channels :sup:`-1/2`.
    - ``subsample``: the positions j are the maxima of phi and g (of x and g in the mode gaussian) over windows side by
      side, of so many pixels along each axis, or along all where it is one number; 1 keeps all positions.
    - ``norm``: whether batch normalisation follows W_z.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``bias``: whether theta, phi, g and W_z have biases.
    - ``momentum``: of the normalisation's running statistics, in PyTorch's sense.

    **In PyTorch**: softmax attention is a kernel that never holds the matrix of positions. Derivatives of gradients,
    and those in forward mode, are of the plain form, which holds it; `torch.compile` has gradients only.

    **Raises** `SpecError` if there is no channel or hidden channel, for a field with a value that is not listed here, a
    scale in a mode without softmax, windows below 1 or not one for each axis, or a momentum outside of 0 to 1.

    **Departures**: the paper has no factor s; the well-known implementations have each its own (AlexHex7's 1, mmcv's
    hidden :sup:`-1/2`, timm's channels :sup:`-1/2`). Its equations show no biases. In its experiments, W_z is followed
    by batch normalisation whose weight starts at 0: ``norm=True``; without, W_z starts at 0. So the fresh block returns
    its input. The weights :math:`w_f` are two parts, for theta (``query_score``) and for phi (``key_score``). Other
    fresh weights are normal with std 0.01 and biases 0, as in the authors' code (video-nonlocal-net, `CONV_INIT_STD`).
    """

    source: ClassVar[str] = "Wang et al.: Non-local Neural Networks. CVPR 2018, arXiv:1711.07971"
    family: ClassVar[str] = "attention among positions"
    words: ClassVar[tuple[str, ...]] = ("NL", "non-local block", "non-local neural network", "self-attention")

    channels: int
    hidden: int | None = None
    _: KW_ONLY
    mode: Mode = "embedded_gaussian"
    scale: Scale = "none"
    subsample: int | tuple[int, ...] = 1
    norm: bool = False
    rank: int = 2
    bias: bool = True
    momentum: float = 0.1

    def __post_init__(self) -> None:
        require_type(self, channels=int, hidden=(int, type(None)), mode=str, scale=str, subsample=(int, tuple, list))
        require_type(self, norm=bool, bias=bool, momentum=(float, int))
        if isinstance(self.subsample, list):  # as the fields are read from a file
            object.__setattr__(self, "subsample", tuple(self.subsample))
        require_rank(self)
        require_positive(self, "channels")
        require(self.width >= 1, f"{self!r} leaves no hidden channel: hidden must be at least 1.")
        require_choice(self, "mode", MODES)
        require_choice(self, "scale", SCALES)
        rule = f"only the softmax modes, {' and '.join(SOFTMAX_MODES)}, have a scale; it must be 'none'."
        require(self.scale == "none" or self.mode in SOFTMAX_MODES, f"{self!r}: {rule}")
        fits = len(self.window) == self.rank and all(type(n) is int and n >= 1 for n in self.window)
        rule = f"subsample must be a number of pixels, at least 1, or one for each of {self.rank} axes."
        require(fits, f"{self!r}: {rule}")
        require_momentum(self)

    @property
    def width(self) -> int:
        """Number of hidden channels."""
        return max(self.channels // 2, 1) if self.hidden is None else self.hidden

    @property
    def window(self) -> tuple[int, ...]:
        """Size of the windows over which the positions j are maxima."""
        return self.subsample if isinstance(self.subsample, tuple) else (self.subsample,) * self.rank

    @property
    def factor(self) -> float:
        """The number s."""
        terms = {"none": 1, "hidden": self.width, "channels": self.channels}[self.scale]
        return 1 / math.sqrt(terms)

    def overruled(self) -> tuple[str, ...]:
        """Name `momentum` where nothing is normalised."""
        return () if self.norm else ("momentum",)

    def parts(self) -> dict[str, Part | Block]:
        """Return theta as `query`, phi as `key`, g as `value`, W_z as `project`, and what the mode has beside them."""
        point = (1,) * self.rank
        embed = Conv(self.channels, self.width, point, bias=self.bias, start=NARROW)
        embedded: dict[str, Part | Block] = {} if self.mode == "gaussian" else {"query": embed, "key": embed}
        if self.mode == "concatenation":
            score = Dense(self.width, 1, bias=False, start=NARROW)
            embedded |= {"query_score": score, "key_score": score}
        law = None if self.norm else ZERO
        project = Conv(self.width, self.channels, point, bias=self.bias, start=NARROW, law=law)
        norm = {"norm": BatchNorm(self.channels, self.rank, momentum=self.momentum, law=ZERO)} if self.norm else {}
        return {**embedded, "value": embed, "project": project, **norm}

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute z."""
        y = p.project(self.respond(f, p, x))
        return f.add(x, p.norm(y) if self.norm else y)

    def respond(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute y, an image of the hidden channels."""
        gaussian = self.mode == "gaussian"
        if gaussian and max(self.window) == 1:
            # The weights of a pixel add up to 1, so g may come after the sum: one array is query, key and value.
            tokens = f.to_tokens(x)
            return p.value(f.to_image(f.attend(tokens, tokens, tokens, self.factor), x))  # type: ignore[no-any-return]
        query = f.to_tokens(x if gaussian else p.query(x))
        key = self.positions(f, x if gaussian else p.key(x))
        value = self.positions(f, p.value(x))
        return f.to_image(self.relate(f, p, query, key, value), x)

    def positions(self, f: Primitives[T], x: T) -> T:
        """Return what an image holds at the positions j, as tokens."""
        return f.to_tokens(f.max_pool(x, self.window) if max(self.window) > 1 else x)

    def relate(self, f: Primitives[T], p: Parts, query: T, key: T, value: T) -> T:
        """Compute y as tokens."""
        if self.mode in SOFTMAX_MODES:
            return f.attend(query, key, value, self.factor)
        shares = f.over_positions(value, value)  # divided before they are added up: half precision holds no such sums
        if self.mode == "dot_product":
            return f.einsum("bnc,bcd->bnd", query, f.einsum("bmc,bmd->bcd", key, shares))
        scores = f.add(p.query_score(query), f.einsum("bmo->bom", p.key_score(key)))
        return f.einsum("bnm,bmd->bnd", f.relu(scores), shares)
