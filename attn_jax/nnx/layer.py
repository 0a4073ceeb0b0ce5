"""What all NNX layers of this package share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core.interpreters.shapes import explained
from attn_core.spec import Block, Parts, namespace
from attn_jax import ops
from attn_jax.nnx.parts import native

# The native class of each class of blocks: `Layer.__init_subclass__` fills it. Kept when this module is imported again.
NATIVE: dict[type[Block], Callable[..., Layer]] = globals().get("NATIVE", {})


class Layer(nnx.Module):
    """A block as an NNX module: its parts are sub-modules, the block itself is static.

    `dtype` is the type of computation (by default that of inputs and weights), `param_dtype` that of the weights.
    A new module is in training mode, as in Flax: blocks that hold running statistics use the batch's and move their
    own, until `.eval()`.

    ``class CBAM(Layer, of=core.CBAM)`` is the native class of the blocks of `core.CBAM`.
    """

    def __init_subclass__(cls, of: type[Block] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if of is not None:  # a subclass of a native class leaves its place to it
            NATIVE[of] = cls

    def __init__(self, block: Block, *, dtype: Any = None, param_dtype: Any = jnp.float32, rngs: nnx.Rngs) -> None:
        self.block = block
        self.dtype = dtype
        for name, part in block.parts().items():
            setattr(self, name, native(part, dtype=dtype, param_dtype=param_dtype, rngs=rngs))

    def run(self, *inputs: Array) -> Array:
        """Compute the block's output; an error gains a note that says which step could not take the input."""
        with explained(self.block, *ops.canonical(inputs), shown=[x.shape for x in inputs]):
            return self.block.forward(ops, self._parts(), *ops.prepared(inputs, self.dtype))

    def gates(self, *inputs: Array) -> dict[str, Array]:
        """Compute the maps that the block multiplies images with, by name, in the module's mode; nothing moves."""
        return nnx.clone(self).look(*inputs)

    def look(self, *inputs: Array) -> dict[str, Array]:
        """Compute the gates as a part of another block does: in training, running statistics move."""
        with explained(self.block, *ops.canonical(inputs), shown=[x.shape for x in inputs]):
            return self.block.gates(ops, self._parts(), *ops.prepared(inputs, self.dtype))

    def _parts(self) -> Parts:
        parts = {name: getattr(self, name) for name in self.block.parts()}
        return namespace({name: Nested(p) if isinstance(p, Layer) else p for name, p in parts.items()})


class Nested:
    """The layer of a block that is a part."""

    def __init__(self, layer: Layer) -> None:
        self.layer, self.gates = layer, layer.look

    def __call__(self, *inputs: Array) -> Array:
        """Compute the block's output."""
        output: Array = self.layer(*inputs)
        return output


class Generic(Layer):
    """Any block as an NNX module, such as one that is not of `attn_core.blocks`: ``Generic(block, rngs=rngs)``."""

    def __call__(self, *inputs: Array) -> Array:
        """Compute the block's output."""
        return self.run(*inputs)


@native.register  # here, since the layer of a block is made of parts, and a part may be a block
def build(part: Block, **options: Any) -> Layer:
    """Return a fresh module for a block: of its native class, or `Generic` for a block from elsewhere."""
    kind = NATIVE.get(type(part))
    return Generic(part, **options) if kind is None else kind(**part.config(), **options)
