"""Functional and Sequential networks, copied with something done to each call of a layer."""

from __future__ import annotations

from typing import Any, Protocol

import keras

from attn_core.spec import SpecError


class Change(Protocol):
    """What is done at each layer of a network, known by its path in it."""

    def keeps(self, layer: Any) -> bool:
        """Say whether a layer is in the copy."""
        ...

    def before(self, path: str, layer: Any, x: Any) -> Any:
        """Return a layer to run before this one, whose input is like x, or None."""
        ...

    def after(self, path: str, layer: Any, x: Any) -> Any:
        """Return a layer to run after this one, whose output is like x, or None."""
        ...


def copied(model: Any, change: Change, *, share: bool = False, prefix: str = "") -> Any:
    """Return a network with a change; its other layers are new ones with the same names.

    With `share` they are the network's own. Networks that are layers are copied in the same way. **Raises** `SpecError`
    for a network without a graph.
    """
    require_graph(model)
    made: dict[str, Any] = {}

    def layer_for(layer: Any) -> Any:
        if isinstance(layer, keras.layers.InputLayer):
            return layer
        if layer.name not in made:
            made[layer.name] = _layer(layer, change, share, f"{prefix}{layer.name}/")
        return made[layer.name]

    if isinstance(model, keras.Sequential):
        return _sequential(model, change, layer_for, prefix)

    def called(layer: Any, *given: Any, **named: Any) -> Any:
        if isinstance(layer, keras.layers.InputLayer):
            return layer(*given, **named)
        if not change.keeps(layer):
            return given[0]
        path = f"{prefix}{layer.name}"
        first = _run(change.before(path, layer, given[0]), given[0]) if given else None
        output = layer(first, *given[1:], **named) if given else layer(**named)
        return _run(change.after(path, layer, output), output)

    names = {id(layer.output): layer.name for layer in model.layers if isinstance(layer, keras.layers.InputLayer)}
    inputs = keras.tree.map_structure(
        lambda x: keras.Input(batch_shape=x.shape, dtype=x.dtype, name=names.get(id(x), x.name)), model.input
    )
    return keras.models.clone_model(model, inputs, clone_function=layer_for, call_function=called)


def _run(layer: Any, x: Any) -> Any:
    return x if layer is None else layer(x)


def _sequential(model: Any, change: Change, layer_for: Any, prefix: str) -> Any:
    """Return a Sequential network again: files name its layers by its class."""
    (x,) = model.inputs
    found = [keras.Input(batch_shape=x.shape, dtype=x.dtype, name=x.name)]
    for layer in filter(change.keeps, model.layers):
        path, first = f"{prefix}{layer.name}", x
        x = layer.compute_output_spec(first)
        new = (change.before(path, layer, first), layer_for(layer), change.after(path, layer, x))
        found += [each for each in new if each is not None]
    return keras.Sequential(found, name=model.name)


def require_graph(model: Any) -> None:
    """Raise unless Keras knows which layer follows which."""
    if not isinstance(model, keras.Model):
        raise TypeError(f"The network must be a keras.Model, got {type(model).__name__}.")
    if isinstance(model, keras.Sequential):
        if not model.built:
            raise SpecError(f"{model.name} has no weights yet: build it, or call it on an image, first.")
    elif not getattr(model, "_is_functional", None) and not hasattr(model, "operations"):
        rule = "insert into a functional network inside it, as model.backbone = insert(model.backbone, ...).model"
        raise SpecError(f"{model.name} is a subclass of keras.Model, of which Keras knows no graph: {rule}.")


def is_network(layer: Any) -> bool:
    """Say whether a layer is a network with a graph."""
    return isinstance(layer, keras.Model) and (isinstance(layer, keras.Sequential) or hasattr(layer, "operations"))


def layers(model: Any, prefix: str = "") -> dict[str, Any]:
    """Return all layers by their paths: the names of the networks they are in, and their own."""
    found: dict[str, Any] = {}
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        found[f"{prefix}{layer.name}"] = layer
        if is_network(layer):
            found |= layers(layer, f"{prefix}{layer.name}/")
    return found


def _layer(layer: Any, change: Change, share: bool, prefix: str) -> Any:
    if is_network(layer):
        return copied(layer, change, share=share, prefix=prefix)
    if share or not isinstance(layer, keras.layers.Layer):  # an operation such as x + y has no weights
        return layer
    new = layer.__class__.from_config(layer.get_config())
    new.trainable = layer.trainable
    return new


def take_weights(new: Any, old: Any) -> None:
    """Give the layers of a copy the weights of the layers with the same paths."""
    known = layers(old)
    for path, layer in layers(new).items():
        if path in known and not is_network(layer) and layer.weights:
            layer.set_weights(known[path].get_weights())
