"""What earlier versions saved loads for good, with equal numbers; `saved_files.py` says how users load each kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from runtimes import FRAMEWORKS, in_keras, need
from saved_files import ROOT, read, unpacked
from tiers import sample

from attn_core.interpreters.rounding import bounded
from attn_core.models.registry import KNOWN
from attn_core.weights import Weights

KERAS = ("keras", "keras_weights")
RUNTIMES = [("", "attn"), ("", "npz"), ("torch", "torch"), ("linen", "linen"), ("nnx", "nnx")]
RUNTIMES += [(name, kind) for name in FRAMEWORKS if name.startswith("keras-") for kind in KERAS]


def read_here(kind: str, folder: Path, runtime: str, run: bool) -> tuple[Weights, np.ndarray | None]:
    """Read a kind of file in a runtime; none is needed for what NumPy reads."""
    if runtime:
        need(runtime)
    if runtime.startswith("keras-"):
        return in_keras(runtime.removeprefix("keras-"), "saved_files", "read", kind, folder, run)
    return read(kind, folder, run)


def is_read(test: tuple[str, str, str]) -> bool:
    """Say whether a file is read in every check: those of Keras on one backend, which all of them share."""
    block, runtime, _ = test
    return block == ONE or runtime not in ("keras-jax", "keras-torch")


def is_run(test: tuple[str, str, str]) -> bool:
    """Say whether the layer is run in every check: with weights that are equal, each runtime computes the same."""
    block, runtime, kind = test
    return block == ONE or (runtime in ("", "torch", "keras-tensorflow") and kind != "keras_weights")


ONE = "SqueezeExcitation"  # is read and run everywhere
EVERY = [(block, *runtime) for block in KNOWN for runtime in RUNTIMES]


@pytest.mark.parametrize(("block", "runtime", "kind"), sample(EVERY, is_read, "Keras on TensorFlow"))
def test_weights(block: str, runtime: str, kind: str, tmp_path: Path):
    """They are what was saved, to the last bit."""
    saved = unpacked(block, tmp_path)
    weights, _ = read_here(kind, tmp_path, runtime, run=False)
    assert weights.keys() == saved.weights.keys()
    assert all(np.array_equal(weights[key], array) for key, array in saved.weights.items())


@pytest.mark.parametrize(("block", "runtime", "kind"), sample(EVERY, is_run, "test_weights here, and test_parity.py"))
def test_output(block: str, runtime: str, kind: str, tmp_path: Path):
    """It is what it was, but for rounding."""
    saved = unpacked(block, tmp_path)
    _, output = read_here(kind, tmp_path, runtime, run=True)
    bounds = bounded(saved.block, saved.weights, saved.inputs).bounds["output"]
    assert output.shape == saved.output.shape
    assert (abs(output - saved.output) <= bounds).all()


def test_every_block_has_an_archive():
    missing = set(KNOWN) - {path.stem for path in ROOT.glob("*.zip")}
    assert not missing, f"python parity_tests/saving_files.py {' '.join(missing)}"
    assert sum(path.stat().st_size for path in ROOT.iterdir()) < 2**20
