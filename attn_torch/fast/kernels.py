"""Operations on images that are fast on CPUs, where the obvious ones are not.

Images here are contiguous, and no derivative is asked for. Times are those of one thread in float32, in copies of the
image of 8 x 256 x 56 x 56.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

CACHED = 2**18  # numbers that stay in a processor's cache of the second level


def some(*arrays: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Yield a few samples of all arrays at a time: of the first, which are images, as many as a cache holds."""
    count = max(1, CACHED // max(1, arrays[0][0].numel()))
    return zip(*(torch.split(each, count) for each in arrays), strict=True)


def spatial_sum(x: Tensor) -> Tensor:
    """Sum each channel."""
    return x.flatten(2).sum(-1)


def spatial_mean(x: Tensor) -> Tensor:
    """Compute the mean of each channel. In bfloat16, whose sums PyTorch accumulates in float32, it is rounded twice."""
    return spatial_sum(x).div_(x[0, 0].numel())


def spatial_max(x: Tensor, indexed: bool) -> tuple[Tensor, Tensor | None]:
    """Compute the maximum of each channel and, if wanted, the first pixel that has it.

    Only `amax` is fast. So of large images, it is first the maximum of pieces, then the pixel in the first piece that
    has it.
    """
    pixels = x.flatten(2)
    if not indexed:
        return pixels.amax(-1), None
    pieces = _pieces(pixels.shape[-1])
    if pieces == 1:
        largest, index = pixels.max(-1)
        return largest, index
    rows = pixels.view(-1, pieces, pixels.shape[-1] // pieces)
    largest, piece = rows.amax(-1).max(-1)
    within = rows[torch.arange(len(rows)), piece].max(-1).indices
    return largest.view(x.shape[:2]), within.add_(piece, alpha=rows.shape[-1]).view(x.shape[:2])


def _pieces(pixels: int) -> int:
    """Choose a number of equal pieces, about a quarter of the root; of small images one, whose kernel is as fast."""
    wanted = pixels**0.5 / 4
    fitting = [n for n in range(1, int(4 * wanted) + 1) if pixels % n == 0]
    return min(fitting, key=lambda n: abs(n - wanted)) if pixels >= 784 else 1


def channel_max(pixels: Tensor, indexed: bool) -> tuple[Tensor, Tensor | None]:
    """Compute the maximum over the channels (channels, pixels) and, if wanted, the first channel that has it."""
    if not indexed:
        return pixels.amax(0), None
    channels = len(pixels)
    width = 8 if channels % 8 == 0 and channels > 16 else 1  # of a piece: `max` takes five times as long as `amax`
    if width == 1:
        largest, index = pixels.max(0)
        return largest, index
    pieces = pixels.view(channels // width, width, -1)
    largest, piece = pieces.amax(1).max(0)
    within = pieces.gather(0, piece.expand(1, width, -1))[0].max(0).indices
    return largest, within.add_(piece, alpha=width)


def spread(values: Tensor, index: Tensor, image: Tensor) -> None:
    """Add a number for each channel to the image, at the pixel of the index."""
    image.flatten(2).scatter_add_(2, index[..., None], values[..., None])


def shifted_scaled(x: Tensor, gate: Tensor, offset: Tensor) -> Tensor:
    """Compute gate * x + offset for each channel, in one pass: the formula of a batch norm outside of training.

    Like every output here, the result is no view, which nobody could add to in place.
    """
    result = torch.empty_like(x)
    rows, written = (each.view(-1, *x.shape[2:]) for each in (x, result))
    shifted_scaled_into(written, rows, _wide(gate).view(-1), _wide(offset).view(-1))
    return result


def dots_and_sums(pull: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Sum pull * x and pull over each channel, in one pass without their product: a batch norm's gradients."""
    pull_rows, rows = (each.view(1, -1, *x.shape[2:]) for each in (pull, x))
    like = x.new_empty(rows.shape[1], dtype=torch.float32 if x.dtype == torch.bfloat16 else x.dtype)
    mean, variance = _zeros_and_ones(like)
    _, dots, sums = torch.ops.aten.native_batch_norm_backward(
        pull_rows, rows, variance, mean, variance, None, None, False, 0.0, [False, True, True]
    )
    return dots.to(x.dtype).view(x.shape[:2]), sums.to(x.dtype).view(x.shape[:2])


def shifted_scaled_into(result: Tensor, x: Tensor, gate: Tensor, offset: Tensor) -> None:
    """Write gate * x + offset of one sample (channels, pixels), for each channel, into a result."""
    unused = {"save_mean": gate.new_empty(0), "save_invstd": gate.new_empty(0)}
    moments = _zeros_and_ones(gate)
    torch.ops.aten.native_batch_norm.out(x[None], gate, offset, *moments, False, 0.0, 0.0, out=result[None], **unused)


def _zeros_and_ones(like: Tensor) -> tuple[Tensor, Tensor]:
    """Return moments that change nothing."""
    return torch.zeros_like(like), torch.ones_like(like)


def _wide(x: Tensor) -> Tensor:
    """Return numbers in the type in which a batch norm of half precision has its own."""
    return x.float() if x.dtype == torch.bfloat16 else x
