"""How the weights of somebody's layer are taken over, and what is said where they cannot be."""

from __future__ import annotations

import re

import numpy as np
import pytest
from runtimes import need

import attn_core as core
from attn_core.interpreters.shapes import ShapeError
from attn_core.parity import ForeignError, assert_parity
from attn_core.parity.foreign.fitting import fitted

need("torch")

import foreign_torch as theirs  # noqa: E402
from torch import nn  # noqa: E402

import attn_torch  # noqa: E402

SE = core.SqueezeExcitation(8, 4)
SMALL = {"shape": (2, 8, 3, 2), "draws": 1}
HAS = "fc1.weight (2, 8, 1, 1), fc1.bias (2,), fc2.weight (8, 2, 1, 1), fc2.bias (8,)"
WANTS = "reduce.weight (2, 8), reduce.bias (2,), expand.weight (8, 2), expand.bias (8,)"


class Named(theirs.SE):
    """Layers with names that no dialect has."""

    def __init__(self, names: tuple[str, str] = ("squeeze", "excite"), hidden: int = 2):
        super().__init__(hidden=hidden)
        for name, layer in zip(names, (self.fc1, self.fc2), strict=True):
            self.add_module(name, layer)
        self.order = names
        del self.fc1, self.fc2

    def gate(self, x):
        first, second = (getattr(self, name) for name in self.order)
        return second(first(self.pool(x)).relu()).sigmoid()


def taken(layer, block=SE, **options) -> str:
    return assert_parity(layer, block, **SMALL | options).how


def test_ways():
    assert taken(theirs.SE()) == "by the dialect cadene.SEModule"
    assert taken(theirs.SE(), dialect="timm.SEModule") == "by the dialect timm.SEModule"
    assert taken(Named()) == "by the shapes of its arrays"
    assert taken(Named(("reduce", "expand"))) == "by its names, which are ours"
    assert taken(Named(), mapping={"squeeze": "reduce", "excite": "expand"}) == "by the map given"
    single = {f"squeeze.{leaf}": f"reduce.{leaf}" for leaf in ("weight", "bias")}
    assert taken(Named(), mapping=single | {"excite": "expand"}) == "by the map given"
    square = core.SqueezeExcitation(8, 1)
    assert taken(Named(hidden=8), square, mapping={"squeeze": "reduce", "excite": "expand"}) == "by the map given"


