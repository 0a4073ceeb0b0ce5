"""Configurations: what they mean, how they print, and what is said of those that cannot be built."""

from __future__ import annotations

import dataclasses

import pytest

import attn_core as core
from attn_core.formula import formula
from attn_core.registry import KNOWN, parse
from attn_core.shapes import output_shape

SE = core.SqueezeExcitation

WRONG = {
    "no hidden unit": (
        {"channels": 8, "reduction": 16},
        "SqueezeExcitation(channels=8, reduction=16) leaves no hidden unit: reduction must lie between 1 and 8.",
    ),
    "reduction 0": (
        {"channels": 8, "reduction": 0},
        "SqueezeExcitation(channels=8, reduction=0) divides by 0: reduction must lie between 1 and 8.",
    ),
    "reduction negative": (
        {"channels": 8, "reduction": -2},
        "SqueezeExcitation(channels=8, reduction=-2) divides by -2: reduction must lie between 1 and 8.",
    ),
    "channels 0": (
        {"channels": 0},
        "SqueezeExcitation(channels=0, reduction=16): channels must be at least 1.",
    ),
    "channels no int": ({"channels": 8.0}, "SqueezeExcitation: channels must be int, got 8.0."),
    "channels bool": ({"channels": True}, "SqueezeExcitation: channels must be int, got True."),
    "hidden 0": (
        {"channels": 8, "hidden": 0},
        "SqueezeExcitation(channels=8, hidden=0) leaves no hidden unit: hidden must be at least 1.",
    ),
    "hidden text": (
        {"channels": 8, "hidden": "4"},
        "SqueezeExcitation: hidden must be int or None, got '4'.",
    ),
    "bias number": ({"channels": 32, "bias": 1}, "SqueezeExcitation: bias must be bool, got 1."),
    "activation": (
        {"channels": 32, "activation": "selu"},
        "SqueezeExcitation(channels=32, reduction=16, activation='selu'): "
        "activation must be one of relu, silu, gelu; got 'selu'.",
    ),
    "gate": (
        {"channels": 32, "gate": "relu"},
        "SqueezeExcitation(channels=32, reduction=16, gate='relu'): "
        "gate must be one of sigmoid, hard_sigmoid; got 'relu'.",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_configuration(case: str):
    fields, message = WRONG[case]
    with pytest.raises(core.SpecError) as caught:
        SE(**fields)
    assert str(caught.value) == message


def test_spec_error_is_a_value_error():
    assert issubclass(core.SpecError, ValueError)


def test_hidden_overrides_reduction():
    assert SE(8, hidden=12).width == 12
    assert SE(40).width == 2
    assert SE(8, hidden=12).arrays()["reduce.weight"].shape == (12, 8)


def test_arrays_and_parameters():
    shapes = {name: array.shape for name, array in SE(64).arrays().items()}
    assert shapes == {
        "reduce.weight": (4, 64),
        "reduce.bias": (4,),
        "expand.weight": (64, 4),
        "expand.bias": (64,),
    }
    assert SE(64).parameters() == 580
    assert SE(64, bias=False).parameters() == 512


def test_repr_builds_an_equal_block():
    for block in (SE(64), SE(7, 3, bias=False), SE(6, hidden=5, activation="gelu", gate="hard_sigmoid")):
        assert parse(repr(block)) == block
        assert SE(**block.config()) == block


def test_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        SE(64).channels = 32  # type: ignore[misc]


OTHER_TEXTS = (
    "Cbam(64)",
    "SqueezeExcitation",
    "SqueezeExcitation(64",
    "SqueezeExcitation(64, size=3)",
    "SqueezeExcitation(__import__('os').getpid())",
    "exit()",
    "[1]",
    "",
    "(" * 1000,
)


@pytest.mark.parametrize("text", OTHER_TEXTS)
def test_parse_executes_nothing_and_refuses_other_texts(text: str):
    with pytest.raises(core.SpecError, match="configures no block"):
        parse(text)


def test_formula():
    assert formula(SE(64)) == (
        "y = x * sigmoid(expand.weight @ relu(reduce.weight @ mean(x) + reduce.bias) + expand.bias)"
    )
    assert formula(SE(64, bias=False, activation="silu", gate="hard_sigmoid")) == (
        "y = x * hard_sigmoid(expand.weight @ silu(reduce.weight @ mean(x)))"
    )


def test_formula_names_what_it_needs_twice():
    assert formula(core.CBAM(64)).splitlines() == [
        "a = x * sigmoid(channel.expand.weight @ relu(channel.reduce.weight @ mean(x)) + "
        "channel.expand.weight @ relu(channel.reduce.weight @ max(x)))",
        "y = a * sigmoid(spatial.conv(concat(channel_mean(a), channel_max(a))))",
    ]
    assert formula(core.GlobalPooling()) == "y = concat(mean(x), max(x))"


def test_output_shape():
    assert output_shape(SE(64), (2, 64, 7, 5)) == (2, 64, 7, 5)
    assert output_shape(SE(64), (None, 64, None)) == (None, 64, None)
    with pytest.raises(core.ShapeError) as caught:
        output_shape(SE(64), (2, 32, 7, 5))
    assert str(caught.value) == (
        "SqueezeExcitation(channels=64, reduction=16) on [(2, 32, 7, 5)]: "
        "reduce: Dense expects 64 features, got (2, 32)"
    )


REFUSED = [
    ("SpatialAttention", {"kernel": 4}, "SpatialAttention(kernel=4): kernel must be odd, so that it has a centre."),
    (
        "SpatialAttention",
        {"rank": 4},
        "SpatialAttention(kernel=7, rank=4): rank, the number of spatial axes, must be 1, 2 or 3.",
    ),
    ("SpatialAttention", {"momentum": 2}, "SpatialAttention(kernel=7): momentum must lie between 0 and 1, got 2."),
    (
        "CBAM",
        {"channels": 8},
        "ChannelAttention(channels=8, reduction=16) leaves no hidden unit: reduction must lie between 1 and 8.",
    ),
    (
        "CBAM",
        {"channels": 32, "kernel": 2},
        "SpatialAttention(kernel=2): kernel must be odd, so that it has a centre.",
    ),
    ("PointwiseGate", {"channels": 0}, "PointwiseGate(channels=0): channels must be at least 1."),
    (
        "ChannelShuffle",
        {"channels": 8, "groups": 3},
        "ChannelShuffle(channels=8, groups=3): groups must divide the 8 channels.",
    ),
    (
        "ShuffleAttention",
        {"channels": 24, "groups": 8},
        "ShuffleAttention(channels=24, groups=8): "
        "channels must be divisible by 2 * groups; choose groups so that they are.",
    ),
    (
        "GlobalPooling",
        {"pools": "sum"},
        "GlobalPooling(pools='sum'): pools must be one of mean, max, both; got 'sum'.",
    ),
    (
        "AffineSampler",
        {"size": (3, 3, 3)},
        "AffineSampler(size=(3, 3, 3)): size must hold a positive number, or None, for each of the 2 spatial axes.",
    ),
    (
        "AffineSampler",
        {"size": 0},
        "AffineSampler(size=0): size must hold a positive number, or None, for each of the 2 spatial axes.",
    ),
    (
        "AffineSampler",
        {"padding": "mirror"},
        "AffineSampler(size=None, padding='mirror'): padding must be one of zeros, border; got 'mirror'.",
    ),
    (
        "SpatialTransformer",
        {"channels": 3, "kernel": 4},
        "SpatialTransformer(channels=3, size=None, kernel=4): kernel must be odd, so that it has a centre.",
    ),
    (
        "SpatialTransformer",
        {"channels": 3, "hidden": 0},
        "SpatialTransformer(channels=3, size=None, hidden=0): hidden must be at least 1.",
    ),
    (
        "NonLocal",
        {"channels": 8, "mode": "softmax"},
        "NonLocal(channels=8, hidden=None, mode='softmax'): "
        "mode must be one of embedded_gaussian, gaussian, dot_product, concatenation; got 'softmax'.",
    ),
    (
        "NonLocal",
        {"channels": 8, "mode": "dot_product", "scale": "hidden"},
        "NonLocal(channels=8, hidden=None, mode='dot_product', scale='hidden'): "
        "only the softmax modes, embedded_gaussian and gaussian, have a scale; it must be 'none'.",
    ),
    (
        "NonLocal",
        {"channels": 8, "subsample": (2,)},
        "NonLocal(channels=8, hidden=None, subsample=(2,)): "
        "subsample must be a number of pixels, at least 1, or one for each of 2 axes.",
    ),
    (
        "NonLocal",
        {"channels": 8, "hidden": 0},
        "NonLocal(channels=8, hidden=0) leaves no hidden channel: hidden must be at least 1.",
    ),
    (
        "GlobalContext",
        {"channels": 8},
        "GlobalContext(channels=8, reduction=16) leaves no hidden unit: reduction must lie between 1 and 8.",
    ),
    (
        "GlobalContext",
        {"channels": 32, "fusion": "mul"},
        "GlobalContext(channels=32, reduction=16, fusion='mul'): fusion must be one of add, scale, both; got 'mul'.",
    ),
    (
        "GlobalContext",
        {"channels": 32, "eps": 0},
        "GlobalContext(channels=32, reduction=16, eps=0): eps must be above 0.",
    ),
    (
        "StripPooling",
        {"channels": 8, "rank": 1},
        "StripPooling(channels=8, kernel=3, rank=1): "
        "rank, the number of spatial axes, must be 2 or 3: a strip is the means over all axes but one.",
    ),
    (
        "StripPooling",
        {"channels": 8, "kernel": 2},
        "StripPooling(channels=8, kernel=2): kernel must be odd, so that it has a centre.",
    ),
    (
        "MixedPoolingModule",
        {"channels": 2},
        "MixedPoolingModule(channels=2, reduction=4) leaves no channel inside: reduction must lie between 1 and 2.",
    ),
    (
        "MixedPoolingModule",
        {"channels": 8, "pools": (3, 0)},
        "MixedPoolingModule(channels=8, reduction=4, pools=(3, 0)): pools must be numbers of bins, each at least 1.",
    ),
    (
        "ExpectationMaximizationAttention",
        {"channels": 8, "bases": 0},
        "ExpectationMaximizationAttention(channels=8, bases=0): bases must be at least 1.",
    ),
    (
        "ExpectationMaximizationAttention",
        {"channels": 8, "norm_momentum": 2},
        "ExpectationMaximizationAttention(channels=8, bases=64, norm_momentum=2): "
        "norm_momentum must lie between 0 and 1, got 2.",
    ),
    (
        "PointwiseSpatialAttention",
        {"channels": 8, "size": (3,)},
        "PointwiseSpatialAttention(channels=8, size=(3,)): "
        "size must be a number of pixels, at least 1, or one for each of 2 axes.",
    ),
    (
        "PointwiseSpatialAttention",
        {"channels": 8, "size": 3, "mode": "gather"},
        "PointwiseSpatialAttention(channels=8, size=3, mode='gather'): "
        "mode must be one of both, collect, distribute; got 'gather'.",
    ),
    (
        "Res2Conv",
        {"channels": 10, "scale": 4},
        "Res2Conv(channels=10, scale=4): scale must divide channels, as each of its pieces has equally many.",
    ),
    (
        "Res2Conv",
        {"channels": 8, "stride": 2},
        "Res2Conv(channels=8, scale=4, stride=2): "
        "a stride above 1 needs first_of_stage=True, which adds no result to a piece of another size.",
    ),
    (
        "Res2Bottleneck",
        {"channels": 8, "planes": 1},
        "Res2Bottleneck(channels=8, planes=1, scale=4, base_width=26) "
        "leaves a piece no channel: planes * base_width must be at least 64.",
    ),
    ("Res2Bottleneck", {"channels": 8, "planes": "4"}, "Res2Bottleneck: planes must be int, got '4'."),
    (
        "ResidualBlock",
        {"channels": 8, "outputs": 16, "project": False},
        "ResidualBlock(channels=8, outputs=16, stride=1, project=False) cannot add its input: "
        "leave project out where channels, outputs or stride change the shape.",
    ),
    (
        "ResidualBlock",
        {"channels": 8, "outputs": 3, "bottleneck": True},
        "ResidualBlock(channels=8, outputs=3, stride=1, bottleneck=True) "
        "leaves no channel between the convolutions: outputs must be at least 4.",
    ),
    (
        "ResidualBlock",
        {"channels": 8, "outputs": 8, "hidden": 0},
        "ResidualBlock(channels=8, outputs=8, stride=1, hidden=0) "
        "leaves no channel between the convolutions: hidden must be at least 1.",
    ),
    (
        "ResidualBlock",
        {"channels": 8, "outputs": 8, "preactivation": True, "relu_last": True},
        "ResidualBlock(channels=8, outputs=8, stride=1, preactivation=True, relu_last=True) "
        "has its relu before each convolution: relu_last belongs to the original order.",
    ),
    (
        "ResidualBlock",
        {"channels": 8, "outputs": 8, "padding": "valid"},
        "ResidualBlock(channels=8, outputs=8, stride=1, padding='valid'): "
        "padding must be one of symmetric, same; got 'valid'.",
    ),
    (
        "ResidualBlock",
        {"channels": 8, "outputs": 8, "stride": 0},
        "ResidualBlock(channels=8, outputs=8, stride=0): stride must be at least 1.",
    ),
    (
        "SEResNet",
        {"classes": 10, "depths": (2, 0)},
        "SEResNet(classes=10, depths=(2, 0), bottleneck=True): depths must be whole numbers of at least 1.",
    ),
    (
        "SEResNet",
        {"classes": 10, "depths": (2, 10**9)},
        "SEResNet(classes=10, depths=(2, 1000000000), bottleneck=True): depths must be 1,000 in all at most.",
    ),
    (
        "Res2Conv",
        {"channels": 10**9, "scale": 10**9},
        "Res2Conv(channels=1000000000, scale=1000000000): scale must be 1,000 at most.",
    ),
    ("SEResNet", {"classes": 10, "depths": 18}, "SEResNet: depths must be tuple or list, got 18."),
    (
        "HybridSN",
        {"bands": 12, "size": 9},
        "HybridSN(bands=12, size=9, classes=16) leaves no band: bands must be at least 13.",
    ),
    (
        "HybridSN",
        {"bands": 1, "size": 9, "order": "2d_first", "filters": [8, 16, 32, 12]},
        "HybridSN(bands=1, size=9, classes=16, order='2d_first', filters=(8, 16, 32, 12)) leaves no band: "
        "the last of filters must be at least 13.",
    ),
    (
        "HybridSN",
        {"bands": 30, "size": 8},
        "HybridSN(bands=30, size=8, classes=16) leaves no pixel: size must be at least 9.",
    ),
    (
        "HybridSN",
        {"bands": 30, "size": 9, "dropout": 1},
        "HybridSN(bands=30, size=9, classes=16, dropout=1): dropout must be at least 0 and less than 1.",
    ),
    (
        "HybridSN",
        {"bands": 30, "size": 9, "hidden": (256,)},
        "HybridSN(bands=30, size=9, classes=16, hidden=(256,)): hidden must be two numbers of at least 1.",
    ),
]


@pytest.mark.parametrize(("name", "fields", "message"), REFUSED)
def test_wrong_configurations_are_explained(name: str, fields: dict[str, object], message: str):
    with pytest.raises(core.SpecError) as caught:
        KNOWN[name](**fields)
    assert str(caught.value) == message


def test_size_that_cannot_work():
    block = core.PointwiseSpatialAttention(8, (3, 4))
    with pytest.raises(core.ShapeError) as caught:
        output_shape(block, (1, 8, 4, 3))
    assert str(caught.value) == (
        "PointwiseSpatialAttention(channels=8, size=(3, 4)) on [(1, 8, 4, 3)]: "
        "the maps fit images of (3, 4) pixels only, the field size; got (1, 8, 4, 3)"
    )
    with pytest.raises(core.ShapeError, match=r"an image of .* pixels holds no whole window of"):
        output_shape(core.NonLocal(8, subsample=2), (1, 8, 1, 1))
    with pytest.raises(core.ShapeError, match="conv: Conv takes images of 2 spatial axes, got"):
        output_shape(core.SpatialAttention(), (1, 8, 5))
