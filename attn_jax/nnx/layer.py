"""What all NNX layers of this package share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import jax.numpy as jnp
from flax import nnx
from jax import Array

from attn_core.interpreters.one_pass import one_pass
from attn_core.interpreters.shapes import explained
from attn_core.spec import Block, Parts, namespace, require_names
from attn_jax import asking, choices, ops
from attn_jax.nnx.kept import keeping
from attn_jax.nnx.parts import native
from attn_jax.synchronised import over

# The native class of each class of blocks: `Layer.__init_subclass__` fills it. Kept when this module is imported again.
NATIVE: dict[type[Block], Callable[..., Layer]] = globals().get("NATIVE", {})


class Layer(nnx.Module):
    """A block as an NNX module: its parts are sub-modules, the block itself is static.

    `dtype` is the type of computation (by default that of inputs and weights), `param_dtype` that of the weights.
    A new module is in training mode, as in Flax: blocks that hold running statistics use the batch's and move their
    own, until `.eval()`. `axis_name` is that of the axis of `pmap`, `vmap` or `shard_map` over whose devices a batch is
    spread: statistics are then those of the whole batch.

    `kernel_init`, `bias_init`, `precision` and `promote_dtype` are those of Flax's `Linear` and `Conv`, for all of them
    inside; without, weights begin by the block's laws. `precision` is also that of products that no layer makes.

    ``class CBAM(Layer, of=core.CBAM)`` is the native class of the blocks of `core.CBAM`.
    """

    def __init_subclass__(cls, of: type[Block] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if of is not None:  # a subclass of a native class leaves its place to it
            NATIVE[of] = cls

    def __init__(
        self,
        block: Block,
        *,
        dtype: Any = None,
        param_dtype: Any = jnp.float32,
        axis_name: str | None = None,
        kernel_init: Any = None,
        bias_init: Any = None,
        precision: Any = None,
        promote_dtype: Any = None,
        rngs: nnx.Rngs,
    ) -> None:
        self.block = block
        self.dtype = dtype
        self.precision = precision
        given = (kernel_init, bias_init, precision, promote_dtype)
        chosen = dict(zip(choices.NAMES, given, strict=True))
        choices.require_effects(block, chosen)
        require_names(block, "NNX", partial(hasattr, self))
        for name, part in block.parts().items():
            options = {"dtype": dtype, "param_dtype": param_dtype, "rngs": rngs, **over(axis_name, part)}
            setattr(self, name, native(part, **options, **choices.of(part, chosen)))

    def run(self, *inputs: Array) -> Array:
        """Compute the block's output; an error gains a note that says which step could not take the input."""
        with (
            explained(self.block, *ops.canonical(inputs, self.block.images), shown=[x.shape for x in inputs]),
            self._multiplied(),
        ):
            given = ops.prepared(inputs, self.dtype, self.block.images)
            output: Array = asking.run(self, self.block, self._parts(), given, keeping(self))
            return output

    def gates(self, *inputs: Array) -> dict[str, Array]:
        """Compute the maps that the block multiplies images with, by name, in the module's mode; nothing moves.

        `attn_jax.nnx.record_gates` returns those of all layers of a network.
        """
        return nnx.clone(self).look(*inputs)

    def look(self, *inputs: Array) -> dict[str, Array]:
        """Compute the gates; in training, running statistics move."""
        with (
            explained(self.block, *ops.canonical(inputs, self.block.images), shown=[x.shape for x in inputs]),
            self._multiplied(),
        ):
            return one_pass(self.block, ops, self._parts(), *ops.prepared(inputs, self.dtype, self.block.images)).gates

    def _multiplied(self) -> AbstractContextManager[None]:
        return choices.multiplied(self.precision)

    def _parts(self) -> Parts:
        parts = {name: getattr(self, name) for name in self.block.parts()}
        return namespace({name: Nested(p) if isinstance(p, Layer) else p for name, p in parts.items()})


class Nested:
    """The layer of a block that is a part: its gates are those of a call, in which running statistics move."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer

    def __call__(self, *inputs: Array) -> Array:
        """Compute the block's output."""
        output: Array = self.layer(*inputs)
        return output

    def gates(self, *inputs: Array) -> dict[str, Array]:
        """Compute the block's gates."""
        return self.with_gates(*inputs)[1]

    def with_gates(self, *inputs: Array) -> tuple[Array, dict[str, Array]]:
        """Call the layer; return its output and the gates of this call."""
        with asking.asking(self.layer) as answers:
            output = self(*inputs)
        return output, answers[-1].gates


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
