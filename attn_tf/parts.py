"""The parts as Keras layers, their laws of initialisation, and their weights in canonical layout."""

from __future__ import annotations

from contextvars import ContextVar
from functools import singledispatch
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from attn_core import parts
from attn_core.initializers import Constant, Directions, Initializer, TruncatedNormal, Values
from attn_core.spec import Block, Part
from attn_tf import norms
from attn_tf.ops import Images

# The canonical arrays of a part, and the attributes of its layer that hold them.
LEAVES: dict[type[Part], dict[str, str]] = {
    parts.Dense: {"weight": "kernel", "bias": "bias"},
    parts.Conv: {"weight": "kernel", "bias": "bias"},
    parts.BatchNorm: {
        "weight": "gamma",
        "bias": "beta",
        "running_mean": "moving_mean",
        "running_var": "moving_variance",
    },
    parts.GroupNorm: {"weight": "gamma", "bias": "beta"},
    parts.LayerNorm: {"weight": "gamma", "bias": "beta"},
    parts.Dropout: {},
    parts.Affine: {"weight": "weight", "bias": "bias"},
    parts.Running: {"value": "value"},
}


# ---- the layers ------------------------------------------------------------------------------------------------------


@singledispatch
def native(part: Part | Block, data_format: str, **options: Any) -> keras.Layer:
    """Return the built layer for this part; options are those of every Keras layer."""
    raise NotImplementedError(f"attn_tf has no {type(part).__name__}")


@native.register
def _block(part: Block, data_format: str, **options: Any) -> keras.Layer:
    from attn_tf.binding import bind  # which needs this module

    return bind(part, data_format=data_format, **options)


@native.register
def _dense(part: parts.Dense, data_format: str, **options: Any) -> keras.Layer:
    layer = keras.layers.Dense(part.outputs, use_bias=part.bias, **laws(part), **options)
    layer.build((None, part.inputs))
    return layer


@native.register
def _conv(part: parts.Conv, data_format: str, **options: Any) -> keras.Layer:
    symmetric = part.padding == "symmetric"
    layer = CONVOLUTIONS[part.rank](
        part.outputs,
        part.kernel,
        strides=part.stride,
        padding=part.padding if not symmetric else "same" if part.stride == 1 else "valid",
        groups=part.groups,
        use_bias=part.bias,
        data_format=data_format,
        **laws(part),
        **options,
    )
    layer.build(Images(data_format).native((None, part.inputs, *(None,) * part.rank)))
    layer.margins = tuple((k // 2, k // 2) for k in part.kernel) if symmetric and part.stride > 1 else ()
    return layer


class Convolution:
    """A convolution of Keras with symmetric zeros and a bias that always meets the channels.

    Keras' "same" is symmetric with stride 1 only. On TensorFlow, with the channels first, the bias of Keras 3.15 meets
    the last axis where that is as long as there are channels.
    """

    data_format: str
    margins: tuple[tuple[int, int], ...]
    kernel: Any
    bias: Any
    convolution_op: Any

    def call(self, x: Any) -> Any:
        """Convolve the image, with zeros around it that Keras' own paddings do not have."""
        images = Images(self.data_format)
        if self.margins:
            x = ops.pad(x, images.native(((0, 0), (0, 0), *self.margins)))
        y = self.convolution_op(x, self.kernel)
        return y if self.bias is None else y + images.per_channel(self.bias, len(x.shape))


CONVOLUTIONS = {
    rank + 1: type(kind.__name__, (Convolution, kind), {})
    for rank, kind in enumerate((keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D))
}


@native.register
def _batch_norm(part: parts.BatchNorm, data_format: str, **options: Any) -> keras.Layer:
    images = Images(data_format)
    layer = norms.BatchNorm(
        images.channel_axis(part.rank + 2),
        momentum=1 - part.momentum,
        epsilon=part.eps,
        **laws(part),
        **options,
    )
    layer.build(images.native((None, part.channels, *(None,) * part.rank)))
    return layer


@native.register
def _group_norm(part: parts.GroupNorm, data_format: str, **options: Any) -> keras.Layer:
    axis = -1 if Images(data_format).channels_last else 1
    layer = norms.GroupNorm(part.groups, axis, part.eps, **laws(part), **options)
    layer.build((None, part.channels))
    layer.input_spec = None  # it would now take vectors only
    return layer


@native.register
def _layer_norm(part: parts.LayerNorm, data_format: str, **options: Any) -> keras.Layer:
    layer = norms.LayerNorm(epsilon=part.eps, **laws(part), **options)
    layer.build((None, part.features))
    return layer


@native.register
def _dropout(part: parts.Dropout, data_format: str, **options: Any) -> keras.Layer:
    return keras.layers.Dropout(part.rate, **options)


@native.register
def _affine(part: parts.Affine, data_format: str, **options: Any) -> keras.Layer:
    layer = Affine(data_format, **laws(part), **options)
    layer.build((None, part.channels))
    return layer


class Affine(keras.layers.Layer):
    """See `attn_core.parts.Affine`."""

    def __init__(self, data_format: str, weight_initializer: Any, bias_initializer: Any, **options: Any) -> None:
        super().__init__(**options)
        self.images = Images(data_format)
        self.initializers = {"weight": weight_initializer, "bias": bias_initializer}

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make a weight and a bias for each channel."""
        shape = (input_shape[self.images.channel_axis(len(input_shape))],)
        for name, initializer in self.initializers.items():
            setattr(self, name, self.add_weight(shape, initializer, name=name))

    def call(self, x: Any) -> Any:
        """Compute weight * x + bias of an image or a vector."""
        rank = len(x.shape)
        return x * self.images.per_channel(self.weight, rank) + self.images.per_channel(self.bias, rank)


@native.register
def _running(part: parts.Running, data_format: str, **options: Any) -> keras.Layer:
    layer = Running(part.shape, part.momentum, **laws(part), **options)
    layer.build()
    return layer


class Running(keras.layers.Layer):
    """See `attn_core.parts.Running`. Calls go through Keras, which so tells whether this is training."""

    def __init__(self, shape: tuple[int, ...], momentum: float, value_initializer: Any, **options: Any) -> None:
        super().__init__(**options)
        self.shape, self.momentum, self.initializer = shape, momentum, value_initializer

    def build(self, input_shape: Any = None) -> None:
        """Make the array."""
        self.value = self.add_weight(self.shape, self.initializer, trainable=False, autocast=False, name="value")

    def call(self, new: Any = None, training: bool | None = None) -> Any:
        """Return the array, after a new one moved it in training."""
        if new is not None and training and self.trainable:
            moved = (1 - self.momentum) * self.value + self.momentum * ops.cast(new, self.value.dtype)
            self.value.assign(moved)
        # A copy: on torch, what is kept for the backward pass must not move with the array.
        return ops.cast(ops.copy(self.value), self.compute_dtype)

    def update(self, new: Any) -> None:
        """Move the array in training."""
        self(new)


# ---- laws ------------------------------------------------------------------------------------------------------------


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


# ---- layouts ---------------------------------------------------------------------------------------------------------


def to_canonical(variable: Any, array: NDArray[Any]) -> NDArray[Any]:
    """Turn a kernel (*k, in, out) into a weight (out, in, *k); what belongs to another variable stays."""
    return np.ascontiguousarray(np.moveaxis(array, (-1, -2), (0, 1))) if variable.name == "kernel" else array


def from_canonical(variable: Any, array: NDArray[Any]) -> NDArray[Any]:
    """Undo `to_canonical`."""
    return np.ascontiguousarray(np.moveaxis(array, (0, 1), (-1, -2))) if variable.name == "kernel" else array
