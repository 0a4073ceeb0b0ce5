"""Networks as TensorFlow 2 saves them: functions that call functions, variables by the objects that have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

RNG = np.random.default_rng(0)
OPEN = [tf.TensorSpec([None, None, None, 3], tf.float32)]


def variable(*shape: int, low: float = -0.5) -> Any:
    return tf.Variable(RNG.uniform(low, 1.5, shape).astype(np.float32))


class Plain(tf.Module):
    """Variables without names of their own, which are told apart by what holds them."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel, self.bias, self.dense = variable(3, 3, 3, 6), variable(6), variable(6, 4)
        self.norm = [variable(6, low=0.5) for _ in range(4)]

    @tf.function(input_signature=OPEN)
    def __call__(self, x: Any) -> Any:
        y = tf.nn.relu(tf.nn.conv2d(x, self.kernel, 2, "SAME") + self.bias)
        y, *_ = tf.compat.v1.nn.fused_batch_norm(y, *self.norm, is_training=False)
        return {"logits": tf.matmul(tf.reduce_mean(y, [1, 2]), self.dense)}


class Chooses(Plain):
    """A condition within a function, whose truth is a variable's that does not follow the image."""

    @tf.function(input_signature=[*OPEN, tf.TensorSpec([], tf.bool)])
    def __call__(self, x: Any, training: Any) -> Any:
        y = tf.nn.conv2d(x, self.kernel, 1, "SAME")
        y = tf.cond(training, lambda: tf.nn.dropout(y, 0.5), lambda: tf.nn.relu(y + self.bias))
        y = tf.cond(training, lambda: tf.zeros_like(y), lambda: y * 2.0)
        return {"logits": tf.matmul(tf.reduce_mean(y, [1, 2]), self.dense)}


def exported() -> Any:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((16, 14, 3)),
            layers.Conv2D(6, 3, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.3),
            layers.DepthwiseConv2D(3, padding="same"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4),
        ]
    )
    for each in model.weights:
        each.assign(RNG.uniform(0.1, 1, each.shape))
    return model


def save(folder: Path) -> dict[str, dict[str, np.ndarray]]:
    """Save the networks, each in a folder of its name, and return an image and the result of each."""
    x = RNG.normal(size=(2, 16, 14, 3)).astype(np.float32)
    plain, chooses, model = Plain(), Chooses(), exported()
    tf.saved_model.save(plain, str(folder / "plain"), signatures=plain.__call__)
    tf.saved_model.save(chooses, str(folder / "chooses"), signatures=chooses.__call__)
    model.export(str(folder / "exported"), verbose=False)
    results = {"plain": plain(x)["logits"], "chooses": chooses(x, tf.constant(False))["logits"], "exported": model(x)}
    return {name: {"input": x, "output": np.asarray(result)} for name, result in results.items()}
