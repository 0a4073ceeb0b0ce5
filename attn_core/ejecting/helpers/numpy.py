"""Helpers of the files of NumPy."""

from __future__ import annotations

from attn_core.ejecting.helpers.shared import WAYS

HELPERS = {
    "ways": WAYS,
    "below": '''def below(weights: Weights, name: str) -> Weights:
    """Return the weights of a part, by their names within it."""
    start = f"{name}."
    return {key.removeprefix(start): w for key, w in weights.items() if key.startswith(start)}
''',
    "dense": '''def dense(x: Array, weights: Weights, name: str) -> Array:
    """Compute W x + b on the last axis."""
    return x @ weights[f"{name}.weight"].T + weights.get(f"{name}.bias", 0)
''',
    "conv": '''def conv(
    x: Array, weights: Weights, name: str, stride: int = 1, sides: Sides = (), dilation: int = 1
) -> Array:
    """Convolve an image; `sides` are the zeros before and after each spatial axis."""
    weight = weights[f"{name}.weight"]
    rank = x.ndim - 2
    reach = [dilation * (n - 1) + 1 for n in weight.shape[2:]]
    views = windows(np.pad(x, ((0, 0), (0, 0), *(sides or [(0, 0)] * rank))), reach, stride)
    views = views[(..., *[slice(None, None, dilation)] * rank)]
    groups = x.shape[1] // weight.shape[1]
    pieces = [
        np.tensordot(own, kernel, ([1, *range(-rank, 0)], range(1, rank + 2)))
        for own, kernel in zip(np.split(views, groups, 1), np.split(weight, groups))
    ]
    y = np.moveaxis(np.concatenate(pieces, -1), -1, 1)
    bias = weights.get(f"{name}.bias")
    return y if bias is None else y + bias.reshape(-1, *[1] * rank)
''',
    "windows": '''def windows(x: Array, size: Sequence[int], stride: int) -> Array:
    """Return (batch, channels, *positions, *size): every window of an image."""
    space = tuple(range(2, x.ndim))
    views = np.lib.stride_tricks.sliding_window_view(x, tuple(size), space)
    return views[(slice(None), slice(None), *[slice(None, None, stride)] * len(space))]
''',
    "same_sides": '''def same_sides(x: Array, size: Sequence[int], stride: int) -> Sides:
    """Return the borders of TensorFlow's SAME: as little as needed, the odd pixel at the end."""
    missing = [max((-(-n // stride) - 1) * stride + k - n, 0) for n, k in zip(x.shape[2:], size)]
    return tuple((n // 2, n - n // 2) for n in missing)
''',
    "max_pool": '''def max_pool(x: Array, size: Sequence[int], stride: Sequence[int], sides: Sides) -> Array:
    """Return the largest number of each window; what is outside of the image does not count."""
    padded = np.pad(x, ((0, 0), (0, 0), *sides), constant_values=-np.inf)
    views = windows(padded, size, 1)
    views = views[(slice(None), slice(None), *[slice(None, None, step) for step in stride])]
    return views.max(tuple(range(-len(size), 0)))
''',
    "mean_pool": '''def mean_pool(x: Array, size: int, stride: int) -> Array:
    """Return the mean of each window, of the image with zeros around it."""
    rank, border = x.ndim - 2, size // 2
    padded = np.pad(x, ((0, 0), (0, 0), *[(border, border)] * rank))
    return windows(padded, [size] * rank, stride).mean(tuple(range(-rank, 0)))
''',
    "batch_norm": '''def batch_norm(x: Array, weights: Weights, name: str, eps: float = 1e-5) -> Array:
    """Normalise each channel with its running statistics."""
    mean, variance = weights[f"{name}.running_mean"], weights[f"{name}.running_var"]
    shape = (-1, *[1] * (x.ndim - 2))
    centred = x - mean.reshape(shape)
    return affine(centred / np.sqrt(variance.reshape(shape) + eps), weights, name)
''',
    "group_norm": '''def group_norm(x: Array, weights: Weights, name: str, groups: int, eps: float = 1e-5) -> Array:
    """Normalise each group of channels of each sample."""
    pieces = x.reshape(len(x), groups, -1)
    centred = pieces - pieces.mean(-1, keepdims=True)
    normed = centred / np.sqrt(pieces.var(-1, keepdims=True) + eps)
    return affine(normed.reshape(x.shape), weights, name)
''',
    "layer_norm": '''def layer_norm(x: Array, weights: Weights, name: str, eps: float = 1e-5) -> Array:
    """Normalise the last axis."""
    centred = x - x.mean(-1, keepdims=True)
    normed = centred / np.sqrt(x.var(-1, keepdims=True) + eps)
    return normed * weights[f"{name}.weight"] + weights[f"{name}.bias"]
''',
    "affine": '''def affine(x: Array, weights: Weights, name: str) -> Array:
    """Multiply each channel of an image or a vector by a weight and add a bias."""
    shape = (-1, *[1] * (x.ndim - 2))
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    return x * weight.reshape(shape) + bias.reshape(shape)
''',
    "sigmoid": '''def sigmoid(x: Array) -> Array:
    """Compute 1 / (1 + exp(-x)), with a function that cannot overflow."""
    return (1 + np.tanh(x / 2)) / 2
''',
    "hard_sigmoid": '''def hard_sigmoid(x: Array) -> Array:
    """Compute relu6(x + 3) / 6."""
    return np.clip(x + 3, 0, 6) / 6
''',
    "silu": '''def silu(x: Array) -> Array:
    """Compute x * sigmoid(x)."""
    return x * sigmoid(x)
''',
    "hard_swish": '''def hard_swish(x: Array) -> Array:
    """Compute x * relu6(x + 3) / 6."""
    return x * np.clip(x + 3, 0, 6) / 6
''',
    "gelu": '''def gelu(x: Array) -> Array:
    """Compute x * Phi(x) with the normal distribution function."""
    erf = np.vectorize(math.erf, otypes=[x.dtype])
    return x * (1 + erf(x / math.sqrt(2))) / 2
''',
    "softmax": '''def softmax(x: Array) -> Array:
    """Compute the softmax over the last axis."""
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)
''',
    "attend": '''def attend(query: Array, key: Array, value: Array, factor: float) -> Array:
    """Return softmax(factor * query key^T) value."""
    return softmax(factor * (query @ np.swapaxes(key, 1, 2))) @ value
''',
    "to_tokens": '''def to_tokens(x: Array) -> Array:
    """Return an image's pixels in order: (batch, positions, channels)."""
    return np.swapaxes(x.reshape(*x.shape[:2], math.prod(x.shape[2:])), 1, 2)
''',
    "to_image": '''def to_image(tokens: Array, like: Array) -> Array:
    """Return pixels as an image of the size of another."""
    return np.swapaxes(tokens, 1, 2).reshape(len(tokens), -1, *like.shape[2:])
''',
    "depth_to_channels": '''def depth_to_channels(x: Array) -> Array:
    """Fold the first spatial axis into the channels, which vary slower."""
    return x.reshape(len(x), -1, *x.shape[3:])
''',
    "cut": '''def cut(line: Array, images: list[Array]) -> list[Array]:
    """Cut a line into images of these sizes, one after the other."""
    ends = np.cumsum([math.prod(image.shape[2:]) for image in images])
    pieces = np.split(line, ends[:-1], 2)
    pairs = zip(pieces, images)
    return [piece.reshape(*piece.shape[:2], *image.shape[2:]) for piece, image in pairs]
''',
    "standardise": '''def standardise(x: Array, eps: float) -> Array:
    """Subtract each channel's mean and divide by its deviation; that of a single pixel is 0."""
    space = tuple(range(2, x.ndim))
    centred = x - x.mean(space, keepdims=True)
    freedom = max(math.prod(x.shape[2:]) - 1, 1)
    return centred / np.sqrt(np.square(centred).sum(space, keepdims=True) / freedom + eps)
''',
    "adaptive_mean": '''def adaptive_mean(x: Array, size: tuple[int | None, ...]) -> Array:
    """Return the means of so many bins along each axis, which overlap where they must."""
    for axis, bins in enumerate(size, 2):
        if bins is not None:
            pixels = x.shape[axis]
            starts = [i * pixels // bins for i in range(bins)]
            ends = [-(-(i + 1) * pixels // bins) for i in range(bins)]
            pieces = [x.take(range(i, j), axis).mean(axis) for i, j in zip(starts, ends)]
            x = np.stack(pieces, axis)
    return x
''',
    "leaky_relu": '''def leaky_relu(x: Array) -> Array:
    """Compute x where it is positive, elsewhere a hundredth of it."""
    return np.where(x > 0, x, x * 0.01)
''',
    "resize": '''def resize(x: Array, like: Array, align_corners: bool = True) -> Array:
    """Interpolate an image to the size of another, outer centres or edges aligned."""
    for axis in range(2, x.ndim):
        pixels, target = x.shape[axis], like.shape[axis]
        if align_corners:
            places = np.arange(target) * ((pixels - 1) / max(target - 1, 1))
        else:
            places = np.clip((np.arange(target) + 0.5) * (pixels / target) - 0.5, 0, pixels - 1)
        weights = np.maximum(1 - np.abs(places[:, None] - np.arange(pixels)), 0)
        x = np.moveaxis(np.tensordot(x, weights.astype(x.dtype), (axis, 1)), -1, axis)
    return x
''',
    "affine_grid": '''def affine_grid(theta: Array, size: Sequence[int], align_corners: bool) -> Array:
    """Return where affine maps take the pixels of an image: (batch, *size, d) over [-1, 1]."""
    last = [max(n - 1, 1) if align_corners else n for n in size]
    axes = [np.arange(1 - n, n, 2) / end for n, end in zip(size, last)]
    across = np.meshgrid(*axes, indexing="ij")[::-1]
    points = np.stack([*across, np.ones(size)], -1).astype(theta.dtype)
    return np.einsum("...j,bij->b...i", points, theta)
''',
    "sample": '''def sample(x: Array, grid: Array, padding: str, align_corners: bool) -> Array:
    """Interpolate an image at points over [-1, 1]; outside are zeros or the nearest border."""
    sizes = x.shape[2:]
    first = np.arange(len(x)).reshape(-1, *[1] * len(sizes))
    total = 0.0
    for corner in itertools.product((0, 1), repeat=len(sizes)):
        index, weight = [first], 1.0
        for i, (step, size) in enumerate(zip(corner, sizes)):
            place = pixel_place(grid[..., -1 - i], size, padding, align_corners)
            low = np.floor(place)
            at = low + step
            share = place - low if step else 1 - (place - low)
            weight = weight * np.where((at >= 0) & (at < size), share, 0)
            index.append(np.clip(at, 0, size - 1).astype(int))
        total = total + np.moveaxis(x, 1, -1)[tuple(index)] * weight[..., None]
    return np.moveaxis(total, -1, 1)
''',
    "pixel_place": '''def pixel_place(points: Array, size: int, padding: str, align_corners: bool) -> Array:
    """Turn coordinates over [-1, 1] into places among pixels, 0 being the centre of the first."""
    place = (points + 1) / 2 * (size - 1) if align_corners else ((points + 1) * size - 1) / 2
    return np.clip(place, 0, size - 1) if padding == "border" else place
''',
}
