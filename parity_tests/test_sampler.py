"""Spatial transformers: the sampler against recordings of PyTorch's own, and the identity against the image itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pytest
import runtimes
from blocks import CASES, affine_sampler
from bounds import COMPILED, RECORDED, RUNS
from cases import Case
from runtimes import GOLDEN, need, recipe
from tiers import sample

import attn_core as core
from attn_core import parity, reference
from attn_core.blocks.grid_sampler import ORDERS
from attn_core.interpreters.reference import ops
from attn_core.interpreters.reference.parts import Arrays, State, bind
from attn_core.spec.primitives import PADDINGS

Array = np.ndarray


@dataclass(frozen=True)
class Sampled:
    """One of the recorded samplers, on one of the recorded images, in the layout BCHW."""

    folder: str
    align_corners: bool
    padding: str

    @property
    def meta(self) -> dict:
        return recipe().load(GOLDEN / self.folder)[0]

    @property
    def block(self) -> core.AffineSampler:
        size = tuple(self.meta["output_size"])
        return core.AffineSampler(size, align_corners=self.align_corners, padding=self.padding)

    @property
    def inputs(self) -> tuple[Array, Array]:
        """Return the image and the matrices."""
        meta, io = recipe().load(GOLDEN / self.folder)
        return recipe().inputs(meta)[0].astype(np.float64), io["theta"].astype(np.float64)

    @property
    def cotangent(self) -> Array:
        return recipe().cotangents(self.meta)[0].astype(np.float64)

    @property
    def smooth(self) -> list[int]:
        """Return the samples whose points are off the pixels' centres, where gradients of theta jump."""
        return self.meta["compare_grid_gradients_of"]

    def recorded(self, name: str, layout: str = "BCHW") -> Array:
        io = recipe().load(GOLDEN / self.folder)[1]
        return io[f"f64/align{int(self.align_corners)}/{self.padding}/{layout}/{name}"]


CONCERNS = ("AffineSampler", "GridSampler", "SpatialTransformer")
SAMPLED = [
    Sampled(folder, align_corners, padding)
    for folder in sorted(affine_sampler.OTHERS)
    for align_corners in (False, True)
    for padding in PADDINGS
]


def said(value: str | Sampled) -> str:
    """Name a recording, or a runtime and its type."""
    if isinstance(value, str):
        return value
    return f"{value.folder[6:]}-{value.align_corners:d}-{value.padding}"


sampled = pytest.mark.parametrize("s", SAMPLED, ids=said)


def agree(found: Array, wanted: Array, bound: float) -> bool:
    return found.shape == wanted.shape and np.abs(found - wanted).max() <= bound * np.abs(wanted).max()


@sampled
def test_reference(s: Sampled):
    """The output; the gradients of image and matrices along three random directions each."""
    assert agree(core.evaluate(s.block, {}, s.inputs), s.recorded("output"), RECORDED["float64"])
    rng = np.random.default_rng(0)
    for name, given in zip(s.block.inputs, s.inputs, strict=True):
        gradient = s.recorded(f"grad:{name}")
        for _ in range(3):
            step = rng.standard_normal(given.shape)
            if name == "theta":
                step[np.setdiff1d(range(len(step)), s.smooth)] = 0
            slope = reference.slope(s.block, {}, s.inputs, s.cotangent, {name: step})
            scale = np.abs(gradient).max() * np.sqrt(gradient.size)
            assert abs(slope - (gradient * step).sum()) <= RECORDED["float64"] * scale, name


SAMPLERS = [(name, dtype, s) for name, dtype in RUNS for s in SAMPLED]


def ordinary(run: tuple[str, str, Sampled]) -> bool:
    """Say whether a recording is run there: where JAX compiles, the first with each border."""
    name, dtype, s = run
    return name not in COMPILED or (dtype == "float64" and s.folder == SAMPLED[0].folder and s.align_corners)


