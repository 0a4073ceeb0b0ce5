"""What a maximum means: the first of equal numbers has the derivative, of two arrays both, and a NaN goes through."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import runtimes
from blocks import CASES
from runtimes import need

import attn_core as core
from attn_core import parity, reference
from attn_core.interpreters.reference import ops
from attn_core.interpreters.rounding import bounded
from attn_core.interpreters.trace import trace

# Blocks whose way from image to output has a maximum, a relu, or both.
SPOILT = {
    "se": core.SqueezeExcitation(4, 2),
    "cam": core.ChannelAttention(4, 2),
    "cam_max": core.ChannelAttention(4, 2, pools="max"),
    "sam": core.SpatialAttention(3),
    "cbam": core.CBAM(4, 2, 3),
    "pool": core.GlobalPooling(),
}


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf], ids=str)
@pytest.mark.parametrize("name", SPOILT)
def test_what_is_not_finite_goes_where_it_goes_in_the_reference(runtime: str, name: str, bad: float):
    """A sample with a spoilt pixel, and one without: nothing is hidden by a maximum or a relu, nothing leaks."""
    block = SPOILT[name]
    image = parity.sample_image((2, 4, 3, 5))
    image[0, 1, 2, 3] = bad
    weights = core.initialise(block)
    with np.errstate(invalid="ignore", over="ignore"):
        wanted = core.evaluate(block, weights, image)
    found = runtimes.run(runtime, block, weights, image).output
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    np.testing.assert_array_equal(np.isinf(found), np.isinf(wanted))
    assert np.isfinite(wanted[1]).all()
    assert not np.isfinite(wanted[0]).all()


def test_complex_steps_go_to_the_first():
    """NumPy's own order of complex numbers would give the derivative to the largest imaginary part."""
    line = np.array([[[1.0, 3.0, 3.0, 3.0]]]) + 1j * reference.ops.STEP * np.array([[[5.0, 1.0, 2.0, 7.0]]])
    assert ops.global_max(line).imag == reference.ops.STEP
    assert line.max(-1).imag == 7 * reference.ops.STEP


def test_products_of_zeros_are_tied():
    """Two numbers that carry a step have its square in their product: it must turn no tie of zeros."""
    dead = np.zeros((1, 3, 2)) + 1j * reference.ops.STEP * np.arange(6.0).reshape(1, 3, 2)
    gate = np.array([[1.0, 1.0, 1.0]]) + 1j * reference.ops.STEP * np.array([[-1.0, 4.0, -2.0]])
    scaled = ops.scale(dead, gate)
    assert (scaled.real != 0).any()
    np.testing.assert_array_equal(ops.channel_max(scaled).imag / reference.ops.STEP, [[[0.0, 1.0]]])


def test_ties_without_error_are_no_doubt():
    """Bounds of a gradient are loose where errors could turn a maximum; equal zeros are equal in every runtime."""
    block, dead = core.GlobalPooling("max"), np.zeros((1, 2, 3, 3))
    found = bounded(block, {}, dead, np.ones((1, 2)))
    assert found.bounds["grad:input"].max() < 1e-5
    np.testing.assert_array_equal(found.values.gradients["input"][0, 0], [[1, 0, 0], [0, 0, 0], [0, 0, 0]])


# ---- compiled --------------------------------------------------------------------------------------------------------


def attended(largest: Any, x: Any, weight: Any, bias: Any) -> Any:
    """Return a sum that scales an image by its maxima; XLA has reason to compute the image twice."""
    import jax

    image = x * weight + bias
    channels = largest(image, 1)
    scaled = image * jax.nn.sigmoid(channels)
    pixels = largest(scaled, 2)
    return (scaled * jax.nn.sigmoid(pixels)).sum() + channels.sum()


def test_compiled_gradients_find_their_maximum():
    """The same as by `argmax`; `jnp.max`, whose gradient asks which numbers equal the maximum, is NaN here."""
    need("nnx")
    import jax
    import jax.numpy as jnp

    from attn_jax.ops import _largest

    rng = np.random.default_rng(0)
    x, weight, bias = (jnp.asarray(rng.standard_normal(s), jnp.float32) for s in ((4, 196, 64), (64,), (64,)))

    def by_index(x: Any, axis: int) -> Any:
        return jnp.take_along_axis(x, jnp.argmax(x, axis, keepdims=True), axis)

    def gradient(largest: Any) -> Any:
        return np.asarray(jax.jit(jax.grad(lambda x: attended(largest, x, weight, bias)))(x))

    assert np.abs(gradient(_largest) - gradient(by_index)).max() < 1e-3  # a gradient that found none is off by 1


def test_no_index_without_a_derivative():
    """Only who asks for a derivative pays for the index."""
    need("nnx")
    import jax
    import jax.numpy as jnp

    from attn_jax import ops as primitives

    for primitive in (primitives.global_max, primitives.channel_max):
        program = str(jax.make_jaxpr(primitive)(jnp.ones((2, 3, 4, 5))))
        forward, _, derivative = program.partition("jvp_jaxpr_fun")
        assert "reduce_max" in forward
        assert "argmax" not in forward + derivative


