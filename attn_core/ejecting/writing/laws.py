"""The laws of fresh weights in words, with the fans that they are of where that is what they are."""

from __future__ import annotations

import math
from dataclasses import dataclass

from attn_core.spec import Array, Part, parts
from attn_core.spec.initializers import (
    Constant,
    Directions,
    Initializer,
    Normal,
    TruncatedNormal,
    Uniform,
    Values,
    variance_scaling,
)

UNIFORM, SCALED, FAN_IN, FAN_OUT = "uniform", "variance_scaling", "fan_in", "fan_out"


@dataclass(frozen=True)
class Law:
    """How an array begins: the law, its kind where its number follows from a fan, and the fans."""

    law: Initializer
    kind: str
    fan_in: int
    fan_out: int

    def __str__(self) -> str:
        return {
            UNIFORM: "uniform up to 1 / sqrt(fan_in), PyTorch's own",
            SCALED: "normal of std sqrt(2.6 / fan_in), drawn again beyond two std",
            FAN_IN: "normal of std sqrt(2 / fan_in)",
            FAN_OUT: "normal of std sqrt(2 / fan_out)",
        }.get(self.kind, _plain(self.law))


def law_of(part: Part, array: Array) -> Law:
    """Return how an array of a part begins."""
    fan_in, fan_out = _fans(part)
    return Law(array.law, _kind(array.law, fan_in, fan_out), fan_in, fan_out)


def _fans(part: Part) -> tuple[int, int]:
    if isinstance(part, parts.Dense):
        return part.inputs, part.outputs
    if isinstance(part, parts.Conv):
        pixels = math.prod(part.kernel)
        return part.inputs // part.groups * pixels, part.outputs * pixels
    return 1, 1


def _kind(law: Initializer, fan_in: int, fan_out: int) -> str:
    named = {
        Uniform(1 / math.sqrt(fan_in)): UNIFORM,
        variance_scaling(fan_in): SCALED,
        Normal(math.sqrt(2 / fan_in)): FAN_IN,
        Normal(math.sqrt(2 / fan_out)): FAN_OUT,  # where both are alike, as the networks that it is from say
    }
    return named.get(law, "") if not isinstance(law, Values) else ""


def _plain(law: Initializer) -> str:
    match law:
        case Constant(value):
            return f"{value:g}"
        case Values(values):
            return ", ".join(f"{value:g}" for value in values)
        case Directions():
            return "vectors of length 1 in any direction"
        case Normal(std):
            return f"normal of std {std:g}"
        case TruncatedNormal(std):
            return f"normal of std {std:g}, drawn again beyond two std"
        case Uniform(bound):
            return f"uniform between -{bound:g} and {bound:g}"
    return str(law)
