"""How a Keras model's layers are connected, as its file says it.

Keras 2 writes what a layer reads as ``[[["conv2d", 0, 0, {}]]]``: for each time that the layer is called, the layers
before it, which of their calls is meant, and which of their results. Keras 3 writes the arguments of each call, in
which a tensor is a dictionary with its `keras_history`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

MODELS = ("Sequential", "Functional", "Model")
_TENSOR = "__keras_tensor__"


class Source(NamedTuple):
    """Which result of which call of a layer is read."""

    layer: str
    call: int
    result: int


@dataclass(frozen=True)
class Layer:
    """A layer, or a model inside of a model.

    Fields:
        kind: its class.
        module: where Keras 3 has the class; an operation on tensors is written as a layer, too.
        options: its configuration.
        calls: for each time that it is called, what it reads; numbers among it are the program's.
    """

    kind: str
    module: str
    name: str
    options: Mapping[str, Any]
    calls: tuple[tuple[Source | float, ...], ...] = ()


@dataclass(frozen=True)
class Model:
    """Layers, and which of their results go in and come out."""

    layers: tuple[Layer, ...]
    inputs: tuple[Source, ...]
    outputs: tuple[Source, ...]


def model(kind: str, config: Any) -> Model:
    """Read a model's configuration."""
    if kind == "Sequential":
        return _sequential(config)
    layers = tuple(_layer(each) for each in config["layers"])
    return Model(layers, tuple(_ends(config["input_layers"])), tuple(_ends(config["output_layers"])))


def _layer(entry: Any) -> Layer:
    calls = tuple(tuple(_read(node)) for node in entry.get("inbound_nodes") or ())
    name = entry.get("name") or entry["config"]["name"]
    return Layer(entry["class_name"], entry.get("module") or "", name, entry["config"], calls)


def _sequential(config: Any) -> Model:
    """Connect the layers of a chain; older versions of Keras write the list alone."""
    listed = config if isinstance(config, list) else config["layers"]
    layers: list[Layer] = []
    for entry in listed:
        layer = _layer(entry)
        if not layers and layer.kind != "InputLayer":
            layers.append(Layer("InputLayer", "", f"{layer.name}_input", _shape_of(layer)))
        before = (Source(layers[-1].name, 0, 0),) if layers else ()
        layers.append(Layer(layer.kind, layer.module, layer.name, layer.options, (before,) if before else ()))
    first, last = layers[0], layers[-1]
    return Model(tuple(layers), (Source(first.name, 0, 0),), (Source(last.name, 0, 0),))


def _shape_of(layer: Layer) -> Mapping[str, Any]:
    """Return the shape that the first layer of a chain takes, where a chain has no input layer of its own."""
    for key in ("batch_input_shape", "batch_shape"):
        if key in layer.options:
            return {key: layer.options[key]}
    if layer.kind in MODELS:
        inside = model(layer.kind, layer.options)
        first = next(each for each in inside.layers if each.name == inside.inputs[0].layer)
        return first.options
    raise ValueError("the first layer does not say the shape of its input: build the model before it is saved")


def _read(node: Any) -> Iterator[Source | float]:
    """Yield what one call reads."""
    if isinstance(node, Mapping):
        yield from _arguments(node["args"])
        return
    entries = [node] if node and isinstance(node[0], str) else node
    for name, call, result, *_ in entries:
        yield Source(str(name), int(call), int(result))


def _arguments(value: Any) -> Iterator[Source | float]:
    if isinstance(value, Mapping) and value.get("class_name") == _TENSOR:
        yield from _ends([value["config"]["keras_history"]])
    elif isinstance(value, list):
        for each in value:
            yield from _arguments(each)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield float(value)
    elif value is not None:
        raise ValueError(f"an argument that is neither a tensor nor a number: {str(value)[:40]!r}")


def _ends(entries: Any) -> Iterator[Source]:
    """Yield the ends of a model, of which a single one may stand without a list around it."""
    listed = [entries] if entries and isinstance(entries[0], str) else entries
    for name, call, result in listed:
        yield Source(str(name), int(call), int(result))
