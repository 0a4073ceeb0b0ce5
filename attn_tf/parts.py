"""The parts as Keras layers."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import keras
from keras import ops

from attn_core.spec import Block, Part, parts
from attn_tf import norms
from attn_tf.initializers import laws
from attn_tf.ops import Images
from attn_tf.running import Running


@singledispatch
def native(part: Part | Block, data_format: str, **options: Any) -> keras.Layer:
    """Return the built layer for this part; options are those of every Keras layer.

    That of a block is registered by `attn_tf.layer`.
    """
    raise NotImplementedError(f"attn_tf has no {type(part).__name__}")


@native.register
def _dense(part: parts.Dense, data_format: str, **options: Any) -> keras.Layer:
    layer = keras.layers.Dense(part.outputs, use_bias=part.bias, **(laws(part) | options))
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
        dilation_rate=part.dilation,
        groups=part.groups,
        use_bias=part.bias,
        data_format=data_format,
        **(laws(part) | options),
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
    margins: tuple[tuple[int, int], ...] = ()
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

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer, and the margins."""
        return {**super().get_config(), "margins": self.margins}  # type: ignore[misc]

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make the layer of these arguments, as functional models of a network's parts are read."""
        layer = cls(**{name: value for name, value in config.items() if name != "margins"})
        layer.margins = tuple((before, after) for before, after in config["margins"])
        return layer


CONVOLUTIONS = {
    rank + 1: keras.saving.register_keras_serializable("attn")(type(kind.__name__, (Convolution, kind), {}))
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
    """See `attn_core.spec.parts.Affine`."""

    bias: Any = None

    def __init__(self, data_format: str, weight_initializer: Any, bias_initializer: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self.images = Images(data_format)
        self.initializers = {"weight": weight_initializer} | ({"bias": bias_initializer} if bias_initializer else {})

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make a weight and, with a bias, a bias for each channel."""
        shape = (input_shape[self.images.channel_axis(len(input_shape))],)
        for name, initializer in self.initializers.items():
            setattr(self, name, self.add_weight(shape, initializer, name=name))

    def call(self, x: Any) -> Any:
        """Compute weight * x + bias of an image or a vector."""
        rank = len(x.shape)
        scaled = x * self.images.per_channel(self.weight, rank)
        return scaled if self.bias is None else scaled + self.images.per_channel(self.bias, rank)


@native.register
def _running(part: parts.Running, data_format: str, **options: Any) -> keras.Layer:
    layer = Running(part.shape, part.momentum, **laws(part), **options)
    layer.build()
    return layer
