"""What an attention block is given where it is a layer."""

from __future__ import annotations

import dataclasses

from attn_core.porting.write.classes import LayerMember
from attn_core.porting.write.spelling import quoted

SAID_APART = ("channels", "hidden", "reduction")  # sizes, which may be arguments; `hidden` says what `reduction` would


def block_name(layer: LayerMember) -> str:
    """Return the name of a layer's block."""
    return type(layer.step.fields["block"]).__name__


def block_arguments(layer: LayerMember) -> dict[str, str]:
    """Return the keyword arguments of an attention block beside its channels, without those at their default."""
    block = layer.step.fields["block"]
    named = {"hidden": layer.sizes["hidden"]} if "hidden" in layer.sizes else {}
    for field in dataclasses.fields(block):
        value = getattr(block, field.name)
        if value != field.default and field.name not in SAID_APART:
            named[field.name] = quoted(value)
    return named
