"""What the gates of attention blocks have in common: looking back through steps."""

from __future__ import annotations

from attn_core.porting.network.steps.lift import Lifter
from attn_core.porting.network.steps.steps import Step

_SHAPED = ("flatten", "squeeze", "to_image")  # what changes nothing but the axes of one pixel


def below(lifter: Lifter, name: str, kind: str) -> str | None:
    """Return what a step of this kind reads; reshaping one pixel does not count."""
    step = shaped(lifter, name)
    return step.inputs[0] if step and step.kind == kind else None


def shaped(lifter: Lifter, name: str) -> Step | None:
    """Return the step that gave a value before one pixel was reshaped."""
    step = lifter.steps.get(name)
    while step and step.kind in _SHAPED:
        step = lifter.steps.get(step.inputs[0])
    return step
