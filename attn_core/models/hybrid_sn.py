"""Roy et al.: HybridSN: Exploring 3-D-2-D CNN Feature Hierarchy for Hyperspectral Image Classification. GRSL 2020, arXiv:1902.06701."""  # noqa: E501

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Literal, TypedDict, TypeVar, Unpack, get_args

from attn_core.blocks.convolution import convolution, convolve
from attn_core.models.attention import Attention, attention, named
from attn_core.spec import Block, Part, Parts, require, require_choice, require_momentum, require_positive, require_type
from attn_core.spec.parts import Conv, Dense, Dropout
from attn_core.spec.primitives import Primitives

T = TypeVar("T")

Order = Literal["3d_first", "2d_first"]
ORDERS: tuple[str, ...] = get_args(Order)
DEPTHS = (7, 5, 3)  # pixels along the bands, of the kernel of each spectral convolution
LOST = 8  # pixels along the edge of a patch, of the four convolutions of 3 pixels

# The fields of each version that its name tells.
HYBRID_SNS: dict[str, dict[str, Any]] = {
    "paper": {},
    "2d_first": {"order": "2d_first", "norm": True, "relu": False},
    "attention": {"attention": "se", "norm": True, "relu": False, "dropout": 0.1},
}


@dataclass(frozen=True, repr=False)
class HybridSN(Block):
    r"""Classify the centre pixel of a hyperspectral patch with convolutions over bands and pixels, then over pixels.

    Three convolutions of 7, 5 and 3 bands by 3 x 3 pixels; then the bands go into the channels of one of 3 x 3 pixels;
    three dense layers. No zeros are added. With ``order="2d_first"`` the convolution of 3 x 3 pixels comes first, on
    the bands as channels, and its channels become the bands of the others.

    **Shape**: image (batch, 1, bands, size, size) to logits (batch, classes).

    **Fields**

    - ``bands``: number of spectral bands, after a reduction such as principal components.
    - ``size``: pixels along the edge of a patch.
    - ``classes``: number of classes.
    - ``order``: "3d_first", the paper's, or "2d_first".
    - ``attention``: that of `ResidualBlock`: one block after the three convolutions, one after the convolution of
      3 x 3 pixels.
    - ``norm``: whether convolutions are followed by batch normalisation. ``momentum``: theirs.
    - ``relu``: whether a relu follows the two hidden dense layers.
    - ``dropout``: the probability with which training drops each of their numbers.
    - ``hidden``: their numbers of units. ``filters``: numbers of channels of the four convolutions, the one of 3 x 3
      pixels last.

    ``hybrid_sn`` is the paper's network, ``hybrid_sn_2d_first`` and ``hybrid_sn_attention`` are the HybridSN article's
    (docs/articles.md).

    **Raises** `SpecError` for patches below 9 pixels, or less than 13 bands where they are convolved.

    **Departures**: none from the paper but that fresh weights and biases are PyTorch's own, as in the HybridSN
    article; logits, not their softmax.
    """

    source: ClassVar[str] = "Roy et al.: HybridSN. IEEE GRSL 2020, arXiv:1902.06701"
    family: ClassVar[str] = "networks"

    bands: int
    size: int
    classes: int = 16
    _: KW_ONLY
    order: Order = "3d_first"
    attention: Attention = None
    norm: bool = False
    relu: bool = True
    dropout: float = 0.4
    hidden: tuple[int, int] = (256, 128)
    filters: tuple[int, int, int, int] = (8, 16, 32, 64)
    momentum: float = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "attention", named(self.attention))
        require_type(self, bands=int, size=int, classes=int, norm=bool, relu=bool, hidden=(tuple, list))
        require_type(self, filters=(tuple, list))
        require_type(self, dropout=(float, int), momentum=(float, int))
        object.__setattr__(self, "hidden", tuple(self.hidden))
        object.__setattr__(self, "filters", tuple(self.filters))
        require_choice(self, "order", ORDERS)
        require_momentum(self)
        require(0 <= self.dropout < 1, f"{self!r}: dropout must be at least 0 and less than 1.")
        require(_counted(self.hidden, 2), f"{self!r}: hidden must be two numbers of at least 1.")
        require(_counted(self.filters, 4), f"{self!r}: filters must be four numbers of at least 1.")
        require_positive(self, "classes")
        require(self.size > LOST, f"{self!r} leaves no pixel: size must be at least {LOST + 1}.")
        require_positive(self, "bands")
        convolved = "the last of filters" if self.planar_first else "bands"
        rule = f"{convolved} must be at least {sum(DEPTHS) - len(DEPTHS) + 1}."
        require(self.depth >= 1, f"{self!r} leaves no band: {rule}")
        self.parts()

    @property
    def planar_first(self) -> bool:
        """Whether the convolution of 3 x 3 pixels comes first."""
        return self.order == "2d_first"

    @property
    def depth(self) -> int:
        """Number of bands after the three convolutions."""
        return (self.filters[-1] if self.planar_first else self.bands) - sum(DEPTHS) + len(DEPTHS)

    def overruled(self) -> tuple[str, ...]:
        """Name `momentum` where nothing is normalised."""
        return () if self.norm else ("momentum",)

    def example(self) -> tuple[tuple[int, ...], ...]:
        """Return the shape of one patch."""
        return ((1, 1, self.bands, self.size, self.size),)

    def refuses(self, *shapes: tuple[int | None, ...]) -> str | None:
        """Say that bands and size are those of the configuration, which the dense layers are made for."""
        wanted = (1, self.bands, self.size, self.size)
        found = shapes[0][1:]
        if len(found) == 4 and all(n in (m, None) for n, m in zip(found, wanted, strict=True)):
            return None
        return f"an image must be (batch, 1, {self.bands}, {self.size}, {self.size})"

    def parts(self) -> dict[str, Part | Block]:
        """Return `cube1` to `cube3`, `plane`, their norms and attentions, `dense1`, `dense2`, `classify`, `drop`."""
        found: dict[str, Part | Block] = {}
        *cubes, planes = self.filters
        for i, (inputs, outputs, depth) in enumerate(zip((1, *cubes), cubes, DEPTHS, strict=False), 1):
            conv = Conv(inputs, outputs, (depth, 3, 3), padding="valid")
            found |= convolution(f"cube{i}", conv, self.momentum, self.norm)
        folded = cubes[-1] * self.depth
        plane = Conv(self.bands if self.planar_first else folded, planes, (3, 3), padding="valid")
        found |= convolution("plane", plane, self.momentum, self.norm)
        after_cubes = (cubes[-1], 3) if self.planar_first else (folded, 2)
        for name, size in (("cube_attention", after_cubes), ("plane_attention", (planes, 2))):
            if block := attention(self.attention, *size):
                found[name] = block
        features = (folded if self.planar_first else planes) * (self.size - LOST) ** 2
        first, second = self.hidden
        found |= {"dense1": Dense(features, first), "dense2": Dense(first, second)}
        return found | {"classify": Dense(second, self.classes), "drop": Dropout(self.dropout)}

    def cubes(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Convolve over bands and pixels."""
        for i in range(1, len(DEPTHS) + 1):
            x = f.relu(convolve(p, f"cube{i}", x, self.norm))
        return x

    def attended(self, p: Parts, name: str, x: T) -> T:
        """Apply an attention block, if there is one."""
        y: T = x if self.attention is None else getattr(p, name)(x)
        return y

    def plane(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Convolve over pixels, the bands being channels."""
        return self.attended(p, "plane_attention", f.relu(convolve(p, "plane", x, self.norm)))

    def features(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute what the dense layers take, an image still."""
        if self.planar_first:
            cube = f.channels_to_depth(self.plane(f, p, f.depth_to_channels(x)))
            return self.attended(p, "cube_attention", self.cubes(f, p, cube))
        planes = f.depth_to_channels(self.cubes(f, p, x))
        return self.plane(f, p, self.attended(p, "cube_attention", planes))

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute the logits."""
        y = f.flatten(self.features(f, p, x))
        for name in ("dense1", "dense2"):
            y = getattr(p, name)(y)
            y = p.drop(f.relu(y) if self.relu else y)
        logits: T = p.classify(y)
        return logits


def _counted(numbers: tuple[int, ...], count: int) -> bool:
    return len(numbers) == count and all(type(number) is int and number >= 1 for number in numbers)


class HybridSNOptions(TypedDict, total=False):
    """What `HybridSN` takes beside bands, size and classes, for type checkers."""

    order: Order
    attention: Attention
    norm: bool
    relu: bool
    dropout: float
    hidden: tuple[int, int]
    filters: tuple[int, int, int, int]
    momentum: float


def hybrid_sn(bands: int, size: int, classes: int = 16, **options: Unpack[HybridSNOptions]) -> HybridSN:
    """Return the paper's network; options are those of `HybridSN`."""
    return HybridSN(bands, size, classes, **dict(HYBRID_SNS["paper"], **options))


def hybrid_sn_2d_first(bands: int, size: int, classes: int = 16, **options: Unpack[HybridSNOptions]) -> HybridSN:
    """Return the HybridSN article's network that begins in the plane; options are those of `HybridSN`."""
    return HybridSN(bands, size, classes, **dict(HYBRID_SNS["2d_first"], **options))


def hybrid_sn_attention(bands: int, size: int, classes: int = 16, **options: Unpack[HybridSNOptions]) -> HybridSN:
    """Return the HybridSN article's network with squeeze-and-excitation; options are those of `HybridSN`."""
    return HybridSN(bands, size, classes, **dict(HYBRID_SNS["attention"], **options))
