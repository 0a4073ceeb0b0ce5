"""Interpreter: how far rounding may take a runtime from the definition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import ArrayLike, NDArray

from attn_core import reference
from attn_core.parity.runtimes import Outcome
from attn_core.spec import Block

CONFIDENCE = 1e-9  # the chance, for each tensor, that a correct runtime exceeds the bound


@dataclass(frozen=True)
class Bounded:
    """What the definition computes, and how far a correct runtime may be from each number of it.

    `remarks` say of arrays, by name, why their bounds tell little: a tie of maxima, say.
    """

    values: Outcome
    bounds: dict[str, NDArray[Any]]
    remarks: dict[str, str] = field(default_factory=dict)


def bounded(
    block: Block,
    weights: Mapping[str, ArrayLike],
    x: reference.Given,
    cotangent: ArrayLike | None = None,
    dtype: str = "float32",
    train: bool = False,
    *,
    unbiased: bool = True,
    confidence: float = CONFIDENCE,
) -> Bounded:
    """Compute the block's outcome in float64, and bounds of what a runtime's rounding in `dtype` does to it."""
    raise NotImplementedError
