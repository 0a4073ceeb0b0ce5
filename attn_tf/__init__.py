"""Vision attention layers for Keras 3, with mathematics that every framework shares (`attn_core`).

They run on every Keras backend. `se_block` is the TensorFlow 1 function of that name.
"""

from attn_tf.binding import bind, load, weights
from attn_tf.blocks import (
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
from attn_tf.layer import Generic, Layer
from attn_tf.models import (
    HybridSN,
    ResidualBlock,
    SEResNet,
    hybrid_sn,
    hybrid_sn_2d_first,
    hybrid_sn_attention,
    se_resnet_18,
    se_resnet_34,
    se_resnet_50,
    se_resnet_101,
    se_resnet_152,
)
from attn_tf.tf1 import se_block

__all__ = [
    "CBAM",
    "AffineSampler",
    "ChannelAttention",
    "ChannelShuffle",
    "ExpectationMaximizationAttention",
    "Generic",
    "GlobalContext",
    "GlobalPooling",
    "HybridSN",
    "Layer",
    "MixedPoolingModule",
    "NonLocal",
    "PointwiseGate",
    "PointwiseSpatialAttention",
    "Res2Bottleneck",
    "Res2Conv",
    "ResidualBlock",
    "SEResNet",
    "ShuffleAttention",
    "SpatialAttention",
    "SpatialTransformer",
    "SqueezeExcitation",
    "StripPooling",
    "bind",
    "hybrid_sn",
    "hybrid_sn_2d_first",
    "hybrid_sn_attention",
    "load",
    "se_block",
    "se_resnet_18",
    "se_resnet_34",
    "se_resnet_50",
    "se_resnet_101",
    "se_resnet_152",
    "weights",
]
