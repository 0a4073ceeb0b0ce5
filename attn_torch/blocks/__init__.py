"""The blocks as PyTorch layers, one file per paper."""

from attn_torch.blocks.affine_sampler import AffineSampler
from attn_torch.blocks.cbam import CBAM
from attn_torch.blocks.channel_attention import ChannelAttention
from attn_torch.blocks.channel_shuffle import ChannelShuffle
from attn_torch.blocks.expectation_maximization_attention import ExpectationMaximizationAttention
from attn_torch.blocks.global_context import GlobalContext
from attn_torch.blocks.global_pooling import GlobalPooling
from attn_torch.blocks.mixed_pooling_module import MixedPoolingModule
from attn_torch.blocks.non_local import NonLocal
from attn_torch.blocks.pointwise_gate import PointwiseGate
from attn_torch.blocks.pointwise_spatial_attention import PointwiseSpatialAttention
from attn_torch.blocks.res2_bottleneck import Res2Bottleneck
from attn_torch.blocks.res2_conv import Res2Conv
from attn_torch.blocks.shuffle_attention import ShuffleAttention
from attn_torch.blocks.spatial_attention import SpatialAttention
from attn_torch.blocks.spatial_transformer import SpatialTransformer
from attn_torch.blocks.squeeze_excitation import SqueezeExcitation
from attn_torch.blocks.strip_pooling import StripPooling

__all__ = [
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
