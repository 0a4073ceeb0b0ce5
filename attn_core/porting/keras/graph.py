"""A Keras model's file as a graph and the arrays that its variables have."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from attn_core.porting.graph.graph import Graph, Ref
from attn_core.porting.keras import merging, of_channels, pointwise, shapes, windows
from attn_core.porting.keras.activations import UnknownActivationError
from attn_core.porting.keras.configuration import MODELS, Layer, Model, Source, model
from attn_core.porting.keras.nodes import Nodes, Tensor
from attn_core.porting.keras.use import UnknownLayerError, Use, Write
from attn_core.porting.keras.weights import Arrays, has_names, numbered_names, own_names
from attn_core.porting.network.clean import rebuilt
from attn_core.weights.files import hdf5
from attn_core.weights.files.errors import DialectError
from attn_core.weights.files.state import keras_archive
from attn_core.weights.files.tf1.errors import CheckpointError

_HDF5, _ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"
_LONGEST = 2**26  # letters of a configuration
_DEEPEST = 20  # models inside of models
_OF_ONE: dict[str, Write] = {**windows.LAYERS, **pointwise.LAYERS, **of_channels.LAYERS, **shapes.LAYERS}
_FAILURES = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError, StopIteration)


class KerasModel(NamedTuple):
    """A model's graph, and its arrays."""

    graph: Graph
    arrays: Arrays


class _Saved(NamedTuple):
    """What a file says of its model: the class, the configuration, and the version of Keras that wrote it."""

    kind: str
    config: Any
    version: str


