"""Write the files of a block that every later version must load: ``python parity_tests/saving_files.py NAME``.

An archive that is there stays as it is: what users have saved does not change either.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
from saved_files import ROOT, Saved, keras_model

import attn_core as core
from attn_core.interpreters import reference
from attn_core.parity.draws import draw
from attn_core.parity.subjects import Trial, chosen, known_name

PACKAGES = ("torch", "keras", "jax", "flax", "safetensors", "numpy")


def write(name: str) -> str:
    """Write the archive of a block, unless there is one; return what was done."""
    archive = ROOT / f"{known_name(name)}.zip"
    if archive.exists():
        return f"{archive.name} is there: what was saved once stays as it is."
    with tempfile.TemporaryDirectory() as folder:
        _files(richest(chosen([archive.stem])), Path(folder))
        shutil.make_archive(str(archive.with_suffix("")), "zip", folder)
    return f"{archive.name}: {archive.stat().st_size:,} bytes"


def _files(trial: Trial, folder: Path) -> None:
    """Write every kind of file of one block, and what it computes."""
    block, drawn = trial.block, draw(trial.block, trial.shapes, 0)
    weights = {name: array.astype(np.float32) for name, array in drawn.weights.items()}
    inputs = dict(zip(block.inputs, (array.astype(np.float32) for array in drawn.inputs), strict=True))
    made = {"block": repr(block), "made with": {package: version(package) for package in PACKAGES}}
    (folder / "made.json").write_text(json.dumps(made, indent=1) + "\n")
    np.savez_compressed(folder / "run.npz", output=reference.evaluate(block, weights, (*inputs.values(),)), **inputs)
    core.save(folder / "attn.safetensors", block, weights)
    core.dialects.write_file(folder / "weights.npz", weights)
    for write_kind in (_torch, _linen, _nnx, _keras):
        write_kind(Saved(folder))


def richest(trials: list[Trial]) -> Trial:
    """Return the standard configuration with the most arrays: a batch norm has running ones, too."""
    return max(trials, key=lambda trial: len(trial.block.arrays()))


def _torch(saved: Saved) -> None:
    import torch

    import attn_torch

    torch.save(attn_torch.bind(saved.block, saved.weights).state_dict(), saved.folder / "state.pt")


def _linen(saved: Saved) -> None:
    from flax import serialization

    from attn_jax import linen

    _, variables = linen.bind(saved.block, saved.weights).unbind()
    (saved.folder / "linen.msgpack").write_bytes(serialization.to_bytes(variables))


def _nnx(saved: Saved) -> None:
    from flax import nnx, serialization

    import attn_jax.nnx as package

    layer = package.bind(saved.block, saved.weights)
    state = {kind.__name__: nnx.to_pure_dict(nnx.state(layer, kind)) for kind in (nnx.Param, nnx.BatchStat)}
    (saved.folder / "nnx.msgpack").write_bytes(serialization.msgpack_serialize(state))


def _keras(saved: Saved) -> None:
    model = keras_model(saved, saved.weights)
    model.save(saved.folder / "model.keras")
    model.save_weights(saved.folder / "model.weights.h5")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(write(name))
