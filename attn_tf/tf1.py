"""The functions of TensorFlow 1 code, with their own signatures, on Keras 3."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras

from attn_core.blocks import SqueezeExcitation
from attn_tf.layer import Layer, unbuilt

KEPT = "attn_layers"  # the collection of a tf.function's graph that holds its layers


def se_block(bottom: Any, ratio: int = 16) -> Any:
    """Squeeze and excite, as the TensorFlow 1 function of this name does.

    Every call makes new variables, as every call did in a TensorFlow 1 graph: on a symbolic `keras.Input` they belong
    to the model; in a graph of `tf.compat.v1` to its collections; in a `tf.function` to that trace of it; on eager
    tensors to this one call. Inside a subclassed Keras model, and wherever the
    variables are to be trained or saved by something that did not see the call, use ``attn_tf.SqueezeExcitation``.

    **Shape**: bottom is [N, H, W, C] with C known; returns the same shape.

    **Raises** `ValueError` if bottom has not four axes, if C is unknown, or if C // ratio is 0.
    """
    shape = tuple(bottom.shape)
    if len(shape) != 4 or shape[-1] is None:
        raise ValueError(
            f"se_block takes a tensor [N, H, W, C] with C known, got shape {shape}: it takes the mean over H and W, "
            "and makes weights for C channels."
        )
    layer = unbuilt(SqueezeExcitation(shape[-1], ratio), data_format="channels_last", dtype=_dtype(bottom))
    if _inside_function():
        _build_outside(layer, shape)
    return layer(bottom)


def _dtype(x: Any) -> str:
    return str(keras.backend.standardize_dtype(x.dtype))


def _inside_function() -> bool:
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return bool(tf.inside_function())


def _build_outside(layer: Layer, shape: tuple[int | None, ...]) -> None:
    """Make the variables outside a tf.function and let its graph keep them, as a collection of TensorFlow 1 did.

    TensorFlow refuses variables that a second trace makes. It watches the thread that traces, so another one makes
    them.
    """
    import tensorflow as tf

    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(layer.build, shape).result()
    tf.compat.v1.add_to_collection(KEPT, layer)
