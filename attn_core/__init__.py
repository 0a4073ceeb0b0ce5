"""The mathematics of vision attention blocks, stated once, and the tools that need no framework."""

from attn_core.blocks import (
    BLOCKS,
    CBAM,
    AffineSampler,
    ChannelAttention,
    ChannelShuffle,
    ExpectationMaximizationAttention,
    GlobalContext,
    GlobalPooling,
    MixedPoolingModule,
    NonLocal,
    PointwiseGate,
    PointwiseSpatialAttention,
    Res2Bottleneck,
    Res2Conv,
    ShuffleAttention,
    SpatialAttention,
    SpatialTransformer,
    SqueezeExcitation,
    StripPooling,
)
from attn_core.reference import evaluate
from attn_core.shapes import ShapeError
from attn_core.spec import Array, Block, Part, SpecError
from attn_core.weights import WeightsError, initialise, load, save

__all__ = [
    "BLOCKS",
    "CBAM",
    "AffineSampler",
    "Array",
    "Block",
    "ChannelAttention",
    "ChannelShuffle",
    "ExpectationMaximizationAttention",
    "GlobalContext",
    "GlobalPooling",
    "MixedPoolingModule",
    "NonLocal",
    "Part",
    "PointwiseGate",
    "PointwiseSpatialAttention",
    "Res2Bottleneck",
    "Res2Conv",
    "ShapeError",
    "ShuffleAttention",
    "SpatialAttention",
    "SpatialTransformer",
    "SpecError",
    "SqueezeExcitation",
    "StripPooling",
    "WeightsError",
    "evaluate",
    "initialise",
    "load",
    "save",
]
