"""What a block is: its fields, its parts, and its mathematics."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import Any, ClassVar, TypeAlias, TypeVar

from attn_core.spec.initializers import Initializer
from attn_core.spec.primitives import Primitives

T = TypeVar("T")


class SpecError(ValueError):
    """A configuration that cannot be built; the message holds it, the rule and the way out."""


@dataclass(frozen=True)
class Array:
    """One array of weights: its canonical shape, the law its fresh values follow, and whether gradients move it."""

    shape: tuple[int, ...]
    law: Initializer
    trainable: bool = True


class Part:
    """A sub-layer that every framework has natively (see `attn_core.spec.parts`)."""

    def arrays(self) -> dict[str, Array]:
        """Return the arrays of this part by name, in PyTorch's names and layouts."""
        raise NotImplementedError


# What a `forward` gets as p: any object whose attributes are the native sub-layers, by the names of `parts()`.
Parts: TypeAlias = Any


def namespace(parts: Mapping[str, Any]) -> Parts:
    """Give functions to a `forward` as its parts."""
    return SimpleNamespace(**parts)


@dataclass(frozen=True)
class Block:
    """One attention block: the fields are its configuration, `forward` is its mathematics.

    Subclasses are frozen dataclasses. They declare `parts()` and write `forward(f, p, x)` with the
    primitives of a runtime (`f`), the native sub-layers (`p`) and the input (`x`). A sub-layer is a `Part` or another
    block: `p.channel(x)` runs it, `p.channel.gates(x)` returns its gates.
    """

    source: ClassVar[str] = ""
    family: ClassVar[str] = ""  # beside which others it is listed
    words: ClassVar[tuple[str, ...]] = ()  # what people call it, beside its name
    inputs: ClassVar[tuple[str, ...]] = ("input",)
    images: ClassVar[int] = 1  # how many of the inputs, from the first, are images; others are arrays
    without_gradient: ClassVar[tuple[str, ...]] = ()  # parts whose weights no gradient reaches, by the definition

    def parts(self) -> dict[str, Part | Block]:
        """Return the sub-layers by name; none by default."""
        return {}

    def forward(self, f: Primitives[T], p: Parts, x: T, *more: Any, **none: Any) -> T:
        """Compute the block's output from the image x and, where `inputs` names more, those."""
        raise NotImplementedError

    def gates(self, f: Primitives[T], p: Parts, x: T, *more: Any, **none: Any) -> dict[str, T]:
        """Compute the maps that this block multiplies images with, by name; none by default.

        A gate is a vector (batch, channels) or an image.
        """
        return {}

    def flat(self) -> tuple[str, ...]:
        """Name the parts that let all gates be one number, whatever the image, while their weights and biases are 0.

        They are the last ones before the gates, so that gradients reach them at once. None by default.
        """
        return ()

    def in_order(self, f: Primitives[T], y: T) -> T:
        """Put the channels of an output back into the order of the image, for a block that shuffles them."""
        return y

    def example(self) -> tuple[tuple[int, ...], ...]:
        """Return canonical shapes of inputs that this block can take."""
        return ((1, getattr(self, "channels", 64), *(32,) * getattr(self, "rank", 2)),)

    def refuses(self, *shapes: tuple[int | None, ...]) -> str | None:
        """Say which rule inputs of these canonical shapes break, where the steps themselves would not tell it."""
        return None

    def arrays(self) -> dict[str, Array]:
        """Return every array of weights by its canonical name, such as `reduce.weight`."""
        parts = self.parts().items()
        return {f"{name}.{leaf}": array for name, part in parts for leaf, array in part.arrays().items()}

    def parameters(self) -> int:
        """Return the number of trainable numbers."""
        return sum(math.prod(array.shape) for array in self.arrays().values() if array.trainable)

    def config(self) -> dict[str, Any]:
        """Return the fields as the keyword arguments that build an equal block."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def overruled(self) -> tuple[str, ...]:
        """Name the fields that another one leaves without effect; they are not shown."""
        return ()

    def __repr__(self) -> str:
        values = ((field, getattr(self, field.name)) for field in fields(self) if field.name not in self.overruled())
        shown = [f"{field.name}={value!r}" for field, value in values if not field.kw_only or value != field.default]
        return f"{type(self).__name__}({', '.join(shown)})"


class Bound:
    """A block with its parts in one interpreter: a part of another block.

    Attributes are the parts by name, calls run `forward`, `gates` returns the gates.
    """

    def __init__(self, block: Block, f: Any, parts: Mapping[str, Any]) -> None:
        self.__dict__.update(parts)
        self._run = (block, f)

    def __call__(self, *inputs: Any) -> Any:
        """Run the block."""
        block, f = self._run
        return block.forward(f, self, *inputs)

    def gates(self, *inputs: Any) -> dict[str, Any]:
        """Compute the block's gates."""
        block, f = self._run
        return block.gates(f, self, *inputs)


