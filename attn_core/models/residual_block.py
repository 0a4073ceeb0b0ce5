"""He, Zhang, Ren, Sun: Deep Residual Learning, CVPR 2016, arXiv:1512.03385; Identity Mappings, arXiv:1603.05027."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Literal, TypeVar, get_args

from attn_core.models.attention import Attention, attention, named
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
from attn_core.spec.initializers import FAN_OUT
from attn_core.spec.parts import BatchNorm, Conv
from attn_core.spec.primitives import Primitives

T = TypeVar("T")

Padding = Literal["symmetric", "same"]
PADDINGS: tuple[str, ...] = get_args(Padding)


@dataclass(frozen=True, repr=False)
class ResidualBlock(Block):
    r"""Add to the image what a few convolutions and an attention block make of it.

    **In short**: relu(A(norm(conv(relu(norm(conv(x)))))) + S(x))

    .. math::
        y = \delta(A(N_2(K_2 * \delta(N_1(K_1 * x)))) + S(x))
        \qquad \text{(basic; with preactivation: } y = A(K_2 * \delta(N_2(K_1 * \delta(N_1 x)))) + S(x) \text{)}

    delta is relu, N are batch normalisations, A is the attention block or nothing. A bottleneck has three convolutions,
    of 1, 3 and 1 pixels. The shortcut S(x) is x or, where the shape changes, a normalised convolution of one pixel;
    with preactivation, a convolution of :math:`\delta(N_1 x)`.

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to (batch, outputs, \*ceil(space / stride)), of
    any size.

    **Fields**

    - ``channels``, ``outputs``: numbers of channels before and after.
    - ``stride``: of the first convolution of three pixels, and of the shortcut.
    - ``attention``: what stands at A: "se", "cbam", "shuffle", any block of this collection as text
      (``"GlobalContext(reduction=8)"``), a function from the channels to a block, or None.
    - ``bottleneck``: whether there are three convolutions.
    - ``hidden``: number of channels between the convolutions; by default ``outputs``, in a bottleneck a fourth of it.
    - ``preactivation``: whether norm and relu stand before each convolution (ResNet v2), not after.
    - ``padding``: "symmetric", as PyTorch's code pads, or "same", TensorFlow's SAME, which with a stride of 2 adds
      nothing before an axis of even size and a pixel after it.
    - ``norm``, ``bias``: whether convolutions are normalised, and have biases.
    - ``relu_last``: whether a relu stands between the last normalisation and the attention.
    - ``project``: whether the shortcut is a convolution; by default where the shape changes.
    - ``rank``: number of spatial axes. ``momentum``, ``eps``: of all normalisations (PyTorch's momentum).

    ``res_block2(bottom, [16, 32], training, True, True, strides=2, downsample=True)`` of the TensorFlow article
    (docs/articles.md) is
    ``ResidualBlock(16, 32, 2, attention="SqueezeExcitation", hidden=16, project=True, padding="same", bias=True,
    relu_last=True, momentum=0.01, eps=1e-3)`` for an image of 16 channels.

    **Raises** `SpecError` for sizes below 1, a shortcut that cannot be added, or an attention that is none.

    **Departures**: with stride 2, bottlenecks stride in the convolution of three pixels, not in the first; so do the
    HybridSN article and most code since 2016. The papers have no attention; A stands where Hu et al. put it (figure 3).
    Fresh convolutions are normal with std sqrt(2 / fan_out), as in the HybridSN article and PyTorch's ResNets; the
    papers name fan_in (He et al., arXiv:1502.01852). Biases are PyTorch's own.
    """

    source: ClassVar[str] = "He et al.: Deep Residual Learning for Image Recognition. CVPR 2016, arXiv:1512.03385"
    family: ClassVar[str] = "networks"

    channels: int
    outputs: int
    stride: int = 1
    _: KW_ONLY
    attention: Attention = None
    bottleneck: bool = False
    hidden: int | None = None
    preactivation: bool = False
    padding: Padding = "symmetric"
    norm: bool = True
    bias: bool = False
    relu_last: bool = False
    project: bool | None = None
    rank: int = 2
    momentum: float = 0.1
    eps: float = 1e-5

    def __post_init__(self) -> None:
        object.__setattr__(self, "attention", named(self.attention))
        require_type(self, channels=int, outputs=int, stride=int, hidden=(int, type(None)), bottleneck=bool)
        require_type(self, preactivation=bool, norm=bool, bias=bool, relu_last=bool, project=(bool, type(None)))
        require_type(self, momentum=(float, int), eps=(float, int))
        require_rank(self)
        require_choice(self, "padding", PADDINGS)
        require_momentum(self)
        require_positive(self, "channels", "outputs", "stride")
        rule = "outputs must be at least 4." if self.hidden is None else "hidden must be at least 1."
        require(self.width >= 1, f"{self!r} leaves no channel between the convolutions: {rule}")
        rule = "leave project out where channels, outputs or stride change the shape."
        require(self.projects or not self.changes, f"{self!r} cannot add its input: {rule}")
        rule = "relu_last belongs to the original order."
        require(not (self.relu_last and self.preactivation), f"{self!r} has its relu before each convolution: {rule}")
        attention(self.attention, self.outputs, self.rank)

    @property
    def width(self) -> int:
        """Number of channels between the convolutions."""
        if self.hidden is not None:
            return self.hidden
        return self.outputs // 4 if self.bottleneck else self.outputs

    @property
    def changes(self) -> bool:
        """Whether the block changes the image's shape."""
        return self.stride != 1 or self.channels != self.outputs

    @property
    def projects(self) -> bool:
        """Whether the shortcut is a convolution."""
        return self.changes if self.project is None else self.project

    @property
    def last(self) -> int:
        """Number of convolutions, the shortcut's not counted."""
        return 3 if self.bottleneck else 2

    def overruled(self) -> tuple[str, ...]:
        """Name the fields of normalisations where there are none."""
        return () if self.norm else ("momentum", "eps")

    def parts(self) -> dict[str, Part | Block]:
        """Return `conv1`, `conv1_norm`, ..., `attention`, and `shortcut` with `shortcut_norm`, as far as there are."""
        found: dict[str, Part | Block] = {}
        for i, (inputs, outputs, kernel, stride) in enumerate(self._convolutions(), 1):
            found[f"conv{i}"] = self._conv(inputs, outputs, kernel, stride)
            if self.norm:
                found[f"conv{i}_norm"] = self._norm(inputs if self.preactivation else outputs)
        if block := attention(self.attention, self.outputs, self.rank):
            found["attention"] = block
        if self.projects:
            found["shortcut"] = self._conv(self.channels, self.outputs, 1, self.stride)
            if self.norm and not self.preactivation:
                found["shortcut_norm"] = self._norm(self.outputs)
        return found

    def _convolutions(self) -> list[tuple[int, int, int, int]]:
        """Return inputs, outputs, kernel and stride of each convolution."""
        if self.bottleneck:
            inside = [(self.channels, self.width, 1, 1), (self.width, self.width, 3, self.stride)]
            return [*inside, (self.width, self.outputs, 1, 1)]
        return [(self.channels, self.width, 3, self.stride), (self.width, self.outputs, 3, 1)]

    def _conv(self, inputs: int, outputs: int, kernel: int, stride: int) -> Conv:
        window = (kernel,) * self.rank
        return Conv(inputs, outputs, window, stride=stride, padding=self.padding, bias=self.bias, start=FAN_OUT)

    def _norm(self, channels: int) -> BatchNorm:
        return BatchNorm(channels, self.rank, momentum=self.momentum, eps=self.eps)

    def normalise(self, p: Parts, name: str, x: T) -> T:
        """Apply the normalisation of this convolution, if there is one."""
        y: T = getattr(p, f"{name}_norm")(x) if self.norm else x
        return y

    def start(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute what the first convolution and a shortcut's convolution take."""
        return f.relu(self.normalise(p, "conv1", x)) if self.preactivation else x

    def branch(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute what the attention takes."""
        for i in range(1, self.last + 1):
            name = f"conv{i}"
            if self.preactivation:
                x = getattr(p, name)(x if i == 1 else f.relu(self.normalise(p, name, x)))
            else:
                x = self.normalise(p, name, getattr(p, name)(x))
                x = f.relu(x) if i < self.last or self.relu_last else x
        return x

    def gates(self, f: Primitives[T], p: Parts, x: T) -> dict[str, T]:
        """Compute the gates of the attention."""
        found: dict[str, T] = {}
        return found if self.attention is None else p.attention.gates(self.branch(f, p, self.start(f, p, x)))

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute y."""
        start = self.start(f, p, x)
        y = self.branch(f, p, start)
        y = y if self.attention is None else p.attention(y)
        if self.preactivation:
            return f.add(y, p.shortcut(start) if self.projects else x)
        return f.relu(f.add(y, self.normalise(p, "shortcut", p.shortcut(x)) if self.projects else x))
