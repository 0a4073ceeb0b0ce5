"""The configurations in which `attn parity` runs a block when it is given a name alone, and images for them.

Small, because every number has a bound, and odd in size; of a block with several modes, each.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from attn_core.interpreters.formula import formula
from attn_core.models.registry import KNOWN, parse
from attn_core.models.words import meant
from attn_core.parity.draws import Shapes
from attn_core.parity.result import Subject
from attn_core.spec import Block, SpecError

SE = "attention='SqueezeExcitation(hidden=3)'"
SMALL = "hidden=(4, 3), filters=(2, 3, 2, 3), dropout=0.0"

STANDARD: dict[str, tuple[tuple[int, ...], ...]] = {
    "SqueezeExcitation(16, 4)": ((2, 16, 5, 4),),
    "SqueezeExcitation(8, hidden=3, bias=False, activation='silu')": ((2, 8, 7),),
    "SqueezeExcitation(8, 2, activation='gelu', gate='hard_sigmoid')": ((2, 8, 3, 2, 3),),
    "SqueezeExcitation(8, 2, activation='leaky_relu', gate='relu', residual=True)": ((2, 8, 5, 3),),
    "SqueezeExcitation(8, 2, norm=True, momentum=0.3)": ((3, 8, 7),),
    "ChannelAttention(8, 2)": ((2, 8, 5, 3),),
    "ChannelAttention(7, hidden=3, bias=True, pools='max')": ((2, 7, 6),),
    "SpatialAttention(3)": ((2, 4, 5, 4),),
    "SpatialAttention(5, rank=1, norm=True, momentum=0.3)": ((3, 4, 7),),
    "CBAM(8, 2, 3)": ((2, 8, 5, 4),),
    "CBAM(8, 2, 3, bias=True, norm=True)": ((2, 8, 4, 3),),
    "PointwiseGate(6)": ((2, 6, 5, 3),),
    "PointwiseGate(5, rank=1, shared=True)": ((2, 5, 7),),
    "ShuffleAttention(12, 2)": ((2, 12, 5, 3),),
    "ChannelShuffle(6, 3)": ((2, 6, 5, 3),),
    "AffineSampler((4, 3))": ((2, 2, 5, 4), (2, 2, 3)),
    "AffineSampler(4, align_corners=True, padding='border')": ((2, 2, 3, 5), (2, 2, 3)),
    "GridSampler()": ((2, 2, 5, 4), (2, 3, 4, 2)),
    "GridSampler(rank=3, order='yx', align_corners=True, padding='border')": ((2, 2, 2, 4, 3), (2, 3, 2, 2, 3)),
    "SpatialTransformer(3, features=2, kernel=3, pooled=2, hidden=3)": ((2, 3, 5, 4),),
    "NonLocal(6, scale='hidden')": ((2, 6, 4, 3),),
    "NonLocal(6, mode='gaussian', scale='channels', subsample=2)": ((2, 6, 5, 4),),
    "NonLocal(6, mode='dot_product', norm=True)": ((2, 6, 4, 3),),
    "NonLocal(6, mode='concatenation', rank=1)": ((2, 6, 7),),
    "GlobalContext(8, 2)": ((2, 8, 5, 3),),
    "GlobalContext(8, hidden=3, pool='mean', fusion='both')": ((2, 8, 4, 3),),
    "EfficientChannelAttention(8)": ((2, 8, 5, 3),),
    "EfficientChannelAttention(6, 5)": ((2, 6, 7),),
    "EfficientChannelAttention(6, 5, border='circular', hidden=2, bias=True)": ((2, 6, 7),),
    "EffectiveSqueezeExcitation(6)": ((2, 6, 5, 3),),
    "EffectiveSqueezeExcitation(5, bias=False, gate='sigmoid')": ((2, 5, 7),),
    "ConcurrentSqueezeExcitation(6)": ((2, 6, 5, 3),),
    "ConcurrentSqueezeExcitation(7, hidden=2, rank=1, bias=False, joined='sum')": ((2, 7, 6),),
    "CoordinateAttention(6, hidden=3)": ((3, 6, 5, 3),),
    "CoordinateAttention(5, hidden=2, rank=3, norm=False, activation='silu', joined='sum')": ((2, 5, 2, 4, 3),),
    "EfficientMultiScaleAttention(6, 2)": ((2, 6, 5, 3),),
    "TripletAttention(5, 3)": ((2, 5, 4, 3),),
    "TripletAttention(4, 3, rank=1, spatial=False)": ((3, 4, 7),),
    "BottleneckAttention(6, 2, dilation=2)": ((3, 6, 5, 4),),
    "BottleneckAttention(5, hidden=3, rank=1, depth=1, joined='sum', bias=False)": ((4, 5, 9),),
    "AttentionGate(6, 4)": ((3, 6, 5, 3), (3, 4, 5, 3)),
    "AttentionGate(4, 3, rank=1, grid=2)": ((3, 4, 9), (3, 3, 5)),
    "GlobalResponseNorm(5, eps=2)": ((2, 5, 7),),  # first: with a small eps, lengths that are all off by a share cancel
    "GlobalResponseNorm(6)": ((2, 6, 5, 3),),
    "SimAM(4, eps=0.5)": ((2, 4, 7),),
    "SimAM(6)": ((2, 6, 5, 3),),
    "StripPooling(4, 3)": ((2, 4, 5, 3),),
    "StripPooling(4, 3, norm=True, relu=True)": ((2, 4, 5, 4),),
    "MixedPoolingModule(4, 2, pools=(3, 2))": ((3, 4, 5, 4),),
    "ExpectationMaximizationAttention(4, 3)": ((2, 4, 5, 3),),
    "PointwiseSpatialAttention(4, (3, 2), hidden=3)": ((3, 4, 3, 2),),
    "PointwiseSpatialAttention(4, (3, 2), hidden=2, mode='collect', softmax=True)": ((3, 4, 3, 2),),
    "Res2Conv(8, scale=4)": ((2, 8, 5, 4),),
    "Res2Conv(6, 3, stride=2, first_of_stage=True)": ((2, 6, 5, 4),),
    "Res2Bottleneck(8, 2, scale=3, base_width=64)": ((2, 8, 5, 4),),
    "GlobalPooling()": ((2, 4, 5, 3),),
    f"ResidualBlock(4, 4, {SE})": ((2, 4, 5, 4),),
    "ResidualBlock(3, 4, 2, attention='CBAM(reduction=2, kernel=3)', padding='same', preactivation=True)": (
        (2, 3, 6, 5),
    ),
    f"SEResNet(3, (1, 1), False, channels=2, {SE}, width=3)": ((3, 2, 14, 11),),
    f"HybridSN(13, 9, 3, {SE}, {SMALL})": ((3, 1, 13, 9, 9),),
    "HybridSN(2, 9, 3, order='2d_first', norm=True, hidden=(4, 3), filters=(2, 2, 2, 13), dropout=0.0)": (
        (3, 1, 2, 9, 9),
    ),
}


@dataclass(frozen=True)
class Trial:
    """A block on inputs of these canonical shapes."""

    block: Block
    shapes: Shapes

    @property
    def trains(self) -> bool:
        """Whether training differs from evaluation: something runs along."""
        return any(not array.trainable for array in self.block.arrays().values())

    @property
    def subject(self) -> Subject:
        """What a report shows of the block."""
        block = self.block
        weights = {name: (array.shape, str(array.law)) for name, array in block.arrays().items()}
        config = {name: value for name, value in block.config().items() if name not in block.overruled()}
        return Subject(type(block).__name__, repr(block), block.source, formula(block), config, weights)


def chosen(texts: Sequence[str], shapes: Sequence[tuple[int, ...]] = ()) -> list[Trial]:
    """Return what to run for "all", names of blocks, and configurations such as ``CBAM(64, kernel=3)``.

    With shapes, each block is run on inputs of these; a configuration without, on one image of two small samples.
    **Raises** `SpecError`.
    """
    found = [trial for text in texts for trial in _named(text.strip(), tuple(shapes))]
    return list(dict.fromkeys(found))


def _named(text: str, shapes: Shapes) -> list[Trial]:
    text = text if "(" in text else meant(text, KNOWN)
    if text != "all" and text not in KNOWN:
        block = parse(text)
        return [Trial(block, shapes or standard_shapes(block))]
    trials = [Trial(parse(each), shapes or own) for each, own in STANDARD.items()]
    return [trial for trial in trials if text in ("all", type(trial.block).__name__)]


def known_name(text: str) -> str:
    """Return the name of the block whose class or file is called so: ``CBAM`` or ``cbam``. **Raises** `SpecError`."""
    text = meant(text, KNOWN)
    files = {block.__module__.rpartition(".")[2]: name for name, block in KNOWN.items()}
    if text in KNOWN or text in files:
        return files.get(text, text)
    spellings = files | {name.lower(): name for name in KNOWN}
    near = [spellings[spelling] for spelling in difflib.get_close_matches(text.lower(), spellings)]
    hint = f"; did you mean {' or '.join(dict.fromkeys(near))}?" if near else "."
    raise SpecError(f"There is no block {text!r}{hint} The blocks are {', '.join(KNOWN)}.")


def standard_shapes(block: Block) -> Shapes:
    """Return shapes for a block of which none are known: those of its example, two samples of few pixels."""
    image, *others = block.example()
    fits = block.refuses((2, *image[1:])) is None
    small = tuple(min(n, 7 - i) for i, n in enumerate(image[2:]))
    free = fits and block.refuses((2, image[1], *small)) is None
    space = small if free else image[2:]
    images = [(2, shape[1], *space) for shape in (image, *others[: block.images - 1])]
    arrays = [(2, *shape[1:]) for shape in others[block.images - 1 :]]
    return (*images, *arrays)