@pytest.mark.parametrize(
    ("name", "dtype", "s"), sample(SAMPLERS, ordinary, "the same in torch, others there"), ids=said
)
def test_runtime(name: str, dtype: str, s: Sampled):
    """Output and gradients in float64; the output in float32."""
    cotangent = s.cotangent if dtype == "float64" else None
    found = runtimes.run(need(name), s.block, {}, s.inputs, cotangent, dtype)
    assert agree(found.output, s.recorded("output"), RECORDED[dtype])
    if cotangent is not None:
        assert agree(found.gradients["input"], s.recorded("grad:input"), RECORDED[dtype])
        theta = s.recorded("grad:theta")[s.smooth]
        assert agree(found.gradients["theta"][s.smooth], theta, RECORDED[dtype])


# ---- the same recordings, at the points that were recorded -----------------------------------------------------------


def at_points(s: Sampled, order: str) -> tuple[core.GridSampler, tuple[Array, Array]]:
    """Return the sampler, the image and the recorded points, (x, y) or (y, x)."""
    block = core.GridSampler(order=order, align_corners=s.align_corners, padding=s.padding)
    return block, (s.inputs[0], in_order(s.recorded("grid"), order))


def in_order(points: Array, order: str) -> Array:
    return points if order == "xy" else points[..., ::-1].copy()


@sampled
@pytest.mark.parametrize("order", ORDERS)
def test_reference_at_points(order: str, s: Sampled):
    """The output; the gradients of image and points along a random direction."""
    block, given = at_points(s, order)
    assert agree(core.evaluate(block, {}, given), s.recorded("output"), RECORDED["float64"])
    rng = np.random.default_rng(0)
    for name, array in zip(block.inputs, given, strict=True):
        gradient, step = s.recorded(f"grad:{name}"), rng.standard_normal(array.shape)
        if name == "grid":
            gradient = in_order(gradient, order)
            step[np.setdiff1d(range(len(step)), s.smooth)] = 0
        slope = reference.slope(block, {}, given, s.cotangent, {name: step})
        scale = np.abs(gradient).max() * np.sqrt(gradient.size)
        assert abs(slope - (gradient * step).sum()) <= RECORDED["float64"] * scale, name


AT_POINTS = [(*run, order, s) for run in RUNS for order in ORDERS for s in SAMPLED]


def first(run: tuple[str, str, str, Sampled]) -> bool:
    """All in torch; elsewhere one recording in each way, in float64 where there is that."""
    name, dtype, _, s = run
    return name == "torch" or (s.folder == SAMPLED[0].folder and (dtype == "float64" or name == "keras-torch"))


@pytest.mark.parametrize(("name", "dtype", "order", "s"), sample(AT_POINTS, first, "the same sampler, its own points"))
def test_runtime_at_points(name: str, dtype: str, order: str, s: Sampled):
    """Output and gradients in float64; the output in float32."""
    block, given = at_points(s, order)
    found = runtimes.run(need(name), block, {}, given, s.cotangent if dtype == "float64" else None, dtype)
    assert agree(found.output, s.recorded("output"), RECORDED[dtype])
    if dtype == "float64":
        assert agree(found.gradients["input"], s.recorded("grad:input"), RECORDED[dtype])
        wanted = in_order(s.recorded("grad:grid"), order)[s.smooth]
        assert agree(found.gradients["grid"][s.smooth], wanted, RECORDED[dtype])


@sampled
def test_keras_channels_first(keras_backend: str, s: Sampled):
    """The layout BCHW in Keras, whose own is BHWD."""
    options = {"dtype": "float32", "data_format": "channels_first"}
    found = runtimes.run(f"keras-{keras_backend}", s.block, {}, s.inputs, None, **options)
    assert agree(found.output, s.recorded("output"), RECORDED["float32"])


@sampled
def test_recorded_layouts_are_the_same_numbers(s: Sampled):
    """So comparing the runtimes, each in a layout of its own, with BCHW compares them with BHWD."""
    for name in ("output", "grad:input"):
        assert agree(s.recorded(name, "BHWD").transpose(0, 3, 1, 2), s.recorded(name), 1e-15)


@pytest.mark.parametrize("folder", sorted(affine_sampler.OTHERS))
def test_recipe_makes_the_recorded_image(folder: str):
    meta, _ = recipe().load(GOLDEN / folder)
    assert recipe().sha(recipe().inputs(meta)[0]) == meta["inputs"][0]["sha256"]


