"""Keras models as users save them, made and run where Keras is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers
from keras.src.applications.convnext import LayerScale  # which its networks hold and Keras does not export

RNG = np.random.default_rng(0)


def squeezed(x: Any) -> Any:
    channels = x.shape[-1]
    y = layers.GlobalAveragePooling2D(keepdims=True)(x)
    y = layers.Conv2D(channels // 2, 1, activation="relu")(y)
    y = layers.Conv2D(channels, 1, activation="sigmoid")(y)
    return layers.Multiply()([x, y])


def images() -> Any:
    """All that is common in networks of images."""
    image = keras.Input((20, 16, 3), name="image")
    x = layers.Normalization(mean=[0.1, 0.2, -0.3], variance=[1.5, 0.5, 2.0])(image)
    x = layers.Normalization()(layers.Rescaling(1 / 127.5, offset=-1)(x))
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(layers.ZeroPadding2D(((1, 2), (0, 3)))(x))
    x = layers.ReLU(6.0)(layers.BatchNormalization(scale=False, momentum=0.9)(x))
    x = squeezed(layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, activation="silu")(x))
    x = layers.SeparableConv2D(8, 3, padding="same", dilation_rate=2)(x)
    x = layers.PReLU(alpha_initializer="uniform", shared_axes=[1, 2])(layers.BatchNormalization(center=False)(x))
    small = layers.LeakyReLU()(layers.Conv2D(6, (3, 2), padding="valid")(layers.MaxPooling2D(padding="same")(x)))
    large = layers.UpSampling2D(2)(small)
    ways = [layers.Cropping2D(((1, 2), (0, 1)))(large), layers.UpSampling2D(interpolation="bilinear")(small)]
    ways = [layers.Conv2D(4, 1, activation="hard_sigmoid")(layers.Dropout(0.5)(way)) for way in ways]
    down = layers.AveragePooling2D(3, strides=2, padding="same")(ways[0])
    up = layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="elu")(down)
    wide = layers.Conv2DTranspose(4, 4, strides=2, activation="mish")(down)
    heads = [layers.GlobalMaxPooling2D()(y) for y in (up, wide, ways[1])]
    y = layers.Concatenate()([layers.Average()(heads[:2]), layers.Subtract()(heads[1:]), layers.Maximum()(heads)])
    y = layers.Dense(6, activation="gelu")(y)
    return keras.Model(image, layers.Dense(5, activation="softmax", name="probabilities")(y))


def signals() -> Any:
    signal = keras.Input((None, 3), name="signal")
    x = layers.Conv1D(8, 3, padding="causal", dilation_rate=2, activation="relu")(signal)
    x = layers.BatchNormalization()(x)
    x = layers.SeparableConv1D(6, 3, padding="same")(layers.MaxPooling1D(2)(x))
    x = layers.Conv1DTranspose(4, 3, strides=2, padding="same")(layers.ZeroPadding1D((2, 1))(x))
    x = layers.UpSampling1D(3)(x)
    x = layers.Dense(5, activation="tanh")(layers.AveragePooling1D(2)(x))
    return keras.Model(signal, layers.Dense(3)(layers.GlobalAveragePooling1D()(x)))


def convnext() -> Any:
    """Norms over channels, factors of channels, with and without arrays of their own."""
    image = keras.Input((12, 10, 3), name="image")
    x = layers.LayerNormalization(epsilon=1e-6)(layers.Conv2D(6, 2, strides=2)(image))
    y = layers.LayerNormalization(center=False)(layers.DepthwiseConv2D(3, padding="same")(x))
    y = LayerScale(0.1, 6)(layers.Dense(6)(layers.Dense(12, activation="gelu")(y)))
    x = layers.GlobalAveragePooling2D()(layers.Add()([x, y]))
    return keras.Model(image, layers.Dense(3)(layers.LayerNormalization(scale=False)(x)))


def volumes() -> Any:
    volume = keras.Input((6, 8, 8, 2), name="volume")
    x = layers.BatchNormalization()(layers.Conv3D(4, 3, strides=(1, 2, 2), padding="same", activation="relu")(volume))
    y = layers.Conv3DTranspose(4, 2, strides=2)(layers.MaxPooling3D((2, 2, 2))(x))
    return keras.Model(volume, layers.GlobalAveragePooling3D()(layers.Concatenate()([x, y])))


def inside() -> Any:
    """Models inside of a model, one of them called twice."""
    block = keras.Sequential([layers.Conv2D(4, 3, padding="same"), layers.Activation("relu")], name="block")
    image = keras.Input((6, 5, 4), name="image")
    shared = layers.Conv2D(4, 1, name="shared")
    x = layers.Add()([shared(block(image)), shared(block(block(image)))])
    part = keras.Model(image, layers.BatchNormalization()(x), name="part")
    outer = keras.Input((6, 5, 4), name="outer")
    y = layers.Reshape((5, 6, 4))(layers.Permute((2, 1, 3))(part(outer)))
    return keras.Model(outer, layers.Dense(3)(layers.Flatten()(y)))


def operators() -> Any:
    """Operations on tensors, which Keras 3 saves as layers."""
    image = keras.Input((8, 8, 3), name="image")
    x = layers.Conv2D(4, 3)(image)
    y = 2.0 * x + layers.Conv2D(4, 3)(image) / 3.0 - 0.5
    return keras.Model(image, layers.GlobalAveragePooling2D()(keras.ops.maximum(y, x) * x))


def chain() -> Any:
    return keras.Sequential(
        [
            keras.Input((12, 10, 3)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(3, activation="softmax"),
        ]
    )


def two_results() -> Any:
    image = keras.Input((8, 8, 3), name="image")
    x = layers.Conv2D(4, 3, activation="relu")(image)
    boxes = layers.Conv2D(4, 1, name="boxes")(x)
    classes = layers.Dense(3, name="classes")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(image, [boxes, classes])


def with_code() -> Any:
    image = keras.Input((8, 8, 3), name="image")
    return keras.Model(image, layers.Lambda(lambda x: x * 2, name="twice")(layers.Conv2D(4, 3)(image)))


def recurrent() -> Any:
    signal = keras.Input((8, 3), name="signal")
    return keras.Model(signal, layers.LSTM(4, name="memory")(signal))


MODELS: dict[str, Callable[[], Any]] = {
    each.__name__: each
    for each in (images, signals, convnext, volumes, inside, operators, chain, two_results, with_code, recurrent)
}


def save(name: str, suffix: str, folder: Path) -> dict[str, np.ndarray]:
    """Save a model, and return an image and what the model makes of it."""
    model = MODELS[name]()
    for variable in model.variables:
        if variable.dtype == "float32":  # and no seed of a dropout
            low = 0.5 if "variance" in variable.path or "gamma" in variable.path else -0.5
            variable.assign(RNG.uniform(low, low + 1, variable.shape))
    for layer in model.layers:
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()  # as `adapt` does: the layer keeps what it made of its variables
    model.save(folder / f"model{suffix}")
    image = RNG.normal(size=(2, *(14 if size is None else size for size in model.input_shape[1:]))).astype(np.float32)
    results = model(image, training=False)
    results = results if isinstance(results, list) else [results]
    names = [f"output{f'_{k}' if k else ''}" for k in range(len(results))]
    return {"input": image, **{name: np.asarray(result) for name, result in zip(names, results, strict=True)}}


def save_weights(folder: Path) -> None:
    """Save the weights alone."""
    chain().save_weights(folder / "model.weights.h5")


def port(name: str, suffix: str, folder: Path) -> list[tuple[str, float, bool]]:
    """Port a model to Keras, and return what was compared."""
    from test_keras_models import proven

    return proven(folder / f"model{suffix}", save(name, suffix, folder), "keras", folder / "out")
