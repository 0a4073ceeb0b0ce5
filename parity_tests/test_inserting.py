"""What is inserted, without a framework: its formula in every runtime, its start, and the places that are meant."""

from __future__ import annotations

import numpy as np
import pytest
import runtimes
from bounds import RUNS, assert_agrees
from runtimes import need

from attn_core import blocks
from attn_core.blocks import BLOCKS
from attn_core.interpreters.formula import formula
from attn_core.interpreters.reference import evaluate
from attn_core.interpreters.rounding import bounded
from attn_core.interpreters.starting import share_of, starting
from attn_core.models.attention import attention
from attn_core.models.inserting.inserted import Inserted
from attn_core.models.inserting.places import chosen
from attn_core.models.registry import FAMILIES, KNOWN, list_blocks
from attn_core.spec import SpecError
from attn_core.weights import initialise

BLOCK = Inserted(blocks.SqueezeExcitation(6, 2), 6, strength=0.75, share=0.5)
X = np.sin(np.arange(2 * 6 * 5 * 4.0)).reshape(2, 6, 5, 4) + np.arange(6.0)[:, None, None] / 3

# What blocks make of an image while their last layers are 0; None of those that start with a strength of 0.
SHARES = {
    blocks.SqueezeExcitation(8, 2): 1 / 2,
    blocks.SqueezeExcitation(8, 2, gate="hard_sigmoid"): 1 / 2,
    blocks.ChannelAttention(8, 2, bias=True): 1 / 2,
    blocks.SpatialAttention(3, norm=True): 1 / 2,
    blocks.CBAM(8, 2, bias=True, norm=True): 1 / 4,
    blocks.PointwiseGate(8): 1 / 2,
    blocks.EfficientChannelAttention(8, hidden=2): 1 / 2,
    blocks.EffectiveSqueezeExcitation(8): 1 / 2,
    blocks.ConcurrentSqueezeExcitation(8): 1 / 2,
    blocks.ConcurrentSqueezeExcitation(8, joined="sum"): 1,
    blocks.CoordinateAttention(8): 1 / 4,
    blocks.CoordinateAttention(8, joined="sum"): 1 / 2,
    blocks.CoordinateAttention(8, rank=3): 1 / 8,
    blocks.EfficientMultiScaleAttention(8): 1 / 2,
    blocks.TripletAttention(8): 1 / 2,
    blocks.BottleneckAttention(8, 2): 3 / 2,
    blocks.BottleneckAttention(8, 2, joined="sum"): 3 / 2,
    blocks.StripPooling(8): 1 / 2,
    blocks.GlobalResponseNorm(8): 1,
    blocks.GlobalContext(8, 2): 1,
    blocks.GlobalContext(8, 2, fusion="both"): 1 / 2,
    blocks.NonLocal(8, norm=True): 1,
    blocks.SpatialTransformer(8): 1,
    blocks.ShuffleAttention(8): round(1 / (1 + np.exp(-1)), 12),
    blocks.SimAM(8): None,
    blocks.ExpectationMaximizationAttention(8): None,
    blocks.MixedPoolingModule(8): None,
}


@pytest.mark.parametrize("block", SHARES, ids=str)
def test_starts_are_the_identity(block):
    """In the definition, with weights drawn from the laws; what is between the first and the last layers is not 0."""
    assert share_of(block) == SHARES[block]
    rank = getattr(block, "rank", 2)
    x = np.random.default_rng(0).standard_normal((2, 8, *(6,) * rank))
    found = starting(block, x.shape)
    weights = initialise(found)
    assert np.abs(evaluate(found, weights, x) - x).max() < 1e-12
    zeros = {name for name, array in weights.items() if name.startswith("inner.") and not array.any()}
    assert set(found.zeros()) <= zeros
    assert found.strength == (0 if SHARES[block] is None else 1)


def test_every_block_with_gates_says_where_it_starts():
    known = {type(block) for block in SHARES}
    assert known >= {block for block in BLOCKS.values() if block.family.startswith("gates")} - {blocks.AttentionGate}


def test_other_starts():
    block = blocks.SqueezeExcitation(8, 2)
    assert starting(block, (1, 8, 4, 4), "paper") is block
    assert starting(block, (1, 8, 4, 4), 0.5) == Inserted(block, 8, strength=0.5)
    with pytest.raises(SpecError, match='start must be "identity", "paper" or a number, got True'):
        starting(block, (1, 8, 4, 4), True)


@pytest.mark.parametrize(("runtime", "dtype"), [run for run in RUNS if run[1] == "float32"])
def test_the_formula_in_every_runtime(runtime: str, dtype: str):
    weights, x, cotangent = initialise(BLOCK, 2), *(np.float32(array) for array in (X, np.cos(X)))
    found = runtimes.run(need(runtime), BLOCK, weights, x, cotangent, dtype, False)
    assert_agrees(found, bounded(BLOCK, weights, x, cotangent, dtype), dtype)


def test_formula_in_loops():
    """The formula, x + a (block(x) / c - x), number by number."""
    weights = initialise(BLOCK, 1)
    inner = evaluate(BLOCK.block, {name[6:]: array for name, array in weights.items() if name[:6] == "inner."}, X)
    y = evaluate(BLOCK, weights, X)
    for index in np.ndindex(X.shape):
        a = float(weights["strength.weight"][index[1]])
        assert y[index] == pytest.approx(X[index] + a * (inner[index] / 0.5 - X[index]), rel=1e-12)
    assert "strength.weight * " in formula(BLOCK)


def test_two_images_are_refused():
    with pytest.raises(SpecError, match="takes 2 inputs: what is inserted takes one image"):
        Inserted(blocks.AttentionGate(8, 8), 8)


LAYERS = {"conv1": 1, "layer1.0.conv1": 2, "layer1.0.bn": 3.0, "layer2.0.bn": 4.0}


def test_places():
    assert chosen(LAYERS, "layer*.bn") == ["layer1.0.bn", "layer2.0.bn"]
    assert chosen(LAYERS, "layer[2-9].*") == ["layer2.0.bn"]
    assert chosen(LAYERS, (int, "layer2*")) == ["conv1", "layer1.0.conv1", "layer2.0.bn"]
    assert chosen(LAYERS, lambda name, layer: layer == 3) == ["layer1.0.bn"]
    with pytest.raises(SpecError) as caught:
        chosen(LAYERS, "conv2")
    assert str(caught.value) == (
        "'conv2' is no layer of this network; nearest: conv1. There are 2 int (conv1, layer1.0.conv1), "
        "2 float (layer1.0.bn, layer2.0.bn)."
    )


def test_words_are_those_of_the_collection():
    assert attention("eca", 8, 2) == blocks.EfficientChannelAttention(8)


def test_list_blocks():
    assert list_blocks() == [name for family in FAMILIES for name in KNOWN if KNOWN[name].family == family]
    assert {KNOWN[name].family for name in list_blocks("gates")} == {name for name in FAMILIES if "gates" in name}
    with pytest.raises(SpecError, match="'gatos' is no family; there are gates of channels, "):
        list_blocks("gatos")
