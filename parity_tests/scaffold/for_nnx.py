"""The NNX class of a block."""

from __future__ import annotations

from string import Template

from scaffold import docstrings, options
from scaffold.described import Described
from scaffold.texts import header, listed, signature

TEXT = Template('''\
"""`$name` for NNX; see `attn_core.$place`."""

from __future__ import annotations

$typing

import jax.numpy as jnp
from flax import nnx
from jax import Array

$imports


class $name(Layer, of=core.$name):
    $docstring

    def __init__($signature) -> None:
        block = core.$name($values)
        super().__init__(block, $options)

    def __call__(self, $arguments) -> Array:
        """$answer"""
        return self.run($inputs)
''')
OPTIONS = (
    "dtype: Any = None",
    "param_dtype: Any = jnp.float32",
    "axis_name: str | None = None",
    "kernel_init: Any = None",
    "bias_init: Any = None",
    "precision: Any = None",
    "promote_dtype: Any = None",
    "rngs: nnx.Rngs",
)
RAISES = "**Raises** `attn_core.SpecError` (a `ValueError`) for a configuration that cannot be built."


def write(block: Described) -> str:
    """Return the file's text."""
    docs = docstrings.docstring(
        docstrings.summary(block),
        docstrings.in_short(block),
        docstrings.channels_last_shape(block),
        docstrings.fields(
            block, "``dtype``, ``param_dtype``, ``axis_name``, ``rngs``: as in Flax's own layers.", docstrings.OF_LAYERS
        ),
        RAISES,
    )
    text = TEXT.substitute(
        header(block, ("from attn_jax.nnx.layer import Layer",)),
        docstring=docs,
        signature=signature(block.fields, OPTIONS),
        options=listed(f"{name}={name}" for name in (option.partition(":")[0] for option in OPTIONS)),
        values=listed(f"{f.name}={f.name}" if f.keyword else f.name for f in block.fields),
        arguments=listed(f"{name}: Array" for name in block.inputs),
    )
    named = options.typed(block, block.fields, OPTIONS[:-1])
    return "\n\n".join([text, *named, *map(_with_rngs, block.constructors)])


def _with_rngs(constructor: str) -> str:
    """Let a function that returns the block hand on `rngs`, without which NNX makes no module."""
    declared = constructor.replace("**options: ", "*, rngs: nnx.Rngs, **options: ", 1)
    return declared.replace("**dict(", "rngs=rngs, **dict(", 1)
