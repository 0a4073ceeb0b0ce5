"""Somebody's Keras layer, on whichever backend, as functions of its arrays; see `attn_core.parity.foreign`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from attn_core.parity.foreign.layer import Call, ForeignError, Ran
from attn_core.spec import Block
from attn_tf.arrays import kind
from attn_tf.binding import variables
from attn_tf.layer import Layer
from attn_tf.passes import through

Numbers = NDArray[Any]


class Module:
    """A layer, run in a scope in which its variables have other values."""

    runtime, separator, inputs_first = "keras", "/", True

    def __init__(self, layer: Any, shape: tuple[int, ...], data_format: str | None = None) -> None:
        self.title = f"the Keras layer {type(layer).__name__}"
        self.data_format = data_format or _data_format(layer)
        self.layer = layer if layer.built else self._copy(layer, shape)
        self.dtype = str(self.layer.compute_dtype)
        self.paths = paths(self.layer)
        self.names = {self._key(layer, v): v for layer in self.layer._flatten_layers() for v in _own(layer)}

    def state(self) -> dict[str, Numbers]:
        """Return the values of its weights, by the attributes that hold them, as `conv/kernel`."""
        return {name: _numpy(variable.value) for name, variable in self.names.items()}

    def namings(self) -> list[dict[str, str]]:
        """Return what else its arrays are called: by their paths, of the names of layers."""
        return [{name: str(variable.path) for name, variable in self.names.items()}]

    def own(self) -> tuple[Block, dict[str, str]] | None:
        """Return the block of a layer of ours."""
        if not isinstance(self.layer, Layer):
            return None
        canonical = {id(variable): name for name, variable in variables(self.layer).items()}
        return self.layer.block, {name: canonical[id(variable)] for name, variable in self.names.items()}

    def run(
        self,
        state: Mapping[str, Numbers],
        x: Numbers,
        cotangent: Numbers | None = None,
        *,
        dtype: str = "float32",
        train: bool = False,
        wanted: Sequence[str] = (),
        seed: int = 0,
    ) -> Ran:
        """Run it; see `attn_core.parity.foreign.layer.Foreign`."""
        self._require(dtype)
        mapping = self._mapping(state, seed)

        def function(image: Any, *values: Any) -> tuple[Any, list[Any]]:
            moved = [(self.names[name], value) for name, value in zip(wanted, values, strict=True)]
            with keras.StatelessScope(state_mapping=[*mapping, *moved]) as scope:
                output = self.layer(image, training=train)
            after = [scope.get_current_value(variable) for variable in self.names.values()]
            return self._single(output), after

        values = {id(variable): value for variable, value in mapping}
        inputs = [self._native(x, dtype), *(values[id(self.names[name])] for name in wanted)]
        pull = None if cotangent is None else self._native(cotangent, dtype)
        output, found, after = through(function, inputs, pull)
        gradients = dict(zip(wanted, map(_wide, found[1:]), strict=False))
        moved = dict(zip(self.names, map(_wide, after), strict=True))
        return Ran(self._canonical(output), self._canonical(found[0]) if found else None, gradients, moved)

    def calls(
        self, state: Mapping[str, Numbers], x: Numbers, *, dtype: str = "float32", train: bool = False
    ) -> list[Call]:
        """Run it with a function around the `call` of each sub-layer."""
        self._require(dtype)
        calls: list[Call] = []
        layers = [layer for layer in self.layer._flatten_layers(include_self=False) if "call" not in vars(layer)]
        for layer in layers:
            vars(layer)["call"] = self._noted(layer, calls)
        try:
            with keras.StatelessScope(state_mapping=self._mapping(state, 0)):
                self.layer(self._native(x, dtype), training=train)
        finally:
            for layer in layers:
                del vars(layer)["call"]
        return calls

    def _noted(self, layer: Any, calls: list[Call]) -> Callable[..., Any]:
        own, name = layer.call, self.paths[id(layer)]

        def call(*args: Any, **kwargs: Any) -> Any:
            output = own(*args, **kwargs)
            if hasattr(output, "shape"):
                given = tuple(self._canonical(a) for a in (*args, *kwargs.values()) if hasattr(a, "shape"))
                calls.append(Call(name, given, self._canonical(output)))
            return output

        return call

    def _copy(self, layer: Any, shape: tuple[int, ...]) -> Any:
        """Build another layer of the same configuration: the one given stays as it is."""
        try:
            own = type(layer).from_config(_accepted(type(layer), layer.get_config()))
            own(self._native(np.zeros(shape), str(own.compute_dtype)))
        except Exception as error:
            reason = f"is not built, and a copy of it cannot be ({error})".replace("\n", " ")
            raise ForeignError(f"{self.title} {reason}: call it on an image first.") from error
        return own

    def _key(self, layer: Any, variable: Any) -> str:
        return "/".join(filter(None, (self.paths[id(layer)], str(variable.name))))

    def _mapping(self, state: Mapping[str, Numbers], seed: int) -> list[tuple[Any, Any]]:
        """Return all variables with their values; with a seed, random layers draw other numbers."""
        names = {id(variable): name for name, variable in self.names.items()}
        found = []
        for variable in self.layer.variables:
            name, value = names.get(id(variable)), variable.value
            if name is not None and name in state:
                value = keras.ops.convert_to_tensor(state[name], kind(variable))
            elif name is None and seed:  # the state of a generator
                value = value + keras.ops.cast(seed, kind(variable))
            found.append((variable, value))
        return found

    def _require(self, dtype: str) -> None:
        if dtype != self.dtype:
            raise ForeignError(f"{self.title} computes in {self.dtype}, not in {dtype}: make it with dtype={dtype!r}.")

    def _single(self, output: Any) -> Any:
        if not hasattr(output, "shape"):
            raise ForeignError(f"{self.title} returned {type(output).__name__}: a layer returns one tensor.")
        return output

    def _native(self, x: Numbers, dtype: str) -> Any:
        last = self.data_format == "channels_last" and x.ndim > 2
        return keras.ops.convert_to_tensor(np.moveaxis(x, 1, -1) if last else x, dtype)

    def _canonical(self, x: Any) -> NDArray[np.float64]:
        array = _wide(x)
        return np.moveaxis(array, -1, 1) if self.data_format == "channels_last" and array.ndim > 2 else array


def beginning(seed: int) -> dict[str, Any]:
    """Let fresh layers be those of the seed; return the arguments that make them so."""
    keras.utils.set_random_seed(seed)
    return {}


def adopt(thing: Any, shape: tuple[int, ...], data_format: str | None = None) -> Module:
    """Return the adapter of a layer or model."""
    return Module(thing, shape, data_format)


# ---- names and layouts -----------------------------------------------------------------------------------------------


def _data_format(layer: Any) -> str:
    """Return the layout of a layer, or that of the first of its layers that has one."""
    formats = [getattr(each, "data_format", None) for each in layer._flatten_layers()]
    return next((found for found in formats if found in ("channels_first", "channels_last")), None) or str(
        keras.config.image_data_format()
    )


def paths(layer: Any, above: str = "") -> dict[int, str]:
    """Return where each layer is, by its id: the attributes that hold it, or the name it has in a model."""
    held: dict[int, str] = {}
    attributes = vars(layer) | vars(layer).get("_modules", {})  # where PyTorch has taken them
    for attribute, value in attributes.items():
        several = enumerate(value) if isinstance(value, list | tuple) else ()
        for name, each in [(attribute, value), *((f"{attribute}/{i}", inner) for i, inner in several)]:
            if isinstance(each, keras.layers.Layer) and not attribute.startswith("_"):
                held.setdefault(id(each), name)
    found = {id(layer): above}
    for child in layer._layers:
        name = held.get(id(child), str(child.name))
        found = paths(child, f"{above}/{name}" if above else name) | found
    return found


def _accepted(kind: Any, config: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a class does not take, as those that hand no arguments on to Keras."""
    parameters = inspect.signature(kind).parameters
    every = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    return {name: value for name, value in config.items() if every or name in parameters}


def _own(layer: Any) -> list[Any]:
    """Return the weights that a layer holds itself."""
    return [*layer._trainable_variables, *layer._non_trainable_variables]


def _numpy(x: Any) -> Numbers:
    known = keras.ops.cast(x, "float32") if kind(x) == "bfloat16" else x
    return np.array(keras.ops.convert_to_numpy(known))


def _wide(x: Any) -> NDArray[np.float64]:
    return _numpy(x).astype(np.float64)
