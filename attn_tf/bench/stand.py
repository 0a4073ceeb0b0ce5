"""Where layers of Keras are timed, on the backend that it has; see `attn_core.parity.bench.running.Stand`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from attn_core.parity.bench.asked import Trial
from attn_core.parity.bench.clock import clock
from attn_core.parity.bench.contest import COMPILED, COPY, EAGER, Entrant
from attn_core.parity.bench.machine import processor
from attn_core.parity.draws import Draw
from attn_core.parity.foreign.importing import load
from attn_core.parity.foreign.layer import ForeignError, framework
from attn_tf.bench import runs
from attn_tf.bench.plain import plain
from attn_tf.binding import bind


class Stand:
    """The processor. Images have their channels last; memory is not told."""

    def __init__(self, threads: int) -> None:
        self.processor, self.seconds = processor(), clock(threads)
        self.ways = (EAGER,) if keras.backend.backend() == "torch" else (COMPILED,)

    def ours(self, trial: Trial, drawn: Draw) -> Any:
        """Return the native layer with the weights drawn."""
        return bind(trial.block, drawn.weights, dtype=trial.dtype, data_format="channels_last")

    def plain(self, trial: Trial, drawn: Draw) -> Any:
        """Return the layer that is written out, with the same weights."""
        return plain(trial.block, drawn.weights, trial.dtype) if len(trial.shapes[0]) == 4 else None

    def named(self, package: str, trial: Trial) -> None:
        """Return nothing: these packages are of PyTorch."""

    def adopted(self, path: str, arguments: str, trial: Trial) -> Any:
        """Return somebody's layer."""
        layer = load(path, arguments)
        if framework(layer) != "keras":
            raise ForeignError(f"an object of {type(layer).__name__} is no Keras layer: see --runtime.")
        return layer

    def output(self, layer: Any, drawn: Draw, trial: Trial) -> NDArray[np.float64]:
        """Run a layer once outside of training."""
        found = layer(*self._inputs(drawn, trial), training=False)
        return np.moveaxis(np.asarray(ops.convert_to_numpy(found)).astype(np.float64), -1, 1)

    def entrant(self, name: str, layer: Any, way: str, trial: Trial, drawn: Draw) -> Entrant:
        """Compile a layer: forward as in inference, forward and backward as in training."""
        inputs = self._inputs(drawn, trial)
        if trial.backward:
            run = runs.both(layer, inputs, self._image(drawn.cotangent, trial))
        else:
            run = runs.forward(layer, inputs)
        run()
        return Entrant(name, way, lambda calls: self.seconds(run, calls))

    def copy(self, trial: Trial, drawn: Draw) -> Entrant:
        """Copy the image."""
        (image, *_) = self._inputs(drawn, trial)
        run = runs.forward(Copy(dtype=trial.dtype), [image])
        return Entrant(COPY, self.ways[0], lambda calls: self.seconds(run, calls))

    def _inputs(self, drawn: Draw, trial: Trial) -> list[Any]:
        images = trial.block.images
        others = [ops.convert_to_tensor(array, trial.dtype) for array in drawn.inputs[images:]]
        return [*(self._image(array, trial) for array in drawn.inputs[:images]), *others]

    def _image(self, array: NDArray[Any], trial: Trial) -> Any:
        return ops.convert_to_tensor(np.ascontiguousarray(np.moveaxis(array, 1, -1)), trial.dtype)


class Copy(keras.layers.Layer):
    """Makes another image of the same size."""

    def __init__(self, dtype: str) -> None:
        super().__init__(dtype=dtype)
        self.built = True

    def call(self, x: Any, training: bool | None = None) -> Any:
        """Return the image with another sign: of a mere copy, nothing would be left in a graph."""
        return -x


def stand(device: str, threads: int) -> Stand:
    """Return the processor; `ValueError` for another device, or if Keras has another backend than was asked for."""
    backend, asked = keras.backend.backend(), os.environ.get("KERAS_BACKEND", "")
    if asked and asked != backend:
        raise ValueError(f"Keras was imported with {backend}, which it keeps: time {asked} in a process of its own.")
    if device != "cpu":
        raise ValueError(f"Layers of Keras are timed on the processor alone, not on {device!r}: leave out --device.")
    THREADS[backend](threads)
    return Stand(threads)


def _of_tensorflow(threads: int) -> None:
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError as error:
        if tf.config.threading.get_intra_op_parallelism_threads() != threads:
            raise ValueError("TensorFlow has run already, and keeps its number of threads.") from error


def _of_jax(threads: int) -> None:
    os.environ.update(NPROC=str(threads))  # read by XLA when its first array is made


def _of_torch(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


THREADS: dict[str, Callable[[int], None]] = {"tensorflow": _of_tensorflow, "jax": _of_jax, "torch": _of_torch}
