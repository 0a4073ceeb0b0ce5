"""Layers as other people write them in Keras, and checks of them that run in the process of a backend."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
from keras import layers, ops

import attn_core as core
import attn_tf
from attn_core.parity import ForeignError, ParityError, assert_parity

SE = core.SqueezeExcitation(8, 4)
CBAM = core.CBAM(4, 2, 3, bias=True, norm=True)


class SELayer(layers.Layer):
    """Squeeze-and-excitation of dense layers with their activations inside."""

    def __init__(self, activation: str = "relu", **options: Any) -> None:
        super().__init__(**options)
        self.first = layers.Dense(2, activation, dtype=self.dtype_policy)
        self.second = layers.Dense(8, "sigmoid", dtype=self.dtype_policy)

    def call(self, x):
        mean = ops.mean(x, (1, 2), keepdims=True)
        return x * self.second(self.first(mean))


class CBAMLayer(layers.Layer):
    """CBAM, without arguments of its own; `swapped` sets the order of the planes."""

    swapped, eps, momentum = False, 1e-5, 0.99

    def __init__(self) -> None:
        super().__init__()
        self.reduce, self.expand = layers.Dense(2, "relu"), layers.Dense(4)
        self.conv = layers.Conv2D(1, 3, padding="same", use_bias=False)
        self.norm = layers.BatchNormalization(epsilon=self.eps, momentum=self.momentum)

    def call(self, x, training=None):
        mean, largest = (self.expand(self.reduce(pool(x, (1, 2), keepdims=True))) for pool in (ops.mean, ops.max))
        x = x * ops.sigmoid(mean + largest)
        planes = [ops.mean(x, -1, keepdims=True), ops.max(x, -1, keepdims=True)]
        logits = self.conv(ops.concatenate(planes[:: -1 if self.swapped else 1], -1))
        return x * ops.sigmoid(self.norm(logits, training=training))


class Swapped(CBAMLayer):
    swapped = True


class Coarse(CBAMLayer):
    eps = 1e-3  # the default of Keras


MAPPING = {"reduce": "channel.reduce", "expand": "channel.expand", "conv": "spatial.conv", "norm": "spatial.norm"}
CLASSES = {each.__name__: each for each in (CBAMLayer, Swapped, Coarse)}


def remark_on_cbam() -> str:
    keras.utils.set_random_seed(0)
    return assert_parity(CBAMLayer(), core.CBAM(4, 2, 3, bias=True, norm=True), mapping=MAPPING, draws=2).remark


def message(make: Any, block: core.Block, **options: Any) -> str:
    """Return what a check says, "" if it passes."""
    keras.utils.set_random_seed(0)
    try:
        assert_parity(make, block, draws=2, **options)
    except (ParityError, ForeignError) as error:
        return str(error)
    return ""


def of_se(activation: str) -> str:
    return message(SELayer(activation), SE, shape=(2, 8, 4, 3))


def of_cbam(name: str, built: bool) -> str:
    layer = CLASSES[name]()
    if built:
        layer(np.zeros((1, 5, 4, 4), "float32"))
    return message(layer, CBAM, shape=(2, 4, 5, 4), mapping=MAPPING)


def of_model() -> str:
    """Check a functional model."""
    image = keras.Input((None, None, 8))
    mean = layers.GlobalAveragePooling2D()(image)
    gate = layers.Dense(8, "sigmoid", name="fc2")(layers.Dense(2, "relu", name="fc1")(mean))
    model = keras.Model(image, layers.Multiply()([image, layers.Reshape((1, 1, 8))(gate)]))
    return message(model, SE, shape=(2, 8, 4, 3), mapping={"fc1": "reduce", "fc2": "expand"})


def of_ours(data_format: str) -> str:
    return message(attn_tf.SqueezeExcitation(4, data_format=data_format), SE, shape=(2, 8, 4, 3))


def of_another_type() -> str:
    return message(SELayer(), SE, dtype="bfloat16")


def of_half() -> str:
    return message(SELayer(dtype="bfloat16"), SE, dtype="bfloat16")


def untouched() -> bool:
    """Say whether weights, attributes and mode are as they were after a check that fails."""
    layer = Swapped()
    layer(np.ones((1, 5, 4, 4), "float32"))
    before = [(v, np.array(ops.convert_to_numpy(v))) for v in layer.variables]
    names = [sorted(vars(each)) for each in layer._flatten_layers()]
    assert of_built(layer)
    after = layer.variables
    same = all(v is w and np.array_equal(a, ops.convert_to_numpy(w)) for (v, a), w in zip(before, after, strict=True))
    fresh = CBAMLayer()
    assert not message(fresh, CBAM, shape=(2, 4, 5, 4), mapping=MAPPING)
    return same and names == [sorted(vars(each)) for each in layer._flatten_layers()] and not fresh.built


def of_built(layer: Any) -> str:
    return message(layer, CBAM, shape=(2, 4, 5, 4), mapping=MAPPING)


def in_threads() -> int:
    """Return how many different things two threads say of one wrong layer."""
    layer = SELayer("silu")
    layer(np.ones((1, 4, 3, 8), "float32"))

    def said(turn: int) -> str:
        return message(layer, SE, shape=(2, 8, 4, 3))

    with ThreadPoolExecutor(2) as pool:
        return len(set(pool.map(said, range(2))))


def twins(activation: str) -> str:
    """Check a PyTorch module against a Keras layer."""
    import foreign_torch

    return message(foreign_torch.SE(), SELayer(activation), shape=(2, 8, 4, 3))
