"""What stands beside two dense layers: variables that make another block of them than squeeze-and-excitation.

CBAM has the two layers as the perceptron of its channel half, and a convolution of two planes beside it. Whatever else
beside them makes one plane of the image, such as the spatial half of scSE, leaves open what the block computes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from attn_core.porting.find.kernels import DensePair, Planes
from attn_core.porting.graph.reads import Stored

ASSUMED = (
    "found by names and shapes: CBAM's two pools, relu and sigmoids are assumed, and that means are the first plane; "
    "no graph shows them"
)
_KERNEL = re.compile(r"(.*_)?(kernel|weights?|filters?|w|W)(_?\d*)")
_BIAS = re.compile(r"(.*_)?(bias(es)?|b|B)(_?\d*)")

Weights = Mapping[str, tuple[int, ...]]


class UndecidedError(ValueError):
    """A pair of layers that is no block of its own; the message says why, as the end of a sentence."""


def with_planes(pair: DensePair, others: Iterable[DensePair], weights: Weights) -> DensePair:
    """Return the pair, as CBAM where a convolution of two planes stands beside it. **Raises** `UndecidedError`."""
    scope, single = _neighbours(pair, weights)
    if not single:
        return pair
    kernel, *more = single
    shape = weights[kernel]
    if more or any(_is_in(other.reduce.kernel.stored.name, scope) for other in others if other is not pair):
        raise UndecidedError(
            f"{kernel} {list(shape)} stands beside them, and it does not show to which block it belongs"
        )
    if not _is_of_two_planes(shape):
        raise UndecidedError(
            f"{kernel} {list(shape)} beside them makes one plane of the image, as the spatial half of scSE does"
        )
    rest = _rest(pair, kernel, scope, weights)
    bias = next((name for name in rest if _BIAS.fullmatch(name.rpartition("/")[2]) and weights[name] == (1,)), None)
    if left := [name for name in rest if name != bias]:
        raise UndecidedError(f"{left[0]} {list(weights[left[0]])} stands beside them, which CBAM does not have")
    planes = Planes(Stored(kernel, shape), Stored(bias, weights[bias]) if bias else None)
    return DensePair(pair.reduce, pair.expand, pair.activation, pair.gate, (ASSUMED,), planes)


def _neighbours(pair: DensePair, weights: Weights) -> tuple[str, list[str]]:
    """Return the scope of two layers, or the one around it, and the kernels in it that make one plane."""
    common = _common(pair)
    for scope in ("/".join(common), "/".join(common[:-1])):
        single = [name for name in weights if _is_in(name, scope) and _makes_one_plane(name, weights[name], pair)]
        if scope and single:
            return scope, single
    return "", []


def _common(pair: DensePair) -> list[str]:
    """Return the scopes that the two layers have in common."""
    paths = [layer.kernel.stored.name.split("/")[:-1] for layer in (pair.reduce, pair.expand)]
    common = []
    for first, second in zip(*paths, strict=False):
        if first != second:
            break
        common.append(first)
    return common


def _is_in(name: str, scope: str) -> bool:
    return name.startswith(f"{scope}/")


def _makes_one_plane(name: str, shape: tuple[int, ...], pair: DensePair) -> bool:
    """Whether a variable is the kernel of a convolution of the image, or of two planes of it, to one."""
    channels, _ = pair.reduce.kernel.sizes
    is_kernel = len(shape) == 4 and _KERNEL.fullmatch(name.rpartition("/")[2]) is not None
    return is_kernel and shape[3] == 1 and shape[2] in (2, channels) and channels != 1


def _is_of_two_planes(shape: tuple[int, ...]) -> bool:
    length, width, planes, _ = shape
    return length == width and length % 2 == 1 and planes == 2


def _rest(pair: DensePair, kernel: str, scope: str, weights: Weights) -> list[str]:
    own = {each.name for each in pair.stored.values()} | {kernel}
    return [name for name in weights if _is_in(name, scope) and name not in own]
