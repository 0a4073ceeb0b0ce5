"""What small networks of TensorFlow 1 are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
RNG = np.random.default_rng(0)


def variable(name: str, *shape: int, low: float = -0.5, high: float = 0.5) -> Any:
    values = RNG.uniform(low, high, shape).astype(np.float32)
    return v1.get_variable(name, initializer=values, use_resource=False)


def conv(x: Any, name: str, channels: int, kernel: int = 3, stride: int = 1) -> Any:
    with v1.variable_scope(name):
        y = tf.nn.conv2d(x, variable("kernel", kernel, kernel, x.shape[3], channels), stride, "SAME")
        return tf.nn.bias_add(y, variable("bias", channels))


def dense(x: Any, name: str, units: int) -> Any:
    with v1.variable_scope(name, reuse=v1.AUTO_REUSE):
        y = tf.tensordot(x, variable("kernel", x.shape[-1], units), [[x.shape.rank - 1], [0]])
        return tf.nn.bias_add(y, variable("bias", units))


def head(x: Any) -> Any:
    y = tf.reduce_mean(x, [1, 2])
    with v1.variable_scope("logits"):
        return tf.matmul(y, variable("kernel", y.shape[1], 3)) + variable("bias", 3)


def image(channels: int = 3) -> Any:
    return v1.placeholder(tf.float32, [None, 12, 10, channels], name="input")


def stem(x: Any) -> Any:
    return tf.nn.relu(conv(x, "stem", 8))
