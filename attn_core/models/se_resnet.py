"""Hu, Shen, Sun: Squeeze-and-Excitation Networks, CVPR 2018, arXiv:1709.01507: SE-ResNet."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, TypedDict, TypeVar, Unpack

from attn_core.models.attention import Attention, named
from attn_core.models.residual_block import PADDINGS, Padding, ResidualBlock
from attn_core.models.stage import Stage
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
from attn_core.spec.parts import BatchNorm, Conv, Dense
from attn_core.spec.primitives import Primitives

T = TypeVar("T")

MOST_BLOCKS = 1000  # a file could ask for more than memory holds

# The fields of each network that its name tells.
SE_RESNETS: dict[int, dict[str, Any]] = {
    18: {"depths": (2, 2, 2, 2), "bottleneck": False},
    34: {"depths": (3, 4, 6, 3), "bottleneck": False},
    50: {"depths": (3, 4, 6, 3), "bottleneck": True},
    101: {"depths": (3, 4, 23, 3), "bottleneck": True},
    152: {"depths": (3, 8, 36, 3), "bottleneck": True},
}


@dataclass(frozen=True, repr=False)
class SEResNet(Block):
    r"""Classify images with a residual network that has an attention block in each residual block.

    A convolution of 7 pixels and a maximum over 3, both with stride 2; four stages of `ResidualBlock`, each of which
    but the first halves the size and doubles the channels; the mean over all pixels; a dense layer.

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes, of any size, to logits (batch, classes).

    **Fields**

    - ``classes``: number of classes.
    - ``depths``: number of residual blocks in each stage.
    - ``bottleneck``: whether they are bottlenecks, with four times as many channels.
    - ``channels``: number of channels of the image.
    - ``attention``: that of `ResidualBlock`; None makes it a plain residual network.
    - ``width``: number of channels before the first stage. ``rank``: number of spatial axes.
    - ``padding``: "symmetric" or "same", of all convolutions and the maximum.
    - ``momentum``, ``eps``: of all normalisations (PyTorch's momentum).

    ``se_resnet_18`` to ``se_resnet_152`` are the HybridSN article's (docs/articles.md).

    **Raises** `SpecError` for sizes below 1, and as `ResidualBlock` does.

    **Departures** from that article: the means are over all pixels, not over the windows that images of 224 pixels
    leave. Fresh weights: see `ResidualBlock`. Bottlenecks stride in the convolution of three pixels, unlike the
    authors' Caffe models.
    """

    source: ClassVar[str] = "Hu et al.: Squeeze-and-Excitation Networks. CVPR 2018, arXiv:1709.01507"
    family: ClassVar[str] = "networks"
    words: ClassVar[tuple[str, ...]] = ("SE-ResNet",)

    classes: int
    depths: tuple[int, ...] = (3, 4, 6, 3)
    bottleneck: bool = True
    _: KW_ONLY
    channels: int = 3
    attention: Attention = "se"
    width: int = 64
    rank: int = 2
    padding: Padding = "symmetric"
    momentum: float = 0.1
    eps: float = 1e-5

    def __post_init__(self) -> None:
        object.__setattr__(self, "attention", named(self.attention))
        require_type(self, classes=int, channels=int, width=int, depths=(tuple, list), bottleneck=bool)
        object.__setattr__(self, "depths", tuple(self.depths))
        require_type(self, momentum=(float, int), eps=(float, int))
        counted = all(type(depth) is int and depth >= 1 for depth in self.depths)
        require(bool(self.depths) and counted, f"{self!r}: depths must be whole numbers of at least 1.")
        require(sum(self.depths) <= MOST_BLOCKS, f"{self!r}: depths must be {MOST_BLOCKS:,} in all at most.")
        require_positive(self, "classes", "channels", "width")
        require_choice(self, "padding", PADDINGS)
        require_momentum(self)
        require_rank(self)
        self.parts()

    @property
    def features(self) -> int:
        """Number of channels after the last stage."""
        return self._outputs(len(self.depths) - 1)

    def _outputs(self, stage: int) -> int:
        """Return the number of channels after a stage, counted from 0."""
        wide = self.width << stage
        return 4 * wide if self.bottleneck else wide

    def parts(self) -> dict[str, Part | Block]:
        """Return `stem`, `stem_norm`, `stage1`, ..., and `classify`."""
        stem = Conv(
            self.channels, self.width, (7,) * self.rank, stride=2, padding=self.padding, bias=False, start=FAN_OUT
        )
        norm = BatchNorm(self.width, self.rank, momentum=self.momentum, eps=self.eps)
        found: dict[str, Part | Block] = {"stem": stem, "stem_norm": norm}
        channels = self.width
        for i, depth in enumerate(self.depths):
            outputs = self._outputs(i)
            first = self._block(channels, outputs, 1 if i == 0 else 2)
            found[f"stage{i + 1}"] = Stage((first, *[self._block(outputs, outputs, 1)] * (depth - 1)))
            channels = outputs
        return found | {"classify": Dense(self.features, self.classes)}

    def _block(self, channels: int, outputs: int, stride: int) -> ResidualBlock:
        return ResidualBlock(
            channels,
            outputs,
            stride,
            attention=self.attention,
            bottleneck=self.bottleneck,
            padding=self.padding,
            rank=self.rank,
            momentum=self.momentum,
            eps=self.eps,
        )

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute the logits."""
        x = f.relu(p.stem_norm(p.stem(x)))
        x = f.max_pool(x, (3,) * self.rank, 2, self.padding)
        for i in range(1, len(self.depths) + 1):
            x = getattr(p, f"stage{i}")(x)
        logits: T = p.classify(f.global_mean(x))
        return logits


class SEResNetOptions(TypedDict, total=False):
    """What `SEResNet` takes beside classes, for type checkers."""

    depths: tuple[int, ...]
    bottleneck: bool
    channels: int
    attention: Attention
    width: int
    rank: int
    padding: Padding
    momentum: float
    eps: float


def se_resnet_18(classes: int = 1000, **options: Unpack[SEResNetOptions]) -> SEResNet:
    """Return SE-ResNet-18; options are those of `SEResNet`."""
    return SEResNet(classes, **dict(SE_RESNETS[18], **options))


def se_resnet_34(classes: int = 1000, **options: Unpack[SEResNetOptions]) -> SEResNet:
    """Return SE-ResNet-34; options are those of `SEResNet`."""
    return SEResNet(classes, **dict(SE_RESNETS[34], **options))


def se_resnet_50(classes: int = 1000, **options: Unpack[SEResNetOptions]) -> SEResNet:
    """Return SE-ResNet-50; options are those of `SEResNet`."""
    return SEResNet(classes, **dict(SE_RESNETS[50], **options))


def se_resnet_101(classes: int = 1000, **options: Unpack[SEResNetOptions]) -> SEResNet:
    """Return SE-ResNet-101; options are those of `SEResNet`."""
    return SEResNet(classes, **dict(SE_RESNETS[101], **options))


def se_resnet_152(classes: int = 1000, **options: Unpack[SEResNetOptions]) -> SEResNet:
    """Return SE-ResNet-152; options are those of `SEResNet`."""
    return SEResNet(classes, **dict(SE_RESNETS[152], **options))
