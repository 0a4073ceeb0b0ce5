"""Running a ported network in Keras, to compare it with the graph it comes from."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from attn_core.porting.ported import Found, imported
from attn_tf.passes import through_layer


def run(path: str, images: list[NDArray[np.float64]], cotangents: list[NDArray[np.float64]]) -> list[Found]:
    """Run the network of a `model.py` on canonical images, in float32 and, except on JAX, in float64."""
    outputs = [_numpy(imported(path).load()(_native(image), training=False)) for image in images]
    double = "float32" if keras.backend.backend() == "jax" else "float64"
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(double)
    try:
        network = imported(path).load()
        return [_exact(network, double, *each) for each in zip(images, cotangents, outputs, strict=True)]
    finally:
        keras.config.set_dtype_policy(before)


def _exact(
    network: keras.Model,
    dtype: str,
    image: NDArray[np.float64],
    cotangent: NDArray[np.float64],
    single: NDArray[np.float64],
) -> Found:
    x, pull = (keras.ops.convert_to_tensor(_native(array), dtype) for array in (image, cotangent))
    output, gradients, _ = through_layer(network, [x], pull)
    return Found(single, _numpy(output), _numpy(gradients[0]))


def _native(array: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.moveaxis(array, 1, -1) if array.ndim == 4 else array


def _numpy(tensor: object) -> NDArray[np.float64]:
    array = np.asarray(keras.ops.convert_to_numpy(tensor), np.float64)
    return np.moveaxis(array, -1, 1) if array.ndim == 4 else array
