"""What stands beside two dense layers: variables that make another block of them than squeeze-and-excitation.

CBAM has the two layers as the perceptron of its channel half, and a convolution of two planes beside it. Whatever else
beside them makes one plane of the image, such as the spatial half of scSE, leaves open what the block computes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from attn_core.porting.find.kernels import DensePair, Planes
from attn_core.porting.find.named_layers import NamedLayer

ASSUMED = (
    "found by names and shapes: CBAM's two pools, relu and sigmoids are assumed, and that means are the first plane; "
    "no graph shows them"
)

Weights = Mapping[str, tuple[int, ...]]


class UndecidedError(ValueError):
    """A pair of layers that is no block of its own; the message says why, as the end of a sentence."""


def with_planes(
    pair: DensePair, others: Iterable[DensePair], layers: Iterable[NamedLayer], weights: Weights
) -> DensePair:
    """Return the pair, as CBAM where a convolution of two planes stands beside it. **Raises** `UndecidedError`."""
    scope, beside = _neighbours(pair, layers)
    if not beside:
        return pair
    conv, *more = beside
    said = f"{conv.kernel.name} {list(conv.kernel.shape)}"
    if more or any(_is_in(other.reduce.kernel.stored.name, scope) for other in others if other is not pair):
        raise UndecidedError(f"{said} stands beside them, and it does not show to which block it belongs")
    if not _is_of_two_planes(conv.kernel.shape):
        raise UndecidedError(f"{said} beside them makes one plane of the image, as the spatial half of scSE does")
    found = replace(pair, notes=(ASSUMED,), planes=Planes(conv.kernel, conv.bias))
    own = {each.name for each in found.stored.values()}
    if left := [name for name in weights if _is_in(name, scope) and name not in own]:
        raise UndecidedError(f"{left[0]} {list(weights[left[0]])} stands beside them, which CBAM does not have")
    return found


def _neighbours(pair: DensePair, layers: Iterable[NamedLayer]) -> tuple[str, list[NamedLayer]]:
    """Return the scope of two layers, or the one around it, and the layers in it that make one plane."""
    common = _common(pair)
    makers = [layer for layer in layers if _makes_one_plane(layer.kernel.shape, pair)]
    for scope in ("/".join(common), "/".join(common[:-1])):
        beside = [layer for layer in makers if _is_in(layer.kernel.name, scope)]
        if scope and beside:
            return scope, beside
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


def _makes_one_plane(shape: tuple[int, ...], pair: DensePair) -> bool:
    """Whether a kernel is that of a convolution of the image, or of two planes of it, to one."""
    channels, _ = pair.reduce.kernel.sizes
    return len(shape) == 4 and shape[3] == 1 and shape[2] in (2, channels) and channels != 1


def _is_of_two_planes(shape: tuple[int, ...]) -> bool:
    length, width, planes, _ = shape
    return length == width and length % 2 == 1 and planes == 2
