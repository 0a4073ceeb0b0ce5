"""Configurations: what they mean, how they print, and what is said of those that cannot be built."""

from __future__ import annotations

import dataclasses
import itertools
import math

import pytest
from blocks import REFUSED, RESOLVED

import attn_core as core
from attn_core.interpreters.formula import formula
from attn_core.interpreters.shapes import output_shape
from attn_core.models.registry import KNOWN, example, parse
from attn_core.spec import Bound, parts, windows

SE = core.SqueezeExcitation


def needs_channels(block: type[core.Block]) -> bool:
    """Say whether the channels are all that a block must be told."""
    needed = [field.name for field in dataclasses.fields(block) if field.default is dataclasses.MISSING]
    return needed == ["channels"]


@pytest.mark.parametrize("text", REFUSED)
def test_wrong_configurations_are_explained(text: str):
    with pytest.raises(core.SpecError) as caught:
        parse(text)
    assert str(caught.value) == REFUSED[text]


@pytest.mark.parametrize("text", RESOLVED)
def test_what_is_left_out_follows_from_the_rest(text: str):
    block = parse(text)
    assert {name: getattr(block, name) for name in RESOLVED[text]} == RESOLVED[text]


def test_spec_error_is_a_value_error():
    assert issubclass(core.SpecError, ValueError)


def test_hidden_overrides_reduction():
    assert SE(8, hidden=12).width == 12
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
    "Cbamm(64)",
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


PARTS_REFUSED = {
    "padding must be one of symmetric, same, valid.": lambda: parts.Conv(4, 4, (3, 3), padding="SAME"),
    "a kernel with symmetric padding must be odd, so that it has a centre.": lambda: parts.Conv(4, 4, (3, 2)),
    "rate must be at least 0 and less than 1.": lambda: parts.Dropout(1.0),
}


@pytest.mark.parametrize("message", PARTS_REFUSED)
def test_wrong_parts_are_explained(message: str):
    with pytest.raises(core.SpecError) as caught:
        PARTS_REFUSED[message]()
    assert str(caught.value).endswith(f"): {message}")
    with pytest.raises(ValueError, match="padding must be one of symmetric, same, valid, got 'SAME'"):
        windows.margins(5, 3, 2, "SAME")


def test_margins_are_tensorflows():
    """As TensorFlow's documentation defines SAME, for every remainder."""
    for size, length, stride in itertools.product(range(1, 30), range(1, 9), range(1, 7)):
        total = max((math.ceil(size / stride) - 1) * stride + length - size, 0)
        assert windows.margins(size, length, stride, "same") == (total // 2, total - total // 2)


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


@pytest.mark.parametrize("name", [name for name, block in core.BLOCKS.items() if needs_channels(block)])
def test_every_usual_width_builds(name: str):
    """With nothing but a number of channels."""
    assert all(core.BLOCKS[name](channels).arrays() is not None for channels in range(8, 2049, 8))


@pytest.mark.parametrize("name", KNOWN)
def test_forward_asks_no_part_for_its_gates(name: str, monkeypatch: pytest.MonkeyPatch):
    """A layer would run that part twice, and move its running statistics twice where it is compiled."""

    def gates(self: Bound, *inputs: object) -> None:
        raise AssertionError("forward calls its parts; only gates asks them for theirs")

    monkeypatch.setattr(Bound, "gates", gates)
    block = example(name)
    assert output_shape(block, *block.example())
