"""Attention where it stands in other people's networks: their whole block, recorded, with ours inside."""

from __future__ import annotations

import numpy as np
import pytest
import runtimes
from bounds import BIASED, RECORDED, RUNS
from compare import beyond
from larger_blocks import MBConv, named, read
from runtimes import GOLDEN, need, recipe
from tiers import sample

import attn_core as core
from attn_core import dialects, reference

FOLDER = GOLDEN / "official/keras_efficientnet_block"
META, IO = recipe().load(FOLDER)
STATE = recipe().state(META)
BLOCK, WEIGHTS = read(STATE)


def images_first(array: np.ndarray) -> np.ndarray:
    return np.moveaxis(array.astype(np.float64), -1, 1)


IMAGE, COTANGENT = (images_first(arrays[0]) for arrays in (recipe().inputs(META), recipe().cotangents(META)))


def recorded(mode: str) -> dict[str, np.ndarray]:
    """Return what Keras computed, by our names."""
    io = {key.removeprefix(f"f64/{mode}/"): array for key, array in IO.items() if key.startswith(f"f64/{mode}/")}
    found = {key: images_first(io[key]) for key in ("output", "grad:input")}
    for kind in ("grad", "stat"):
        theirs = {key.removeprefix(f"{kind}:"): array for key, array in io.items() if key.startswith(f"{kind}:")}
        found |= {f"{kind}:{name}": array for name, array in named(BLOCK, theirs).items()}
        if kind == "grad":
            _, own = dialects.read("keras_applications.efficientnet", theirs, prefix="b_")
            found |= {f"grad:attention.{name}": array for name, array in own.items()}
    assert len(found) == len(io)
    return found


def test_the_attention_is_found_in_the_arrays_of_the_block():
    assert MBConv(16, 2, core.SqueezeExcitation(32, hidden=4, activation="silu")) == BLOCK
    assert WEIGHTS.keys() == BLOCK.arrays().keys()
    assert "keras_applications.efficientnet" in [guess.dialect for guess in dialects.guess(STATE)]


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_reference(mode: str):
    """Keras' running variances are biased."""
    found = {"output": reference.evaluate(BLOCK, WEIGHTS, IMAGE, mode == "train")}
    if mode == "train":
        moved = reference.statistics(BLOCK, WEIGHTS, IMAGE, unbiased=False)
        found |= {f"stat:{name}": array for name, array in moved.items()}
    wanted = {key: array for key, array in recorded(mode).items() if not key.startswith("grad:")}
    assert found.keys() == wanted.keys()
    assert not beyond(found, wanted, RECORDED["float64"])


TIMES = [(mode, *run) for mode in ("eval", "train") for run in RUNS if run[1] == "float64" or run[0] == "keras-torch"]


def in_training(run: tuple[str, str, str]) -> bool:
    return run[0] == "train" or run[1] == "torch"


@pytest.mark.parametrize(("mode", "name", "dtype"), sample(TIMES, in_training, "the same in training"))
def test_runtime(mode: str, name: str, dtype: str):
    """Of float32, as in `test_recordings.py`, no gradients."""
    train, wanted = mode == "train", recorded(mode)
    if name not in BIASED:
        moved = reference.statistics(BLOCK, WEIGHTS, IMAGE, unbiased=True)
        wanted |= {f"stat:{key}": array for key, array in moved.items() if f"stat:{key}" in wanted}
    if dtype == "float32":
        wanted = {key: array for key, array in wanted.items() if not key.startswith("grad:")}
    found = runtimes.run(need(name), BLOCK, WEIGHTS, IMAGE, COTANGENT, dtype, train).arrays()
    assert not beyond(found, wanted, RECORDED[dtype])
