"""Hard sigmoid and hard swish: the framework's own, or a function where a program wrote another number for a sixth."""

from __future__ import annotations

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.forward import Code
from attn_core.porting.write.spelling import call

_TEXTS = {
    "hard_sigmoid": '''def hard_sigmoid(x, scale):
    """Return relu6(x + 3) times a number that is near to a sixth."""
    return {relu6}(x + 3.0) * scale


''',
    "hard_swish": '''def hard_swish(x, scale):
    """Return x times relu6(x + 3) and a number that is near to a sixth."""
    return x * {relu6}(x + 3.0) * scale


''',
}


def activation(step: Step, x: Code, own: str) -> str:
    """Return the call; `own` is what the framework calls the exact one."""
    scale = step.fields["scale"]
    return call(own, x.text) if scale is None else call(step.kind, x.text, scale)


def helpers(body: str, relu6: str) -> str:
    """Return the functions that a source calls."""
    return "".join(
        text.format(relu6=relu6) for kind, text in _TEXTS.items() if f" {kind}(" in body or f"({kind}(" in body
    )
