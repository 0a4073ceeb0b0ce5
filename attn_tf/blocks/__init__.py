"""The blocks as Keras layers, one file per paper."""

from attn_tf.blocks.affine_sampler import AffineSampler
from attn_tf.blocks.cbam import CBAM
from attn_tf.blocks.channel_attention import ChannelAttention
from attn_tf.blocks.channel_shuffle import ChannelShuffle
from attn_tf.blocks.expectation_maximization_attention import ExpectationMaximizationAttention
from attn_tf.blocks.global_context import GlobalContext
from attn_tf.blocks.global_pooling import GlobalPooling
from attn_tf.blocks.mixed_pooling_module import MixedPoolingModule
from attn_tf.blocks.non_local import NonLocal
from attn_tf.blocks.pointwise_gate import PointwiseGate
from attn_tf.blocks.pointwise_spatial_attention import PointwiseSpatialAttention
from attn_tf.blocks.res2_bottleneck import Res2Bottleneck
from attn_tf.blocks.res2_conv import Res2Conv
from attn_tf.blocks.shuffle_attention import ShuffleAttention
from attn_tf.blocks.spatial_attention import SpatialAttention
from attn_tf.blocks.spatial_transformer import SpatialTransformer
from attn_tf.blocks.squeeze_excitation import SqueezeExcitation
from attn_tf.blocks.strip_pooling import StripPooling

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
