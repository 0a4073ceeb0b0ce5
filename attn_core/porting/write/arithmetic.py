"""Sums, products and powers, which all frameworks write alike."""

from __future__ import annotations

import re

from attn_core.porting.network.rules.arithmetic import WEIGHT
from attn_core.porting.network.rules.numbers import NUMBER
from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.forward import Code

INFIX = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**"}
SIMPLE = re.compile(r"-?[\w.]+")  # a name, an attribute or a number
BINARY = (*INFIX, "maximum", "minimum", "squared_difference")


def operands(step: Step, inputs: list[Code], weight: str) -> list[Code]:
    """Return what a sum or product is made of: values, plain numbers, weights."""
    others = {NUMBER: Code(repr(step.fields.get("number"))), WEIGHT: Code(weight)}
    return [inputs[each] if isinstance(each, int) else others[each] for each in step.fields["operands"]]


def infix(step: Step, parts: list[Code]) -> Code:
    """Write a sum, product or power."""
    texts = list(map(str, parts))
    # As formatters have it: a power of names and numbers has no spaces.
    is_tight = step.kind == "power" and all(map(SIMPLE.fullmatch, texts))
    sign = INFIX[step.kind] if is_tight else f" {INFIX[step.kind]} "
    return Code(sign.join(texts), atomic=False)
