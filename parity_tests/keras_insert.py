"""Attention inserted into Keras networks, run where Keras is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from bounds import INSERTED
from keras import layers

import attn_core as core
import attn_tf
from attn_core.spec import SpecError

X = np.sin(np.arange(2 * 16 * 12 * 3, dtype=np.float32)).reshape(2, 16, 12, 3)


def network() -> Any:
    """Return a functional network with additions, a layer that is called twice, and a network inside."""
    keras.utils.set_random_seed(0)
    image = keras.Input((16, 12, 3))
    backbone = keras.Sequential(
        [
            keras.Input((16, 12, 3)),
            layers.Conv2D(8, 3, strides=2, padding="same", name="conv"),
            layers.ReLU(name="relu"),
        ],
        name="backbone",
    )
    x = backbone(image)
    for i in range(2):
        y = layers.BatchNormalization(name=f"bn{i}")(
            layers.Conv2D(8, 3, padding="same", use_bias=False, name=f"c{i}")(x)
        )
        x = layers.ReLU(name=f"relu{i}")(x + y)
    twice = layers.Conv2D(8, 1, name="twice")
    x = layers.GlobalAveragePooling2D(name="pool")(twice(twice(x)))
    return keras.Model(image, layers.Dense(5, name="head")(x))


def numbers(model: Any, x: Any = X) -> Any:
    return np.asarray(keras.ops.convert_to_numpy(model(x, training=False)))


def values(model: Any) -> dict[str, Any]:
    return {v.path: np.asarray(keras.ops.convert_to_numpy(v.value)) for v in model.trainable_variables}


def same(found: Any, wanted: Any) -> bool:
    return bool(np.abs(found - wanted).max() <= INSERTED * np.abs(wanted).max())


def inserts(folder: str) -> None:
    """Names and weights stay, the start is the identity, a step moves old and new, files of both, removed again."""
    model = network()
    wanted, names = numbers(model), [layer.name for layer in model.layers]
    model.save_weights(Path(folder) / "old.weights.h5")
    report = attn_tf.insert(model, "bn*", "CBAM(norm=True)")
    new = report.model
    assert [row.place for row in report] == ["bn0", "bn1"]
    assert [layer.name for layer in new.layers if layer.name in names] == names
    assert sorted({layer.name for layer in new.layers} - set(names)) == ["bn0_attention", "bn1_attention"]
    assert report.keys == [v.path for name in ("bn0", "bn1") for v in new.get_layer(f"{name}_attention").variables]
    assert same(numbers(new), wanted)
    assert report.multiply_adds == 2 * core.interpreters.cost.cost(core.CBAM(8), (1, 8, 8, 6)).multiply_adds
    before = values(new)
    new.compile(keras.optimizers.SGD(0.1), "mse")
    new.fit(np.tile(X, (2, 1, 1, 1)), np.ones((4, 5), np.float32), batch_size=2, epochs=1, verbose=0)
    moved = {
        v.path
        for v in new.trainable_variables
        if (np.asarray(keras.ops.convert_to_numpy(v.value)) != before[v.path]).any()
    }
    assert {"c0/kernel", "bn0/gamma", "head/kernel", "backbone/conv/kernel"} <= moved
    assert any("bn0_attention/inner" in path for path in moved)
    trained = numbers(new)
    new.save(Path(folder) / "new.keras")
    assert same(numbers(keras.models.load_model(Path(folder) / "new.keras")), trained)
    again = attn_tf.insert(network(), "bn*", "CBAM(norm=True)").model
    new.save_weights(Path(folder) / "new.weights.h5")
    again.load_weights(Path(folder) / "new.weights.h5")
    assert same(numbers(again), trained)
    attn_tf.without(new).load_weights(Path(folder) / "old.weights.h5")
    assert same(numbers(attn_tf.remove(new)), wanted)
    assert [layer.name for layer in attn_tf.remove(new).layers] == names


def places(folder: str) -> None:
    """Inside a network that is a layer, before a layer, at one that is called twice, in a Sequential; other starts."""
    model = network()
    wanted = numbers(model)
    for options in ({"after": "backbone/conv"}, {"before": "relu0"}, {"after": "twice"}, {"after": layers.ReLU}):
        report = attn_tf.insert(model, block="se", **options)
        assert same(numbers(report.model), wanted)
        assert not same(numbers(attn_tf.insert(model, block="se", **options, start="paper").model), wanted)
    assert "called 2 times, with the same weights" in str(attn_tf.insert(model, "twice", "se"))
    report = attn_tf.insert(model, "backbone/conv", "se")
    (row,) = report
    assert isinstance(report.model.get_layer("backbone"), keras.Sequential)
    assert "conv_attention/inner/" in row.keys[0]
    sequential = model.get_layer("backbone")
    found = attn_tf.insert(
        sequential, "relu", lambda channels: core.EfficientChannelAttention(channels), start=0.5
    ).model
    assert float(found.get_layer("relu_attention").strength.weight[0]) == 0.5
    found.save(Path(folder) / "sequential.keras")
    assert same(numbers(keras.models.load_model(Path(folder) / "sequential.keras")), numbers(found))
    assert same(numbers(attn_tf.remove(found)), numbers(sequential))
    paper = attn_tf.insert(model, "bn0", "shuffle", start="paper").model
    assert same(numbers(attn_tf.remove(paper)), wanted)


def freezes() -> None:
    model = attn_tf.insert(network(), "bn*", "se", freeze=True).model
    assert {v.path for v in model.trainable_variables} == {v.path for v in attn_tf.new_parameters(model)}


def mixed() -> None:
    """Layers of mixed precision are followed by attention of mixed precision."""
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, layers.Conv2D(8, 3, name="conv", dtype="mixed_float16")(image))
    new = attn_tf.insert(model, "conv", "se").model
    assert str(new.output.dtype) == "float16"
    assert same(numbers(new, X[:, :8, :8]), numbers(model, X[:, :8, :8]))


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__(name="subclassed")
        self.conv = layers.Conv2D(4, 1)

    def call(self, x: Any) -> Any:
        return self.conv(x)


REFUSED = {
    "nearest: bn0": lambda: attn_tf.insert(network(), "bm0", "se"),
    "pool (GlobalAveragePooling2D) returns": lambda: attn_tf.insert(network(), "pool", "se"),
    "after bn0: CBAM(channels=16, ": lambda: attn_tf.insert(network(), "bn0", core.CBAM(16)),
    "subclassed is a subclass of keras.Model, of which Keras knows no graph": lambda: attn_tf.insert(
        Subclassed(), "conv", "se"
    ),
    "is a layer: give its block": lambda: attn_tf.insert(network(), "bn0", attn_tf.CBAM()),
    "has no weights yet: build it": lambda: attn_tf.insert(keras.Sequential([layers.Conv2D(4, 1)]), "conv2d", "se"),
}


def refused() -> None:
    for words, what in REFUSED.items():
        with pytest.raises(SpecError, match=re.escape(words)):
            what()


def creates() -> None:
    layer = attn_tf.create("eca", 8, kernel=5, dtype="float16")
    assert layer.block == core.EfficientChannelAttention(8, kernel=5)
    assert layer.compute_dtype == "float16"