def is_keras_model(path: Path) -> bool:
    """Whether a file is one in which Keras saves models: HDF5, or a zip archive with a configuration in it."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(len(_HDF5))
    if start == _HDF5:
        return True
    if not start.startswith(_ZIP):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return "config.json" in archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def read_keras_model(path: Path) -> KerasModel:
    """Read a model saved by `model.save`. **Raises** `CheckpointError`: damaged, weights alone, or an unknown layer."""
    saved = _saved(path)
    try:
        # Its contents tell what it is: models are called `.h5`, `.hdf5`, `.keras`, or anything.
        arrays = keras_archive(path) if zipfile.is_zipfile(path) else hdf5.read(path, path)
    except DialectError as error:
        raise CheckpointError(str(error)) from None
    writer = _Writer(path, Nodes(arrays), saved.version, own_names if has_names(path) else numbered_names)
    try:
        described = model(saved.kind, saved.config)
        outputs = writer.whole(described)
    except CheckpointError:
        raise
    except _FAILURES as error:
        raise CheckpointError(f"{path}: its configuration is damaged or of an unknown form ({error}).") from None
    empty = Graph(path, path.name, MappingProxyType({}), MappingProxyType({}))
    graph = rebuilt(empty, writer.nodes.written.values())
    # Keras keeps what its averages keep of the old; here it is the share of the new that counts.
    return KerasModel(
        Graph(path, path.name, graph.nodes, graph.consumers, signature=outputs, momenta=writer.momenta),
        Arrays(path, arrays),
    )


# ---- the configuration -----------------------------------------------------------------------------------------------


def _saved(path: Path) -> _Saved:
    text, version = _from_zip(path) if zipfile.is_zipfile(path) else _from_hdf5(path)
    try:
        found = json.loads(text)
        kind, config = found["class_name"], found["config"]
    except _FAILURES as error:
        raise CheckpointError(f"{path}: its configuration is damaged ({str(error)[:80]}).") from None
    if kind not in MODELS:
        raise CheckpointError(
            f"{path} holds a model of the class {str(kind)[:60]!r}, whose code is not in the file: port the graph that "
            "TensorFlow 1 saves of it, or a functional model of its layers."
        )
    return _Saved(kind, config, version)


def _from_zip(path: Path) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(path) as archive:
            for name in ("config.json", "metadata.json"):
                if archive.getinfo(name).file_size > _LONGEST:
                    raise CheckpointError(f"{path}: {name} is too long to be a configuration.")
            version = json.loads(archive.read("metadata.json"))["keras_version"]
            return archive.read("config.json").decode(), str(version)
    except CheckpointError:
        raise
    except (*_FAILURES, zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error) as error:
        raise CheckpointError(f"{path} is damaged or no .keras file ({error}).") from None


def _from_hdf5(path: Path) -> tuple[str, str]:
    try:
        import h5py
    except ImportError as error:
        raise CheckpointError(f"{path}: {error}; Keras' files need it: pip install 'attn-blocks[h5]'.") from None
    try:
        with h5py.File(path, "r") as file:
            text, version = (_text(file.attrs.get(name)) for name in ("model_config", "keras_version"))
    except Exception as error:  # h5py raises many kinds on bytes that are not HDF5's
        raise CheckpointError(f"{path}: damaged or no HDF5 file ({str(error).partition(chr(10))[0]}).") from None
    if text is None:
        raise CheckpointError(
            f"{path} holds weights without the layers' configuration: save the whole model, with model.save; "
            "`attn convert` reads the weights of its attention blocks."
        )
    return text, version or ""


def _text(value: Any) -> str | None:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


# ---- the graph -------------------------------------------------------------------------------------------------------


class _Writer:
    """Writes a model, and those inside of it, as nodes."""

    def __init__(self, path: Path, nodes: Nodes, version: str, stored_as: Callable[[Model], Mapping[str, str]]) -> None:
        self.path, self.nodes, self.version = path, nodes, version
        self.stored_as = stored_as
        self.momenta: dict[str, float] = {}

    def whole(self, described: Model) -> dict[str, Ref]:
        """Write the model; return its results by their layers' names."""
        results = self._model(described, None, ())
        names = [source.layer for source in described.outputs]
        return dict(zip(names, (result.ref for result in results), strict=True))

    def _model(self, described: Model, given: Sequence[Tensor] | None, around: tuple[str, ...]) -> list[Tensor]:
        """Write a model's layers: `given` is what a model inside of others reads, which are called `around`."""
        if len(around) > _DEEPEST:
            raise CheckpointError(f"{self.path}: more than {_DEEPEST} models lie inside of each other.")
        values: dict[tuple[str, int], list[Tensor]] = {}
        if given is not None:
            ends = zip(described.inputs, given, strict=True)
            values.update({(source.layer, source.call): [tensor] for source, tensor in ends})
        elif len(described.inputs) != 1:
            names = ", ".join(source.layer for source in described.inputs)
            raise CheckpointError(f"{self.path}: the model has {len(described.inputs)} inputs, {names}; one is ported.")
        called = self.stored_as(described)
        waiting = [(layer, call) for layer in described.layers for call in range(max(1, len(layer.calls)))]
        while waiting:
            ready = [each for each in waiting if self._is_ready(*each, values)]
            if not ready:
                raise CheckpointError(f"{self.path}: the layer {waiting[0][0].name!r} reads what is not in the model.")
            for layer, call in ready:
                if (layer.name, call) not in values:
                    stored = (*around, called[layer.name])
                    values[layer.name, call] = self._call(layer, call, values, stored)
            waiting = [each for each in waiting if each not in ready]
        return [values[source.layer, source.call][source.result] for source in described.outputs]

    def _is_ready(self, layer: Layer, call: int, values: Mapping[tuple[str, int], Any]) -> bool:
        sources = layer.calls[call] if layer.calls else ()
        return all((each.layer, each.call) in values for each in sources if isinstance(each, Source))

    def _call(
        self, layer: Layer, call: int, values: Mapping[tuple[str, int], list[Tensor]], stored: tuple[str, ...]
    ) -> list[Tensor]:
        if layer.kind == "InputLayer":
            return [self.nodes.placeholder(layer.name, _shape(layer.options))]
        inputs = [
            values[each.layer, each.call][each.result] if isinstance(each, Source) else each
            for each in (layer.calls[call] if layer.calls else ())
        ]
        if layer.kind in MODELS:
            tensors = [each for each in inputs if isinstance(each, Tensor)]
            return self._model(model(layer.kind, layer.options), tensors, stored)
        scope = f"{layer.name}_{call}" if call else layer.name
        use = Use(self.nodes, self.path, layer.kind, scope, stored, layer.options, self.version)
        try:
            result = self._layer(use, layer, inputs)
        except (UnknownLayerError, UnknownActivationError) as error:
            raise CheckpointError(
                f"{self.path}: the layer {layer.name!r} of the class {layer.kind[:60]!r} has no counterpart: {error}. "
                "`attn convert` reads the weights of its attention blocks."
            ) from None
        if "BatchNormalization" in layer.kind:
            share = round(1 - float(layer.options.get("momentum", 0.99)), 9)
            *_, mean, variance = use.weights(*pointwise.roles_of_norm(use))
            self.momenta.update({mean.node: share, variance.node: share})
        return [result]

    def _layer(self, use: Use, layer: Layer, inputs: Sequence[Tensor | float]) -> Tensor:
        if layer.kind in merging.LAYERS:
            return merging.LAYERS[layer.kind](use, inputs)
        if layer.kind == "Lambda":
            raise UnknownLayerError("it holds Python code, which is not executed")
        if layer.kind not in _OF_ONE:
            raise UnknownLayerError("this layer is not known here")
        if len(inputs) != 1 or not isinstance(inputs[0], Tensor):
            raise UnknownLayerError(f"it reads {len(inputs)} tensors")
        return _OF_ONE[layer.kind](use, inputs[0])


def _shape(options: Mapping[str, Any]) -> list[int | None]:
    """Return the shape of an input with its batch, which versions of Keras call otherwise."""
    for key in ("batch_shape", "batch_input_shape"):
        if options.get(key) is not None:
            return [None if size is None else int(size) for size in options[key]]
    return [None, *(None if size is None else int(size) for size in options["shape"])]
