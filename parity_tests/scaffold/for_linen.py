"""The Linen class of a block."""

from __future__ import annotations

from collections.abc import Iterator
from string import Template

from scaffold import docstrings, options
from scaffold.described import Described
from scaffold.texts import from_image, header, listed

TEXT = Template('''\
"""`$name` for Linen; see `attn_core.$place`."""

from __future__ import annotations
$standard
from jax import Array

$imports


class $name(Layer, of=core.$name):
    $docstring

$fields

    def configure(self, channels: int, rank: int) -> core.$name:
        """Return the block for this many channels and spatial axes."""
        return core.$name($values)

    def __call__(self, $arguments, train: bool = False) -> Array:
        """$answer"""
        return self.run($inputs, train=train)
''')
EVERY = (
    "dtype: Any",
    "param_dtype: Any",
    "axis_name: str | None",
    "kernel_init: Any",
    "bias_init: Any",
    "precision: Any",
    "promote_dtype: Any",
    "name: str | None",
    "parent: Any",
)
MARK = "_: KW_ONLY"
OPTIONS = "``dtype``, ``param_dtype``, ``axis_name``: as in Flax's own layers."
DROPOUT = 'In training, dropout takes the key ``rngs={"dropout": key}``.'
RAISES = """
**Raises** `attn_core.SpecError` (a `ValueError`), at the first input, for a configuration that cannot be built.
"""


def write(block: Described) -> str:
    """Return the file's text."""
    fields = list(_fields(block))
    docs = docstrings.docstring(
        docstrings.summary(block),
        docstrings.in_short(block),
        docstrings.channels_last_shape(block),
        docstrings.fields(block, OPTIONS, docstrings.OF_LAYERS, from_input=True),
        DROPOUT if block.has("dropout") else "",
        RAISES,
    )
    standard = ["from dataclasses import KW_ONLY"] if MARK in fields else []
    standard += ["from typing import Any"] if block.constructors else []
    text = TEXT.substitute(
        header(block, ("from attn_jax.linen.layer import Layer",), standard),
        docstring=docs,
        fields="\n".join(f"    {field}" for field in fields),
        values=listed(_values(block)),
        arguments=listed(f"{name}: Array" for name in block.inputs),
    )
    own = [field for field in block.fields if field.name not in from_image(block)]
    return "\n\n".join([text, *options.typed(block, own, EVERY), *block.constructors])


def _fields(block: Described) -> Iterator[str]:
    """Return its fields; those that may only be given by name come after a mark."""
    own = [field for field in block.fields if field.name not in from_image(block)]
    yield from (str(field) for field in own if not field.keyword)
    named = [str(field) for field in own if field.keyword]
    yield from [MARK, *named] if named else []


def _values(block: Described) -> Iterator[str]:
    """Return what the block is made of: numbers read from the image, and the module's own fields."""
    read = from_image(block)
    for field in block.fields:
        if field.name in read:
            yield read[field.name]
        else:
            yield f"{field.name}=self.{field.name}" if field.keyword else f"self.{field.name}"
