"""The primitives in the words of Keras."""

from __future__ import annotations

from typing import ClassVar

from attn_core.ejecting.words.arrays import ArrayWords
from attn_core.ejecting.words.code import Code, Operand, same


class KerasWords(ArrayWords):
    """Images are (batch, *space, channels)."""

    library = "ops"
    functions: ClassVar[dict[str, str]] = {
        "relu": "ops.relu",
        "silu": "ops.silu",
        "hard_swish": "ops.hard_silu",
        "sigmoid": "ops.sigmoid",
        "hard_sigmoid": "ops.hard_sigmoid",
        "softmax": "ops.softmax",
        "stop_gradient": "ops.stop_gradient",
    }

    def shape(self, x: Operand) -> str:
        """Write the shape of an array."""
        return f"ops.shape({x.text})"

    def over_positions(self, x: Operand, tokens: Operand) -> Code:
        """See `Primitives.over_positions`; the number may be known only when a graph runs."""
        return Code(f"over_positions({x.text}, {tokens.text})")

    def maximum(self, a: Operand, b: Operand) -> Code:
        """See `Primitives.maximum`; TensorFlow's own gives all of the gradient to the first of equal ones."""
        return Code(f"maximum({a.text}, {b.text})")

    def mean_pool(self, x: Operand, window: int, stride: int) -> Code:
        """See `Primitives.mean_pool`."""
        padded = self.call("pad", x, self.sides(x, (window // 2,) * x.rank))
        return Code(f"ops.average_pool({padded}, {window}, {stride})")

    def max_pool(self, x: Operand, window: tuple[int, ...], stride: int | None = None, padding: str = "valid") -> Code:
        """See `Primitives.max_pool`."""
        steps = stride or same(window)
        if padding == "symmetric":
            sides = self.sides(x, [n // 2 for n in window])
            padded = f'ops.pad({x.text}, {sides}, constant_values=float("-inf"))'
            return Code(f"ops.max_pool({padded}, {same(window)}, {steps})")
        return Code(f'ops.max_pool({x.text}, {same(window)}, {steps}, padding="{padding}")')
