"""The primitives in PyTorch. Images are (batch, channels, *space)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import functional

from attn_core.spec.interpolation import completed
from attn_core.spec.windows import margins
from attn_torch.attention import attention

HALVES = (torch.float16, torch.bfloat16)
AXES = tuple(range(2, 64))  # a slice of it takes a third of the time of tuple(range(...))

# By the number of spatial axes, from one.
ADAPTIVE_MEANS = (functional.adaptive_avg_pool1d, functional.adaptive_avg_pool2d, functional.adaptive_avg_pool3d)
MEANS = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)
MAXIMA = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)


def _wide(x: Tensor) -> Tensor:
    """Return the numbers in a type whose sums neither overflow nor stick."""
    return x.float() if x.dtype in HALVES else x


def _wide_type(x: Tensor) -> torch.dtype:
    return torch.float32 if x.dtype in HALVES else x.dtype


def _mean(x: Tensor, axis: int, keepdim: bool) -> Tensor:
    return torch.mean(x, axis, keepdim, dtype=_wide_type(x)).to(x.dtype)


def _largest(x: Tensor, axis: int) -> Tensor:
    """Return the maximum along an axis, whose derivative the first of equal numbers has.

    Where nobody can ask for one, `amax`, which would share it, takes a quarter of the time.
    """
    # `torch.jit.trace` runs twice, the second time without gradients, and compares the programs.
    differentiated = torch.is_grad_enabled() or _moves(x) or _is_traced()
    return x.max(axis).values if differentiated else x.amax(axis)


def _is_traced() -> bool:
    return bool(torch.jit.is_tracing())  # type: ignore[attr-defined,no-untyped-call]


def _moves(x: Tensor) -> bool:
    """Say whether a derivative is carried along forwards, which it is without a tape, too."""
    return forward_ad.unpack_dual(x).tangent is not None  # type: ignore[no-untyped-call]


# ---- from an image to less of it -------------------------------------------------------------------------------------


def global_mean(x: Tensor) -> Tensor:
    """See `Primitives.global_mean`."""
    space = AXES[: x.ndim - 2]
    return torch.mean(x, space, dtype=torch.float32).to(x.dtype) if x.dtype in HALVES else torch.mean(x, space)


def global_max(x: Tensor) -> Tensor:
    """See `Primitives.global_max`."""
    return _largest(x.flatten(2), 2)


def global_length(x: Tensor) -> Tensor:
    """See `Primitives.global_length`; squares overflow in half precision."""
    length: Tensor = torch.linalg.vector_norm(x, 2, AXES[: x.ndim - 2], dtype=_wide_type(x))
    return length.to(x.dtype)


def channel_mean(x: Tensor) -> Tensor:
    """See `Primitives.channel_mean`."""
    return _mean(x, 1, True)


def channel_max(x: Tensor) -> Tensor:
    """See `Primitives.channel_max`."""
    return _largest(x, 1)[:, None]


def adaptive_mean(x: Tensor, size: tuple[int | None, ...]) -> Tensor:
    """See `Primitives.adaptive_mean`; a mean over whole axes keeps nothing for the gradient, the kernel its image."""
    for axis, bins in enumerate(size, 2):
        x = _mean(x, axis, True) if bins == 1 else x
    rest = tuple(None if bins == 1 else bins for bins in size)
    if not any(rest):
        return x
    # Of the kernel, ONNX is written for one size alone, and by the exporter of TorchScript for none that is left open.
    if torch.onnx.is_in_onnx_export() or any(isinstance(n, torch.SymInt) for n in x.shape[2:]):
        return _by_mean_matrices(x, rest)
    return _pooled(ADAPTIVE_MEANS, x, rest)


def _by_mean_matrices(x: Tensor, size: tuple[int | None, ...]) -> Tensor:
    for axis, bins in enumerate(size, 2):
        if bins is not None:
            x = _along(x, axis, _mean_matrix(x.shape[axis], bins, x), bins)
    return x


def _along(x: Tensor, axis: int, matrix: Tensor, length: int) -> Tensor:
    """Apply a matrix (length, in) to one axis, by products that every exporter knows."""
    shape = (*x.shape[:axis], length, *x.shape[axis + 1 :])
    return x @ matrix.transpose(0, 1) if axis == x.ndim - 1 else (matrix @ x.flatten(axis + 1)).view(shape)


def _mean_matrix(size: int, bins: int, x: Tensor) -> Tensor:
    """Return `attn_core.spec.interpolation.mean_matrix` of a size that may be a symbol."""
    index, pixels = (torch.arange(n, device=x.device) for n in (bins, size))
    first = index * size // bins
    last = ((index + 1) * size + bins - 1) // bins  # a ceiling
    inside = ((pixels >= first[:, None]) & (pixels < last[:, None])).to(_wide_type(x))
    return (inside / inside.sum(1, keepdim=True)).to(x.dtype)


def mean_pool(x: Tensor, window: int, stride: int) -> Tensor:
    """See `Primitives.mean_pool`."""
    border = window // 2
    if x.ndim == 5:  # the kernel refuses images that are smaller than the window before their border is added
        return _pooled(MEANS, functional.pad(x, (border,) * 6), window, stride)
    return _pooled(MEANS, x, window, stride, border)


def max_pool(x: Tensor, window: tuple[int, ...], stride: int | None = None, padding: str = "valid") -> Tensor:
    """See `Primitives.max_pool`."""
    if padding == "same":
        steps = (stride,) * len(window) if stride else window
        return _pooled(MAXIMA, pad_same(x, window, steps, -torch.inf), window, stride)
    return _pooled(MAXIMA, x, window, stride, tuple(n // 2 for n in window) if padding == "symmetric" else 0)


def pad_same(x: Tensor, window: tuple[int, ...], stride: tuple[int, ...], value: float = 0.0) -> Tensor:
    """Add what TensorFlow's SAME adds to the image."""
    sides = (margins(n, k, step, "same") for n, k, step in zip(x.shape[2:], window, stride, strict=True))
    return functional.pad(x, [n for before_after in reversed(list(sides)) for n in before_after], value=value)


