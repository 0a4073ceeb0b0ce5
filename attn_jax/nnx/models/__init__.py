"""The networks for NNX."""

from attn_jax.nnx.models.hybrid_sn import HybridSN, hybrid_sn, hybrid_sn_2d_first, hybrid_sn_attention
from attn_jax.nnx.models.residual_block import ResidualBlock
from attn_jax.nnx.models.se_resnet import (
    SEResNet,
    se_resnet_18,
    se_resnet_34,
    se_resnet_50,
    se_resnet_101,
    se_resnet_152,
)

__all__ = [
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
]
