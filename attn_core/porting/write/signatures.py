"""What steps have in common that can be the same line of a class."""

from __future__ import annotations

from typing import Any, NamedTuple

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.padding import padding

SIZES = frozenset({"inputs", "outputs", "channels", "stride"})  # what instances of a class may differ in
BLOCK_SIZES = ("channels", "hidden", "reduction")


class StepSignature(NamedTuple):
    """What must be equal for two steps to be the same line of a class."""

    kind: str
    fields: tuple[tuple[str, Any], ...]


def step_signature(step: Step) -> StepSignature:
    """Return a step's configuration without its sizes."""
    fields = {name: value for name, value in step.fields.items() if name not in SIZES}
    if step.kind == "attention":
        fields |= _of_block(fields.pop("block"))
    if step.kind == "depthwise":
        # Of the two numbers of channels, which are sizes, the ratio is part of the layer's configuration.
        fields["groups"] = step.fields["outputs"] // step.fields["inputs"]
    if step.kind in ("conv", "depthwise"):
        fields["padding"] = padding(step)
    by_name = tuple((name, fields[name]) for name in sorted(fields))
    return StepSignature(step.kind, by_name)


def _of_block(block: Any) -> dict[str, Any]:
    config = {name: value for name, value in block.config().items() if name not in BLOCK_SIZES}
    return {"block": type(block).__name__, "config": tuple(config.items())}


def sizes_of(step: Step) -> dict[str, Any]:
    """Return the fields of a step in which instances of a class may differ."""
    if step.kind != "attention":
        return {name: value for name, value in step.fields.items() if name in SIZES}
    block = step.fields["block"]
    return {name: getattr(block, name) for name in ("channels", "hidden") if hasattr(block, name)}
