"""The blocks, one file per paper."""

import ast
import dataclasses

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
from attn_core.spec import Block, SpecError

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

FITTING = {  # where 64 will not do
    "ChannelShuffle": {"groups": 4},
    "ShuffleAttention": {"channels": 128},
    "PointwiseSpatialAttention": {"size": 30},
}


def example(name: str) -> Block:
    """Return a block of this name with the default of every field; 64, or `FITTING`, stands for fields without one."""
    block, own = BLOCKS[name], FITTING.get(name, {})
    required = (field.name for field in dataclasses.fields(block) if field.default is dataclasses.MISSING)
    return block(**{field: own.get(field, 64) for field in required})


def parse(text: str) -> Block:
    """Return the block that a text such as ``SqueezeExcitation(64, hidden=4)`` configures; nothing is executed.

    **Raises** `SpecError` for anything but the name of a block with literal fields.
    """
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id not in BLOCKS:
            raise TypeError(f"give one of {', '.join(BLOCKS)} with its fields, as Name(64)")
        values = [ast.literal_eval(argument) for argument in call.args]
        fields = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
        return BLOCKS[call.func.id](*values, **fields)
    except SpecError:
        raise
    except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise SpecError(f"{text!r} configures no block: {error}.") from None
    except ValueError:
        raise SpecError(f"{text!r} configures no block: fields must be numbers, texts, True, False or None.") from None


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
    "example",
    "parse",
]
