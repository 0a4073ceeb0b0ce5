"""What frameworks call the arrays of a layer, and what they are called here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# PyTorch's names are ours.
LEAVES = {
    "kernel": "weight",  # of Keras and Flax
    "gamma": "weight",
    "beta": "bias",  # of Keras' normalisations, as these
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
    "scale": "weight",  # of Flax' normalisations, as these
    "mean": "running_mean",
    "var": "running_var",
    "weights": "weight",  # of TensorFlow 1's slim
    "biases": "bias",
}


def above(key: str) -> str:
    """Return the layer of an array of theirs."""
    # Names have points in PyTorch, and slashes in TensorFlow, Keras and Flax.
    end = max(key.rfind("."), key.rfind("/"), 0)
    return key[:end]


def leaf(key: str) -> str:
    """Return our name of an array of theirs, without its layer's."""
    last = key.replace("/", ".").rpartition(".")[2]
    return LEAVES.get(last, last)


def plain(key: str) -> str:
    """Return a name of theirs with dots and with our names of arrays."""
    layer = above(key).replace("/", ".")
    return f"{layer}.{leaf(key)}" if layer else leaf(key)


def spread(mapping: Mapping[str, str], keys: Iterable[str], names: Iterable[str]) -> dict[str, str]:
    """Return a map of arrays, given one of arrays or whole layers: {"fc1": "reduce"} is each array of fc1."""
    keys, names = list(keys), set(names)
    found = {key: name for key, name in mapping.items() if key in keys and name in names}
    for key in keys:
        # What the map says of an array itself goes before what it says of its layer.
        if key in found or above(key) not in mapping:
            continue
        name = f"{mapping[above(key)]}.{leaf(key)}"
        if name in names:
            found[key] = name
    return found
