"""The blocks as Linen modules, one file per paper."""

from attn_jax.linen.blocks.affine_sampler import AffineSampler
from attn_jax.linen.blocks.cbam import CBAM
from attn_jax.linen.blocks.channel_attention import ChannelAttention
from attn_jax.linen.blocks.channel_shuffle import ChannelShuffle
from attn_jax.linen.blocks.expectation_maximization_attention import ExpectationMaximizationAttention
from attn_jax.linen.blocks.global_context import GlobalContext
from attn_jax.linen.blocks.global_pooling import GlobalPooling
from attn_jax.linen.blocks.mixed_pooling_module import MixedPoolingModule
from attn_jax.linen.blocks.non_local import NonLocal
from attn_jax.linen.blocks.pointwise_gate import PointwiseGate
from attn_jax.linen.blocks.pointwise_spatial_attention import PointwiseSpatialAttention
from attn_jax.linen.blocks.res2_bottleneck import Res2Bottleneck
from attn_jax.linen.blocks.res2_conv import Res2Conv
from attn_jax.linen.blocks.shuffle_attention import ShuffleAttention
from attn_jax.linen.blocks.spatial_attention import SpatialAttention
from attn_jax.linen.blocks.spatial_transformer import SpatialTransformer
from attn_jax.linen.blocks.squeeze_excitation import SqueezeExcitation
from attn_jax.linen.blocks.strip_pooling import StripPooling

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
