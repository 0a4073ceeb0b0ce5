"""Two layers of any frameworks against each other."""

from __future__ import annotations

import re

import pytest
from runtimes import in_keras, need

from attn_core.parity import ForeignError, ParityError, assert_parity

need("torch")
need("nnx")

import foreign_torch as theirs  # noqa: E402
import jax  # noqa: E402
import torch  # noqa: E402
from flax import nnx  # noqa: E402
from torch import nn  # noqa: E402

import attn_jax.nnx  # noqa: E402
import attn_torch  # noqa: E402

SMALL = {"shape": (2, 8, 4, 3), "draws": 2}
MODEL = {"shape": (2, 4, 5, 4), "draws": 2, "mapping": {"conv": "first", "linear": "second"}}


class Torch(nn.Module):
    """No block that is known."""

    def __init__(self):
        super().__init__()
        self.conv, self.linear = nn.Conv2d(4, 6, 3, padding=1), nn.Linear(6, 6)

    def forward(self, x):
        return torch.tanh(self.linear(self.conv(x).movedim(1, -1))).movedim(-1, 1)


class Nnx(nnx.Module):
    def __init__(self, activation=jax.nn.tanh, hidden: int = 6):
        rngs = nnx.Rngs(0)
        self.first, self.second = nnx.Conv(4, hidden, (3, 3), rngs=rngs), nnx.Linear(hidden, 6, rngs=rngs)
        self.activation = activation

    def __call__(self, x):
        return self.activation(self.second(self.first(x)))


@pytest.fixture(autouse=True)
def seed() -> None:
    """Let layers start from the same weights."""
    torch.manual_seed(0)


def refused(*args, **options) -> list[str]:
    with pytest.raises(ParityError) as caught:
        assert_parity(*args, **options)
    return str(caught.value).splitlines()


def test_two_of_one_block():
    checked = assert_parity(theirs.SE(), theirs.SE(), **SMALL)
    assert checked.how == "as SqueezeExcitation(channels=8, hidden=2), by the dialect cadene.SEModule"
    ours = attn_jax.nnx.SqueezeExcitation(8, 4, rngs=nnx.Rngs(0))
    checked = assert_parity(theirs.SE(), ours, **SMALL)
    assert checked.cells[0].runtime == "torch and nnx"
    ways = "by the dialect cadene.SEModule and as one of our layers"
    assert checked.how == f"as SqueezeExcitation(channels=8, reduction=4), {ways}"


def test_message_says_which_of_the_two_is_the_block():
    lines = refused(theirs.SE(), attn_torch.SqueezeExcitation(8, 4, activation="silu"), **SMALL)
    assert lines[0].startswith("The PyTorch module SE is not the PyTorch module SqueezeExcitation in eval, float32")
    assert lines[1].startswith("  output[")
    assert "It matches with activation='relu'" in "\n".join(lines)
    assert lines[-1] == (
        "The PyTorch module SqueezeExcitation is SqueezeExcitation(channels=8, reduction=4, activation='silu')."
    )


def test_statistics_of_another_variance_are_left_out():
    ours = attn_torch.SpatialAttention(3, norm=True), attn_jax.nnx.SpatialAttention(3, norm=True, rngs=nnx.Rngs(0))
    checked = assert_parity(*ours, modes=["eval", "train"], **SMALL)
    assert "stat:norm.running_mean" in checked.tensors
    assert "stat:norm.running_var" not in checked.tensors


def test_without_a_definition_the_bound_is_measured():
    assert assert_parity(Torch(), Nnx(), **MODEL).how == "by the map given"
    lines = refused(Torch(), Nnx(jax.nn.soft_sign), **MODEL)
    assert lines[-1] == (
        "There is no definition to derive a bound from: the bound was measured, 16 times how far the second moves "
        "when every number that goes in is rounded another way."
    )


def test_a_layer_that_raises():
    """The first or the second: neither is a difference of numbers."""
    said = "The PyTorch module Raising raised RuntimeError: no such kernel, on an image (2, 8, 4, 3) in eval."
    for pair in ((theirs.Raising(), theirs.SE()), (theirs.SE(), theirs.Raising())):
        with pytest.raises(ForeignError, match=f"^{re.escape(said)}$"):
            assert_parity(*pair, **SMALL)
    with pytest.raises(ForeignError, match=r"missing 1 required positional argument: 'like', .* wrap it in a layer"):
        assert_parity(theirs.SE(), theirs.Needy(), **SMALL)


def test_refusals():
    held = (
        "the PyTorch module Torch has conv.weight, conv.bias, linear.weight, linear.bias; "
        "the NNX module Nnx has first/bias, first/kernel, second/bias, second/kernel"
    )
    unknown = f"The arrays of the two are of no block that is known here: {held}. Give a map from the first's names."
    with pytest.raises(ForeignError, match=f"^{re.escape(unknown)}$"):
        assert_parity(Torch(), Nnx(), shape=(2, 4, 5, 4))
    half = f"The arrays of the two do not map onto each other: {held}. Give a map from the first's names."
    with pytest.raises(ForeignError, match=f"^{re.escape(half)}$"):
        assert_parity(Torch(), Nnx(), **MODEL | {"mapping": {"conv": "first"}})
    misfit = "the PyTorch module Torch: conv.weight (6, 4, 3, 3) cannot be the other's first.weight (5, 4, 3, 3)."
    with pytest.raises(ForeignError, match=f"^{re.escape(misfit)}$"):
        assert_parity(Torch(), Nnx(hidden=5), **MODEL)


def test_pytorch_and_keras():
    need("keras-torch")
    assert in_keras("torch", "foreign_keras", "twins", "relu") == ""
    lines = in_keras("torch", "foreign_keras", "twins", "silu").splitlines()
    assert lines[0].startswith("The PyTorch module SE is not the Keras layer SELayer in eval, float32")
    assert "The PyTorch module SE is SqueezeExcitation(channels=8, hidden=2)." in lines
