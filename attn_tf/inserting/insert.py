"""Attention inserted into a Keras network that is there, pretrained or not, and taken out again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from attn_core.interpreters.cost import cost
from attn_core.interpreters.starting import starting
from attn_core.models.attention import attention
from attn_core.models.inserting import inserted as core
from attn_core.models.inserting.images import one_image, seen_images, titled
from attn_core.models.inserting.places import Place, chosen, where
from attn_core.models.inserting.report import Report, Row
from attn_core.spec import Block, SpecError
from attn_tf.inserting.graphs import copied, layers, require_graph, take_weights
from attn_tf.inserting.inserted import Inserted
from attn_tf.layer import Layer
from attn_tf.ops import Images

Choice = str | Block | Callable[[int], Any]


def insert(
    model: Any,
    at: Place | None = None,
    block: Choice | None = None,
    *,
    after: Place | None = None,
    before: Place | None = None,
    start: str | float = "identity",
    freeze: bool = False,
    name: str = "attention",
) -> Report:
    """Return a report whose `model` is a copy of a functional or Sequential network with blocks between its layers.

    See `attn_torch.insert`, whose arguments mean the same. Keras does not change a network in place: the copy has
    layers of the same names with the same weights, and `Inserted` layers beside them, called ``<layer>_attention``; the
    network that was given stays as it is. Places are names of layers, within a network that is a layer
    ``backbone/conv``. ``block`` is a name or text, a block of `attn_core`, or a function of the channels that returns
    one. ``freeze`` sets ``trainable=False`` on the layers that were there, with which batch norms keep their
    statistics. What Keras does with networks works, saving among it. **Raises** `SpecError`.
    """
    require_graph(model)
    core.require_start(start)
    if block is None:
        raise SpecError('insert needs a block: a name as "cbam", or block=.')
    what, side = where(at, after, before)
    known = {path: layer for path, layer in layers(model).items() if not isinstance(layer, Inserted)}
    inserting = _Inserting(set(chosen(known, what)), side, block, start, name)
    new = copied(model, inserting)
    take_weights(new, model)
    if freeze:
        for layer in layers(new).values():
            if not isinstance(layer, Inserted) and not layers_inside(layer):
                layer.trainable = False
    rows = (_row(place, side, made, inserting.images[place], start) for place, made in inserting.made.items())
    return Report(tuple(rows), new)


def remove(model: Any) -> Any:
    """Return a copy of a network without what was inserted, with the weights as they are now."""
    new = copied(model, _Removing())
    take_weights(new, model)
    return new


def without(model: Any) -> Any:
    """Return the network without what was inserted, of the very same layers: what it loads, they have."""
    return copied(model, _Removing(), share=True)


def new_parameters(model: Any) -> list[Any]:
    """Return the trainable variables of what was inserted."""
    found = (layer for layer in layers(model).values() if isinstance(layer, Inserted))
    return [variable for layer in found for variable in layer.trainable_variables]


def layers_inside(layer: Any) -> bool:
    """Say whether a layer is a network, which is frozen layer by layer."""
    return isinstance(layer, keras.Model)


class _Removing:
    """Leaves out what was inserted."""

    def keeps(self, layer: Any) -> bool:
        """Say whether it was there before."""
        return not isinstance(layer, Inserted)

    def before(self, path: str, layer: Any, x: Any) -> None:
        """Add nothing."""

    def after(self, path: str, layer: Any, x: Any) -> None:
        """Add nothing."""


class _Inserting:
    """Puts layers before or after some others."""

    def __init__(self, places: set[str], side: str, choice: Choice, start: str | float, name: str) -> None:
        self.places, self.side, self.choice, self.start, self.name = places, side, choice, start, name
        self.made: dict[str, Inserted] = {}
        self.images: dict[str, list[tuple[int, ...]]] = {}

    def keeps(self, layer: Any) -> bool:
        """Keep all."""
        return True

    def before(self, path: str, layer: Any, x: Any) -> Inserted | None:
        """Return what is inserted before this layer."""
        return self._at(path, layer, x) if self.side == "before" and path in self.places else None

    def after(self, path: str, layer: Any, x: Any) -> Inserted | None:
        """Return what is inserted after this layer."""
        return self._at(path, layer, x) if self.side == "after" and path in self.places else None

    def _at(self, path: str, layer: Any, x: Any) -> Inserted:
        title, data_format = titled(path, layer), _data_format(layer)
        (shape,) = seen_images(title, self.side, [tuple(x.shape) if hasattr(x, "shape") else None])
        canonical = Images(data_format).canonical(shape)
        if canonical[1] is None:
            raise SpecError(f"{title} does not tell its channels: set that axis in keras.Input.")
        self.images.setdefault(path, []).append(tuple(size or 1 for size in canonical))
        one_image(title, self.images[path])
        if path not in self.made:
            self.made[path] = self._made(path, layer, canonical, data_format)
        return self.made[path]

    def _made(self, path: str, layer: Any, shape: tuple[int | None, ...], data_format: str) -> Inserted:
        block = _given(self.choice, shape[1] or 1, len(shape) - 2)
        try:
            found = starting(block, shape, self.start)
        except ValueError as error:
            raise SpecError(f"{self.side} {path}: {error}") from error
        ending = self.name if self.side == "after" else f"before_{self.name}"
        options = {"name": f"{layer.name}_{ending}", "dtype": layer.dtype_policy, "data_format": data_format}
        if isinstance(found, core.Inserted):
            return Inserted(block, strength=found.strength, share=found.share, level=found.level, **options)
        return Inserted(block, strength=None, **options)


def _data_format(layer: Any) -> str:
    return str(getattr(layer, "data_format", None) or keras.config.image_data_format())


def _given(choice: Choice, channels: int, rank: int) -> Block:
    if isinstance(choice, Block):
        return choice
    if isinstance(choice, Layer):
        raise SpecError(f"{choice.name} is a layer: give its block, a name as 'cbam', or a function of the channels.")
    found = attention(choice, channels, rank)
    if found is None:
        raise SpecError('insert needs a block: a name as "cbam", or block=.')
    return found


def _row(place: str, side: str, layer: Inserted, seen: list[tuple[int, ...]], start: str | float) -> Row:
    shape = max(seen)
    inner = layer.block
    counted = None if 1 in shape[2:] else len(seen) * cost(inner, (1, *shape[1:])).multiply_adds
    keys = tuple(variable.path for variable in layer.variables)
    note = f"called {len(seen)} times, with the same weights" if len(seen) > 1 else ""
    pixels = tuple(None if size == 1 else size for size in shape[2:])
    return Row(place, side, inner, start, (1, shape[1], *pixels), inner.parameters(), counted, keys, note)