def complete(block: Block, **values: object) -> None:
    """Give fields that were left out (None) their values: a file then holds these, whatever rule comes after."""
    for name, value in values.items():
        if getattr(block, name) is None:
            object.__setattr__(block, name, value)


def require(condition: bool, message: str) -> None:
    """Raise `SpecError` with the message unless the condition holds."""
    if not condition:
        raise SpecError(message)


def require_names(block: Block, where: str, taken: Callable[[str], bool] = lambda name: False) -> None:
    """Raise `SpecError` unless each part has a name that it can have as an attribute of a layer."""
    for name in block.parts():
        require(name.isidentifier(), f"{block!r}: the name of a part must be an identifier of Python, got {name!r}.")
        rule = f"layers in {where} have an attribute of that name; call the part otherwise."
        require(not taken(name), f"{block!r} has a part {name!r}: {rule}")


def require_type(block: Block, **expected: type | tuple[type, ...]) -> None:
    """Raise `SpecError` unless each named field holds an instance of its type (a bool is no int)."""
    for name, kind in expected.items():
        value = getattr(block, name)
        kinds = kind if isinstance(kind, tuple) else (kind,)
        fits = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
        wanted = " or ".join("None" if k is type(None) else k.__name__ for k in kinds)
        require(fits, f"{type(block).__name__}: {name} must be {wanted}, got {value!r}.")


def require_positive(block: Block, *fields: str) -> None:
    """Raise `SpecError` unless each named field is at least 1."""
    for name in fields:
        require(getattr(block, name) >= 1, f"{block!r}: {name} must be at least 1.")


def require_odd(block: Block, field: str = "kernel") -> None:
    """Raise `SpecError` unless the field is odd and positive."""
    value = getattr(block, field)
    require(value >= 1 and value % 2 == 1, f"{block!r}: {field} must be odd, so that it has a centre.")


def require_rank(block: Block) -> None:
    """Raise `SpecError` unless the block's field `rank` is a number of spatial axes that frameworks convolve over."""
    require_type(block, rank=int)
    rank: int = getattr(block, "rank")  # noqa: B009 (blocks with convolutions have it, others not)
    require(1 <= rank <= 3, f"{block!r}: rank, the number of spatial axes, must be 1, 2 or 3.")


def require_momentum(block: Block, field: str = "momentum") -> None:
    """Raise `SpecError` unless the field is a share of the new in a moving average."""
    value = getattr(block, field)
    require(0 <= value <= 1, f"{block!r}: {field} must lie between 0 and 1, got {value!r}.")


def require_choice(block: Block, field: str, choices: Mapping[str, object] | tuple[str, ...]) -> None:
    """Raise `SpecError` unless the field holds one of the choices."""
    value = getattr(block, field)
    require(value in choices, f"{block!r}: {field} must be one of {', '.join(choices)}; got {value!r}.")
