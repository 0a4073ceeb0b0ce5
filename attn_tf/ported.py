"""Running a ported network in Keras, to compare it with the graph it comes from."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from attn_core.porting.network.steps.axes import is_image
from attn_core.porting.ported import Found, Pulls, imported
from attn_tf.passes import through_layer
from attn_tf.volume_pools import volumes_in_float64


def run(path: str, images: list[NDArray[np.float64]], cotangents: Pulls, rank: int = 4) -> list[Found]:
    """Run the network of a `model.py` on canonical images, in float32 and, except on JAX, in float64.

    `rank` is the number of axes of the network's images.
    """
    load = imported(path).load
    outputs = [_numpy(_joined(load()(_native(image, rank), training=False), rank), rank) for image in images]
    double = "float32" if keras.backend.backend() == "jax" else "float64"
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(double)
    try:
        with volumes_in_float64():
            network = _Joined(imported(path).load(), rank)
            return [_exact(network, double, rank, *each) for each in zip(images, cotangents, outputs, strict=True)]
    finally:
        keras.config.set_dtype_policy(before)


class _Joined(keras.Model):
    """A network whose several results are one array."""

    def __init__(self, network: keras.Model, rank: int) -> None:
        super().__init__()
        self.network = network
        self.rank = rank

    def call(self, x: object, training: bool | None = None) -> object:
        return _joined(self.network(x, training=training), self.rank)


def _joined(output: Any, rank: int) -> Any:
    """Return a network's result; of several, (images, numbers) in canonical order."""
    if not isinstance(output, dict):
        return output
    heads = [keras.ops.moveaxis(each, -1, 1) if is_image(each.ndim, rank) else each for each in output.values()]
    return keras.ops.concatenate([keras.ops.reshape(each, (len(each), -1)) for each in heads], 1)


def _exact(
    network: keras.Model,
    dtype: str,
    rank: int,
    image: NDArray[np.float64],
    cotangent: NDArray[np.float64] | None,
    single: NDArray[np.float64],
) -> Found:
    x = keras.ops.convert_to_tensor(_native(image, rank), dtype)
    if cotangent is None:
        pull = keras.ops.ones_like(network(x, training=False))
    else:
        pull = keras.ops.convert_to_tensor(_native(cotangent, rank), dtype)
    network(x, training=False)  # JAX must find the wrapper built
    output, gradients, _ = through_layer(network, [x], pull)
    return Found(single, _numpy(output, rank), _numpy(gradients[0], rank))


def _native(array: NDArray[np.float64], rank: int) -> NDArray[np.float64]:
    return np.moveaxis(array, 1, -1) if is_image(array.ndim, rank) else array


def _numpy(tensor: object, rank: int) -> NDArray[np.float64]:
    array = np.asarray(keras.ops.convert_to_numpy(tensor), np.float64)
    return np.moveaxis(array, -1, 1) if is_image(array.ndim, rank) else array
