"""Every runtime computes what the reference computes: outputs, gates, and the gradients of input and weights."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import ml_dtypes
import numpy as np
import pytest
import runtimes
from blocks import CASES, EXAMPLES
from bounds import BIASED, COMPILED, HALF, RUNS, assert_agrees
from runtimes import FRAMEWORKS, need
from tiers import TWINS, ordinary_case, sample

import attn_core as core
from attn_core import parity, reference
from attn_core.interpreters.rounding import Bounded, bounded
from attn_core.parity import Outcome

NUMBERED = 1200  # numbers of a case that are differentiated one by one in the ordinary tier


@cache
def wanted(case: str, dtype: str = "float32", unbiased: bool = True) -> Bounded:
    return CASES[case].bounded(dtype, unbiased=unbiased)


# (In float32, `test_matrix.py` runs other configurations everywhere.)
SOME = {name for name, case in CASES.items() if case in EXAMPLES.values()}
OUTCOMES = [
    (name, dtype, case)
    for name, dtype in RUNS
    for case in CASES
    if dtype in CASES[case].dtypes and (dtype == "float64" or name not in COMPILED or case in SOME)
]
AGREES = "the block's first cases in that runtime, and all in torch"


@pytest.mark.parametrize(("name", "dtype", "case"), sample(OUTCOMES, ordinary_case, AGREES))
def test_outcome(name: str, dtype: str, case: str):
    c = CASES[case]
    found = runtimes.run(need(name), c.block, c.weights, c.inputs, c.cotangent, dtype, c.train)
    bounds = wanted(case, dtype, not (c.train and name in BIASED))
    assert_agrees(found, bounds, dtype, c.still)


SMALL = [case for case in CASES if CASES[case].numbers <= NUMBERED]


@pytest.mark.parametrize("case", sample(CASES, SMALL.__contains__, "test_bounds_stand_beside_the_references_slopes"))
def test_bounds_stand_beside_the_references_gradients(case: str):
    """There by the chain rule, in the reference by complex steps, number by number."""
    assert max(parity.errors(wanted(case).values, CASES[case].expected()).values()) < 1e-13


@pytest.mark.parametrize("case", CASES)
def test_bounds_stand_beside_the_references_slopes(case: str):
    """Along a random direction of each array."""
    c, rng = CASES[case], np.random.default_rng(7)
    for name, gradient in wanted(case).values.gradients.items():
        direction = rng.standard_normal(gradient.shape)
        slope = reference.slope(c.block, c.weights, c.inputs, c.cotangent, {name: direction}, c.train)
        assert abs(slope - (gradient * direction).sum()) < 1e-12 * max(1, np.abs(gradient * direction).sum()), name


@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_bounds_stand_beside_the_references_values(case: str, unbiased: bool):
    c = CASES[case]
    values = replace(wanted(case, unbiased=unbiased).values, gradients={})
    plain = parity.expected(c.block, c.weights, c.inputs, train=c.train, unbiased=unbiased)
    assert max(parity.errors(values, plain).values()) < 1e-13


@pytest.mark.parametrize("case", CASES)
def test_case_proves_every_weight(case: str):
    """Each single number of each weight moves the output: none is behind a unit that never fires."""
    c = CASES[case]
    running = [name for name, array in c.block.arrays().items() if not array.trainable and c.train]
    assert set(parity.unproven(c.block, c.weights, c.inputs, c.train)) <= {*running, *c.still}
    for name, gradient in wanted(case).values.gradients.items():
        if name != "input":  # of which a maximum sees one number only
            alive = (abs(gradient) > 1e-13).mean()
            assert alive == 0 if name in c.still else alive >= c.alive, name


def test_what_one_side_lacks_is_an_infinite_error():
    c = CASES["line"]
    whole = wanted("line").values
    bare = Outcome(whole.output, {}, {})
    assert parity.errors(bare, whole)["grad:input"] == np.inf
    assert parity.errors(whole, bare)["gate:channel"] == np.inf
    assert parity.errors(bare, bare) == {"output": 0.0}
    with pytest.raises(TypeError, match="compares real arrays"):
        parity.error([1 + 5j], [1.0])
    with pytest.raises(ValueError, match="There is no runtime 'pytorch'; the runtimes are torch, keras, linen, nnx"):
        parity.runtime("pytorch").run(c.block, c.weights, c.image)


def test_keras_channels_first(keras_backend: str):
    """Dense layers and means need no convolution, so this layout runs on every backend."""
    c = CASES["default"]
    options = {"dtype": "float32", "data_format": "channels_first"}
    found = runtimes.run(f"keras-{keras_backend}", c.block, c.weights, c.image, c.cotangent, **options)
    assert_agrees(found, wanted("default"), "float32")


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_keeps_to_the_rounding_of_its_inputs(runtime: str, dtype: str):
    """A large offset with a large area: a mean summed in half precision would be infinite or stuck."""
    block = core.SqueezeExcitation(8, 2)
    weights = CASES["line"].weights
    x = 30 + parity.sample_image((1, 8, 56, 56))
    found = runtimes.run(runtime, block, weights, x, dtype=dtype)
    assert parity.errors(found, parity.expected(block, weights, x))["output"] < HALF[dtype]


HALVES = [(runtime, name, dtype) for runtime in FRAMEWORKS for name in EXAMPLES for dtype in HALF]


def ordinary_half(run: tuple[str, str, str]) -> bool:
    """Say whether a block is run there: where it is compiled, in float16 alone, whose range is the smaller one.

    Twins run one block for each type: what they round, the primitives round that they share with others.
    """
    runtime, name, dtype = run
    if runtime in TWINS:
        return name == "SqueezeExcitation"
    return runtime not in COMPILED or dtype == "float16"


@pytest.mark.parametrize(("runtime", "name", "dtype"), sample(HALVES, ordinary_half, "float16, the block in nnx"))
def test_half_precision_of_every_block(runtime: str, name: str, dtype: str):
    """Outputs are within the bounds that are derived for the type, of the image and weights rounded to it."""
    c, runtime = EXAMPLES[name], need(runtime)
    rounded = tuple(as_type(array, dtype) for array in c.given)
    weights = {key: as_type(array, dtype) for key, array in c.weights.items()}
    wanted = bounded(c.block, weights, rounded if len(rounded) > 1 else rounded[0], dtype=dtype)
    found = runtimes.run(runtime, c.block, c.weights, c.inputs, dtype=dtype)
    assert (np.abs(found.output - wanted.values.output) <= wanted.bounds["output"]).all()


def as_type(array: np.ndarray, dtype: str) -> np.ndarray:
    """Round to the numbers of a type."""
    return array.astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype).astype(np.float64)


def test_half_precision_is_finite_for_large_activations(runtime: str):
    case = CASES["line"]
    found = runtimes.run(runtime, case.block, case.weights, np.full((1, 8, 64, 64), 1e4), dtype="float16")
    assert np.isfinite(found.output).all()
    assert abs(found.output).max() > 1e3