def _pooled(kernels: tuple[Any, ...], x: Tensor, *options: Any) -> Tensor:
    rank = x.ndim - 2
    # On the CPU, the kernels of three axes add up in half precision or are missing there.
    pooled: Tensor = kernels[rank - 1](_wide(x) if rank == 3 else x, *options)
    return pooled.to(x.dtype)


# ---- from an image to another place ----------------------------------------------------------------------------------


def resize(x: Tensor, like: Tensor, align_corners: bool = True) -> Tensor:
    """See `Primitives.resize`.

    The kernel of `interpolate` computes places in float32, 1e-5 of a pixel off at 100 pixels; these weights are
    rounded once.
    """
    for axis in range(x.ndim - 1, 1, -1):
        x = _along(x, axis, _resize_matrix(x.shape[axis], like.shape[axis], align_corners, x), like.shape[axis])
    return x


def _resize_matrix(size: int, target: int, align_corners: bool, x: Tensor) -> Tensor:
    """Return `attn_core.spec.interpolation.resize_matrix`, computed in integers, of sizes that may be symbols."""
    targets, pixels = (torch.arange(n, device=x.device) for n in (target, size))
    if align_corners:
        unit = _at_least_one(targets[-1:])
        places = targets * (size - 1)
    else:
        unit = 2 * targets[-1:] + 2
        places = torch.minimum(((2 * targets + 1) * size - target).clamp(min=0), unit * pixels[-1:])
    distance = (places[:, None] - pixels * unit).abs()
    return (1 - distance.to(_wide_type(x)) / unit).clamp(min=0).to(x.dtype)


def _at_least_one(x: Tensor) -> Tensor:
    return x.clamp(min=1)  # of a tensor, since max(n, 1) would settle which size a symbol stands for


def affine_grid(theta: Tensor, size: tuple[int | None, ...], align_corners: bool, like: Tensor | None = None) -> Tensor:
    """See `Primitives.affine_grid`; in float32 for half precision, which cannot tell the pixels of an image apart.

    In products of single numbers: autocast would multiply matrices in half precision.
    """
    sizes = completed(size, size if like is None else like.shape[2:])
    *columns, grid = _wide(theta)[(slice(None), *(None,) * len(sizes))].unbind(-1)
    for axes_after, (pixels, column) in enumerate(zip(reversed(sizes), columns, strict=True), 1):
        places = _coordinates(pixels, align_corners, column)
        grid = grid + column * places[(..., *(None,) * axes_after)]
    return grid


