"""The mathematics of vision attention blocks, stated once, and the tools that need no framework.

Names are imported when they are asked for: a plugin of pytest is in this package, and must cost nothing.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    from attn_core.interpreters.reference import evaluate
    from attn_core.interpreters.shapes import ShapeError
    from attn_core.models import (
        MODELS,
        ResidualBlock,
        SEResNet,
        se_resnet_18,
        se_resnet_34,
        se_resnet_50,
        se_resnet_101,
        se_resnet_152,
    )
    from attn_core.models.hybrid_sn import HybridSN, hybrid_sn, hybrid_sn_2d_first, hybrid_sn_attention
    from attn_core.spec import Array, Block, Part, SpecError
    from attn_core.weights import WeightsError, initialise, load, save
else:
    from attn_core.deferred import deferred

    __getattr__, __dir__ = deferred(
        __name__,
        {
            "attn_core.blocks": (
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
            ),
            "attn_core.models": (
                "MODELS",
                "HybridSN",
                "ResidualBlock",
                "SEResNet",
                "hybrid_sn",
                "hybrid_sn_2d_first",
                "hybrid_sn_attention",
                "se_resnet_18",
                "se_resnet_34",
                "se_resnet_50",
                "se_resnet_101",
                "se_resnet_152",
            ),
            "attn_core.interpreters.reference": ("evaluate",),
            "attn_core.interpreters.shapes": ("ShapeError",),
            "attn_core.spec": (
                "Array",
                "Block",
                "Part",
                "SpecError",
            ),
            "attn_core.weights": (
                "WeightsError",
                "initialise",
                "load",
                "save",
            ),
        },
        {
            "blocks": "attn_core.blocks",
            "dialects": "attn_core.weights.dialects",
            "models": "attn_core.models",
            "parity": "attn_core.parity",
            "reference": "attn_core.interpreters.reference",
            "shapes": "attn_core.interpreters.shapes",
            "spec": "attn_core.spec",
            "tf1": "attn_core.porting.tf1",
            "weights": "attn_core.weights",
        },
    )

__all__ = [
    "BLOCKS",
    "CBAM",
    "MODELS",
    "AffineSampler",
    "Array",
    "Block",
    "ChannelAttention",
    "ChannelShuffle",
    "ExpectationMaximizationAttention",
    "GlobalContext",
    "GlobalPooling",
    "HybridSN",
    "MixedPoolingModule",
    "NonLocal",
    "Part",
    "PointwiseGate",
    "PointwiseSpatialAttention",
    "Res2Bottleneck",
    "Res2Conv",
    "ResidualBlock",
    "SEResNet",
    "ShapeError",
    "ShuffleAttention",
    "SpatialAttention",
    "SpatialTransformer",
    "SpecError",
    "SqueezeExcitation",
    "StripPooling",
    "WeightsError",
    "evaluate",
    "hybrid_sn",
    "hybrid_sn_2d_first",
    "hybrid_sn_attention",
    "initialise",
    "load",
    "save",
    "se_resnet_18",
    "se_resnet_34",
    "se_resnet_50",
    "se_resnet_101",
    "se_resnet_152",
]
