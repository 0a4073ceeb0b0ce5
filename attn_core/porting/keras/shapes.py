"""Layers that change the shape of an image: flattening, borders, axes in another order, larger images."""

from __future__ import annotations

from typing import Any

from attn_core.porting.keras.nodes import INT32, Tensor
from attn_core.porting.keras.use import UnknownLayerError, Use, Write


def flatten(use: Use, x: Tensor) -> Tensor:
    """Write `Flatten`, which Keras does in the order of channels last, whatever the layout."""
    if use.channels_first and x.rank > 2:
        x = use.nodes.transposed(f"{use.scope}/last", x, [0, *range(2, x.rank), 1])
    return x if x.rank == 2 else use.nodes.reshaped(use.scope, x, [-1])


def reshape(use: Use, x: Tensor) -> Tensor:
    """Write `Reshape` of each image."""
    return use.nodes.reshaped(use.scope, x, use.option("target_shape"))


def permute(use: Use, x: Tensor) -> Tensor:
    """Write `Permute`, which counts axes from 1 and leaves the batch out."""
    return use.nodes.transposed(use.scope, x, [0, *use.option("dims")])


def _borders(use: Use, name: str) -> list[tuple[int, int]]:
    """Return what is put or cut before and after each axis in space: one number, one for each axis, or pairs."""
    value = use.option(name)
    listed: list[Any] = [value] * use.dimensions if isinstance(value, int) else list(value)
    # Of a signal, two numbers are before and after.
    if use.dimensions == 1 and len(listed) == 2:
        listed = [listed]
    pairs = [(each, each) if isinstance(each, int) else (each[0], each[1]) for each in listed]
    if len(pairs) != use.dimensions or not all(type(n) is int and n >= 0 for pair in pairs for n in pair):
        raise UnknownLayerError(f"its {name} is {str(value)[:40]}")
    return pairs


def pad(use: Use, x: Tensor) -> Tensor:
    """Write `ZeroPadding1D`, `2D`, `3D`."""
    around = _around(use, x, _borders(use, "padding"))
    widths = use.nodes.integers(f"{use.scope}/paddings", around)
    return Tensor(use.nodes.of_floats("Pad", f"{use.scope}/Pad", x.ref, widths, Tpaddings=INT32), x.rank)


def crop(use: Use, x: Tensor) -> Tensor:
    """Write `Cropping1D`, `2D`, `3D`."""
    around = _around(use, x, _borders(use, "cropping"))
    nodes, scope = use.nodes, use.scope
    ends = {
        "begin": [before for before, _ in around],
        "end": [-after for _, after in around],
        "strides": [1] * x.rank,
    }
    index = [nodes.integers(f"{scope}/{name}", numbers) for name, numbers in ends.items()]
    open_ends = sum(1 << place for place, (_, after) in enumerate(around) if not after)
    options = {"Index": INT32, "end_mask": open_ends}
    return Tensor(nodes.of_floats("StridedSlice", f"{scope}/StridedSlice", x.ref, *index, **options), x.rank)


def _around(use: Use, x: Tensor, borders: list[tuple[int, int]]) -> list[list[int]]:
    """Return borders of all axes."""
    found = [[0, 0] for _ in range(x.rank)]
    for place, pair in zip(use.spatial(x.rank), borders, strict=True):
        found[place] = list(pair)
    return found


def upsample(use: Use, x: Tensor) -> Tensor:
    """Write `UpSampling2D`."""
    nodes, scope = use.nodes, use.scope
    how = use.option("interpolation", "nearest")
    if use.channels_first or how not in ("nearest", "bilinear"):
        raise UnknownLayerError(f"its interpolation is {str(how)[:40]!r}, or its channels come first")
    if how == "bilinear" and _is_old(use.keras):
        raise UnknownLayerError(f"Keras {use.keras} does not tell where its bilinear interpolation has the pixels")
    factor = nodes.integers(f"{scope}/factor", use.lengths("size", 2))
    size = nodes.add("Mul", f"{scope}/size", nodes.sizes(f"{scope}/old", x, 1, 3), factor, T=INT32)
    op = {"nearest": "ResizeNearestNeighbor", "bilinear": "ResizeBilinear"}[how]
    options = {"align_corners": False, "half_pixel_centers": True}
    return Tensor(nodes.of_floats(op, f"{scope}/{op}", x.ref, size, **options), x.rank)


def upsample_signal(use: Use, x: Tensor) -> Tensor:
    """Write `UpSampling1D`: the signal as an image of one row, each of whose pixels is repeated."""
    nodes, scope = use.nodes, use.scope
    image = Tensor(nodes.expanded(f"{scope}/ExpandDims", x.ref, 1), 4)
    factor = nodes.integers(f"{scope}/factor", [1, *use.lengths("size", 2)])
    size = nodes.add("Mul", f"{scope}/size", nodes.sizes(f"{scope}/old", image, 1, 3), factor, T=INT32)
    options = {"align_corners": False, "half_pixel_centers": True}
    op = "ResizeNearestNeighbor"
    large = nodes.of_floats(op, f"{scope}/{op}", image.ref, size, **options)
    return Tensor(nodes.of_floats("Squeeze", f"{scope}/Squeeze", large, squeeze_dims=[1]), x.rank)


def _is_old(version: str) -> bool:
    """Whether it is a version before Keras and `tf.keras` became one, which is not `tf.keras`."""
    return version.startswith(("0.", "1.", "2.0", "2.1", "2.2", "2.3")) and not version.endswith("-tf")


LAYERS: dict[str, Write] = {
    "Flatten": flatten,
    "Reshape": reshape,
    "Permute": permute,
    "UpSampling1D": upsample_signal,
    "UpSampling2D": upsample,
    **{f"ZeroPadding{n}D": pad for n in (1, 2, 3)},
    **{f"Cropping{n}D": crop for n in (1, 2, 3)},
}
