"""What an adapter of a framework offers of somebody's layer, and how it is reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from numpy.typing import NDArray

from attn_core.parity.runtimes import beside
from attn_core.spec import Block

Numbers = NDArray[Any]
State = dict[str, Numbers]

# What a class of layers is recognised by, in this order: a Keras layer on PyTorch is an nn.Module, too.
BASES = {
    ("keras.src", "Layer"): "keras",
    ("torch.nn", "Module"): "torch",
    ("flax.nnx", "Module"): "nnx",
    ("flax.linen", "Module"): "linen",
}


class ForeignError(ValueError):
    """A layer that cannot be checked; the message says why, in a sentence."""


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a sub-layer, in canonical layout. `name` is what stands before the names of its arrays."""

    name: str
    inputs: tuple[Numbers, ...]
    output: Numbers


@dataclass(frozen=True, eq=False)
class Ran:
    """What a layer computed, in float64. Gradients and the arrays after the run have its own names and layouts."""

    output: Numbers
    of_input: Numbers | None
    gradients: State
    after: State


class Foreign(Protocol):
    """A layer of any framework as functions of its arrays. Nothing that is done here changes the layer.

    `runtime` is a name of `parity.RUNTIMES`, `dtype` the type that it computes in, or "" where any will do.
    `separator` stands between the names of layers and arrays, `inputs_first` says that its kernels are (*kernel,
    inputs, outputs).
    """

    runtime: str
    title: str
    dtype: str
    separator: str
    inputs_first: bool

    def state(self) -> State:
        """Return its arrays of real numbers, by its own names."""
        ...

    def namings(self) -> list[dict[str, str]]:
        """Return what else its arrays are called, by its names: in other people's files, say."""
        ...

    def own(self) -> tuple[Block, dict[str, str]] | None:
        """Return the block and the canonical names of its arrays, if the layer is one of ours."""
        ...

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
        """Run it on a canonical image with these arrays in place of its own; those left out are its own.

        With a cotangent of the output's shape, also the gradients of the input and of the arrays `wanted`.
        """
        ...

    def calls(
        self, state: Mapping[str, Numbers], x: Numbers, *, dtype: str = "float32", train: bool = False
    ) -> list[Call]:
        """Run it and return the calls of its sub-layers, as far as they can be seen."""
        ...


def framework(thing: Any) -> str | None:
    """Return the runtime that a layer belongs to; no framework is imported for it."""
    layer = thing[0] if isinstance(thing, tuple) and thing else thing
    kind = layer if isinstance(layer, type) else type(layer)
    for (module, name), runtime in BASES.items():
        if any(_is_called(base, module, name) for base in kind.__mro__):
            return runtime
    return None


def _is_called(kind: type, module: str, name: str) -> bool:
    # Frameworks define their classes somewhere below the module that people import them from.
    return kind.__name__ == name and kind.__module__.startswith(module)


def adopt(thing: Any, shape: Sequence[int], **options: Any) -> Foreign:
    """Return the adapter of a layer that takes canonical images of this shape.

    A layer is an `nn.Module`, a Keras layer or model, an NNX module, a bound Linen module, or a pair of a Linen module
    and its variables. `options` is `data_format`, for Keras. **Raises** `ForeignError` for anything else.
    """
    runtime = framework(thing)
    if runtime is None or isinstance(thing, type):
        is_class = isinstance(thing, type)
        given = f"the class {thing.__name__}" if is_class else f"an object of {type(thing).__name__}"
        known = "an nn.Module, a Keras layer, an NNX module, a bound Linen module, or a pair (module, variables)"
        raise ForeignError(f"{given} is no layer of a known framework; give {known}.")
    # Only Keras has layouts to choose from; the others' layers take one.
    own = options if runtime == "keras" else {}
    chosen = {name: option for name, option in own.items() if option is not None}
    return cast(Foreign, adapter(runtime).adopt(thing, tuple(shape), **chosen))


def adapter(runtime: str) -> Any:
    """Return the module of a framework's package that adopts layers. **Raises** `MissingRuntimeError`."""
    return beside(runtime, "foreign")
