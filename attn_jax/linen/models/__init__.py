"""The networks for Linen."""

from typing import TYPE_CHECKING

from attn_core.deferred import handed_on

from .hybrid_sn import HybridSN as HybridSN
from .hybrid_sn import hybrid_sn as hybrid_sn
from .hybrid_sn import hybrid_sn_2d_first as hybrid_sn_2d_first
from .hybrid_sn import hybrid_sn_attention as hybrid_sn_attention
from .residual_block import ResidualBlock as ResidualBlock
from .se_resnet import SEResNet as SEResNet
from .se_resnet import se_resnet_18 as se_resnet_18
from .se_resnet import se_resnet_34 as se_resnet_34
from .se_resnet import se_resnet_50 as se_resnet_50
from .se_resnet import se_resnet_101 as se_resnet_101
from .se_resnet import se_resnet_152 as se_resnet_152

if not TYPE_CHECKING:  # checkers read the lines above
    __all__ = [*handed_on(__name__)]
