"""The blocks as PyTorch layers, one file per paper."""

from typing import TYPE_CHECKING

from attn_core.deferred import handed_on

from .affine_sampler import AffineSampler as AffineSampler
from .attention_gate import AttentionGate as AttentionGate
from .bottleneck_attention import BottleneckAttention as BottleneckAttention
from .cbam import CBAM as CBAM
from .channel_attention import ChannelAttention as ChannelAttention
from .channel_shuffle import ChannelShuffle as ChannelShuffle
from .concurrent_squeeze_excitation import ConcurrentSqueezeExcitation as ConcurrentSqueezeExcitation
from .coordinate_attention import CoordinateAttention as CoordinateAttention
from .effective_squeeze_excitation import EffectiveSqueezeExcitation as EffectiveSqueezeExcitation
from .efficient_channel_attention import EfficientChannelAttention as EfficientChannelAttention
from .efficient_multi_scale_attention import EfficientMultiScaleAttention as EfficientMultiScaleAttention
from .expectation_maximization_attention import ExpectationMaximizationAttention as ExpectationMaximizationAttention
from .global_context import GlobalContext as GlobalContext
from .global_pooling import GlobalPooling as GlobalPooling
from .global_response_norm import GlobalResponseNorm as GlobalResponseNorm
from .grid_sampler import GridSampler as GridSampler
from .mixed_pooling_module import MixedPoolingModule as MixedPoolingModule
from .non_local import NonLocal as NonLocal
from .pointwise_gate import PointwiseGate as PointwiseGate
from .pointwise_spatial_attention import PointwiseSpatialAttention as PointwiseSpatialAttention
from .res2_bottleneck import Res2Bottleneck as Res2Bottleneck
from .res2_conv import Res2Conv as Res2Conv
from .shuffle_attention import ShuffleAttention as ShuffleAttention
from .sim_am import SimAM as SimAM
from .spatial_attention import SpatialAttention as SpatialAttention
from .spatial_transformer import SpatialTransformer as SpatialTransformer
from .squeeze_excitation import SqueezeExcitation as SqueezeExcitation
from .strip_pooling import StripPooling as StripPooling
from .triplet_attention import TripletAttention as TripletAttention

if not TYPE_CHECKING:  # checkers read the lines above
    __all__ = [*handed_on(__name__)]
