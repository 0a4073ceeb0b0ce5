"""Layers that go over an image in windows: convolutions, transposed ones, pools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from attn_core.porting.graph.graph import Ref
from attn_core.porting.graph.types import FLOAT
from attn_core.porting.keras.nodes import INT32, Tensor
from attn_core.porting.keras.use import UnknownLayerError, Use, Write

Run = Callable[[Tensor, Sequence[Ref]], Tensor]
_LAYOUTS = {2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}


def convolution(use: Use, x: Tensor) -> Tensor:
    """Write `Conv1D`, `Conv2D`, `Conv3D`: kernel (*space, in, out)."""
    kernel, *bias = use.weights("kernel", *_bias(use))
    op = "Conv3D" if use.dimensions == 3 else "Conv2D"
    return _windowed(use, x, bias, partial(_convolved, use, op, kernel))


def depthwise(use: Use, x: Tensor) -> Tensor:
    """Write `DepthwiseConv1D` and `DepthwiseConv2D`: kernel (*space, in, multiplier)."""
    kernel, *bias = use.weights("depthwise_kernel", *_bias(use))
    return _windowed(use, x, bias, partial(_convolved, use, "DepthwiseConv2dNative", kernel))


def separable(use: Use, x: Tensor) -> Tensor:
    """Write `SeparableConv1D` and `SeparableConv2D`: a depthwise convolution and one of single pixels."""
    each, across, *bias = use.weights("depthwise_kernel", "pointwise_kernel", *_bias(use))
    x = _windowed(use, x, (), partial(_convolved, use, "DepthwiseConv2dNative", each), last=False)
    return _windowed(use, x, bias, partial(_convolved, use, "Conv2D", across, plain=True), causal=False)


def _bias(use: Use) -> tuple[str, ...]:
    return ("bias",) if use.option("use_bias", True) else ()


def _layout(use: Use) -> str:
    return _LAYOUTS[max(2, use.dimensions)][use.channels_first]


def _windowed(
    use: Use, x: Tensor, bias: Sequence[Ref], run: Callable[[Tensor], Tensor], last: bool = True, causal: bool = True
) -> Tensor:
    """Run a layer of images, on a signal as an image of one row, and what follows it."""
    if x.rank != use.dimensions + 2:
        raise UnknownLayerError(f"it reads an array of {x.rank} axes")
    if causal and use.option("padding") == "causal":
        x = _padded_before(use, x)
    y = _on_row(use, x, run)
    return use.biased(y, bias, _bias_layout(use)) if last else y


def _bias_layout(use: Use) -> str:
    return "NCHW" if use.channels_first else "NHWC"


def _padded_before(use: Use, x: Tensor) -> Tensor:
    """Put zeros before a signal, as a causal convolution does, which sees no later places."""
    (length,), (rate,) = use.lengths("kernel_size"), use.lengths("dilation_rate")
    borders = [[0, 0] for _ in range(x.rank)]
    borders[use.spatial(x.rank)[0]][0] = rate * (length - 1)
    widths = use.nodes.integers(f"{use.scope}/Pad/paddings", borders)
    return Tensor(use.nodes.of_floats("Pad", f"{use.scope}/Pad", x.ref, widths, Tpaddings=INT32), x.rank)


def _on_row(use: Use, x: Tensor, run: Callable[[Tensor], Tensor]) -> Tensor:
    if use.dimensions > 1:
        return run(x)
    axis = 2 if use.channels_first else 1
    row = Tensor(use.nodes.expanded(f"{use.scope}/ExpandDims", x.ref, axis), x.rank + 1)
    ref = use.nodes.of_floats("Squeeze", f"{use.scope}/Squeeze", run(row).ref, squeeze_dims=[axis])
    return Tensor(ref, x.rank)


def _convolved(use: Use, op: str, kernel: Ref, x: Tensor, plain: bool = False) -> Tensor:
    """Write the operation itself; `plain` is without stride, dilation and border."""
    if use.dimensions == 1:
        kernel = use.nodes.expanded(f"{use.scope}/kernel_row", kernel, 0)
    padding = use.option("padding", "valid")
    strides = use.lengths("strides")
    attributes = {
        "strides": _per_axis(use, [1] * len(strides) if plain else strides),
        "dilations": _per_axis(use, [1] * len(strides) if plain else use.lengths("dilation_rate")),
        "padding": "SAME" if padding == "same" and not plain else "VALID",
        "data_format": _layout(use),
    }
    if padding not in ("same", "valid", "causal"):
        raise UnknownLayerError(f"its padding is {str(padding)[:40]!r}")
    return Tensor(use.nodes.of_floats(op, f"{use.scope}/{op}", x.ref, kernel, **attributes), x.rank)


def _per_axis(use: Use, numbers: Sequence[int]) -> list[int]:
    """Return numbers of axes in space for all axes; a signal has a row before."""
    space = [1, *numbers] if use.dimensions == 1 else list(numbers)
    return [1, 1, *space] if use.channels_first else [1, *space, 1]


# ---- transposed ------------------------------------------------------------------------------------------------------


def transposed(use: Use, x: Tensor) -> Tensor:
    """Write `Conv1DTranspose`, `Conv2DTranspose`, `Conv3DTranspose`: kernel (*space, out, in)."""
    kernel, *bias = use.weights("kernel", *_bias(use))
    if any(rate != 1 for rate in use.lengths("dilation_rate")):
        raise UnknownLayerError("it is dilated")
    if use.option("output_padding") is not None:
        raise UnknownLayerError("it states an output_padding")
    return _windowed(use, x, bias, partial(_back, use, kernel), causal=False)


def _back(use: Use, kernel: Ref, x: Tensor) -> Tensor:
    nodes, scope = use.nodes, use.scope
    outputs = use.shape(kernel)[-2]
    if use.dimensions == 1:
        kernel = nodes.expanded(f"{scope}/kernel_row", kernel, 0)
    lengths, strides, padding = use.lengths("kernel_size"), use.lengths("strides"), use.option("padding", "valid")
    if padding not in ("same", "valid"):
        raise UnknownLayerError(f"its padding is {str(padding)[:40]!r}")
    rows = [1] * (use.dimensions == 1)
    space = use.spatial(x.rank)
    # With SAME a size times its stride, without what the kernel reaches beyond.
    more = [0 if padding == "same" else max(k - s, 0) for k, s in zip(lengths, strides, strict=True)]
    old = nodes.sizes(f"{scope}/space", x, space[0], space[-1] + 1)
    times = nodes.integers(f"{scope}/strides", [*rows, *strides])
    plus = nodes.integers(f"{scope}/more", [*[0] * len(rows), *more])
    scaled = nodes.add("Mul", f"{scope}/scaled", old, times, T=INT32)
    new = nodes.add("AddV2", f"{scope}/new", scaled, plus, T=INT32)
    batch, channels = nodes.sizes(f"{scope}/batch", x, 0, 1), nodes.integers(f"{scope}/channels", [outputs])
    parts = [batch, channels, new] if use.channels_first else [batch, new, channels]
    axis = nodes.integers(f"{scope}/axis", 0)
    target = nodes.add("ConcatV2", f"{scope}/target", *parts, axis, T=INT32, N=len(parts), Tidx=INT32)
    op = "Conv3DBackpropInputV2" if use.dimensions == 3 else "Conv2DBackpropInput"
    attributes = {"strides": _per_axis(use, strides), "padding": padding.upper(), "data_format": _layout(use)}
    return Tensor(nodes.of_floats(op, f"{scope}/{op}", target, kernel, x.ref, **attributes), x.rank)


# ---- pools -----------------------------------------------------------------------------------------------------------


def pool(use: Use, x: Tensor, op: str) -> Tensor:
    """Write pools of windows; without a stride, windows stand side by side."""
    if x.rank != use.dimensions + 2:
        raise UnknownLayerError(f"it reads an array of {x.rank} axes")
    return _on_row(use, x, partial(_pooled, use, op))


def _pooled(use: Use, op: str, x: Tensor) -> Tensor:
    window = use.lengths("pool_size", 2)
    strides = window if use.option("strides") is None else use.lengths("strides")
    name = f"{op}3D" if use.dimensions == 3 else op
    attributes = {
        "ksize": _per_axis(use, window),
        "strides": _per_axis(use, strides),
        "padding": str(use.option("padding", "valid")).upper(),
        "data_format": _layout(use),
    }
    return Tensor(use.nodes.add(name, f"{use.scope}/{name}", x.ref, T=FLOAT, **attributes), x.rank)


def global_pool(use: Use, x: Tensor, op: str) -> Tensor:
    """Write a mean or maximum over all pixels."""
    keep = bool(use.option("keepdims", False))
    axes = use.nodes.integers(f"{use.scope}/axes", use.spatial(x.rank))
    ref = use.nodes.of_floats(op, f"{use.scope}/{op}", x.ref, axes, Tidx=INT32, keep_dims=keep)
    return Tensor(ref, x.rank if keep else 2)


LAYERS: dict[str, Write] = {
    **{f"Conv{n}D": convolution for n in (1, 2, 3)},
    **{f"Conv{n}DTranspose": transposed for n in (1, 2, 3)},
    **{f"DepthwiseConv{n}D": depthwise for n in (1, 2)},
    **{f"SeparableConv{n}D": separable for n in (1, 2)},
    **{f"MaxPooling{n}D": partial(pool, op="MaxPool") for n in (1, 2, 3)},
    **{f"AveragePooling{n}D": partial(pool, op="AvgPool") for n in (1, 2, 3)},
    **{f"GlobalAveragePooling{n}D": partial(global_pool, op="Mean") for n in (1, 2, 3)},
    **{f"GlobalMaxPooling{n}D": partial(global_pool, op="Max") for n in (1, 2, 3)},
}
