"""What all Keras layers of this package share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from attn_core.interpreters.listening import listening
from attn_core.interpreters.one_pass import Pass
from attn_core.interpreters.shapes import Shape, explain, output_shape, require_image
from attn_core.interpreters.shapes.parts import bind as on_shapes
from attn_core.spec import Block, Part, require_names
from attn_core.spec.parts import BatchNorm, Dropout, Running
from attn_tf import backbone, blocks_in_files, choices
from attn_tf.choices import Choice
from attn_tf.graphs import collected
from attn_tf.ops import Images
from attn_tf.parts import native

# The native class of each class of blocks: `Layer.__init_subclass__` fills it. Kept when this module is imported again.
NATIVE: dict[type[Block], Callable[..., Layer]] = globals().get("NATIVE", {})
FROM_THE_IMAGE = ("channels", "rank")  # the fields of a block that a Keras class has not


class Layer(keras.layers.Layer):
    """A block as a Keras layer: its parts are sub-layers, made when the number of channels is known.

    Keras hands `training` down from the call of a model or layer to every part. With ``synchronized=True``, statistics
    in training are those of all replicas of TensorFlow's strategies, as in Keras' own batch norm. `kernel_initializer`,
    `bias_regularizer`, ... are those of all dense layers and convolutions inside; without, the block's laws hold.
    ``class CBAM(Layer, of=core.CBAM)`` is the native class of the blocks of `core.CBAM`.
    """

    of: type[Block] = Block
    kernel_initializer, bias_initializer = Choice(), Choice()
    kernel_regularizer, bias_regularizer = Choice(), Choice()
    kernel_constraint, bias_constraint = Choice(), Choice()

    def __init_subclass__(cls, of: type[Block] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if of is not None:  # a subclass of a native class leaves its place to it
            cls.of, NATIVE[of] = of, cls

    def __init__(
        self,
        options: dict[str, Any],
        data_format: str | None = None,
        *,
        synchronized: bool = False,
        quantized: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        given = {name: kwargs.pop(name) for name in choices.CHOICES if name in kwargs}
        super().__init__(**kwargs)
        self.chosen: dict[str, Any] = {}
        for name, value in given.items():
            setattr(self, name, value)
        self.quantized = quantized or {}  # what a file says of layers inside
        if synchronized and keras.backend.backend() != "tensorflow":
            rule = "on JAX, statistics of a sharded batch are those of the whole batch by themselves"
            raise ValueError(f"synchronized=True is for TensorFlow's replicas, as in Keras' own layers; {rule}.")
        self.synchronized = synchronized
        self.options = options
        self.data_format = data_format or keras.config.image_data_format()
        if self.data_format not in ("channels_last", "channels_first"):
            raise ValueError(f"data_format must be channels_last or channels_first, got {data_format!r}.")
        self.images = Images(self.data_format)

    def configure(self, channels: int, rank: int) -> Block:
        """Return the block for this many channels and spatial axes."""
        raise NotImplementedError

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the parts for an image of this shape; at most its number of channels must be known."""
        require_image(len(input_shape))
        axis = self.images.channel_axis(len(input_shape))
        channels: Any = input_shape[axis]
        if channels is None and "channels" in self.of.__dataclass_fields__:
            raise ValueError(
                f"{type(self).__name__} must know the number of channels, axis {axis} in {self.data_format}; "
                f"got shape {tuple(input_shape)}. Set that axis in keras.Input or call the layer on a known shape."
            )
        self.block = self.configure(channels, len(input_shape) - 2)
        require_names(self.block, "Keras", self._taken)
        if getattr(self, "_remat_mode", None) is not None and _knows_training(self.block):
            raise NotImplementedError(
                f"{type(self).__name__} does not go into keras.RematScope: what Keras computes again for the gradient "
                "does not know that it is in training. Make the layer outside of the scope."
            )
        choices.require_effects(self.block, self.chosen)
        for name, part in self.block.parts().items():
            # Keras gives a child its own policy, the global one, unless it is told.
            options = {"name": name, "dtype": self.quantized.get(name, self.dtype_policy), **self._over_replicas(part)}
            if isinstance(part, Block):
                options["quantized"] = choices.inside(self.quantized, name)
            setattr(self, name, native(part, self.data_format, **options, **choices.of(part, self.chosen)))
        self.built = True

    def _over_replicas(self, part: Part | Block) -> dict[str, Any]:
        """Return the option that lets a part that keeps statistics take those of all replicas."""
        if not self.synchronized or not isinstance(part, (Block, BatchNorm, Running)):
            return {}
        return {"synchronized": True}

    def _taken(self, name: str) -> bool:
        """Say whether an attribute has this name; a part may be built again."""
        return hasattr(self, name) and not isinstance(getattr(self, name), keras.layers.Layer)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the layer; an error gains a note that says which step could not take the input."""
        _require_no_mask(self, (*args, *kwargs.values()))
        try:
            with collected(self):
                return super().__call__(*args, **kwargs)
        except Exception as error:
            shapes = _shapes(args)
            if self.built and len(shapes) == len(self.block.inputs) and not _symbolic(args):
                explain(error, self.block, *self._canonical(shapes), shown=shapes)
                _keep_note(error)
            raise

    def stateless_call(self, trainable: Any, non_trainable: Any, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Call the layer with these values of its variables; return the output and the non-trainable values after it.

        Keras' own goes straight to `call`, where no part hears of `training`.
        """
        losses: tuple[list[Any], ...] = ([],) if kwargs.pop("return_losses", False) else ()
        fixed = self.non_trainable_variables
        mapping = [*zip(self.trainable_variables, trainable, strict=True), *zip(fixed, non_trainable, strict=True)]
        with keras.StatelessScope(mapping) as scope:
            output = self(*args, **kwargs)
        return (output, [scope.get_current_value(variable) for variable in fixed], *losses)

    def gates(self, x: Any, *others: Any) -> dict[str, Any]:
        """Compute the maps that the block multiplies images with, by name, in a call of the layer.

        `attn_tf.record_gates` returns those of all layers of a network.
        """
        inputs = (x, *others)
        if not self.built:
            self.build(tuple(x.shape))
        if _symbolic(inputs):
            symbols: dict[str, Any] = Gates(self)(*inputs)
            return symbols
        return self.with_gates(*inputs)[1]

    def with_gates(self, *inputs: Any) -> tuple[Any, dict[str, Any]]:
        """Call the layer; return its output and the gates of this call."""
        found: list[Pass] = []
        with listening([(self, found.append)]):
            output = self(*inputs)
        if not found:  # a subclass that computes its output otherwise
            return output, self.block.gates(self.images, self, *inputs)
        return output, found[-1].gates

    def compute_output_shape(self, input_shape: Shape, *others: Shape) -> Shape:
        """Return the shape of the output."""
        input_shapes = (input_shape, *others)
        if not self.built:
            self.build(input_shape)
        return self.images.native(output_shape(self.block, *self._canonical(input_shapes), shown=input_shapes))

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> keras.KerasTensor:
        """Return the symbolic output for symbolic inputs."""
        return keras.KerasTensor(self.compute_output_shape(*_shapes((*args, *kwargs.values()))), self.compute_dtype)

    def gate_shapes(self, *input_shapes: Shape) -> dict[str, Shape]:
        """Return the shapes of the gates, by name."""
        gates: dict[str, Shape] = on_shapes(self.block, "").gates(*self._canonical(input_shapes))
        return {name: self.images.native(shape) for name, shape in gates.items()}

    def _canonical(self, shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
        """Reorder the shapes of the inputs that are images."""
        images = self.block.images
        return (*(self.images.canonical(tuple(shape)) for shape in shapes[:images]), *shapes[images:])

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer; a function is none that Keras could write."""
        if any(map(callable, self.options.values())):
            rule = "give a name, or a text such as 'CBAM(reduction=8)', in place of the function"
            raise NotImplementedError(f"{self.name} cannot be saved whole, its weights can: {rule}.")
        own: dict[str, Any] = {"data_format": self.data_format, "synchronized": self.synchronized}
        if self.built and (quantized := choices.quantised(self)):
            own["quantized"] = quantized
        return {**super().get_config(), **self._completed(), **own, **choices.config(self.chosen)}

    def _completed(self) -> dict[str, Any]:
        """Return the options; those that were left out as the built block has them, which follow from its channels."""
        if not self.built:
            return self.options
        found = self.block.config()
        return {name: found[name] if value is None else value for name, value in self.options.items()}


class Network(Layer, keras.Model):
    """A block as a whole Keras model, for blocks that are networks."""

    def backbone(self, shape: Sequence[int | None], outputs: str | Sequence[str] | None = None) -> keras.Model:
        """Return a functional model of the network's own layers without its top, for images of this shape.

        It returns the result of the last stage, or of the part that `outputs` names, or of several, by name. Its
        layers are those of the network: training one trains the other. Sizes of the shape may be None.
        """
        return backbone.backbone(self, shape, outputs)


@keras.saving.register_keras_serializable(package="attn")
class Generic(Layer):
    """A layer for a block that has no class of its own here, such as one that a user writes.

    With a model, it is saved by the name of the block's class and its fields.
    """

    def __init__(self, block: Block | dict[str, Any], data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__({}, data_format, **kwargs)
        self.given = block if isinstance(block, Block) else blocks_in_files.read(block)

    def configure(self, channels: int, rank: int) -> Block:
        """Return the block that was given."""
        return self.given

    def call(self, x: Any, *others: Any, training: bool | None = None) -> Any:
        """Compute the block's output."""
        return self.block.forward(self.images, self, x, *others)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer."""
        return {**super().get_config(), "block": blocks_in_files.written(self.given)}


def unbuilt(block: Block, **options: Any) -> Layer:
    """Return the layer for a block, of its native class or `Generic`; it reads channels and rank from its input."""
    kind = NATIVE.get(type(block))
    if kind is None:
        return Generic(block, **options)
    return kind(**{name: value for name, value in block.config().items() if name not in FROM_THE_IMAGE}, **options)


def build(block: Block, **options: Any) -> Layer:
    """Return the layer for a block, with fresh weights."""
    layer, config = unbuilt(block, **options), block.config()
    rank = config.get("rank", len(block.example()[0]) - 2)  # what Keras exports is traced on images of this many axes
    layer.build(layer.images.native((None, config.get("channels"), *(None,) * rank)))
    return layer


@native.register  # here, since the layer of a block is made of parts, and a part may be a block
def _block(part: Block, data_format: str, **options: Any) -> Layer:
    return build(part, data_format=data_format, **options)


@keras.saving.register_keras_serializable(package="attn")
class Gates(keras.layers.Layer):
    """A layer's gates as a layer of their own, for symbolic inputs."""

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(**{"dtype": layer.dtype_policy, **kwargs})
        self.layer = layer
        self.built = True

    def call(self, x: Any, *others: Any, training: bool | None = None) -> dict[str, Any]:
        """Compute the gates."""
        return self.layer.gates(x, *others)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the symbolic gates for symbolic inputs."""
        shapes = self.layer.gate_shapes(*_shapes((*args, *kwargs.values())))
        return {name: keras.KerasTensor(shape, self.compute_dtype) for name, shape in shapes.items()}

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal layer."""
        return {**super().get_config(), "layer": keras.saving.serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Gates:
        """Make the layer of these arguments."""
        return cls(**{**config, "layer": keras.saving.deserialize_keras_object(config["layer"])})


def _require_no_mask(layer: Layer, values: tuple[Any, ...]) -> None:
    """Raise for an image that carries a mask: what is masked would count, in means, maxima and statistics."""
    if any(getattr(value, "_keras_mask", None) is not None for value in values):
        rule = "its means and maxima are over all positions, and would count those that are masked"
        way = "cut or pad to what shall count, or pass on the tensor without its mask, by keras.ops.copy for one"
        raise ValueError(f"{layer.name} got an input with a mask. {type(layer).__name__} takes none: {rule}; {way}.")


def _keep_note(error: Exception) -> None:
    """Put an error's note into its message where TensorFlow traces a function: of that, AutoGraph makes it anew."""
    notes = getattr(error, "__notes__", [])
    if not notes or keras.backend.backend() != "tensorflow" or not isinstance(error, (ValueError, TypeError)):
        return
    import tensorflow as tf

    if not tf.executing_eagerly():
        error.args = (f"{error}\n{notes.pop()}",)


def _knows_training(block: Block) -> bool:
    """Whether something in a block is computed otherwise in training."""
    found = block.parts().values()
    inside = any(_knows_training(part) for part in found if isinstance(part, Block))
    return inside or any(isinstance(part, (BatchNorm, Running, Dropout)) for part in found)


def _symbolic(values: tuple[Any, ...]) -> bool:
    return any(isinstance(value, keras.KerasTensor) for value in values)


def _shapes(values: tuple[Any, ...]) -> tuple[Shape, ...]:
    return tuple(tuple(value.shape) for value in values if hasattr(value, "shape"))
