"""The layers of the TensorFlow article in a graph of `tf.compat.v1`, as the `tf.layers` of TensorFlow 1.15 made them.

TensorFlow beside Keras 3 has no `tf.layers`. What scopes say of variables is left to `get_variable`: names, reuse,
regularizers, partitioners, custom getters and collections. A scope's initializer never reached these layers, for each
states its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from attn_core.interpreters.shapes import require_floating
from attn_core.spec.initializers import variance_scaling

v1 = tf.compat.v1
relu, sigmoid = tf.nn.relu, tf.nn.sigmoid

MOMENTUM, EPSILON = 0.99, 1e-3  # the defaults of tf.layers.batch_normalization
# Replicas of a strategy take the mean of their moving averages, which no gradient moves.
MOVING = {
    "trainable": False,
    "synchronization": tf.VariableSynchronization.ON_READ,
    "aggregation": tf.VariableAggregation.MEAN,
}


def image(x: Any) -> Any:
    """Return x as a tensor of floating-point numbers."""
    found = tf.convert_to_tensor(x)
    require_floating(found.dtype.name, found.dtype.is_floating)
    return found


def spatial_mean(x: Any) -> Any:
    """Compute the mean over height and width, which stay as axes of one pixel."""
    wide = tf.cast(x, tf.float32) if _is_half(x) else x  # a sum of halves soon is infinite
    return tf.cast(tf.reduce_mean(wide, [1, 2], keepdims=True), x.dtype)


def dense(x: Any, units: int, activation: Callable[[Any], Any]) -> Any:
    """Compute activation(x W + b) on the last of four axes, in the scope `dense`, `dense_1`, ..."""
    with _scope("dense"):
        kernel = _variable("kernel", (_channels(x), units), x.dtype, _variance_scaling)
        bias = _variable("bias", (units,), x.dtype, v1.zeros_initializer())
        y = tf.tensordot(x, kernel, [[3], [0]])
        y.set_shape([*x.shape[:3], units])  # which a tensordot forgets where a size is unknown
        return activation(tf.nn.bias_add(y, bias))


def conv2d(x: Any, filters: int, window: Sequence[int], strides: int | Sequence[int]) -> Any:
    """Convolve with SAME padding and a bias, in the scope `conv2d`, `conv2d_1`, ..."""
    with _scope("conv2d"):
        kernel = _variable("kernel", (*window, _channels(x), filters), x.dtype, _variance_scaling)
        bias = _variable("bias", (filters,), x.dtype, v1.zeros_initializer())
        return tf.nn.bias_add(tf.nn.conv2d(x, kernel, strides, "SAME"), bias)


def batch_normalization(x: Any, training: Any) -> Any:
    """Normalise each channel, in the scope `batch_normalization`, ...; UPDATE_OPS gets what moves the averages.

    It is the fused form, so moving variances move to the unbiased variance.
    """
    in_training = _known(training)
    shape, dtype = (_channels(x),), tf.float32 if _is_half(x) else x.dtype
    zeros, ones = v1.zeros_initializer(), v1.ones_initializer()
    with _scope("batch_normalization") as scope:
        gamma, beta = _variable("gamma", shape, dtype, ones), _variable("beta", shape, dtype, zeros)
        scope.set_partitioner(None)  # as in TensorFlow 1: nothing is assigned to parts of a variable
        mean = _variable("moving_mean", shape, dtype, zeros, **MOVING)
        variance = _variable("moving_variance", shape, dtype, ones, **MOVING)

        def of_batch() -> Any:
            return v1.nn.fused_batch_norm(x, gamma, beta, epsilon=EPSILON)

        def of_averages() -> Any:
            return v1.nn.fused_batch_norm(x, gamma, beta, mean, variance, EPSILON, is_training=False)

        y, *moments = _chosen(in_training, of_batch, of_averages)
        if in_training is not False:
            momentum = _chosen(in_training, lambda: tf.constant(MOMENTUM), lambda: tf.constant(1.0))
            for average, moment in zip((mean, variance), moments, strict=True):
                v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, _move(average, moment, momentum, x))
        return y


def _known(training: Any) -> Any:
    """Return `training` as True or False, or as it is if only the session tells."""
    if isinstance(training, (bool, int, np.bool_)):  # numbers were taken for truth values
        return bool(training)
    is_variable = isinstance(training, tf.Variable)
    if not (is_variable or tf.is_tensor(training)) or training.dtype.base_dtype != tf.bool:
        raise TypeError(f"training must be True, False or a tensor of one truth value, got {training!r}.")
    value = None if is_variable else tf.get_static_value(training)
    return training if value is None else bool(value)


def _chosen(condition: Any, if_true: Callable[[], Any], if_false: Callable[[], Any]) -> Any:
    """Build one of two results, or both where only the session tells which."""
    if isinstance(condition, bool):
        return if_true() if condition else if_false()
    return v1.cond(condition, if_true, if_false)


def _move(average: Any, moment: Any, momentum: Any, x: Any) -> Any:
    """Return the operation that moves an average; a batch without pixels has no moments and moves nothing."""
    with tf.name_scope("AssignMovingAvg") as name:
        delta = (average - moment) * (1.0 - momentum)
        delta = tf.where(tf.size(x) > 0, delta, tf.zeros_like(delta))
        return average.assign_sub(delta, name=name, read_value=False)


def _channels(x: Any) -> int:
    return int(x.shape[-1])


def _is_half(x: Any) -> bool:
    return x.dtype in (tf.float16, tf.bfloat16)


def _scope(kind: str) -> Any:
    """Open the scope of one more layer of a kind, which counts them in the scope around it."""
    return v1.variable_scope(None, default_name=kind)


def _variable(name: str, shape: Sequence[int], dtype: Any, initializer: Any, **options: Any) -> Any:
    """Make a variable, or take the one that is there where the scope says so."""
    return v1.get_variable(name, shape, dtype, initializer, **{"trainable": True, **options})


def _variance_scaling(shape: Sequence[int], dtype: Any = None, partition_info: Any = None) -> Any:
    """Draw a kernel; as in TensorFlow 1, a part of a partitioned one by its own fan-in."""
    std = variance_scaling(math.prod(shape[:-1])).std
    return v1.truncated_normal(shape, stddev=std, dtype=dtype)
