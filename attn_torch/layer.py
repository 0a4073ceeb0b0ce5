"""What all PyTorch layers of this package share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from attn_core.interpreters.listening import listening
from attn_core.interpreters.one_pass import Pass
from attn_core.interpreters.shapes import explain
from attn_core.spec import Block, require_names
from attn_core.spec.parts import ZERO
from attn_torch import ops
from attn_torch.parts import fill, native

# The native class of each class of blocks: `Layer.__init_subclass__` fills it. Kept when this module is imported again.
NATIVE: dict[type[Block], Callable[..., Layer]] = globals().get("NATIVE", {})

# What computes a block faster, or returns None where it does not: `attn_torch.fast` fills it. Kept, too.
FAST: dict[type[Block], Callable[[Layer, Tensor], Tensor | None]] = globals().get("FAST", {})


class Layer(nn.Module):
    """A block as a PyTorch module: its parts are sub-modules, its `state_dict` is the canonical weights.

    Each layer writes its own `forward`, because Dynamo keeps one cache for a function: with a shared one, the ninth
    layer to be compiled would not compile. `try` costs nothing until something raises.

    ``class CBAM(Layer, of=core.CBAM)`` is the native class of the blocks of `core.CBAM`.
    """

    block: Block

    if TYPE_CHECKING:  # PyTorch's own says that a call returns anything
        __call__: Callable[..., Tensor]

    def __init_subclass__(cls, of: type[Block] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if of is not None:  # a subclass of a native class leaves its place to it
            NATIVE[of] = cls

    def __init__(
        self, block: Block, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> None:
        super().__init__()
        self.block = block
        require_names(block, "PyTorch", partial(hasattr, self))
        for name, part in block.parts().items():
            self.add_module(name, native(part, device="meta", dtype=dtype))  # there, drawing weights costs nothing
        for name in block.without_gradient:  # or DistributedDataParallel would wait for a gradient that never comes
            getattr(self, name).requires_grad_(False)
        self.to_empty(device=torch.get_default_device() if device is None else device)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw fresh weights from the block's laws, with PyTorch's global generator; running arrays start again."""
        arrays = self.block.arrays()
        for name, tensor in self.state_dict(keep_vars=True).items():
            fill(arrays[name].law if name in arrays else ZERO, tensor)  # what batch norm counts starts at 0

    def gates(self, *inputs: Tensor) -> dict[str, Tensor]:
        """Compute the maps that the block multiplies images with, by name, in a call of the layer.

        What stands around the call, as hooks and the gathering of sharded weights, works as ever; in training, running
        statistics move. `attn_torch.record_gates` returns those of all layers of a network.
        """
        return self.with_gates(*inputs)[1]

    def with_gates(self, *inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Call the layer; return its output and the gates of this call."""
        if torch.compiler.is_compiling():  # which cannot look into what listens; compilers join equal steps
            return self(*inputs), self.block.gates(ops, self, *inputs)
        found: list[Pass] = []
        with listening([(self, found.append)]):
            output: Tensor = self(*inputs)
        if not found:  # a subclass that computes its output otherwise
            return output, self.block.gates(ops, self, *inputs)
        return output, found[-1].gates

    def extra_repr(self) -> str:
        """Show the configuration in `print(model)`."""
        return repr(self.block).partition("(")[2][:-1]


class Generic(Layer):
    """A layer for a block that has no class of its own here, such as one that a user writes.

    All such layers share one `forward`, and with it Dynamo's cache: compile the network, not its layers.
    """

    def forward(self, *inputs: Tensor) -> Tensor:
        """Compute the block's output."""
        try:
            return run(self, *inputs)
        except Exception as error:
            explain(error, self.block, *(x.shape for x in inputs))
            raise

    def extra_repr(self) -> str:
        """Show the block in `print(model)`."""
        return repr(self.block)


def run(layer: Layer, *inputs: Tensor) -> Tensor:
    """Compute a layer's output: in the fast form of its block, where there is one that takes this call."""
    fast = None if torch.compiler.is_compiling() else FAST.get(type(layer.block))
    output = None if fast is None else fast(layer, *inputs)
    return layer.block.forward(ops, layer, *inputs) if output is None else output


@native.register  # here, since the layer of a block is made of parts, and a part may be a block
def build(part: Block, **placement: Any) -> Layer:
    """Return a fresh layer for a block: of its native class, or `Generic` for a block from elsewhere."""
    kind = NATIVE.get(type(part))
    return Generic(part, **placement) if kind is None else kind(**part.config(), **placement)
