"""The primitives on shapes. Images are (batch, channels, *space); None is a size that is not known yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attn_core.spec.interpolation import completed
from attn_core.spec.windows import places

Shape = tuple[int | None, ...]


class ShapeError(ValueError):
    """A shape that the block cannot take, and the first step that cannot take it."""


def require_image(rank: int) -> None:
    """Raise `ShapeError` unless an array of this rank can be an image."""
    if rank < 3:
        raise ShapeError(f"an image has a batch axis, a channel axis and at least one spatial axis, not {rank} axes")


def require_space(x: Shape, rank: int, step: str) -> None:
    """Raise `ShapeError` unless this is an image of so many spatial axes."""
    if len(x) != rank + 2:
        raise ShapeError(f"{step} takes images of {rank} spatial axes, got {x}")


def require_axis(found: int | None, wanted: int, message: str) -> None:
    """Raise `ShapeError` unless the length of an axis is the one wanted, or unknown."""
    if found not in (wanted, None):
        raise ShapeError(message)


# ---- from an image to less of it -------------------------------------------------------------------------------------


def global_mean(x: Shape) -> Shape:
    """See `Primitives.global_mean`."""
    require_image(len(x))
    return x[:2]


global_max = global_length = global_mean


def channel_mean(x: Shape) -> Shape:
    """See `Primitives.channel_mean`."""
    require_image(len(x))
    return (x[0], 1, *x[2:])


channel_max = channel_mean


def adaptive_mean(x: Shape, size: tuple[int | None, ...]) -> Shape:
    """See `Primitives.adaptive_mean`."""
    require_space(x, len(size), "adaptive_mean")
    return (*x[:2], *completed(size, x[2:]))


def mean_pool(x: Shape, window: int, stride: int) -> Shape:
    """See `Primitives.mean_pool`."""
    require_image(len(x))
    return (*x[:2], *slid(x[2:], (window,) * (len(x) - 2), stride, "symmetric", "mean_pool"))


def max_pool(x: Shape, window: tuple[int, ...], stride: int | None = None, padding: str = "valid") -> Shape:
    """See `Primitives.max_pool`."""
    require_space(x, len(window), "max_pool")
    return (*x[:2], *slid(x[2:], window, stride, padding, "max_pool"))


def slid(space: Shape, window: tuple[int, ...], stride: int | None, padding: str, step: str) -> Shape:
    """Return how many windows there are along each spatial axis; without a stride, they lie side by side."""
    found = tuple(places(n, length, stride or length, padding) for n, length in zip(space, window, strict=True))
    if any(n is not None and n < 1 for n in found):
        raise ShapeError(f"{step}: an image of {space} pixels holds no whole window of {window}")
    return found


# ---- from an image to another place ----------------------------------------------------------------------------------


def resize(x: Shape, like: Shape, align_corners: bool = True) -> Shape:
    """See `Primitives.resize`."""
    require_image(len(x))
    require_space(like, len(x) - 2, "resize")
    return (*x[:2], *like[2:])


def affine_grid(theta: Shape, size: tuple[int | None, ...], align_corners: bool, like: Shape | None = None) -> Shape:
    """See `Primitives.affine_grid`."""
    d = len(size)
    if len(theta) != 3 or any(n not in (m, None) for n, m in zip(theta[1:], (d, d + 1), strict=True)):
        raise ShapeError(f"affine_grid takes matrices (batch, {d}, {d + 1}), got {theta}")
    if like is not None:
        require_space(like, d, "affine_grid")
    return (theta[0], *completed(size, size if like is None else like[2:]), d)


def sample(x: Shape, grid: Shape, padding: str, align_corners: bool) -> Shape:
    """See `Primitives.sample`."""
    require_points(x, grid)
    batch = same(x[:1], grid[:1], "sample, batches of image and points")
    return (*batch, x[1], *grid[1:-1])


def require_points(x: Shape, grid: Shape) -> None:
    """Raise `ShapeError` unless there is a grid of points for each image, in any layout, of a coordinate for each axis.

    JAX would take others, and repeat a single image or grid.
    """
    rank = len(x) - 2
    require_space(x, len(grid) - 2, "sample")
    require_axis(grid[-1], rank, f"sample takes points of {rank} coordinates, (batch, *size, {rank}), got {grid}")
    if all(isinstance(batch, int) for batch in (x[0], grid[0])):  # others are symbols
        same(x[:1], grid[:1], "sample, batches of image and points")


def group(x: Shape, groups: int) -> Shape:
    """See `Primitives.group`."""
    if x[1] is not None and x[1] % groups:
        raise ShapeError(f"group: {x[1]} channels cannot be divided into {groups} groups")
    return (_times(x[0], groups), _divided(x[1], groups), *x[2:])


def ungroup(x: Shape, groups: int) -> Shape:
    """See `Primitives.ungroup`."""
    return (_divided(x[0], groups), _times(x[1], groups), *x[2:])


def channel_shuffle(x: Shape, groups: int) -> Shape:
    """See `Primitives.channel_shuffle`."""
    require_image(len(x))
    if x[1] is not None and x[1] % groups:
        raise ShapeError(f"channel_shuffle: {x[1]} channels cannot be divided into {groups} groups")
    return x


def split(x: Shape, pieces: int) -> Sequence[Shape]:
    """See `Primitives.split`."""
    if x[1] is not None and x[1] % pieces:
        raise ShapeError(f"split: {x[1]} channels cannot be divided into {pieces} pieces")
    return [(x[0], _divided(x[1], pieces), *x[2:])] * pieces


def concat(pieces: Sequence[Shape]) -> Shape:
    """See `Primitives.concat`."""
    rest = (pieces[0][0], 1, *pieces[0][2:])
    for piece in pieces[1:]:
        rest = same(rest, (piece[0], 1, *piece[2:]), "concat")
    return (rest[0], _total([piece[1] for piece in pieces]), *rest[2:])


def exchange(x: Shape, axis: int) -> Shape:
    """See `Primitives.exchange`."""
    require_image(len(x))
    rank = len(x) - 2
    if axis >= rank:
        raise ShapeError(f"exchange: there is no axis {axis} among {rank}, counted from 0")
    order = [0, axis + 2, *range(2, len(x))]
    order[axis + 2] = 1
    return tuple(x[i] for i in order)


def join(images: Sequence[Shape]) -> Shape:
    """See `Primitives.join`."""
    first = images[0][:2]
    for x in images:
        require_image(len(x))
        first = same(first, x[:2], "join")
    return (*first, _total([product(x[2:]) for x in images]))


def cut(line: Shape, like: Sequence[Shape]) -> Sequence[Shape]:
    """See `Primitives.cut`."""
    same(line[2:], (_total([product(x[2:]) for x in like]),), "cut: positions")
    return [(*line[:2], *x[2:]) for x in like]


def _total(sizes: Sequence[int | None]) -> int | None:
    """Return the sum of sizes, unknown if one of them is."""
    return None if None in sizes else sum(size for size in sizes if size)


def depth_to_channels(x: Shape) -> Shape:
    """See `Primitives.depth_to_channels`."""
    require_image(len(x))
    return (x[0], product(x[1:3]), *x[3:])


def channels_to_depth(x: Shape) -> Shape:
    """See `Primitives.channels_to_depth`."""
    return (x[0], 1, *x[1:])


def _times(size: int | None, factor: int) -> int | None:
    return None if size is None else size * factor


def _divided(size: int | None, divisor: int) -> int | None:
    return None if size is None else size // divisor


# ---- images with images and vectors ----------------------------------------------------------------------------------


def scale(x: Shape, gate: Shape) -> Shape:
    """See `Primitives.scale`."""
    return _per_channel(x, gate, "scale: {} gates for {} channels")


def shift(x: Shape, offset: Shape) -> Shape:
    """See `Primitives.shift`."""
    return _per_channel(x, offset, "shift: {} numbers for {} channels")


def _per_channel(x: Shape, vector: Shape, unfit: str) -> Shape:
    """Return the shape of an image with a vector; an image of one channel is repeated."""
    require_image(len(x))
    if vector[1] != x[1] and x[1] != 1 and None not in (vector[1], x[1]):
        raise ShapeError(unfit.format(vector[1], x[1]))
    return (x[0], vector[1] if x[1] == 1 else x[1], *x[2:])


def standardise(x: Shape, eps: float) -> Shape:
    """See `Primitives.standardise`."""
    require_image(len(x))
    return x


def multiply(a: Shape, b: Shape) -> Shape:
    """See `Primitives.multiply`."""
    return broadcast(a, b, "multiply: shapes")


def add(a: Shape, b: Shape) -> Shape:
    """See `Primitives.add`."""
    return broadcast(a, b, "add: shapes")


def maximum(a: Shape, b: Shape) -> Shape:
    """See `Primitives.maximum`."""
    return same(a, b, "maximum")


def broadcast(a: Shape, b: Shape, what: str) -> Shape:
    """Return the shape of both, where an axis of length 1 is repeated to fit."""
    if len(a) != len(b) or any(m != n and not {m, n} & {None, 1} for m, n in zip(a, b, strict=True)):
        raise ShapeError(f"{what} {a} and {b} differ")
    return tuple(n if m == 1 else m if n in (None, 1) and m is not None else n for m, n in zip(a, b, strict=True))


def same(a: Shape, b: Shape, step: str) -> Shape:
    """Return the shape that both are, with the sizes that either knows."""
    if len(a) != len(b) or any(m != n and None not in (m, n) for m, n in zip(a, b, strict=True)):
        raise ShapeError(f"{step}: shapes {a} and {b} differ")
    return tuple(n if m is None else m for m, n in zip(a, b, strict=True))


# ---- images and ordinary arrays --------------------------------------------------------------------------------------


def to_tokens(x: Shape) -> Shape:
    """See `Primitives.to_tokens`."""
    require_image(len(x))
    return (x[0], product(x[2:]), x[1])


def to_image(tokens: Shape, like: Shape) -> Shape:
    """See `Primitives.to_image`."""
    same(tokens[1:2], (product(like[2:]),), "to_image: positions")
    return (tokens[0], tokens[2], *like[2:])


def flatten(x: Shape) -> Shape:
    """See `Primitives.flatten`."""
    return (x[0], product(x[1:]))


def product(sizes: Shape) -> int | None:
    """Return the product of sizes, unknown if one of them is."""
    total = 1
    for size in sizes:
        if size is None:
            return None
        total *= size
    return total


# ---- ordinary arrays -------------------------------------------------------------------------------------------------


def einsum(equation: str, *operands: Shape) -> Shape:
    """See `Primitives.einsum`."""
    sizes = axes(equation, *operands)
    return tuple(sizes[letter] for letter in equation.split("->")[1])


def axes(equation: str, *operands: Shape) -> dict[str, int | None]:
    """Return the length of the axis of each letter in an equation."""
    sizes: dict[str, int | None] = {}
    for letters, shape in zip(equation.split("->")[0].split(","), operands, strict=True):
        if len(letters) != len(shape):
            raise ShapeError(f"einsum {equation}: {letters} cannot be {shape}")
        for letter, size in zip(letters, shape, strict=True):
            (sizes[letter],) = same((sizes.get(letter),), (size,), f"einsum {equation}, axis {letter}")
    return sizes


def attend(query: Shape, key: Shape, value: Shape, factor: float) -> Shape:
    """See `Primitives.attend`."""
    return einsum("bnm,bmd->bnd", einsum("bnc,bmc->bnm", query, key), value)


def over_positions(x: Shape, tokens: Shape) -> Shape:
    """See `Primitives.over_positions`."""
    return x


def take(x: Shape, index: Any) -> Shape:
    """See `Primitives.take`."""
    if len(x) != 3 or x[1] not in (None, len(index)) or (x[2] is not None and x[2] <= index.max()):
        raise ShapeError(f"take: tokens {x} for {len(index)} positions and numbers to {index.max()}")
    return (x[0], *index.shape)


def matrices(x: Shape, rows: int) -> Shape:
    """See `Primitives.matrices`."""
    if len(x) != 2 or (x[1] is not None and x[1] % rows):
        raise ShapeError(f"matrices of {rows} rows take vectors (batch, {rows} * columns), got {x}")
    return (x[0], rows, _divided(x[1], rows))


def batch_mean(x: Shape) -> Shape:
    """See `Primitives.batch_mean`."""
    return x[1:]


# ---- what keeps the shape --------------------------------------------------------------------------------------------


def normalise(x: Shape, order: int, eps: float = 1e-6) -> Shape:
    """See `Primitives.normalise`."""
    return x


def linear(x: Shape, factor: float, offset: float = 0.0) -> Shape:
    """See `Primitives.linear`."""
    return x


def _keep(x: Shape) -> Shape:
    return x


softmax = stop_gradient = relu = leaky_relu = silu = hard_swish = gelu = sigmoid = hard_sigmoid = _keep