# PyTorch's own, raised when derivatives are first carried forwards.
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_torch_takes_no_index_without_a_derivative():
    need("torch")
    import torch
    from torch.autograd import forward_ad
    from torch.utils._python_dispatch import TorchDispatchMode

    from attn_torch import ops as primitives

    x = torch.zeros(1, 2, 3, 3)
    ran: list[str] = []

    class Noting(TorchDispatchMode):
        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            ran.append(str(function))
            return function(*args, **(kwargs or {}))

    with torch.no_grad(), Noting():
        primitives.global_max(x)
    assert "aten.amax.default" in ran
    assert "aten.max.dim" not in ran
    moving = torch.arange(18.0).reshape(x.shape)
    with torch.no_grad(), forward_ad.dual_level():
        _, moved = forward_ad.unpack_dual(primitives.global_max(forward_ad.make_dual(x, moving)))
    np.testing.assert_array_equal(moved, [[0.0, 9.0]])  # the first pixel's, also forwards and without a tape


# ---- cases with ties -------------------------------------------------------------------------------------------------

# What a maximum was taken of, and what it is: whether some maximum is in several places.
TIES = {
    "global_max": lambda x, y: (x == y.reshape(*y.shape, *(1,) * (x.ndim - 2))).sum(tuple(range(2, x.ndim))).max() > 1,
    "channel_max": lambda x, y: (x == y).sum(1).max() > 1,
    "max_pool": lambda x, y: (x.min() >= 0) & (y == 0).any(),  # a window of zeros, as after a relu
}


def test_every_maximum_meets_ties():
    """A block that takes a maximum itself, not by a part that is a block, has a case where maxima are tied."""
    takes, meets = set(), set()
    for case in CASES.values():
        for step in trace(case.block, case.weights, case.inputs, case.train):
            if step.name in TIES:  # of the block itself: those of its parts have the part's name before theirs
                taken = type(case.block).__name__, step.name
                takes.add(taken)
                if TIES[step.name](step.inputs[0], step.output):
                    meets.add(taken)
    assert takes == meets
    assert {name for name, _ in takes} == {
        "ChannelAttention",
        "SpatialAttention",
        "GlobalPooling",
        "NonLocal",
        "SEResNet",
        "TripletAttention",
    }


# ---- ties under transformations --------------------------------------------------------------------------------------

# Two samples of two channels, 2 x 3: a dead channel, ties of numbers above zero. The gradient of the sum of all maxima.
TIED = np.array(
    [[[[0, 0, 0], [0, 0, 0]], [[1, 3, 3], [0, 3, 1]]], [[[2, 2, 2], [2, 2, 2]], [[2, 2, 2], [2, 2, 2]]]], float
)
FIRST = np.zeros(TIED.shape)
FIRST[0, 0] = [[1, 0, 0], [1, 0, 0]]  # of the channel; of the second row's first pixel, where both channels are 0
FIRST[0, 1] = [[1, 2, 1], [0, 1, 1]]
FIRST[1, 0] = [[2, 1, 1], [1, 1, 1]]
FIRST[1, 1] = [[1, 0, 0], [0, 0, 0]]
GRADIENT = FIRST + (TIED > 1) + (TIED == 1) / 2  # and of the larger of each number and 1


def test_the_table_of_ties():
    """What is compared below, by NumPy's complex steps: pixel by pixel, the derivative of the sum."""
    found = np.zeros(TIED.shape)
    for place in np.ndindex(TIED.shape):
        stepped = TIED.astype(complex)
        stepped[place] += 1j * reference.ops.STEP
        largest = ops.global_max(stepped), ops.channel_max(stepped), ops.maximum(stepped, np.ones(TIED.shape))
        found[place] = sum(numbers.imag.sum() for numbers in largest) / reference.ops.STEP
    np.testing.assert_array_equal(found, GRADIENT)


def test_ties_in_jax():
    need("nnx")
    import jax
    import jax.numpy as jnp

    from attn_jax import ops as primitives

    def total(x: Any) -> Any:
        larger = primitives.maximum(x, jnp.ones_like(x))
        return primitives.global_max(x).sum() + primitives.channel_max(x).sum() + larger.sum()

    x = jnp.asarray(np.moveaxis(TIED, 1, -1))
    back = jax.grad(total)

    def forwards(x: Any) -> Any:
        steps = jnp.eye(x.size).reshape(x.size, *x.shape)
        return jax.vmap(lambda step: jax.jvp(total, (x,), (step,))[1])(steps).reshape(x.shape)

    ways = {
        "grad": back,
        "jit": jax.jit(back),
        "vmap": lambda x: jax.vmap(jax.grad(lambda one: total(one[None])))(x),
        "vmap of jit": lambda x: jax.vmap(jax.jit(jax.grad(lambda one: total(one[None]))))(x),
        "checkpoint": jax.grad(jax.checkpoint(total)),
        "scan": lambda x: jax.lax.scan(lambda carry, one: (carry, jax.grad(lambda y: total(y[None]))(one)), 0, x)[1],
        "jvp": forwards,
        "linearize": lambda x: jax.linear_transpose(jax.linearize(total, x)[1], x)(jnp.ones(()))[0],
    }
    for way, gradient in ways.items():
        np.testing.assert_array_equal(np.moveaxis(np.asarray(gradient(x)), -1, 1), GRADIENT, err_msg=way)


