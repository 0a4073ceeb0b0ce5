"""Which image a layer takes or returns: from a pass through the network or, without one, from its own fields."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from attn_core.models.inserting.images import Shape, one_image, seen_images, titled
from attn_core.spec import SpecError
from attn_torch.inserting.passes import Call, Calls
from attn_torch.layer import Layer

CONVOLUTIONS = nn.Conv1d | nn.Conv2d | nn.Conv3d
RANKS: dict[type[nn.Module], int] = {
    kind: rank
    for rank, kinds in enumerate(
        (
            (nn.BatchNorm1d, nn.InstanceNorm1d),
            (nn.BatchNorm2d, nn.InstanceNorm2d),
            (nn.BatchNorm3d, nn.InstanceNorm3d),
        ),
        1,
    )
    for kind in kinds
}


@dataclass(frozen=True)
class Image:
    """An image at a place: its canonical shape, whether its channels come last there, how often the layer is called."""

    shape: tuple[int | None, ...]
    channels_last: bool
    calls: int | None  # None where there was no pass


def image(name: str, layer: nn.Module, side: str, calls: Calls | None, channels_last: bool | None) -> Image:
    """Return the image after or before a layer. **Raises** `SpecError` where there is none, or nobody can tell."""
    if calls is None:
        return Image(_told(name, layer, side), bool(channels_last), None)
    where = titled(name, layer)
    shapes = seen_images(where, side, [_at(call, side) for call in calls[name]])
    last = _channels_last(where, layer, side, calls[name][0]) if channels_last is None else channels_last
    return Image(one_image(where, [_canonical(shape, last) for shape in shapes]), last, len(shapes))


def _at(call: Call, side: str) -> Shape | None:
    return call.returned if side == "after" else call.taken


def _canonical(shape: Shape, channels_last: bool) -> Shape:
    return (shape[0], shape[-1], *shape[1:-1]) if channels_last else shape


def _channels_last(where: str, layer: nn.Module, side: str, call: Call) -> bool:
    """Say whether the last axis of an image holds channels, rather than the second.

    In images of two sizes, axes of pixels differ. Of one size, the layer may tell how many channels there are.
    """
    shape = _at(call, side) or ()
    larger = _at(call.larger, side) if call.larger else shape
    second, last = (shape[axis] == (larger or shape)[axis] for axis in (1, -1))
    if second != last:
        return last
    told = _channels(layer, side)
    if told in (shape[1], shape[-1]) and shape[1] != shape[-1]:
        return told == shape[-1]
    if isinstance(layer, nn.Linear | nn.LayerNorm):
        return True
    if told is None and call.larger is None and len(shape) == 3:
        rule = "say channels_last=True for tokens (batch, positions, channels), or False"
        raise SpecError(f"{where} has {shape}, and the network takes one size alone: {rule}.")
    return False


def _told(name: str, layer: nn.Module, side: str) -> tuple[int | None, ...]:
    """Return the shape that a layer's own fields tell."""
    channels, rank = _channels(layer, side), _rank(layer)
    if channels is None or rank is None:
        rule = "give input=, the shape of an image that the network takes, as (1, 3, 224, 224)"
        raise SpecError(f"{titled(name, layer)} does not tell its channels: {rule}.")
    return (1, channels, *(None,) * rank)


def _channels(layer: nn.Module, side: str) -> int | None:
    if isinstance(layer, Layer):
        return getattr(layer.block, "channels", None)
    own = ("out_channels", "out_features") if side == "after" else ("in_channels", "in_features")
    fields = (getattr(layer, field, None) for field in (*own, "num_features", "num_channels"))
    (*_, normalised) = getattr(layer, "normalized_shape", (None,))
    return next((value for value in (*fields, normalised) if isinstance(value, int)), None)


def _rank(layer: nn.Module) -> int | None:
    if isinstance(layer, CONVOLUTIONS):
        return len(layer.kernel_size)
    if isinstance(layer, Layer):
        return getattr(layer.block, "rank", None)
    return next((rank for kind, rank in RANKS.items() if isinstance(layer, kind)), None)
