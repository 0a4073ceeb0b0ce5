"""timm (PyTorch Image Models): its layers of attention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.blocks import CBAM, GlobalContext, GlobalResponseNorm, NonLocal, SqueezeExcitation
from attn_core.blocks.global_context import Fusion, Pool
from attn_core.weights.dialects.bangguwu import UNTOLD, efficient_channel_attention
from attn_core.weights.dialects.convnextv2 import global_response_norm
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.houqb import CONVOLUTIONS, FIRST, coordinate_attention
from attn_core.weights.dialects.layout import Layer, Table, torch_dense, torch_point
from attn_core.weights.dialects.shared import RELU_SIGMOID, cbam, hidden_units, squeeze_excitation
from attn_core.weights.dialects.sizes import Sizes
from attn_core.weights.dialects.vovnet import effective_squeeze_excitation

WAYS = {"add": ("add",), "scale": ("scale",), "both": ("add", "scale")}


def _divisible(block: SqueezeExcitation) -> tuple[str, ...]:
    rounded = max(8, int(block.channels / 16 + 4) // 8 * 8)
    own = f"{block.width} hidden units are its channels / 16 rounded to a multiple of 8"
    return (own,) if block.width == rounded else ()


def _unbiased(block: SqueezeExcitation) -> tuple[str, ...]:
    return () if block.bias else ("it has no biases, which this class has unless bias=False is given",)


def _biased(block: CBAM) -> tuple[str, ...]:
    if not block.bias:
        return ()
    reason = "the perceptron has biases, which this class has only with mlp_bias=True and jongchan.CBAM always has"
    return (f"{reason}: if these are its weights renamed, the planes of the spatial kernel are the wrong way round",)


def _named_as_any_norm(block: GlobalResponseNorm) -> tuple[str, ...]:
    return ("every norm has arrays of these names and shapes: only the name grn tells",)


def _global_context(sizes: Sizes, options: Mapping[str, Any]) -> GlobalContext:
    known: tuple[Fusion, ...] = ("add", "scale")
    ways = [way for way in known if sizes.has(Layer(f"mlp_{way}.fc1"), "weight")]
    first = torch_point(f"mlp_{ways[-1] if ways else 'scale'}.fc1")
    hidden, channels = sizes.of(first, "weight", "hidden", "channels")
    fusion: Fusion = "both" if len(ways) > 1 else ways[0]
    pool: Pool = "attention" if "conv_attn.weight" in sizes else "mean"
    return GlobalContext(channels, **hidden_units(channels, hidden), pool=pool, fusion=fusion, **options)


def _context_table(block: GlobalContext) -> Table:
    table: dict[str, str | Layer] = {"mask": torch_point("conv_attn")}
    for way in WAYS[block.fusion]:
        table[f"{way}_reduce"] = torch_point(f"mlp_{way}.fc1")
        table[f"{way}_norm"] = f"mlp_{way}.norm"
        table[f"{way}_expand"] = torch_point(f"mlp_{way}.fc2")
    return table


def _non_local(sizes: Sizes, options: Mapping[str, Any]) -> NonLocal:
    hidden, channels = sizes.of(Layer("t"), "weight", "hidden", "channels", 1, 1)
    return NonLocal(channels, hidden, norm=True, **options)


def _non_local_table(block: NonLocal) -> Table:
    return {"query": "t", "key": "p", "value": "g", "project": "z", "norm": "norm"}


DIALECTS = (
    squeeze_excitation(
        "timm.SEModule",
        torch_point("fc1"),
        torch_point("fc2"),
        norm="bn",
        options=RELU_SIGMOID | {"momentum": 0.1},
        definition="timm 1.0.31, timm/layers/squeeze_excite.py",
        differs="Both layers are convolutions of one pixel; the hidden units are a multiple of 8. "
        "With a norm_layer, as in ReXNet, it is a batch norm. Not here: add_maxpool.",
        proven=("official/timm_se",),
        speaks=_divisible,
        doubts=_unbiased,
    ),
    squeeze_excitation(
        "timm.SqueezeExcite",
        torch_point("conv_reduce"),
        torch_point("conv_expand"),
        bias=True,
        options=RELU_SIGMOID,
        definition="huggingface/pytorch-image-models 0141934, timm/models/_efficientnet_blocks.py",
        differs='Both layers are convolutions of one pixel with biases; in EfficientNets activation="silu", in '
        'MobileNetV3 gate="hard_sigmoid".',
    ),
    cbam(
        "timm.CbamModule",
        {
            "channel.reduce": torch_point("channel.fc1"),
            "channel.expand": torch_point("channel.fc2"),
            "spatial.conv": Layer("spatial.conv.conv"),
            "spatial.norm": Layer("spatial.conv.bn"),
        },
        bias=None,
        options={"momentum": 0.1},
        definition="timm 1.0.31, timm/layers/cbam.py",
        differs="The planes are (mean, maximum), the authors' (maximum, mean); a perceptron without biases by default; "
        "batch normalisation with momentum 0.1.",
        proven=("official/timm_cbam",),
        doubts=_biased,
        hides=("timm.SEModule", "cadene.SEModule", "torchvision.SqueezeExcitation"),
    ),
    Dialect(
        "timm.GlobalContext",
        GlobalContext,
        definition="timm 1.0.31, timm/layers/global_context.py",
        differs="It scales by default, where GCNet adds; its layer norm has eps 1e-6, not 1e-5.",
        proven=("official/timm_gc",),
        infer=_global_context,
        table=_context_table,
        anchors={"mlp_scale.fc1.weight": (4,), "mlp_add.fc1.weight": (4,)},
        options={"eps": 1e-6},
    ),
    Dialect(
        "timm.NonLocalAttn",
        NonLocal,
        definition="timm 1.0.31, timm/layers/non_local_attn.py",
        differs="The scale is channels ** -0.5, and batch normalisation follows the last convolution.",
        proven=("official/timm_nl",),
        infer=_non_local,
        table=_non_local_table,
        anchors={"t.weight": (4,)},
        options={"scale": "channels", "momentum": 0.1},
    ),
    efficient_channel_attention(
        "timm.EcaModule",
        deep=True,
        definition="timm 1.0.31, timm/layers/eca.py",
        differs=f"The kernel from the channels is 3 at least. Not here: other gate_layer and act_layer. {UNTOLD}.",
        proven=("official/timm_eca_c64", "official/timm_eca_mlp"),
    ),
    efficient_channel_attention(
        "timm.CecaModule",
        border="circular",
        definition="timm 1.0.31, timm/layers/eca.py",
        differs=f"The array of EcaModule; the last channel is a neighbour of the first. {UNTOLD}.",
        proven=("official/timm_ceca_c64",),
    ),
    effective_squeeze_excitation(
        "timm.EffectiveSEModule",
        options={"gate": "hard_sigmoid"},
        definition="timm 1.0.31, timm/layers/squeeze_excite.py",
        differs="The layer is a convolution of one pixel with a bias. Not here: add_maxpool.",
        proven=("official/timm_ese",),
    ),
    global_response_norm(
        "timm.GlobalResponseNorm",
        Layer("", glue=""),
        options={"eps": 1e-6},
        called="grn",
        definition="timm 1.0.31, timm/layers/grn.py",
        differs="Its arrays are called as those of any norm: in a network, what is called grn is meant. Whether "
        "channels are the last axis, as channels_last says, changes no array.",
        proven=("official/timm_grn",),
        doubts=_named_as_any_norm,
    ),
    coordinate_attention(
        "timm.CoordAttn",
        CONVOLUTIONS,
        FIRST,
        bias=False,
        definition="timm 1.0.31, timm/layers/coord_attn.py",
        differs="No biases; the hidden units are channels / 24, rounded to a multiple of 8. "
        "Not here: bias, norm_layer=None, has_skip, other gates.",
        proven=("official/timm_coord",),
    ),
    coordinate_attention(
        "timm.SimpleCoordAttn",
        {"expand0": torch_dense("fc_h"), "expand1": torch_dense("fc_w")},
        torch_dense("fc1", 1),
        bias=True,
        options={"activation": "silu", "joined": "sum"},
        definition="timm 1.0.31, timm/layers/coord_attn.py",
        differs="Dense layers with biases and no norm; one gate, the sigmoid of the sum. Not here: has_skip.",
        proven=("official/timm_simple_coord",),
    ),
)
