"""Bounds of rounding: narrow, kept by correct arithmetic, and silent where nothing can be known.

That their values are the reference's and that every runtime keeps to them is in `test_parity.py`.
"""

from __future__ import annotations

import numpy as np
import pytest
from blocks import CASES

import attn_core as core
from attn_core import parity
from attn_core.interpreters.rounding import bounded
from attn_core.interpreters.rounding.arithmetic import DTYPES, Arithmetic, student
from attn_core.interpreters.rounding.number import EXACT, Rounded
from attn_core.parity.draws import draw

COMPUTED_TIES = "nl_gaussian_ties"  # equal pixels are computed with before they are pooled: errors choose the largest


@pytest.mark.parametrize("case", [case for case in CASES if case != COMPUTED_TIES])
def test_bounds_are_narrow(case: str):
    """In float32, half of the numbers of each array are known to 1e-4 of its largest, or of 1; of networks, too."""
    c = CASES[case]
    found = bounded(c.block, c.weights, c.inputs, c.cotangent, train=c.train)
    for name, array in found.values.arrays().items():
        assert np.median(found.bounds[name]) < 1e-4 * max(1.0, abs(array).max()), name


def arithmetic(dtype: str = "float32", width: float = 8.0) -> Arithmetic:
    return Arithmetic(DTYPES[dtype], width)


def rounded(values: np.ndarray, **options: object) -> Rounded:
    return Rounded(values, EXACT, arithmetic(**options), tracked=True)


@pytest.mark.parametrize("n", [10, 1000, 30000])
def test_a_long_sum_in_order(n: int):
    """The hardest case: float32, one addition after the other. The bound holds and is less than 30 times too wide."""
    rng = np.random.default_rng(n)
    errors, bounds = [], []
    for shift in (0.0, 1.0):
        x = (rng.standard_normal((20, n)) + shift).astype(np.float32)
        found = np.add.accumulate(x, 1, dtype=np.float32)[:, -1].astype(np.float64)
        wanted = rounded(x.astype(np.float64)).sum(1)
        errors.append(abs(found - wanted.value))
        bounds.append(wanted.bound)
    shares = np.array(errors) / bounds
    assert shares.max() < 1
    assert shares.max(1).min() > 1 / 30


def test_products_quotients_and_functions():
    """Each in float32 against its bound."""
    rng = np.random.default_rng(0)
    a, b = (rng.uniform(0.5, 2, 4000).astype(np.float32) for _ in range(2))
    x, y = rounded(a.astype(float)), rounded(b.astype(float))
    pairs = {
        "product": (a * b, x * y),
        "quotient": (a / b, x / y),
        "difference": (a - b, x - y),
        "exp": (np.exp(a), np.exp(x)),
        "log": (np.log(a), np.log(x)),
        "tanh": (np.tanh(a), np.tanh(x)),
        "root": (np.sqrt(a), np.sqrt(x)),
        "chain": (np.tanh(a * b) / np.sqrt(a + b), np.tanh(x * y) / np.sqrt(x + y)),
    }
    for name, (found, wanted) in pairs.items():
        shares = abs(found - wanted.value) / wanted.bound
        assert 1 / 30 < shares.max() < 1, name


@pytest.mark.parametrize("chance", [1e-4, 1e-9, 1e-12])
def test_students_distribution(chance: float):
    """Against its density, integrated."""
    import math

    t = student(chance, 32)
    factor = math.gamma(16.5) / math.gamma(16) / math.sqrt(32 * math.pi)
    x = t * np.exp(np.linspace(0, 8, 200001))
    tail = 2 * np.trapezoid(factor * (1 + x**2 / 32) ** -16.5, x)
    assert 0.8 < tail / chance < 1.25


def test_where_nothing_can_be_known():
    """Ties of maxima, numbers at the bend of a relu, a division by what may be 0: the bounds say so."""
    c = CASES[COMPUTED_TIES]
    tied = bounded(c.block, c.weights, c.inputs, c.cotangent)
    assert tied.bounds["output"].max() < 1e-5  # all runtimes find the maximum
    assert tied.bounds["grad:input"].max() >= 1  # but any of several pixels may have got the gradient
    near = np.array([[1.0 + 1e-9, 1.0]])
    largest = np.max(rounded(near) * rounded(np.ones((1, 2))), 1)
    assert largest.how.doubts["ties of maxima"] == 1
    doubtful = rounded(np.array([1.0 + 2e-9, 1.0 + 1e-9])) * rounded(np.array([1 / 3, 1 / 3])) - 1 / 3
    bent = np.where(doubtful.real > 0, doubtful, 0)
    assert (bent.bound >= doubtful.bound).all()
    assert ((1.0 / doubtful).bound > 1e20).all()