# PyTorch's own, raised when derivatives are first carried forwards.
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_ties_in_torch():
    need("torch")
    import torch
    from torch.utils.checkpoint import checkpoint

    from attn_torch import ops as primitives

    def total(x: Any) -> Any:
        larger = primitives.maximum(x, torch.ones_like(x))
        return primitives.global_max(x).sum() + primitives.channel_max(x).sum() + larger.sum()

    def taped(function: Any) -> Any:
        x = torch.tensor(TIED, requires_grad=True)
        function(x).backward()
        return x.grad

    def one(x: Any) -> Any:
        return total(x[None])

    x = torch.tensor(TIED)
    steps = torch.eye(x.numel(), dtype=x.dtype).reshape(x.numel(), *x.shape)
    ways = {
        "autograd": taped(total),
        "checkpoint": taped(lambda x: checkpoint(total, x, use_reentrant=False)),
        "reentrant checkpoint": taped(lambda x: checkpoint(total, x, use_reentrant=True)),
        "compiled": taped(torch.compile(total, backend="aot_eager")),
        "inductor": taped(torch.compile(total)),
        "grad": torch.func.grad(total)(x),
        "vmap": torch.vmap(torch.func.grad(one))(x),
        "jvp": torch.vmap(lambda step: torch.func.jvp(total, (x,), (step,))[1])(steps).reshape(x.shape),
    }
    torch.compiler.reset()
    for way, gradient in ways.items():
        np.testing.assert_array_equal(gradient, GRADIENT, err_msg=way)


@pytest.mark.parametrize("name", [name for name in runtimes.FRAMEWORKS if name.startswith("keras")])
def test_ties_in_keras(name: str):
    backend = need(name).removeprefix("keras-")
    for way, gradient in runtimes.in_keras(backend, "keras_checks", "tied_gradients", TIED).items():
        np.testing.assert_array_equal(gradient, GRADIENT, err_msg=way)


# Along axes that are cut into pieces and such that are not: of 1, a prime, and products. Few numbers, so many ties.
LINES = {(shape, axis) for shape in ((3, 1, 4), (2, 7, 3), (2, 64, 3), (2, 3, 36), (2, 91, 1)) for axis in (1, 2)}


def tied_lines(axis: int, shape: tuple[int, ...], first: float) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers, the first of them given, and ones where the first of the largest along an axis is."""
    x = np.random.default_rng(axis).integers(0, 4, shape).astype(float)
    x[(0,) * len(shape)] = first
    wanted = np.zeros(shape)
    np.put_along_axis(wanted, x.argmax(axis, keepdims=True), 1.0, axis)
    return x, wanted


@pytest.mark.parametrize(("shape", "axis"), sorted(LINES))
def test_the_first_is_found_in_pieces_in_jax(shape: tuple[int, ...], axis: int):
    need("nnx")
    import jax

    from attn_jax.maxima import largest

    x, wanted = tied_lines(axis, shape, np.nan)
    np.testing.assert_array_equal(largest(x, axis), x.max(axis, keepdims=True))
    np.testing.assert_array_equal(jax.grad(lambda x: largest(x, axis).sum())(x), wanted)


def test_few_numbers_are_looked_at_one_by_one():
    """Of 56 x 56 pixels, 56 maxima of pieces and 56 numbers of a piece."""
    need("nnx")
    import jax

    from attn_jax.maxima import largest

    x = jax.ShapeDtypeStruct((2, 56 * 56, 3), "float32")
    program = jax.make_jaxpr(jax.grad(lambda x: largest(x, 1).sum()))(x)
    sizes = [step.invars[0].aval.shape for step in program.eqns if step.primitive.name == "argmax"]
    assert sizes == [(2, 56, 3)] * 2


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_the_first_is_found_in_pieces_in_keras(backend: str):
    need(f"keras-{backend}")
    lines = {(shape, axis): tied_lines(axis, shape, np.inf) for shape, axis in sorted(LINES)}
    given = {key: x for key, (x, _) in lines.items()}
    for key, (value, gradient) in runtimes.in_keras(backend, "keras_checks", "moved_lines", given).items():
        x, wanted = lines[key]
        np.testing.assert_array_equal(value, x.max(key[1], keepdims=True))
        np.testing.assert_array_equal(gradient, wanted, err_msg=str(key))


@pytest.mark.parametrize("name", ["cam", "sam", "cbam", "pool"])
def test_keras_maxima_convert_to_tflite(name: str, tmp_path: Any):
    """With built-in operations alone, and equal numbers."""
    runtimes.in_keras(need("keras-tensorflow").removeprefix("keras-"), "keras_checks", "as_tflite", SPOILT[name])
