"""What the members of a class are called: as the author called them, where that can be."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.identifiers import identifier, snake
from attn_core.porting.write.region import parent

LONGEST = 48  # letters of a layer's name; of a longer one, the last


def common_name(names: Iterable[str]) -> str:
    """Return the name of all, or what they have in common without their numbers; empty if that is nothing."""
    found = set(names)
    # Numbers that all instances share are the author's own (conv1, conv2); others count instances (conv2d_7).
    if len(found) > 1:
        found = {re.sub(r"_?\d+(?=_|$)", "", name) for name in found}
    return found.pop() if len(found) == 1 else ""


def local_name(step: Step, scope: str) -> str:
    """Return what a layer is called inside a scope."""
    path = _path(step)
    inside = path.removeprefix(f"{scope}/") if scope else path
    if re.fullmatch(r"Const(_\d+)?", inside):
        return "constant"  # what TensorFlow calls numbers that the author gave no name
    while len(inside) > LONGEST and "/" in inside:
        inside = inside.partition("/")[2]
    return identifier(inside[-LONGEST:])


def _path(step: Step) -> str:
    """Return a step's path; of a block that no scope of the author's holds, the block in place of its first layer."""
    if step.kind != "attention" or step.path != _first_layer(step):
        return step.path
    block = snake(type(step.fields["block"]).__name__)
    return f"{parent(step.path)}/{block}".lstrip("/")


def _first_layer(step: Step) -> str:
    variables = [name for leaf in step.arrays.values() for name in leaf.names]
    return parent(variables[0]) if variables else ""