def _coordinates(pixels: int, align_corners: bool, like: Tensor) -> Tensor:
    doubled = torch.arange(1 - pixels, pixels, 2, dtype=like.dtype, device=like.device)
    return doubled / (_at_least_one(doubled[-1:]) if align_corners else pixels)


def sample(x: Tensor, grid: Tensor, padding: str, align_corners: bool) -> Tensor:
    """See `Primitives.sample`; in float32 for half precision."""
    image = _wide(x)
    grid = grid.to(image.dtype)
    if x.ndim == 3:  # a line is an image of one row
        rows = functional.pad(grid, (0, 1))[:, None]
        return _sampled(image[:, :, None], rows, padding, align_corners)[:, :, 0].to(x.dtype)
    return _sampled(image, grid, padding, align_corners).to(x.dtype)


def _sampled(x: Tensor, grid: Tensor, padding: str, align_corners: bool) -> Tensor:
    return functional.grid_sample(x, grid, "bilinear", padding, align_corners)


def group(x: Tensor, groups: int) -> Tensor:
    """See `Primitives.group`."""
    return x.reshape(x.shape[0] * groups, x.shape[1] // groups, *x.shape[2:])


def ungroup(x: Tensor, groups: int) -> Tensor:
    """See `Primitives.ungroup`."""
    return x.reshape(x.shape[0] // groups, x.shape[1] * groups, *x.shape[2:])


def channel_shuffle(x: Tensor, groups: int) -> Tensor:
    """See `Primitives.channel_shuffle`; PyTorch's own goes into no ONNX file by the exporter of TorchScript."""
    return x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:]).transpose(1, 2).flatten(1, 2)


