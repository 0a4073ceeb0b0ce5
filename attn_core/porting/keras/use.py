"""One call of a layer, with what the functions that write layers ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attn_core.porting.graph.graph import Ref
from attn_core.porting.keras.activations import activated
from attn_core.porting.keras.nodes import Nodes, Tensor
from attn_core.porting.keras.weights import of_layer


class UnknownLayerError(ValueError):
    """A layer without a counterpart; the message ends a sentence."""


@dataclass(frozen=True)
class Use:
    """A call of a layer.

    Fields:
        scope: what its nodes' names begin with.
        layer: the name under which the file has its arrays, after those of the models around it.
        keras: the version of Keras that saved the model.
    """

    nodes: Nodes
    path: Path
    kind: str
    scope: str
    layer: tuple[str, ...]
    options: Mapping[str, Any]
    keras: str

    def option(self, name: str, default: Any = None) -> Any:
        """Return an option; the default where the file does not state it, as older versions may not."""
        return self.options.get(name, default)

    @property
    def keras_3(self) -> bool:
        """Whether Keras 3 saved it."""
        return self.keras.startswith("3")

    @property
    def channels_first(self) -> bool:
        """Whether images have their channels first."""
        return bool(self.option("data_format") == "channels_first")

    @property
    def dimensions(self) -> int:
        """The number of axes in space that a class has in its name: `Conv2D`."""
        return next(int(letter) for letter in reversed(self.kind) if letter.isdigit())

    def lengths(self, name: str, default: int | None = 1) -> list[int]:
        """Return an option that says a number for each axis in space, or one for all."""
        value: Any = self.option(name)
        value = default if value is None else value
        listed: list[Any] = list(value) if isinstance(value, Sequence) else [value] * self.dimensions
        if len(listed) != self.dimensions or not all(type(n) is int and n > 0 for n in listed):
            raise UnknownLayerError(f"its {name} is {str(value)[:40]}")
        return listed

    def weights(self, *roles: str) -> list[Ref]:
        """Return the layer's arrays in this order."""
        names = of_layer(self.path, self.nodes.arrays, self.layer, roles)
        return [self.nodes.variable(name) for name in names]

    def shape(self, variable: Ref) -> tuple[int, ...]:
        """Return the shape of one of them."""
        return tuple(self.nodes.arrays[variable.node].shape)

    def biased(self, x: Tensor, bias: Sequence[Ref], layout: str) -> Tensor:
        """Add a bias, if there is one, and apply the layer's activation."""
        for each in bias:
            x = Tensor(
                self.nodes.of_floats("BiasAdd", f"{self.scope}/BiasAdd", x.ref, each, data_format=layout), x.rank
            )
        return activated(self.nodes, self.scope, x, self.option("activation"), self.keras_3)

    def spatial(self, rank: int) -> list[int]:
        """Return where the axes in space stand in an array of so many."""
        return list(range(2, rank)) if self.channels_first else list(range(1, rank - 1))


Write = Callable[[Use, Tensor], Tensor]
