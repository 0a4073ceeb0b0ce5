"""The primitives in the words of libraries with NumPy's functions: NumPy itself, jax.numpy, keras.ops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from attn_core.ejecting.words import code
from attn_core.ejecting.words.code import Code, Operand, product, same, total


class ArrayWords:
    """What has no expression of its own is a helper of the primitive's name."""

    library: ClassVar[str]
    channels_last: ClassVar[bool] = True
    functions: ClassVar[dict[str, str]] = {}  # of one array, by primitive
    by_name: ClassVar[frozenset[str]] = frozenset(["normalise", "over_positions"])

    # ---- axes ------------------------------------------------------------------------------------------------------

    def space(self, x: Operand) -> tuple[int, ...]:
        """Return the spatial axes."""
        first = 1 if self.channels_last else 2
        return tuple(range(first, first + x.rank))

    def channel(self, x: Operand) -> int:
        """Return the axis of the channels of an image or a vector."""
        return -1 if self.channels_last and x.axes > 2 else 1

    def spread(self, gate: Operand, rank: int) -> Code:
        """Write a vector so that it meets the channels of an image."""
        nones = ["None"] * rank
        return Code(f"{gate}[{', '.join([':', *nones, ':'] if self.channels_last else [':', ':', *nones])}]")

    def call(self, name: str, *arguments: object, **options: object) -> Code:
        """Write a call of the library."""
        texts = [each.text if isinstance(each, Code) else str(each) for each in arguments]
        texts += [f"{key}={value}" for key, value in options.items()]
        return Code(f"{self.library}.{name}({', '.join(texts)})")

    def sides(self, x: Operand, around: Sequence[int]) -> str:
        """Write the borders of an image, of all its axes."""
        inside = [(n, n) for n in around]
        none = [(0, 0)]
        return str(tuple([*none, *inside, *none] if self.channels_last else [*none, *none, *inside]))

    # ---- from an image to less of it -------------------------------------------------------------------------------

    def global_mean(self, x: Operand) -> Code:
        """See `Primitives.global_mean`."""
        return self.call("mean", x, same(self.space(x)))

    def global_length(self, x: Operand) -> Code:
        """See `Primitives.global_length`."""
        return Code(f"length({x.text}, {same(self.space(x))})")

    def channel_mean(self, x: Operand) -> Code:
        """See `Primitives.channel_mean`."""
        return self.call("mean", x, self.channel(x), keepdims=True)

    def channel_max(self, x: Operand) -> Code:
        """See `Primitives.channel_max`."""
        return Code(f"largest({x.text}, {self.channel(x)})")

    def adaptive_mean(self, x: Operand, size: Sequence[int | None]) -> Code:
        """See `Primitives.adaptive_mean`; over whole axes, a mean."""
        if all(n in (1, None) for n in size):
            axes = [axis for axis, n in zip(self.space(x), size, strict=True) if n == 1]
            return self.call("mean", x, same(axes), keepdims=True)
        return Code(f"adaptive_mean({x.text}, {tuple(size)})")

    # ---- from an image to another place ----------------------------------------------------------------------------

    def affine_grid(
        self, theta: Operand, size: Sequence[int | None], align_corners: bool, like: Operand | None = None
    ) -> Code:
        """See `Primitives.affine_grid`."""
        own = self.spatial_shape(like) if like and None in size else ""
        axes = [f"{own}[{i}]" if n is None else str(n) for i, n in enumerate(size)]
        wanted = f"({', '.join(axes)}{',' * (len(axes) == 1)})" if any(size) else own
        return Code(f"affine_grid({theta.text}, {wanted}, {align_corners})")

    def spatial_shape(self, x: Operand) -> str:
        """Write the sizes of an image."""
        return f"{self.shape(x)}[{'1:-1' if self.channels_last else '2:'}]"

    def shape(self, x: Operand) -> str:
        """Write the shape of an array."""
        return f"{x}.shape"

    def sample(self, x: Operand, grid: Operand, padding: str, align_corners: bool) -> Code:
        """See `Primitives.sample`."""
        return Code(f'sample({x.text}, {grid.text}, "{padding}", {align_corners})')

    def split(self, x: Operand, pieces: int) -> Code:
        """See `Primitives.split`."""
        return self.call("split", x, pieces, self.channel(x))

    def concat(self, pieces: Sequence[Operand]) -> Code:
        """See `Primitives.concat`."""
        return self.call("concatenate", f"[{', '.join(piece.text for piece in pieces)}]", self.channel(pieces[0]))

    def channels_to_depth(self, x: Operand) -> Code:
        """See `Primitives.channels_to_depth`."""
        if not self.channels_last:
            return Code(f"{x}[:, None]")
        return Code(f"{self.call('moveaxis', x, -1, 1) if x.axes > 2 else x}[..., None]")

    def exchange(self, x: Operand, axis: int) -> Code:
        """See `Primitives.exchange`."""
        axes = (axis + 1, -1) if self.channels_last else (1, axis + 2)
        return self.call("swapaxes", x, *axes)

    def join(self, images: Sequence[Operand]) -> Code:
        """See `Primitives.join`."""
        if self.channels_last:
            lines = ", ".join(f"to_tokens({x.text})" for x in images)
            return self.call("concatenate", f"[{lines}]", 1)
        lines = ", ".join(f"{x}.reshape(*{x}.shape[:2], -1)" for x in images)
        return self.call("concatenate", f"[{lines}]", 2)

    def cut(self, line: Operand, like: Sequence[Operand]) -> Code:
        """See `Primitives.cut`."""
        return Code(f"cut({line.text}, [{', '.join(x.text for x in like)}])")

    # ---- images with images and vectors ----------------------------------------------------------------------------

    def scale(self, x: Operand, gate: Operand) -> Code:
        """See `Primitives.scale`."""
        return product(x, self.spread(gate, x.rank))

    def shift(self, x: Operand, offset: Operand) -> Code:
        """See `Primitives.shift`."""
        return total(x, self.spread(offset, x.rank))

    def multiply(self, a: Operand, b: Operand) -> Code:
        """See `Primitives.multiply`."""
        return self.call("square", a) if a.symbol is b.symbol else product(a, b)

    def add(self, a: Operand, b: Operand) -> Code:
        """See `Primitives.add`."""
        return total(a, b)

    def maximum(self, a: Operand, b: Operand) -> Code:
        """See `Primitives.maximum`."""
        return self.call("maximum", a, b)

    # ---- ordinary arrays -------------------------------------------------------------------------------------------

    def einsum(self, equation: str, *operands: Operand) -> Code:
        """See `Primitives.einsum`."""
        if code.swaps(equation):
            return self.call("swapaxes", operands[0], 1, 2)
        if axis := code.sums_out(equation):
            return self.call("sum", operands[0], axis)
        if turns := code.multiplies(equation):
            both = zip(operands, turns, strict=True)
            a, b = (str(self.call("swapaxes", x, 1, 2)) if turn else str(x) for x, turn in both)
            return Code(f"{a} @ {b}", code.PRODUCT)
        return self.call("einsum", f'"{equation}"', *operands)

    def attend(self, query: Operand, key: Operand, value: Operand, factor: float) -> Code:
        """See `Primitives.attend`."""
        return Code(f"attend({query.text}, {key.text}, {value.text}, {code.plain(factor)})")

    def normalise(self, x: Operand, order: int, eps: float = 1e-6) -> Code:
        """See `Primitives.normalise`."""
        length = self.call("sum", x, -1, keepdims=True) if order == 1 else Code(f"length({x.text}, -1, keepdims=True)")
        return Code(f"{x} / ({code.plain(eps)} + {length})", code.PRODUCT)

    def over_positions(self, x: Operand, tokens: Operand) -> Code:
        """See `Primitives.over_positions`."""
        return code.quotient(x, f"{tokens}.shape[1]")

    def take(self, x: Operand, index: str) -> Code:
        """See `Primitives.take`."""
        return self.call("take_along_axis", x, f"{index}[None]", -1)

    def matrices(self, x: Operand, rows: int) -> Code:
        """See `Primitives.matrices`."""
        return self.call("reshape", x, f"(-1, {rows}, {int(x.symbol.shape[1] or 0) // rows})")

    def batch_mean(self, x: Operand) -> Code:
        """See `Primitives.batch_mean`."""
        return self.call("mean", x, 0)

    # ---- elementwise -----------------------------------------------------------------------------------------------

    def linear(self, x: Operand, factor: float, offset: float = 0.0) -> Code:
        """See `Primitives.linear`."""
        return code.linear(x, factor, offset)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def write(*given: Any) -> Code:
            texts = [each.text if isinstance(each, Code) else repr(each) for each in given]
            return Code(f"{self.functions.get(name, name)}({', '.join(texts)})")

        return write
