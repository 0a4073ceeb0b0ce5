"""What runs in a process of Keras: its own networks, their files and what their attention blocks compute."""

from __future__ import annotations

from pathlib import Path

import numpy as np

NETWORKS = {"EfficientNetB0": "se_excite", "MobileNetV3Small": "squeeze_excite_mul"}


def run(name: str, folder: str, blocks: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Save a network of Keras with weights of its own in all kinds of files; return in- and outputs of its blocks."""
    import keras

    keras.utils.set_random_seed(0)
    network = getattr(keras.applications, name)(weights=None, include_top=False, input_shape=(64, 64, 3))
    rng = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign(variable + rng.normal(0, 0.3, variable.shape))
    network.save_weights(Path(folder, "net.weights.h5"))
    network.save(Path(folder, "net.keras"))
    network.save(Path(folder, "net.h5"))
    products = [layer for layer in network.layers if layer.name.endswith(NETWORKS[name])][:blocks]
    ends = [tensor for layer in products for tensor in (layer.input[0], layer.output)]
    image = np.stack([rng.uniform(0, 255, (64, 64, 3)), rng.uniform(200, 255, (64, 64, 3))]).astype("float32")
    arrays = keras.Model(network.input, ends)(image)
    images = [np.moveaxis(keras.ops.convert_to_numpy(array), -1, 1) for array in arrays]
    prefixes = [layer.name.removesuffix(NETWORKS[name]) for layer in products]
    return dict(zip(prefixes, zip(images[::2], images[1::2], strict=True), strict=True))


def load_by_name(path: str, layer: str) -> list[np.ndarray]:
    """Load an .h5 file into a model with one layer of this name, a convolution from 8 to 4 channels."""
    import keras

    model = keras.Sequential([keras.Input((2, 2, 8)), keras.layers.Conv2D(4, 1, name=layer)])
    model.load_weights(path, by_name=True)
    return model.get_layer(layer).get_weights()