def test_numbers_beyond_the_dtype_have_no_bound():
    x = rounded(np.array([300.0, 2.0]), dtype="float16")
    assert ((x * x).bound > 1e20).tolist() == [True, False]


def test_a_wrong_epsilon_is_noticed():
    """A batch norm with eps 1e-5 in place of 2e-5."""
    c = CASES["sam_norm"]
    b = parity.sample_image(c.shape)
    drawn = draw(c.block, (b.shape,), 0)
    other = bounded(
        c.block, drawn.weights | {"norm.running_var": drawn.weights["norm.running_var"] + 1e-5}, drawn.given
    )
    wanted = bounded(c.block, drawn.weights, drawn.given)
    assert max(tensor.share for tensor in parity.compared(other.values, wanted)) > 1


def stn(**options: object) -> core.Block:
    return core.SpatialTransformer(3, features=2, kernel=3, pooled=2, hidden=3, **options)


SAMPLED = {
    "transformer": (stn(), ((2, 3, 5, 4),)),
    "transformer_of_a_size": (stn(size=3, padding="border"), ((2, 3, 5, 4),)),
    "transformer_of_lines": (stn(rank=1), ((2, 3, 9),)),
    "corners": (core.AffineSampler(4, align_corners=True), ((2, 2, 3, 5), (2, 2, 3))),
    "border": (core.AffineSampler(padding="border"), ((2, 2, 3, 5), (2, 2, 3))),
    "volume": (core.AffineSampler(rank=3), ((2, 2, 3, 2, 3), (2, 3, 4))),
}


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("case", SAMPLED)
def test_points_that_errors_take_over_a_pixel(case: str, dtype: str):
    """All that a runtime does is within bounds, and these are no larger than what the pixels could change."""
    block, shapes = SAMPLED[case]
    for seed in range(3):
        drawn = draw(block, shapes, seed, dtype)
        wanted = bounded(block, drawn.weights, drawn.given, drawn.cotangent, dtype)
        found = parity.runtime("torch").run(block, drawn.weights, drawn.given, drawn.cotangent, dtype)
        shares = {tensor.name: tensor.share for tensor in parity.compared(found, wanted)}
        assert max(shares.values()) <= 1, shares
        for name, array in wanted.values.arrays().items():
            assert wanted.bounds[name].max() < 1000 * abs(array).max(), name
            assert "no bound" not in wanted.remarks.get(name, "")


def test_a_point_on_a_pixel_by_hand():
    """One point of a line, half a unit of bfloat16 left of a pixel: what a runtime may find to its right."""
    line = np.array([[[1.0, 5.0, 2.0]]])
    at = np.array([[[0.0, -(2.0**-9)]]])  # 1 - 2**-9 * 1.5 pixels from the left
    block = core.AffineSampler(1, rank=1)
    found = bounded(block, {}, (line, at), np.ones((1, 1, 1)), "bfloat16")
    assert found.values.gradients["theta"][0, 0, 1] == pytest.approx(6)  # 4 for a pixel, 1.5 pixels for a unit
    assert found.bounds["grad:theta"][0, 0, 1] >= 6 + 4.5  # on the other side it is -3 for a pixel
    assert found.values.gradients["input"][0, 0, 2] == 0
    assert 2.0**-8 < found.bounds["grad:input"][0, 0, 2] < 0.2  # but the pixel there may get a little


BEYOND = [("float16", 1e2), ("bfloat16", 1e13), ("float32", 1e13)]  # images whose third powers are beyond the dtype


@pytest.mark.parametrize(("dtype", "large"), BEYOND)
def test_no_bound_is_said(dtype: str, large: float):
    """Of results beyond the dtype, whose infinities are no runtime's fault; the other sample is judged as it was."""
    block = core.NonLocal(4, mode="dot_product", rank=1)
    drawn = draw(block, ((2, 4, 5),), 0, dtype)
    x = drawn.image * np.array([1.0, large])[:, None, None]
    wanted = bounded(block, drawn.weights, x, drawn.cotangent, dtype)
    assert np.isfinite(wanted.bounds["output"][0]).all()
    none = np.isinf(wanted.bounds["output"]).sum()
    assert none > 0
    assert wanted.remarks["output"].startswith(f"no bound for {none} of 40 numbers")
    found = parity.runtime("torch").run(block, drawn.weights, x, drawn.cotangent, dtype)
    assert not np.isfinite(found.output[1]).all()
    assert max(tensor.share for tensor in parity.compared(found, wanted)) <= 1
    found.output[0, 0, 0] *= 2
    assert max(tensor.share for tensor in parity.compared(found, wanted)) > 1
