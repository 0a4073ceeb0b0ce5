"""What all Linen layers of this package share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import Array

from attn_core.interpreters.one_pass import one_pass
from attn_core.interpreters.shapes import explained
from attn_core.spec import Block, Part, Parts, namespace, require_names
from attn_core.weights import WeightsError, check
from attn_jax import asking, choices, ops
from attn_jax.linen.parts import Nested, begin, native
from attn_jax.linen.recording import keeping
from attn_jax.synchronised import over
from attn_jax.weights import from_flax

# The native class of each class of blocks: `Layer.__init_subclass__` fills it. Kept when this module is imported again.
NATIVE: dict[type[Block], Callable[..., Layer]] = globals().get("NATIVE", {})
FROM_THE_IMAGE = ("channels", "rank")  # the fields of a block that a Linen class has not


class Layer(nn.Module, kw_only=True):
    """A block as a Linen module: its parts are sub-modules, made when the number of channels is known.

    `dtype` is the type of computation (by default that of inputs and weights), `param_dtype` that of the weights.
    With ``train=True``, blocks that hold running statistics use the batch's and move their own, in the collection
    "batch_stats": ``module.apply(variables, x, train=True, mutable=["batch_stats"])``. `axis_name` is that of the axis
    of `pmap`, `vmap` or `shard_map` over whose devices a batch is spread: statistics are then those of the whole batch.

    `kernel_init`, `bias_init`, `precision` and `promote_dtype` are those of Flax's `Dense` and `Conv`, for all of them
    inside; without, weights begin by the block's laws. `precision` is also that of products that no layer makes.

    ``class CBAM(Layer, of=core.CBAM)`` is the native class of the blocks of `core.CBAM`.
    """

    dtype: Any = None
    param_dtype: Any = jnp.float32
    axis_name: str | None = None
    kernel_init: Any = None
    bias_init: Any = None
    precision: Any = None
    promote_dtype: Any = None

    def __init_subclass__(cls, of: type[Block] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if of is not None:  # a subclass of a native class leaves its place to it
            NATIVE[of] = cls

    def configure(self, channels: int, rank: int) -> Block:
        """Return the block for images of this many channels and spatial axes."""
        raise NotImplementedError

    @nn.compact
    def parts(self, block: Block, train: bool) -> Parts:
        """Make the parts, or find them again."""
        require_names(block, "Linen")
        chosen = {name: getattr(self, name) for name in choices.NAMES}
        choices.require_effects(block, chosen)
        options = {"dtype": self.dtype, "param_dtype": self.param_dtype}

        def made(name: str, part: Part | Block) -> Any:
            own = {**over(self.axis_name, part), **choices.of(part, chosen)}
            return native(part, train, name=name, **options, **own)

        return namespace({name: made(name, part) for name, part in block.parts().items()})

    def create(self, block: Block) -> None:
        """Make the weights without an image: ``module.init(key, block, method="create")``."""
        parts = self.parts(block, train=False)
        for name, part in block.parts().items():
            begin(part, getattr(parts, name))

    def run(self, *inputs: Array, train: bool = False) -> Array:
        """Compute the block's output; an error gains a note that says which step could not take the input."""
        block, keep = self._configured(inputs[0]), keeping(self)
        with _explained(self, block, inputs), choices.multiplied(self.precision):
            given = ops.prepared(inputs, self.dtype, block.images)
            output: Array = asking.run(self, block, self.parts(block, train), given, keep)
            return output

    def gates(self, *inputs: Array, train: bool = False) -> dict[str, Array]:
        """Compute the maps that the block multiplies images with, by name; `apply(..., method="gates")`.

        `attn_jax.linen.record_gates` returns those of all layers of a network.
        """
        block = self._configured(inputs[0])
        with _explained(self, block, inputs), choices.multiplied(self.precision):
            return one_pass(block, ops, self.parts(block, train), *ops.prepared(inputs, self.dtype, block.images)).gates

    def _configured(self, x: Array) -> Block:
        return self.configure(x.shape[-1], max(x.ndim - 2, 1))  # without space, the first step explains the error


class Generic(Layer):
    """Any block as a Linen module, such as one that is not of `attn_core.blocks`: ``Generic(block)``."""

    block: Block

    def configure(self, channels: int, rank: int) -> Block:
        """Return the block."""
        return self.block

    def __call__(self, *inputs: Array, train: bool = False) -> Array:
        """Compute the block's output."""
        return self.run(*inputs, train=train)


def build(block: Block, **options: Any) -> Layer:
    """Return the module for a block, without weights: of its native class, or `Generic` for a block from elsewhere."""
    kind = NATIVE.get(type(block))
    if kind is None:
        return Generic(block, **options)
    return kind(**{name: value for name, value in block.config().items() if name not in FROM_THE_IMAGE}, **options)


@native.register  # here, since the layer of a block is made of parts, and a part may be a block
def _block(part: Block, train: bool, **options: Any) -> Nested:
    return Nested(build(part, **options), train)


@contextmanager
def _explained(module: Layer, block: Block, inputs: Sequence[Array]) -> Iterator[None]:
    """Explain an error: by the shapes of the inputs, or by weights that are for another number of channels."""
    try:
        with explained(block, *ops.canonical(inputs, block.images), shown=[x.shape for x in inputs]):
            yield
    except Exception as error:
        if module.variables and not module.is_initializing():
            _explain_weights(error, block, module.variables)
        raise


def _explain_weights(error: Exception, block: Block, variables: Any) -> None:
    # Within `jit` the values are tracers, which nobody may read; their shapes say what is wrong.
    shapes = jax.tree.map(lambda leaf: np.broadcast_to(np.float32(0), leaf.shape), variables)
    try:
        check(block, from_flax(shapes))
    except WeightsError as reason:
        error.add_note(str(reason))
