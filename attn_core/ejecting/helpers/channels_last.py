"""Helpers for images with the channels last, in functions that jax.numpy and keras.ops both have.

`xp` stands for the library, `cast(a, x)` for an array in the type of another, `Tensor` for the type of arrays.
"""

from __future__ import annotations

HELPERS = {
    "largest": '''def largest(x: Tensor, axis: int) -> Tensor:
    """Return the maximum along an axis, which stays; the first of equal ones has the gradient."""
    return xp.take_along_axis(x, xp.argmax(x, axis, keepdims=True), axis)
''',
    "global_max": '''def global_max(x: Tensor) -> Tensor:
    """Return the maximum of each channel."""
    return largest(to_tokens(x), 1)[:, 0]
''',
    "length": '''def length(x: Tensor, axis: int | tuple[int, ...], keepdims: bool = False) -> Tensor:
    """Return the Euclidean length, whose gradient at 0 is 0."""
    square = xp.sum(x * x, axis, keepdims=keepdims)
    positive = square > 0
    root = xp.sqrt(xp.where(positive, square, xp.ones_like(square)))
    return xp.where(positive, root, xp.zeros_like(root))
''',
    "to_tokens": '''def to_tokens(x: Tensor) -> Tensor:
    """Return an image's pixels in order: (batch, positions, channels)."""
    batch, *space, channels = xp.shape(x)
    return xp.reshape(x, (batch, math.prod(space), channels))
''',
    "to_image": '''def to_image(tokens: Tensor, like: Tensor) -> Tensor:
    """Return pixels as an image of the size of another."""
    batch, _, channels = xp.shape(tokens)
    return xp.reshape(tokens, (batch, *xp.shape(like)[1:-1], channels))
''',
    "flatten": '''def flatten(x: Tensor) -> Tensor:
    """Return an image as a vector, one channel after the other."""
    batch, *rest = xp.shape(x)
    return xp.reshape(xp.moveaxis(x, -1, 1), (batch, math.prod(rest)))
''',
    "group": '''def group(x: Tensor, groups: int) -> Tensor:
    """Turn groups of adjacent channels into samples."""
    batch, *space, channels = xp.shape(x)
    width = channels // groups
    pieces = xp.moveaxis(xp.reshape(x, (batch, *space, groups, width)), -2, 1)
    return xp.reshape(pieces, (batch * groups, *space, width))
''',
    "ungroup": '''def ungroup(x: Tensor, groups: int) -> Tensor:
    """Undo `group`, of an image or a vector."""
    batch, *space, width = xp.shape(x)
    pieces = xp.moveaxis(xp.reshape(x, (batch // groups, groups, *space, width)), 1, -2)
    return xp.reshape(pieces, (batch // groups, *space, groups * width))
''',
    "channel_shuffle": '''def channel_shuffle(x: Tensor, groups: int) -> Tensor:
    """Deal the channels of each group out to all groups."""
    *rest, channels = xp.shape(x)
    pieces = xp.reshape(x, (*rest, groups, channels // groups))
    return xp.reshape(xp.swapaxes(pieces, -2, -1), (*rest, channels))
''',
    "depth_to_channels": '''def depth_to_channels(x: Tensor) -> Tensor:
    """Fold the first spatial axis into the channels, which vary slower."""
    *rest, channels, depth = xp.shape(moved := xp.moveaxis(x, 1, -1))
    return xp.reshape(moved, (*rest, channels * depth))
''',
    "cut": '''def cut(line: Tensor, images: list[Tensor]) -> list[Tensor]:
    """Cut a line into images of these sizes, one after the other."""
    start, pieces = 0, []
    for image in images:
        end = start + math.prod(xp.shape(image)[1:-1])
        pieces.append(to_image(line[:, start:end], image))
        start = end
    return pieces
''',
    "standardise": '''def standardise(x: Tensor, eps: float) -> Tensor:
    """Subtract each channel's mean and divide by its deviation; that of a single pixel is 0."""
    space = tuple(range(1, len(x.shape) - 1))
    pixels = xp.sum(xp.ones_like(x[:1, ..., :1]))
    centred = x - xp.mean(x, space, keepdims=True)
    variance = xp.sum(xp.square(centred), space, keepdims=True) / xp.maximum(pixels - 1, 1)
    return centred / xp.sqrt(variance + eps)
''',
    "adaptive_mean": '''def adaptive_mean(x: Tensor, size: tuple[int | None, ...]) -> Tensor:
    """Return the means of so many bins along each axis, which overlap where they must."""
    for axis, bins in enumerate(size, 1):
        if bins is not None:
            pixels = xp.shape(x)[axis]
            first = xp.arange(bins)[:, None] * pixels // bins
            last = (xp.arange(1, bins + 1)[:, None] * pixels + bins - 1) // bins
            inside = (xp.arange(pixels) >= first) & (xp.arange(pixels) < last)
            weights = cast(inside, x)
            weights = weights / xp.sum(weights, 1, keepdims=True)
            x = xp.moveaxis(xp.tensordot(x, weights, ((axis,), (1,))), -1, axis)
    return x
''',
    "leaky_relu": '''def leaky_relu(x: Tensor) -> Tensor:
    """Compute x where it is positive, elsewhere a hundredth of it."""
    return xp.where(x > 0, x, x * 0.01)
''',
    "resize": '''def resize(x: Tensor, like: Tensor, align_corners: bool = True) -> Tensor:
    """Interpolate an image to the size of another, outer centres or edges aligned."""
    for axis in range(1, len(x.shape) - 1):
        pixels, target = xp.shape(x)[axis], xp.shape(like)[axis]
        if align_corners:
            last = xp.maximum(target - 1, 1)
            places = xp.arange(target) * (pixels - 1)
        else:
            last = xp.maximum(2 * target, 1)
            places = (2 * xp.arange(target) + 1) * pixels - target
            places = xp.clip(places, 0, last * (pixels - 1))
        distance = xp.abs(places[:, None] - xp.arange(pixels) * last)
        weights = cast(xp.maximum(last - distance, 0), x) / cast(last, x)
        x = xp.moveaxis(xp.tensordot(x, weights, ((axis,), (1,))), -1, axis)
    return x
''',
    "affine_grid": '''def affine_grid(theta: Tensor, size: tuple[int, ...], align_corners: bool) -> Tensor:
    """Return where affine maps take the pixels of an image: (batch, *size, d) over [-1, 1]."""
    d = len(size)
    columns = xp.reshape(theta, (-1, *[1] * d, d, d + 1))
    grid = columns[..., d]
    for i, pixels in enumerate(size):
        places = cast(xp.arange(1 - pixels, pixels, 2), theta)
        last = xp.maximum(places[-1], 1) if align_corners else places[-1] + 1
        places = xp.reshape(places / last, (-1, *[1] * (d - i)))
        grid = grid + places * columns[..., d - 1 - i]
    return grid
''',
    "sample": '''def sample(x: Tensor, grid: Tensor, padding: str, align_corners: bool) -> Tensor:
    """Interpolate an image at points over [-1, 1]; outside are zeros or the nearest border."""
    batch, *sizes, channels = xp.shape(x)
    pixels = xp.reshape(x, (-1, channels))
    first = xp.reshape(xp.arange(batch), (-1, *[1] * len(sizes)))
    total = 0.0
    for corner in itertools.product((0, 1), repeat=len(sizes)):
        row, weight = first, 1.0
        for i, (step, size) in enumerate(zip(corner, sizes)):
            place = pixel_place(grid[..., -1 - i], size, padding, align_corners)
            low = xp.floor(place)
            share = place - low if step else 1 - (place - low)
            at = low + step
            weight = weight * xp.where((at >= 0) & (at <= size - 1), share, xp.zeros_like(share))
            row = row * size + whole(xp.clip(at, 0, size - 1), row)
        total = total + xp.take(pixels, row, axis=0) * weight[..., None]
    return total
''',
    "pixel_place": '''def pixel_place(points: Tensor, size: int, padding: str, align_corners: bool) -> Tensor:
    """Turn coordinates over [-1, 1] into places among pixels, 0 being the centre of the first."""
    last = size - 1
    place = (points + 1) / 2 * last if align_corners else ((points + 1) * size - 1) / 2
    if padding == "border":
        place = xp.where(place < 0, xp.zeros_like(place), place)
        place = xp.where(place > last, xp.zeros_like(place) + last, place)
    return place
''',
    "attend": '''def attend(query: Tensor, key: Tensor, value: Tensor, factor: float) -> Tensor:
    """Return softmax(factor * query key^T) value."""
    weights = softmax(factor * (query @ xp.swapaxes(key, 1, 2)))
    return weights @ value
''',
}
