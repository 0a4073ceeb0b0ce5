"""Each primitive and each part alone, in every runtime: outputs, gradients and running statistics."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import runtimes
from bounds import BIASED, COMPILED, FLOAT64
from bounds import RUNS as RUNTIMES
from cases import Case
from probes import APPLIED, CHANNELS, PARTS, PRIMITIVES, Probe
from runtimes import need
from tiers import TWINS, sample

from attn_core import parity
from attn_core.parity import Outcome
from attn_core.spec.primitives import Primitives

SHAPES = {
    "line": (3, CHANNELS, 5),
    "odd": (3, CHANNELS, 5, 3),
    "volume": (2, CHANNELS, 3, 2, 1),  # one pixel wide
    "one_pixel": (3, CHANNELS, 1, 1),
}
TRAINED = ("batch_norm", "running", "dropout")
STEPS = [(step, False) for step in (*PRIMITIVES, *PARTS)] + [(step, True) for step in TRAINED]
PRODUCTS = (
    "multiply",
    "einsum",
    "attend",
    "over_positions",
    "batch_mean",
    "stop_gradient",
    "running",
    "matrices",
)  # whose true values are beyond float16
NAMES = sorted({name for name, _ in RUNTIMES})
WHOLE = ("max_pool", "max_pool_overlapping", "conv_valid", "conv_valid_strided")  # one pixel holds no window of theirs
# Linen and NNX have the same primitives, so those are run once; parts are their own.
RUNS = [
    (name, *step, shape)
    for name in NAMES
    for step in STEPS
    for shape in SHAPES
    if (name != "linen" or step[0] in PARTS) and (shape != "one_pixel" or step[0] not in WHOLE)
]


def theta(rank: int, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Draw transforms that put the sampling points inside and outside of the image, none on a pixel's centre."""
    return np.eye(rank, rank + 1) + 0.3 * rng.standard_normal((samples, rank, rank + 1))


def case(step: str, train: bool, shape: str) -> Case:
    sizes = SHAPES[shape]
    rank = len(sizes) - 2
    more = (theta(rank, sizes[0], np.random.default_rng(1)),) if step.startswith("sample") else ()
    return Case(Probe(step, rank), sizes, seed=5, train=train, more=more)


@cache
def expected(step: str, train: bool, shape: str, unbiased: bool) -> Outcome:
    return case(step, train, shape).expected(unbiased=unbiased)


def ordinary(run: tuple[str, str, bool, str]) -> bool:
    """Say whether a step is run there on this shape: what is compiled, on two of them; twins, on one."""
    name, _, _, shape = run
    return name not in COMPILED or shape == "odd" or (shape == "volume" and name not in TWINS)


@pytest.mark.parametrize(
    ("name", "step", "train", "shape"),
    sample(RUNS, ordinary, "the same step there on other shapes"),
    ids=lambda v: v if isinstance(v, str) else "train" if v else "eval",
)
def test_step(name: str, step: str, train: bool, shape: str):
    need(name)
    c = case(step, train, shape)
    wanted = expected(step, train, shape, not (train and name in BIASED))
    single = name not in COMPILED or (shape == "odd" and name not in TWINS)
    for dtype in (dtype for runtime, dtype in RUNTIMES if runtime == name and (dtype == "float64" or single)):
        found = runtimes.run(name, c.block, c.weights, c.inputs, c.cotangent, dtype, train)
        if dtype == "float64":
            beyond = {key: e for key, e in parity.errors(found, wanted).items() if not e <= FLOAT64}
        else:
            bounds = c.bounded(dtype, unbiased=not (train and name in BIASED))
            beyond = {tensor.name: tensor.share for tensor in parity.compared(found, bounds) if not tensor.passed}
        assert not beyond, (dtype, beyond)


FINITE = [step for step in (*PRIMITIVES, *PARTS) if not step.startswith(PRODUCTS)]
HALVES = [(name, step) for name in NAMES if name != "linen" for step in FINITE]


def not_twice(run: tuple[str, str]) -> bool:
    """Say whether this is not Keras on JAX, but for parts: `nnx` runs the same functions of JAX."""
    return run[0] != "keras-jax" or run[1] in PARTS


@pytest.mark.parametrize(("name", "step"), sample(HALVES, not_twice, "the same step in nnx"))
def test_large_activations_stay_finite_in_half_precision(name: str, step: str):
    """Means, norms and softmax of 1e4 in float16, whose largest number is 65504; bfloat16 reaches as far as float32."""
    c = case(step, False, "odd")
    image = np.clip(1e4 * c.image / np.abs(c.image).max(), -1e4, 1e4)
    inputs = (image, *c.inputs[1:]) if c.more else image
    weights = {key: np.sign(array) * np.minimum(np.abs(array), 0.2) for key, array in c.weights.items()}
    found = runtimes.run(need(name), c.block, weights, inputs, dtype="float16")
    assert np.isfinite(found.output).all()


def test_every_primitive_and_part_is_tested():
    from attn_core.spec import Part, parts

    names = {name for name in vars(Primitives) if not name.startswith("_")}
    used = " ".join(PRIMITIVES)
    inside = {"affine_grid", "ungroup", "to_image", "normalise", "sample"}
    assert {name for name in names if name not in used} <= inside
    kinds = {kind for kind in vars(parts).values() if isinstance(kind, type) and issubclass(kind, Part)} - {Part}
    assert {type(make(2)) for make in PARTS.values()} == kinds
    assert APPLIED.keys() <= PARTS.keys()
