"""The layers of the TensorFlow article in Keras 3, for where there is no graph of TensorFlow 1.

Each call makes a new layer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras

from attn_core.blocks import SqueezeExcitation
from attn_core.spec.initializers import variance_scaling
from attn_tf.initializers import law
from attn_tf.layer import unbuilt

KEPT = "attn_layers"  # the collection of a tf.function's graph that holds its layers


def squeeze_excitation(x: Any, block: SqueezeExcitation) -> Any:
    """Scale each channel by the block's gate."""
    return _call(unbuilt(block, data_format="channels_last", dtype=_dtype(x)), x)


def conv2d(x: Any, filters: int, window: Sequence[int], strides: int | Sequence[int]) -> Any:
    """Convolve with SAME padding and a bias."""
    start = law(variance_scaling(math.prod(window) * x.shape[-1]))
    options = {"padding": "same", "data_format": "channels_last", "dtype": _dtype(x)}
    return _call(keras.layers.Conv2D(filters, window, strides, kernel_initializer=start, **options), x)


def batch_normalization(x: Any, training: bool | None) -> Any:
    """Normalise each channel; the layer's defaults are those of TensorFlow 1."""
    return _call(keras.layers.BatchNormalization(dtype=_dtype(x)), x, training=training)


def relu(x: Any) -> Any:
    """Compute max(x, 0)."""
    return keras.ops.relu(x)


def _dtype(x: Any) -> str:
    return str(keras.backend.standardize_dtype(x.dtype))


def _call(layer: keras.Layer, x: Any, **options: Any) -> Any:
    if _inside_function():
        _build_outside(layer, tuple(x.shape))
    return layer(x, **options)


def _inside_function() -> bool:
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return bool(tf.inside_function())


def _build_outside(layer: keras.Layer, shape: tuple[int | None, ...]) -> None:
    """Make the variables outside a tf.function and let its graph keep them, as a collection of TensorFlow 1 did.

    TensorFlow refuses variables that a second trace makes. It watches the thread that traces, so another one makes
    them.
    """
    import tensorflow as tf

    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(layer.build, shape).result()
    tf.compat.v1.add_to_collection(KEPT, layer)
