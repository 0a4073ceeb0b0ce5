"""The reference against loops written from the paper's equations, and its gradients against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from blocks import CASES, NAIVE

import attn_core as core
from attn_core import parity, reference


@pytest.mark.parametrize("case", CASES)
def test_output(case: str):
    c = CASES[case]
    weights = {name: array.astype(float) for name, array in c.weights.items()}
    options = {"train": True} if c.train else {}
    wanted = NAIVE[type(c.block)](c.block, weights, *c.given, **options)
    assert parity.error(core.evaluate(c.block, c.weights, c.inputs, c.train), wanted) < 1e-13


# Where maxima are tied a derivative jumps, and a difference straddles the jump: recordings judge those cases.
SMOOTH = [name for name, case in CASES.items() if not case.ties]


@pytest.mark.parametrize("case", SMOOTH)
def test_gradients_are_those_of_finite_differences(case: str):
    """Along one random direction through all arrays at once; by the chain rule, as `test_parity.py` compares them."""
    c, rng, step = CASES[case], np.random.default_rng(5), 1e-6
    gradients = c.bounded().values.gradients
    arrays = dict(zip(c.block.inputs, c.given, strict=True)) | {
        n: value.astype(float) for n, value in c.weights.items()
    }
    trainable = {name for name, array in c.block.arrays().items() if array.trainable}
    assert gradients.keys() == {*c.block.inputs, *trainable}
    # What gradients leave out by definition does move the output.
    moving = [name for name in gradients if name not in (*c.still, *c.cut)]
    direction = {name: rng.standard_normal(gradients[name].shape) for name in moving}

    def value(distance: float) -> float:
        moved = arrays | {name: arrays[name] + distance * direction[name] for name in direction}
        inputs = tuple(moved.pop(name) for name in c.block.inputs)
        return float((core.evaluate(c.block, moved, inputs, c.train) * c.cotangent).sum())

    slope = (value(step) - value(-step)) / (2 * step)
    along = sum((gradients[name] * direction[name]).sum() for name in direction)
    assert abs(slope - along) < 1e-7 * max(1, abs(slope))
    assert abs(reference.slope(c.block, c.weights, c.inputs, c.cotangent, direction, c.train) - along) < 1e-12 * max(
        1, abs(along)
    )


def test_gates_lie_between_0_and_1():
    c = CASES["default"]
    gate = reference.gates(c.block, c.weights, c.image)["channel"]
    assert gate.shape == (2, 32)
    assert ((gate > 0) & (gate < 1)).all()
    assert np.ptp(gate) > 0.1


def test_gates_do_not_depend_on_where_a_pixel_is():
    c = CASES["default"]
    shuffled = np.random.default_rng(0).permuted(c.image, axis=2)
    first, second = (reference.gates(c.block, c.weights, x)["channel"] for x in (c.image, shuffled))
    assert parity.error(first, second) < 1e-15


def test_wrong_input_is_explained():
    c = CASES["default"]
    with pytest.raises(core.ShapeError, match="reduce: Dense expects 32 features, got"):
        core.evaluate(c.block, c.weights, c.image[:, :16])


def test_unproven_names_the_weights_that_an_input_ignores():
    block = core.SqueezeExcitation(8, 2)
    dead = core.initialise(block) | {"reduce.bias": np.full(4, -100.0)}
    x = parity.sample_image((2, 8, 3, 3))
    assert parity.unproven(block, dead, x) == ["reduce.weight", "reduce.bias", "expand.weight"]


def test_errors_are_infinite_for_nan_and_other_shapes():
    assert parity.error([1.0, np.nan], [1.0, 2.0]) == np.inf
    assert parity.error([1.0, 2.0], [[1.0, 2.0]]) == np.inf
    assert parity.error([1.0, 102.0], [1.0, 100.0]) == 0.02
    assert parity.error([0.1], [0.2]) == 0.1
