"""The Keras class of a block."""

from __future__ import annotations

from string import Template

from scaffold import docstrings, options
from scaffold.described import Described, Field
from scaffold.texts import from_image, header, listed, signature

TEXT = Template('''\
"""`$name` for Keras; see `attn_core.$place`."""

from __future__ import annotations

$typing

import keras

$imports


@keras.saving.register_keras_serializable(package="attn")
class $name($base, of=core.$name):
    $docstring

    def __init__($signature) -> None:
        options = {$options}
        super().__init__(options, data_format, **kwargs)

    def configure(self, channels: int, rank: int) -> core.$name:
        """Return the block for this many channels and spatial axes."""
        return core.$name($values)

    def call(self, $arguments) -> Any:
        """$answer"""
        return self.block.forward(self.images, self, $inputs)
''')
NETWORK = "It is a `keras.Model`: `compile`, `fit`, `evaluate` and `save` are there."
RAISES = """
**Raises** `attn_core.SpecError` (a `ValueError`), when it is built, for a configuration that cannot be built.
"""
OPTIONS = '``data_format``: "channels_last" or "channels_first"; left out, that of `keras.config`.'
CHOICES = tuple(
    f"{array}_{kind}: Any" for array in ("kernel", "bias") for kind in ("initializer", "regularizer", "constraint")
)
EVERY = (
    "data_format: str | None",
    "synchronized: bool",
    *CHOICES,
    "name: str | None",
    "dtype: Any",
    "trainable: bool",
)
CHOSEN = (
    "``kernel_initializer``, ``kernel_regularizer``, ``kernel_constraint``, and the same of biases: those of all dense "
    "layers and convolutions inside."
)
CHANNELS_FIRST = 'With ``data_format="channels_first"``, channels come second.'
KNOWN = "Only the number of channels must be known when the layer is built."


def write(block: Described) -> str:
    """Return the file's text."""
    own = [field for field in block.fields if field.name not in from_image(block)]
    base = "Network" if block.classifies else "Layer"
    shape = [docstrings.channels_last_shape(block), CHANNELS_FIRST, *([KNOWN] if block.has("channels") else [])]
    docs = docstrings.docstring(
        docstrings.summary(block),
        docstrings.in_short(block),
        " ".join(shape),
        docstrings.fields(block, OPTIONS, CHOSEN, from_input=True),
        NETWORK if block.classifies else "",
        RAISES,
    )
    text = TEXT.substitute(
        header(block, (f"from attn_tf.layer import {base}", *_wrappers(own))),
        base=base,
        docstring=docs,
        signature=signature(own, ("data_format: str | None = None", "**kwargs: Any")),
        options=listed(f'"{field.name}": {_held(field)}' for field in own),
        values=listed((*from_image(block).values(), "**self.options")),
        arguments=listed((*(f"{name}: Any" for name in block.inputs), "training: bool | None = None")),
    )
    return "\n\n".join([text, *options.typed(block, own, EVERY), *block.constructors])


def _held(field: Field) -> str:
    """Return what Keras can write into a file: a name in place of a class."""
    return f"named({field.name})" if field.type == "Attention" else field.name


def _wrappers(fields: list[Field]) -> list[str]:
    wrapped = any(_held(field) != field.name for field in fields)
    return ["from attn_core.models.attention import named"] if wrapped else []