def split(x: Tensor, pieces: int) -> Sequence[Tensor]:
    """See `Primitives.split`; `chunk` would divide what cannot be divided."""
    return x.view(x.shape[0], pieces, x.shape[1] // pieces, *x.shape[2:]).unbind(1)


def concat(pieces: Sequence[Tensor]) -> Tensor:
    """See `Primitives.concat`."""
    return torch.cat(list(pieces), 1)


def depth_to_channels(x: Tensor) -> Tensor:
    """See `Primitives.depth_to_channels`."""
    return x.flatten(1, 2)


def channels_to_depth(x: Tensor) -> Tensor:
    """See `Primitives.channels_to_depth`."""
    return x.unsqueeze(1)


def exchange(x: Tensor, axis: int) -> Tensor:
    """See `Primitives.exchange`; a view."""
    return x.transpose(1, axis + 2)


def join(images: Sequence[Tensor]) -> Tensor:
    """See `Primitives.join`."""
    return torch.cat([x.flatten(2) for x in images], 2)


def cut(line: Tensor, like: Sequence[Tensor]) -> Sequence[Tensor]:
    """See `Primitives.cut`."""
    pieces = torch.split(line, [math.prod(x.shape[2:]) for x in like], 2)
    return [piece.reshape(*line.shape[:2], *x.shape[2:]) for piece, x in zip(pieces, like, strict=True)]


# ---- images with images and vectors ----------------------------------------------------------------------------------


def scale(x: Tensor, gate: Tensor) -> Tensor:
    """See `Primitives.scale`."""
    return x * gate[(..., *(None,) * (x.ndim - 2))]


def shift(x: Tensor, offset: Tensor) -> Tensor:
    """See `Primitives.shift`."""
    return x + offset[(..., *(None,) * (x.ndim - 2))]


def standardise(x: Tensor, eps: float) -> Tensor:
    """See `Primitives.standardise`; `torch.var` of a single pixel is NaN."""
    space, wide = AXES[: x.ndim - 2], _wide(x)
    centred = wide - wide.mean(space, keepdim=True)
    freedom = _at_least_one(torch.full((), math.prod(x.shape[2:]) - 1, dtype=wide.dtype, device=x.device))
    variance = centred.square().sum(space, keepdim=True) / freedom
    return (centred / (variance + eps).sqrt()).to(x.dtype)


# ---- images and ordinary arrays --------------------------------------------------------------------------------------


def to_tokens(x: Tensor) -> Tensor:
    """See `Primitives.to_tokens`; contiguous, or each dense layer would keep a copy that is."""
    return x.flatten(2).transpose(1, 2).contiguous()


def to_image(tokens: Tensor, like: Tensor) -> Tensor:
    """See `Primitives.to_image`; a view, with the strides of channels-last."""
    return tokens.transpose(1, 2).view(tokens.shape[0], tokens.shape[2], *like.shape[2:])


def flatten(x: Tensor) -> Tensor:
    """See `Primitives.flatten`."""
    return x.flatten(1)


# ---- ordinary arrays -------------------------------------------------------------------------------------------------


def einsum(equation: str, *operands: Tensor) -> Tensor:
    """See `Primitives.einsum`."""
    result: Tensor = torch.einsum(equation, *operands)
    return result


def softmax(x: Tensor) -> Tensor:
    """See `Primitives.softmax`; PyTorch adds up in float32 also in half precision."""
    return torch.softmax(x, -1)


def attend(query: Tensor, key: Tensor, value: Tensor, factor: float) -> Tensor:
    """See `Primitives.attend`."""
    return attention(query, key, value, factor)


def normalise(x: Tensor, order: int, eps: float = 1e-6) -> Tensor:
    """See `Primitives.normalise`; the length is taken in float32 in half precision, where squares overflow."""
    wide = _wide_type(x)
    length = torch.sum(x, -1, True, dtype=wide) if order == 1 else torch.linalg.vector_norm(x, 2, -1, True, dtype=wide)
    return (x / (eps + length)).to(x.dtype)


def over_positions(x: Tensor, tokens: Tensor) -> Tensor:
    """See `Primitives.over_positions`."""
    return x / tokens.shape[1]


def take(x: Tensor, index: Any) -> Tensor:
    """See `Primitives.take`."""
    return _gather(x, torch.as_tensor(index))


def _gather(x: Tensor, index: Tensor) -> Tensor:
    return x.gather(2, index.to(x.device).expand(x.shape[0], -1, -1))


def matrices(x: Tensor, rows: int) -> Tensor:
    """See `Primitives.matrices`."""
    return x.view(x.shape[0], rows, x.shape[1] // rows)


def batch_mean(x: Tensor) -> Tensor:
    """See `Primitives.batch_mean`."""
    return _mean(x, 0, False)


# ---- elementwise, and what PyTorch has as it is ----------------------------------------------------------------------


def linear(x: Tensor, factor: float, offset: float = 0.0) -> Tensor:
    """See `Primitives.linear`."""
    return x * factor + offset


def hard_sigmoid(x: Tensor) -> Tensor:
    """See `Primitives.hard_sigmoid`; the gradient of PyTorch's own has a float32 sixth, 5e-9 off in float64."""
    return functional.relu6(x + 3) / 6


def hard_swish(x: Tensor) -> Tensor:
    """See `Primitives.hard_swish`."""
    return x * hard_sigmoid(x)


add, multiply, maximum = torch.add, torch.mul, torch.maximum
stop_gradient = torch.detach
relu, sigmoid, silu, gelu = torch.relu, torch.sigmoid, functional.silu, functional.gelu
leaky_relu = functional.leaky_relu

# They read the shape or type of x: torch.fx keeps them whole in its graphs, which so fit images of every rank.
torch.fx.wrap("global_mean")
torch.fx.wrap("global_max")
torch.fx.wrap("global_length")
torch.fx.wrap("channel_mean")
torch.fx.wrap("adaptive_mean")
torch.fx.wrap("mean_pool")
torch.fx.wrap("max_pool")
torch.fx.wrap("pad_same")
torch.fx.wrap("resize")
torch.fx.wrap("affine_grid")
torch.fx.wrap("sample")
torch.fx.wrap("group")
torch.fx.wrap("ungroup")
torch.fx.wrap("channel_shuffle")
torch.fx.wrap("split")
torch.fx.wrap("cut")
torch.fx.wrap("scale")
torch.fx.wrap("shift")
torch.fx.wrap("standardise")
torch.fx.wrap("to_image")
torch.fx.wrap("attend")
torch.fx.wrap("normalise")
torch.fx.wrap("over_positions")
torch.fx.wrap("_gather")
torch.fx.wrap("matrices")
torch.fx.wrap("batch_mean")
