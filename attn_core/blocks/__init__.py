"""The blocks, one file per paper."""

from attn_core.blocks.affine_sampler import AffineSampler
from attn_core.blocks.cbam import CBAM
from attn_core.blocks.channel_attention import ChannelAttention
from attn_core.blocks.channel_shuffle import ChannelShuffle
from attn_core.blocks.expectation_maximization_attention import ExpectationMaximizationAttention
from attn_core.blocks.global_context import GlobalContext
from attn_core.blocks.global_pooling import GlobalPooling
from attn_core.blocks.mixed_pooling_module import MixedPoolingModule
from attn_core.blocks.non_local import NonLocal
from attn_core.blocks.pointwise_gate import PointwiseGate
from attn_core.blocks.pointwise_spatial_attention import PointwiseSpatialAttention
from attn_core.blocks.res2_bottleneck import Res2Bottleneck
from attn_core.blocks.res2_conv import Res2Conv
from attn_core.blocks.shuffle_attention import ShuffleAttention
from attn_core.blocks.spatial_attention import SpatialAttention
from attn_core.blocks.spatial_transformer import SpatialTransformer
from attn_core.blocks.squeeze_excitation import SqueezeExcitation
from attn_core.blocks.strip_pooling import StripPooling
from attn_core.spec import Block

BLOCKS: dict[str, type[Block]] = {
    block.__name__: block
    for block in (
        SqueezeExcitation,
        ChannelAttention,
        SpatialAttention,
        CBAM,
        PointwiseGate,
        ChannelShuffle,
        ShuffleAttention,
        GlobalPooling,
        StripPooling,
        MixedPoolingModule,
        Res2Conv,
        Res2Bottleneck,
        GlobalContext,
        NonLocal,
        ExpectationMaximizationAttention,
        AffineSampler,
        SpatialTransformer,
        PointwiseSpatialAttention,
    )
}

__all__ = [
    "BLOCKS",
    "CBAM",
    "AffineSampler",
    "ChannelAttention",
    "ChannelShuffle",
    "ExpectationMaximizationAttention",
    "GlobalContext",
    "GlobalPooling",
    "MixedPoolingModule",
    "NonLocal",
    "PointwiseGate",
    "PointwiseSpatialAttention",
    "Res2Bottleneck",
    "Res2Conv",
    "ShuffleAttention",
    "SpatialAttention",
    "SpatialTransformer",
    "SqueezeExcitation",
    "StripPooling",
]
