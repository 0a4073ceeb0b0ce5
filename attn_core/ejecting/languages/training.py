"""Which parts and blocks are told whether this is training."""

from __future__ import annotations

from collections.abc import Iterable

from attn_core.ejecting.tracing.methods import METHOD, Method
from attn_core.ejecting.tracing.symbols import Step
from attn_core.spec import Block, Part, parts


def trains(part: Part | Block) -> bool:
    """Say whether something in a part is computed otherwise in training."""
    if isinstance(part, Block):
        return any(map(trains, part.parts().values()))
    return isinstance(part, parts.BatchNorm | parts.Dropout | parts.Running)


def any_trains(block: Block, steps: Iterable[Step], methods: Iterable[Method] = ()) -> bool:
    """Say whether one of these steps is."""
    known = block.parts()
    inside = {method.name: method.steps for method in methods}
    for step in steps:
        if step.kind == METHOD and any_trains(block, inside.get(step.given[0], [])):
            return True
        if step.part in known and step.kind != "Running" and trains(known[step.part]):
            return True
    return False
