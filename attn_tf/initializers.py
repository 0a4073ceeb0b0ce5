"""The laws of initialisation in Keras."""

from __future__ import annotations

from contextvars import ContextVar
from functools import singledispatch
from typing import Any

import keras
import numpy as np
from keras import ops

from attn_core.spec import Part
from attn_core.spec.initializers import Constant, Directions, Initializer, Normal, TruncatedNormal, Uniform, Values
from attn_tf.names import LEAVES

blank: ContextVar[bool] = ContextVar("blank", default=False)  # set where weights are given, so that none is drawn


def laws(part: Part) -> dict[str, keras.Initializer]:
    """Return a part's laws as the arguments of its layer."""
    attributes = LEAVES[type(part)]
    return {
        f"{attributes[leaf]}_initializer": _start(array.law, attributes[leaf]) for leaf, array in part.arrays().items()
    }


class Blank(keras.initializers.Initializer):
    """Zeros, of which JAX need compile nothing."""

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """Return an array of this shape."""
        return keras.ops.convert_to_tensor(np.zeros(shape, "float32"), dtype)


def _start(rule: Initializer, attribute: str) -> keras.Initializer:
    if blank.get():
        return Blank()
    return _turned(law(rule)) if attribute == "kernel" else law(rule)


@singledispatch
def law(law: Initializer) -> keras.Initializer:
    """Return the Keras initializer for this law."""
    raise NotImplementedError(f"attn_tf has no {type(law).__name__}")


@law.register
def _constant(law: Constant) -> keras.Initializer:
    return keras.initializers.Constant(law.value)


@law.register
def _truncated_normal(law: TruncatedNormal) -> keras.Initializer:
    return Cut(stddev=law.std)


@law.register
def _normal(law: Normal) -> keras.Initializer:
    return keras.initializers.RandomNormal(stddev=law.std)


@law.register
def _uniform(law: Uniform) -> keras.Initializer:
    return keras.initializers.RandomUniform(-law.bound, law.bound)


@law.register
def _values(law: Values) -> keras.Initializer:
    return Given(law.values)


@law.register
def _directions(law: Directions) -> keras.Initializer:
    return Unit()


@keras.saving.register_keras_serializable(package="attn")
class Cut(keras.initializers.TruncatedNormal):
    """Keras' truncated normal, held to its cut: on the torch backend it gives up after drawing four times."""

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """Draw an array of this shape."""
        return ops.clip(super().__call__(shape, dtype), -2 * self.stddev, 2 * self.stddev)


@keras.saving.register_keras_serializable(package="attn")
class Given(keras.initializers.Initializer):
    """The numbers given, in the order of the array."""

    def __init__(self, values: tuple[float, ...]) -> None:
        self.values = values

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """Return the array of this shape."""
        return ops.reshape(ops.convert_to_tensor(np.array(self.values), dtype or keras.config.floatx()), shape)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal initializer."""
        return {"values": self.values}


@keras.saving.register_keras_serializable(package="attn")
class Unit(keras.initializers.RandomNormal):
    """Along the last axis, vectors of length 1 in all directions alike."""

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """Draw an array of this shape."""
        values = super().__call__(shape, dtype)
        return values / ops.sqrt(ops.sum(values * values, -1, keepdims=True))


@keras.saving.register_keras_serializable(package="attn")
class Turned(keras.initializers.Initializer):
    """A law for a kernel whose axes matter to it: drawn in canonical layout, then turned."""

    def __init__(self, law: keras.Initializer) -> None:
        self.law = keras.initializers.get(law)

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """Draw a kernel of this shape."""
        drawn = self.law((shape[-1], shape[-2], *shape[:-2]), dtype)
        return ops.moveaxis(drawn, (0, 1), (-1, -2))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal initializer."""
        return {"law": keras.initializers.serialize(self.law)}


def _turned(law: keras.Initializer) -> keras.Initializer:
    return Turned(law) if isinstance(law, (Given, Unit)) else law
