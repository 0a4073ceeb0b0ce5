"""Files of every block as users of each framework saved them, and how they load them: this must work for good.

`saving_files.py` wrote them. Each function here reads one kind, as a user of its framework does, and returns the
canonical weights and what runs the layer.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import attn_core as core
from attn_core.interpreters import reference
from attn_core.models.registry import parse
from attn_core.weights import Weights

ROOT = Path(__file__).with_name("saved")  # a zip for each block: HDF5 has much air in it

Array = np.ndarray
Loaded = tuple[Weights, Callable[[], Array]]  # the layer's weights, and what runs it, both canonical


@dataclass(frozen=True)
class Saved:
    """A block of which files were saved, with its weights, inputs and output of that time."""

    folder: Path

    @cached_property
    def block(self) -> core.Block:
        """The block, as it was written then."""
        return parse(json.loads((self.folder / "made.json").read_text())["block"])

    @cached_property
    def weights(self) -> Weights:
        """The weights that every file holds, read by NumPy alone."""
        return self._arrays("weights.npz")

    @cached_property
    def inputs(self) -> tuple[Array, ...]:
        """The image, and what the block takes beside it."""
        held = self._arrays("run.npz")
        return tuple(held[name] for name in self.block.inputs)

    @cached_property
    def output(self) -> Array:
        """What the definition computed then, in float64."""
        return self._arrays("run.npz")["output"]

    @property
    def blank(self) -> Weights:
        """What a new layer holds in these tests, so that what a file does not give it is seen."""
        return {name: np.zeros_like(array) for name, array in self.weights.items()}

    @property
    def channels_last(self) -> list[Array]:
        """The inputs in the layout of Keras and Flax."""
        images = self.block.images
        return [np.moveaxis(a, 1, -1) if i < images else a for i, a in enumerate(self.inputs)]

    def _arrays(self, file: str) -> dict[str, Array]:
        with np.load(self.folder / file) as held:
            return dict(held)


def canonical(output: Any) -> Array:
    """Return an output whose channels come last with its channels first; a vector as it is."""
    array = np.asarray(output)
    return np.moveaxis(array, -1, 1) if array.ndim > 2 else array


def of_attn(saved: Saved) -> Loaded:
    """Read what `attn_core.save` wrote, which holds the block, too."""
    block, weights = core.load(saved.folder / "attn.safetensors")
    assert block == saved.block
    return weights, lambda: reference.evaluate(block, weights, saved.inputs)


def of_npz(saved: Saved) -> Loaded:
    """Read what `attn_core.dialects.write_file` wrote."""
    weights = core.dialects.read_file(saved.folder / "weights.npz") if saved.block.arrays() else {}
    return weights, lambda: reference.evaluate(saved.block, weights, saved.inputs)


def of_torch(saved: Saved) -> Loaded:
    """Read a `state_dict`."""
    import torch

    import attn_torch

    layer = attn_torch.bind(saved.block, saved.blank).eval()
    layer.load_state_dict(torch.load(saved.folder / "state.pt", weights_only=True))
    return attn_torch.weights(layer), lambda: layer(*map(torch.from_numpy, saved.inputs)).detach().numpy()


def of_linen(saved: Saved) -> Loaded:
    """Read a module's variables in Flax's own format."""
    from flax import serialization

    from attn_jax import linen

    module, fresh = linen.bind(saved.block, saved.blank).unbind()
    bound = module.bind(serialization.from_bytes(fresh, (saved.folder / "linen.msgpack").read_bytes()))
    return linen.weights(bound), lambda: canonical(bound(*saved.channels_last))


def of_nnx(saved: Saved) -> Loaded:
    """Read a module's state in Flax's own format."""
    from flax import nnx, serialization

    import attn_jax.nnx as package

    layer = package.bind(saved.block, saved.blank)
    held = serialization.msgpack_restore((saved.folder / "nnx.msgpack").read_bytes())
    for kind in (nnx.Param, nnx.BatchStat):
        state = nnx.state(layer, kind)
        nnx.replace_by_pure_dict(state, held[kind.__name__])
        nnx.update(layer, state)
    layer.eval()
    return package.weights(layer), lambda: canonical(layer(*saved.channels_last))


def of_keras(saved: Saved) -> Loaded:
    """Read a whole model, which holds the layer's configuration."""
    import keras

    import attn_tf  # noqa: F401 (which tells Keras of its layers)

    return _of_model(saved, keras.models.load_model(saved.folder / "model.keras"))


def of_keras_weights(saved: Saved) -> Loaded:
    """Read weights alone into the model that the user's code makes."""
    model = keras_model(saved, saved.blank)
    model.load_weights(saved.folder / "model.weights.h5")
    return _of_model(saved, model)


def keras_model(saved: Saved, weights: Weights) -> Any:
    """Return a model of one layer."""
    import keras

    import attn_tf

    symbols = [keras.Input(array.shape[1:]) for array in saved.channels_last]
    layer = attn_tf.bind(saved.block, weights, data_format="channels_last", name="attention")
    return keras.Model(symbols, layer(*symbols))


def _of_model(saved: Saved, model: Any) -> Loaded:
    import keras

    import attn_tf

    layer = model.get_layer("attention")
    assert layer.block == saved.block
    return attn_tf.weights(layer), lambda: canonical(keras.ops.convert_to_numpy(model(saved.channels_last)))


READERS: dict[str, Callable[[Saved], Loaded]] = {
    "attn": of_attn,
    "npz": of_npz,
    "torch": of_torch,
    "linen": of_linen,
    "nnx": of_nnx,
    "keras": of_keras,
    "keras_weights": of_keras_weights,
}


def unpacked(name: str, folder: Path) -> Saved:
    """Return a block's files, in a folder that is empty."""
    with zipfile.ZipFile(ROOT / f"{name}.zip") as archive:
        archive.extractall(folder)
    return Saved(folder)


def read(kind: str, folder: Path, run: bool) -> tuple[Weights, Array | None]:
    """Read one kind of file, and run the layer."""
    weights, output = READERS[kind](Saved(folder))
    return weights, np.asarray(output()) if run else None
