"""Networks made of blocks. A network is a block: it is bound, saved and compared as one."""

from collections.abc import Callable

from attn_core.models.hybrid_sn import HybridSN, hybrid_sn, hybrid_sn_2d_first, hybrid_sn_attention
from attn_core.models.residual_block import ResidualBlock
from attn_core.models.se_resnet import (
    SEResNet,
    se_resnet_18,
    se_resnet_34,
    se_resnet_50,
    se_resnet_101,
    se_resnet_152,
)
from attn_core.models.stage import Stage
from attn_core.spec import Block

MODELS: dict[str, type[Block]] = {model.__name__: model for model in (ResidualBlock, SEResNet, HybridSN)}
CONSTRUCTORS: dict[str, Callable[..., Block]] = {
    constructor.__name__: constructor
    for constructor in (
        *(se_resnet_18, se_resnet_34, se_resnet_50, se_resnet_101, se_resnet_152),
        *(hybrid_sn, hybrid_sn_2d_first, hybrid_sn_attention),
    )
}

__all__ = [
    "CONSTRUCTORS",
    "MODELS",
    "HybridSN",
    "ResidualBlock",
    "SEResNet",
    "Stage",
    "hybrid_sn",
    "hybrid_sn_2d_first",
    "hybrid_sn_attention",
    "se_resnet_18",
    "se_resnet_34",
    "se_resnet_50",
    "se_resnet_101",
    "se_resnet_152",
]
