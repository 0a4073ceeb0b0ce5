"""The primitives in the words of NumPy."""

from __future__ import annotations

from typing import ClassVar

from attn_core.ejecting.words.arrays import ArrayWords
from attn_core.ejecting.words.code import Code, Operand, same


class NumpyWords(ArrayWords):
    """Images are (batch, channels, *space). There are no gradients, so no rule for ties."""

    library = "np"
    channels_last = False
    by_name: ClassVar[frozenset[str]] = frozenset(
        [
            "normalise",
            "over_positions",
            "group",
            "ungroup",
            "matrices",
            "flatten",
            "join",
            "channel_shuffle",
            "max_pool",
        ]
    )

    def global_max(self, x: Operand) -> Code:
        """See `Primitives.global_max`."""
        return self.call("max", x, same(self.space(x)))

    def global_length(self, x: Operand) -> Code:
        """See `Primitives.global_length`."""
        return self.call("sqrt", self.call("sum", self.call("square", x), same(self.space(x))))

    def channel_max(self, x: Operand) -> Code:
        """See `Primitives.channel_max`."""
        return self.call("max", x, 1, keepdims=True)

    def group(self, x: Operand, groups: int) -> Code:
        """See `Primitives.group`."""
        return Code(f"{x}.reshape(-1, {x}.shape[1] // {groups}, *{x}.shape[2:])")

    def ungroup(self, x: Operand, groups: int) -> Code:
        """See `Primitives.ungroup`."""
        return Code(f"{x}.reshape(-1, {groups} * {x}.shape[1], *{x}.shape[2:])")

    def flatten(self, x: Operand) -> Code:
        """See `Primitives.flatten`."""
        return Code(f"{x}.reshape(len({x}), -1)")

    def normalise(self, x: Operand, order: int, eps: float = 1e-6) -> Code:
        """See `Primitives.normalise`."""
        if order == 1:
            return super().normalise(x, order, eps)
        return Code(f"{x} / ({eps!r} + np.linalg.norm({x}, axis=-1, keepdims=True))".replace("e-0", "e-"), 1)

    def stop_gradient(self, x: Operand) -> Code:
        """See `Primitives.stop_gradient`."""
        return Code(x.text, x.level)

    def channel_shuffle(self, x: Operand, groups: int) -> Code:
        """See `Primitives.channel_shuffle`."""
        pieces = f"{x}.reshape(len({x}), {groups}, -1, *{x}.shape[2:])"
        return Code(f"np.swapaxes({pieces}, 1, 2).reshape({x}.shape)")

    def max_pool(self, x: Operand, window: tuple[int, ...], stride: int | None = None, padding: str = "valid") -> Code:
        """See `Primitives.max_pool`."""
        if padding == "same":
            sides = f"same_sides({x.text}, {window}, {stride})"
        else:
            sides = str(tuple((n // 2, n // 2) if padding == "symmetric" else (0, 0) for n in window))
        return Code(f"max_pool({x.text}, {window}, {(stride,) * x.rank if stride else window}, {sides})")

    def relu(self, x: Operand) -> Code:
        """See `Primitives.relu`."""
        return self.call("maximum", x, 0)
