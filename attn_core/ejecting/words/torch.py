"""The primitives in the words of PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from attn_core.ejecting.words import code
from attn_core.ejecting.words.code import Code, Operand, product, same, total


class TorchWords:
    """Images are (batch, channels, *space)."""

    # What is named before it is written, for it is written more than once, or with `.shape` behind it.
    by_name: ClassVar[frozenset[str]] = frozenset(
        ["normalise", "to_image", "resize", "affine_grid", "sample", "over_positions", "standardise", "cut"]
    )

    def space(self, x: Operand) -> str:
        """Write the spatial axes."""
        return same(tuple(range(2, x.axes)))

    def spread(self, gate: Operand, rank: int) -> Code:
        """Write a vector so that it meets the channels of an image."""
        return Code(f"{gate}[:, :{', None' * rank}]")

    # ---- from an image to less of it -------------------------------------------------------------------------------

    def global_mean(self, x: Operand) -> Code:
        """See `Primitives.global_mean`."""
        return Code(f"{x}.mean({self.space(x)})")

    def global_max(self, x: Operand) -> Code:
        """See `Primitives.global_max`; `amax` would share the gradient among equal maxima."""
        return Code(f"{x}{'.flatten(2)' if x.rank > 1 else ''}.max(2).values")

    def global_length(self, x: Operand) -> Code:
        """See `Primitives.global_length`."""
        return Code(f"torch.linalg.vector_norm({x.text}, dim={self.space(x)})")

    def channel_mean(self, x: Operand) -> Code:
        """See `Primitives.channel_mean`."""
        return Code(f"{x}.mean(1, keepdim=True)")

    def channel_max(self, x: Operand) -> Code:
        """See `Primitives.channel_max`."""
        return Code(f"{x}.max(1, keepdim=True).values")

    def adaptive_mean(self, x: Operand, size: Sequence[int | None]) -> Code:
        """See `Primitives.adaptive_mean`; over whole axes, a mean."""
        if all(n in (1, None) for n in size):
            axes = [axis for axis, n in enumerate(size, 2) if n == 1]
            return Code(f"{x}.mean({same(axes)}, keepdim=True)" if axes else str(x))
        return Code(f"F.adaptive_avg_pool{x.rank}d({x.text}, {same(size)})")

    def mean_pool(self, x: Operand, window: int, stride: int) -> Code:
        """See `Primitives.mean_pool`; the kernel of volumes refuses small ones before their border is added."""
        if x.rank == 3:
            return Code(f"F.avg_pool3d(F.pad({x.text}, [{window // 2}] * 6), {window}, {stride})")
        return Code(f"F.avg_pool{x.rank}d({x.text}, {window}, {stride}, {window // 2})")

    def max_pool(self, x: Operand, window: tuple[int, ...], stride: int | None = None, padding: str = "valid") -> Code:
        """See `Primitives.max_pool`."""
        if padding == "same":
            padded = f'pad_same({x.text}, {same(window)}, {stride or same(window)}, float("-inf"))'
            return Code(f"F.max_pool{x.rank}d({padded}, {same(window)}, {stride or same(window)})")
        border = same([n // 2 for n in window]) if padding == "symmetric" else "0"
        options = f", {stride}" * bool(stride) + f", padding={border}" * (border != "0")
        return Code(f"F.max_pool{x.rank}d({x.text}, {same(window)}{options})")

    # ---- from an image to another place ----------------------------------------------------------------------------

    def resize(self, x: Operand, like: Operand, align_corners: bool = True) -> Code:
        """See `Primitives.resize`; edges are aligned by default in PyTorch."""
        mode = ("linear", "bilinear", "trilinear")[x.rank - 1]
        corners = ", align_corners=True" * align_corners
        return Code(f'F.interpolate({x.text}, {like}.shape[2:], mode="{mode}"{corners})')

    def affine_grid(
        self, theta: Operand, size: Sequence[int | None], align_corners: bool, like: Operand | None = None
    ) -> Code:
        """See `Primitives.affine_grid`; PyTorch has none for lines."""
        if None not in size:
            wanted = str(tuple(size))
        elif any(size):
            wanted = f"({', '.join(f'{like}.shape[{i}]' if n is None else str(n) for i, n in enumerate(size, 2))})"
        else:
            wanted = f"{like}.shape[2:]"
        if len(size) == 1:
            return Code(f"affine_line({theta.text}, {wanted}[0], align_corners={align_corners})")
        full = f"({theta}.shape[0], 1, *{wanted})"
        return Code(f"F.affine_grid({theta.text}, {full}, align_corners={align_corners})")

    def sample(self, x: Operand, grid: Operand, padding: str, align_corners: bool) -> Code:
        """See `Primitives.sample`."""
        options = f'padding_mode="{padding}", align_corners={align_corners}'
        if x.rank == 1:
            return Code(f"sample_line({x.text}, {grid.text}, {options})")
        return Code(f"F.grid_sample({x.text}, {grid.text}, {options})")

    def group(self, x: Operand, groups: int) -> Code:
        """See `Primitives.group`."""
        return Code(f"{x}.unflatten(1, ({groups}, -1)).flatten(0, 1)")

    def ungroup(self, x: Operand, groups: int) -> Code:
        """See `Primitives.ungroup`."""
        return Code(f"{x}.unflatten(0, (-1, {groups})).flatten(1, 2)")

    def channel_shuffle(self, x: Operand, groups: int) -> Code:
        """See `Primitives.channel_shuffle`."""
        return Code(f"F.channel_shuffle({x.text}, {groups})")

    def split(self, x: Operand, pieces: int) -> Code:
        """See `Primitives.split`."""
        return Code(f"{x}.chunk({pieces}, 1)")

    def concat(self, pieces: Sequence[Operand]) -> Code:
        """See `Primitives.concat`."""
        return Code(f"torch.cat([{', '.join(piece.text for piece in pieces)}], 1)")

    def depth_to_channels(self, x: Operand) -> Code:
        """See `Primitives.depth_to_channels`."""
        return Code(f"{x}.flatten(1, 2)")

    def channels_to_depth(self, x: Operand) -> Code:
        """See `Primitives.channels_to_depth`."""
        return Code(f"{x}.unsqueeze(1)")

    def exchange(self, x: Operand, axis: int) -> Code:
        """See `Primitives.exchange`."""
        return Code(f"{x}.transpose(1, {axis + 2})")

    def join(self, images: Sequence[Operand]) -> Code:
        """See `Primitives.join`."""
        lines = [f"{x}.flatten(2)" if x.rank > 1 else x.text for x in images]
        return Code(f"torch.cat([{', '.join(lines)}], 2)" if len(lines) > 1 else lines[0])

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

    def standardise(self, x: Operand, eps: float) -> Code:
        """See `Primitives.standardise`."""
        return Code(f"standardise({x.text}, {eps!r})")

    def multiply(self, a: Operand, b: Operand) -> Code:
        """See `Primitives.multiply`."""
        return Code(f"{a}.square()") if a.symbol is b.symbol else product(a, b)

    def add(self, a: Operand, b: Operand) -> Code:
        """See `Primitives.add`."""
        return total(a, b)

    def maximum(self, a: Operand, b: Operand) -> Code:
        """See `Primitives.maximum`."""
        return Code(f"torch.maximum({a.text}, {b.text})")

    # ---- images and ordinary arrays --------------------------------------------------------------------------------

    def to_tokens(self, x: Operand) -> Code:
        """See `Primitives.to_tokens`."""
        return Code(f"{x}.flatten(2).mT" if x.rank > 1 else f"{x}.mT")

    def to_image(self, tokens: Operand, like: Operand) -> Code:
        """See `Primitives.to_image`."""
        return Code(f"{tokens}.mT.unflatten(2, {like}.shape[2:])" if like.rank > 1 else f"{tokens}.mT")

    def flatten(self, x: Operand) -> Code:
        """See `Primitives.flatten`."""
        return Code(f"{x}.flatten(1)")

    # ---- ordinary arrays -------------------------------------------------------------------------------------------

    def einsum(self, equation: str, *operands: Operand) -> Code:
        """See `Primitives.einsum`."""
        if code.swaps(equation):
            return Code(f"{operands[0]}.mT")
        if axis := code.sums_out(equation):
            return Code(f"{operands[0]}.sum({axis})")
        if turns := code.multiplies(equation):
            a, b = (f"{x}.mT" if turn else str(x) for x, turn in zip(operands, turns, strict=True))
            return Code(f"{a} @ {b}", code.PRODUCT)
        return Code(f'torch.einsum("{equation}", {", ".join(x.text for x in operands)})')

    def softmax(self, x: Operand) -> Code:
        """See `Primitives.softmax`."""
        return Code(f"{x}.softmax(-1)")

    def attend(self, query: Operand, key: Operand, value: Operand, factor: float) -> Code:
        """See `Primitives.attend`."""
        given = f"{query.text}, {key.text}, {value.text}"
        return Code(f"F.scaled_dot_product_attention({given}, scale={factor!r})")

    def normalise(self, x: Operand, order: int, eps: float = 1e-6) -> Code:
        """See `Primitives.normalise`."""
        length = f"{x}.sum" if order == 1 else f"{x}.norm"
        return Code(f"{x} / ({code.plain(eps)} + {length}(dim=-1, keepdim=True))", code.PRODUCT)

    def over_positions(self, x: Operand, tokens: Operand) -> Code:
        """See `Primitives.over_positions`."""
        return code.quotient(x, f"{tokens}.shape[1]")

    def take(self, x: Operand, index: str) -> Code:
        """See `Primitives.take`."""
        return Code(f"torch.take_along_dim({x.text}, {index}[None], 2)")

    def matrices(self, x: Operand, rows: int) -> Code:
        """See `Primitives.matrices`."""
        return Code(f"{x}.unflatten(1, ({rows}, -1))")

    def batch_mean(self, x: Operand) -> Code:
        """See `Primitives.batch_mean`."""
        return Code(f"{x}.mean(0)")

    def stop_gradient(self, x: Operand) -> Code:
        """See `Primitives.stop_gradient`."""
        return Code(f"{x}.detach()")

    # ---- elementwise -----------------------------------------------------------------------------------------------

    def linear(self, x: Operand, factor: float, offset: float = 0.0) -> Code:
        """See `Primitives.linear`."""
        return code.linear(x, factor, offset)

    def hard_sigmoid(self, x: Operand) -> Code:
        """See `Primitives.hard_sigmoid`; the gradient of PyTorch's own has a float32 sixth."""
        return Code(f"F.relu6({x.text} + 3) / 6", code.PRODUCT)

    def __getattr__(self, name: str) -> Any:
        if name not in FUNCTIONS:
            raise AttributeError(name)
        return lambda x: Code(f"{FUNCTIONS[name]}({x.text})")


NN = {"relu": "F.relu", "silu": "F.silu", "gelu": "F.gelu", "hard_swish": "F.hardswish"}
FUNCTIONS = {**NN, "leaky_relu": "F.leaky_relu", "sigmoid": "torch.sigmoid"}
