"""Tables that several sources share: a squeeze-and-excitation block is two layers everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attn_core.blocks import (
    CBAM,
    ChannelAttention,
    ConcurrentSqueezeExcitation,
    SpatialAttention,
    SqueezeExcitation,
)
from attn_core.blocks.concurrent_squeeze_excitation import Joined
from attn_core.weights.dialects.dialect import Dialect
from attn_core.weights.dialects.layout import Layer, Table
from attn_core.weights.dialects.sizes import Sizes

RELU_SIGMOID = {"activation": "relu", "gate": "sigmoid"}


def hidden_units(channels: int, hidden: int) -> dict[str, Any]:
    """Return the field that makes so many hidden units: none, where the default does."""
    return {} if channels // 16 == hidden else {"hidden": hidden}


def torch_anchor(layer: Layer) -> dict[str, tuple[int, ...]]:
    """Return a layer's kernel as what every block of a dialect has."""
    return {layer.key("weight"): (len(layer.turn("weight").axes((0, 0))),)}


def squeeze_excitation(
    name: str,
    reduce: Layer,
    expand: Layer,
    *,
    bias: bool | None = None,
    fixed: Mapping[str, Any] | None = None,
    norm: str = "",
    **more: Any,
) -> Dialect:
    """Return the dialect of an SE block of these two layers.

    `bias` says whether they have biases; where None, both may be. `fixed` are fields of which
    their class has no others. `norm` is the normalisation between the layers, where there may be one.
    """

    def infer(sizes: Sizes, options: Mapping[str, Any]) -> SqueezeExcitation:
        hidden, channels = sizes.of(reduce, "weight", "hidden", "channels")
        own = sizes.has(reduce, "bias") if bias is None else bias
        found = {"bias": own, "norm": bool(norm) and sizes.has(Layer(norm), "weight")}
        return SqueezeExcitation(channels, **{**hidden_units(channels, hidden), **found, **(fixed or {}), **options})

    def table(block: SqueezeExcitation) -> Table:
        return {"reduce": reduce, "expand": expand, **({"reduce_norm": norm} if norm and block.norm else {})}

    anchors = torch_anchor(reduce)
    return Dialect(name, SqueezeExcitation, infer=infer, table=table, anchors=anchors, **more)


def channel_attention(name: str, reduce: Layer, expand: Layer, *, bias: bool, **more: Any) -> Dialect:
    """Return the dialect of CBAM's channel half."""

    def infer(sizes: Sizes, options: Mapping[str, Any]) -> ChannelAttention:
        hidden, channels = sizes.of(reduce, "weight", "hidden", "channels")
        return ChannelAttention(channels, **hidden_units(channels, hidden), bias=bias, **options)

    def table(block: ChannelAttention) -> Table:
        return {"reduce": reduce, "expand": expand}

    return Dialect(name, ChannelAttention, infer=infer, table=table, anchors=torch_anchor(reduce), **more)


def spatial_attention(name: str, conv: Layer, norm: str | None = None, **more: Any) -> Dialect:
    """Return the dialect of CBAM's spatial half."""

    def infer(sizes: Sizes, options: Mapping[str, Any]) -> SpatialAttention:
        (kernel,) = sizes.of(conv, "weight", 1, 2, "kernel", "kernel")
        return SpatialAttention(kernel, norm=norm is not None, **options)

    def table(block: SpatialAttention) -> Table:
        return {"conv": conv, **({"norm": norm} if norm else {})}

    return Dialect(name, SpatialAttention, infer=infer, table=table, anchors={conv.key("weight"): (4,)}, **more)


def cbam(
    name: str, parts: Mapping[str, Layer], *, bias: bool | None, spatial_bias: bool | None = False, **more: Any
) -> Dialect:
    """Return the dialect of CBAM; `bias` and `spatial_bias` as in `squeeze_excitation`."""
    reduce, conv = parts["channel.reduce"], parts["spatial.conv"]

    def infer(sizes: Sizes, options: Mapping[str, Any]) -> CBAM:
        hidden, channels = sizes.of(reduce, "weight", "hidden", "channels")
        (kernel,) = sizes.of(conv, "weight", 1, 2, "kernel", "kernel")
        own = sizes.has(reduce, "bias") if bias is None else bias
        spatial = sizes.has(conv, "bias") if spatial_bias is None else spatial_bias
        fields = {"bias": own, "spatial_bias": spatial, "norm": "spatial.norm" in parts, **options}
        return CBAM(channels, kernel=kernel, **hidden_units(channels, hidden), **fields)

    def table(block: CBAM) -> Table:
        return parts

    return Dialect(name, CBAM, infer=infer, table=table, anchors=torch_anchor(reduce), **more)


def concurrent(name: str, parts: Mapping[str, Layer], *, joined: Joined, **more: Any) -> Dialect:
    """Return the dialect of scSE, all of whose layers have biases."""
    reduce, conv = parts["reduce"], parts["conv"]

    def infer(sizes: Sizes, options: Mapping[str, Any]) -> ConcurrentSqueezeExcitation:
        hidden, channels = sizes.of(reduce, "weight", "hidden", "channels")
        rank = sizes.rank(conv)
        units = None if channels // 2 == hidden else hidden
        return ConcurrentSqueezeExcitation(channels, hidden=units, rank=rank, joined=joined, **options)

    def table(block: ConcurrentSqueezeExcitation) -> Table:
        return parts

    anchors = torch_anchor(reduce) | {conv.key("weight"): (4, 5)}
    return Dialect(name, ConcurrentSqueezeExcitation, infer=infer, table=table, anchors=anchors, **more)