MAPPED = {"fc1": "reduce", "fc2": "expand"}
REFUSED = {
    "another block": (
        {"block": core.SqueezeExcitation(6, 3), "shape": (2, 6, 3, 2)},
        f"the PyTorch module SE has the arrays {HAS}, which cannot be taken as SqueezeExcitation(channels=6, "
        "reduction=3): reduce.weight (2, 6), reduce.bias (2,), expand.weight (6, 2), expand.bias (6,). Of these, "
        "timm.SEModule reads SqueezeExcitation(channels=8, hidden=2). "
        "Name a dialect, or give a map of its names to ours.",
    ),
    "without biases": (
        {"layer": theirs.SE(bias=False)},
        "the PyTorch module SE has the arrays fc1.weight (2, 8, 1, 1), fc2.weight (8, 2, 1, 1), which cannot be taken "
        f"as SqueezeExcitation(channels=8, reduction=4): {WANTS}. Of these, timm.SEModule reads "
        "SqueezeExcitation(channels=8, hidden=2, bias=False). Name a dialect, or give a map of its names to ours.",
    ),
    "another dialect": (
        {"dialect": "moskomule.SELayer"},
        "the PyTorch module SE: in moskomule.SELayer, SqueezeExcitation(channels=8, reduction=4) has fc.0.weight "
        f"(2, 8), fc.0.bias (2,), fc.2.weight (8, 2), fc.2.bias (8,); here are {HAS}.",
    ),
    "a dialect of another block": (
        {"dialect": "timm.CbamModule"},
        "the PyTorch module SE: timm.CbamModule is a dialect of CBAM, not of SqueezeExcitation.",
    ),
    "half a map": (
        {"mapping": {"fc1": "reduce"}},
        "the PyTorch module SE: nothing is mapped to expand.weight; nothing is mapped to expand.bias. "
        f"Its arrays are {HAS}.",
    ),
    "a map of nothing": (
        {"mapping": MAPPED | {"fc3": "gate"}},
        f"the PyTorch module SE: fc3 -> gate names no array on both sides. Its arrays are {HAS}.",
    ),
    "a map of misfits": (
        {"block": core.SqueezeExcitation(8, 8), "mapping": MAPPED},
        "the PyTorch module SE: fc1.weight (2, 8, 1, 1) cannot be reduce.weight (1, 8) of "
        "SqueezeExcitation(channels=8, reduction=8).",
    ),
    "another of ours": (
        {"layer": attn_torch.SqueezeExcitation(8, 2)},
        "the PyTorch module SqueezeExcitation is SqueezeExcitation(channels=8, reduction=2), whose weights are not "
        "those of SqueezeExcitation(channels=8, reduction=4).",
    ),
    "no layer": (
        {"layer": np.zeros(3)},
        "an object of ndarray is no layer of a known framework; give an nn.Module, a Keras layer, an NNX module, a "
        "bound Linen module, or a pair (module, variables).",
    ),
    "a class": (
        {"layer": theirs.SE},
        "the class SE is no layer of a known framework; give an nn.Module, a Keras layer, an NNX module, a "
        "bound Linen module, or a pair (module, variables).",
    ),
    "the wrong way round": (
        {"layer": SE, "block": theirs.SE()},
        "The layer comes first, then the block: assert_parity(layer, block).",
    ),
    "no reference": ({"block": "SE"}, "'SE' is neither a block nor a layer of a known framework."),
    "no such mode": ({"modes": ["test"]}, "There is no mode 'test'; the modes are eval and train."),
    "several inputs": (
        {"block": core.AffineSampler()},
        "AffineSampler(size=None) takes 2 inputs; layers of one image are compared.",
    ),
    "lazy": (
        {"layer": nn.LazyConv2d(8, 1)},
        "the PyTorch module LazyConv2d has lazy parameters without a shape: call it on an image first.",
    ),
    "twins without a shape": (
        {"block": theirs.SE(), "shape": None},
        "Two layers are compared on images of a shape that is given: shape=(2, 64, 14, 14).",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case: str):
    given, message = REFUSED[case]
    options = {"layer": theirs.SE(), "block": SE} | SMALL | given
    with pytest.raises(ForeignError, match=f"^{re.escape(message)}$"):
        assert_parity(options.pop("layer"), options.pop("block"), **options)


def test_images_that_do_not_fit():
    with pytest.raises(ShapeError, match=re.escape("on [(2, 5, 3, 3)]: reduce: Dense expects 8 features, got (2, 5)")):
        assert_parity(theirs.SE(), SE, shape=(2, 5, 3, 3))


@pytest.mark.parametrize(
    ("given", "ours", "inputs_first", "order"),
    [
        ((2, 8), (2, 8), False, (0, 1)),
        ((8, 2), (2, 8), False, (1, 0)),
        ((8, 2), (2, 8), True, (1, 0)),
        ((8, 8), (8, 8), False, (0, 1)),
        ((8, 8), (8, 8), True, (1, 0)),
        ((1, 1, 8, 2), (2, 8), True, (1, 0)),
        ((2, 8, 1, 1), (2, 8), False, (0, 1)),
        ((3, 5, 2, 4), (4, 2, 3, 5), True, (2, 3, 1, 0)),
        ((4, 2), (4, 2, 1, 1), False, (0, 1, 2, 3)),
    ],
)
def test_layouts_lose_nothing(given, ours, inputs_first, order):
    turn = fitted(given, ours, inputs_first)
    assert turn.order == order
    array = np.arange(np.prod(ours)).reshape(ours)
    assert turn.theirs(array).shape == given
    assert np.array_equal(turn.ours(turn.theirs(array)), array)
    assert fitted((3, 7), (2, 8), inputs_first) is None