SHAPES = [(2, 3, 7), (2, 3, 5, 6), (2, 3, 3, 4, 2), (2, 3, 1, 1), (2, 3, 4, 1)]


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_identity_returns_the_image(shape: tuple[int, ...], align_corners: bool, padding: str):
    """That of the sampler, and the one that a fresh spatial transformer starts with."""
    rank, x = len(shape) - 2, parity.sample_image(shape)
    options = {"rank": rank, "align_corners": align_corners, "padding": padding}
    identity = np.tile(np.eye(rank, rank + 1), (shape[0], 1, 1))
    assert parity.error(core.evaluate(core.AffineSampler(**options), {}, (x, identity)), x) < 1e-14
    fresh = core.SpatialTransformer(3, **options)
    assert parity.error(core.evaluate(fresh, core.initialise(fresh), x), x) < 1e-14


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if type(case.block) is core.SpatialTransformer])
def test_points_of_cases_are_mostly_inside(name: str):
    """A case whose localisation network looks outside of the image would prove little."""
    c: Case = CASES[name]
    sampler = c.block.parts()["sampler"]
    weights = {key: array.astype(float) for key, array in c.weights.items()}
    theta = c.block.transform(ops, bind(c.block, Arrays(weights, State())), c.image)
    points = ops.affine_grid(theta, sampler.sizes, sampler.align_corners, c.image)
    assert (np.abs(points) < 1).all(-1).mean() > 0.6


RULE = "size must hold a positive number, or None, for each of the 2 spatial axes."
CHOICE = "padding must be one of zeros, border; got 'wrap'."


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"size": 0}, f"AffineSampler(size=0): {RULE}"),
        ({"size": (4,)}, f"AffineSampler(size=(4,)): {RULE}"),
        ({"size": (4, True)}, f"AffineSampler(size=(4, True)): {RULE}"),
        ({"size": "4"}, "AffineSampler: size must be int or tuple or None, got '4'."),
        ({"size": 8, "padding": "wrap"}, "AffineSampler(size=8, padding='wrap'): " + CHOICE),
    ],
)
def test_wrong_configuration(fields: dict, message: str):
    with pytest.raises(core.SpecError) as error:
        core.AffineSampler(**fields)
    assert str(error.value) == message


def test_size_from_a_file_is_a_tuple():
    """JSON has lists only."""
    assert core.AffineSampler([4, None]) == core.AffineSampler((4, None))
    assert core.SpatialTransformer(8, [4, 5]) == core.SpatialTransformer(8, (4, 5))


def test_wrong_matrices_are_explained():
    block, x = core.AffineSampler(), np.zeros((2, 3, 4, 5))
    with pytest.raises(core.ShapeError, match=r"affine_grid takes matrices \(batch, 2, 3\), got \(2, 6\)"):
        core.evaluate(block, {}, (x, np.zeros((2, 6))))
    with pytest.raises(core.ShapeError, match="batches of image and points"):
        core.evaluate(block, {}, (x, np.zeros((1, 2, 3))))


POINTS = {
    "coordinates": ((2, 4, 4, 3), r"sample takes points of 2 coordinates, \(batch, \*size, 2\), got \(2, 4, 4, 3\)"),
    "batch": ((1, 4, 4, 2), r"sample, batches of image and points: shapes \(2,\) and \(1,\) differ"),
    "axes": ((2, 4, 2), r"sample takes images of 1 spatial axes"),
}


@pytest.mark.parametrize("kind", POINTS)
@pytest.mark.parametrize("name", ["torch", "nnx", "keras-jax", "keras-tensorflow"])
def test_wrong_points_are_refused(name: str, kind: str):
    """Also where a framework would take them: JAX repeats a single grid, and reads two of three coordinates."""
    shape, sentence = POINTS[kind]
    given = np.zeros((2, 3, 4, 5)), np.zeros(shape)
    with pytest.raises(core.ShapeError, match=sentence):
        core.evaluate(core.GridSampler(), {}, given)
    with pytest.raises(Exception) as caught:  # noqa: PT011 (each framework has its own)
        runtimes.run(need(name), core.GridSampler(), {}, given, dtype="float32")
    assert re.search(sentence, "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])]))
