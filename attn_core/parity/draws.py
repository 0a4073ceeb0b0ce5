"""Random weights, inputs and cotangents: the same for a seed on every platform, in numbers that a dtype holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.interpreters.images import sample_image
from attn_core.interpreters.shapes import output_shape
from attn_core.spec import Array, Block
from attn_core.spec.initializers import Normal, TruncatedNormal, Uniform, variance_scaling
from attn_core.weights import Weights

Numbers = NDArray[np.float64]
Shapes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Draw:
    """What a block is run on."""

    weights: Weights
    inputs: tuple[Numbers, ...]
    cotangent: Numbers

    @property
    def image(self) -> Numbers:
        """The first input, which is an image in every block."""
        return self.inputs[0]

    @property
    def given(self) -> Numbers | tuple[Numbers, ...]:
        """The image, or all inputs of a block that has several."""
        return self.inputs if len(self.inputs) > 1 else self.image


def draw(block: Block, shapes: Sequence[tuple[int, ...]], seed: int, dtype: str = "float32") -> Draw:
    """Draw weights and inputs of these canonical shapes; other inputs than the image are matrices near the identity.

    Weights are moved off their start, so that no bias is 0 and no normalisation is the identity.
    **Raises** `ShapeError` if the block cannot take inputs of these shapes.
    """
    rng = np.random.default_rng([seed, 1])
    fresh = {
        name: array + rng.normal(0, _step(array.shape), array.shape) for name, array in started(block, seed).items()
    }
    weights = {name: held(np.abs(a) if name.endswith("running_var") else a, dtype) for name, a in fresh.items()}
    image, *others = shapes
    near = [np.eye(shape[-2], shape[-1]) + rng.normal(0, 0.3, shape) for shape in others]
    inputs = tuple(held(array, dtype) for array in (sample_image(image, seed), *near))
    output = [int(n) for n in output_shape(block, *shapes) if n is not None]
    return Draw(weights, inputs, held(rng.standard_normal(output), dtype))


def started(block: Block, seed: int) -> Weights:
    """Draw weights wide enough to matter, whatever the block's laws: fresh ones may be so narrow that little is proved.

    What no law draws at random, such as the scale of a normalisation, starts as the law says.
    """
    rngs = np.random.default_rng(seed).spawn(len(block.arrays()))
    arrays = zip(block.arrays().items(), rngs, strict=True)
    return {name: _start(array, rng).astype(np.float32) for (name, array), rng in arrays}


def _start(array: Array, rng: np.random.Generator) -> Numbers:
    if not isinstance(array.law, (Uniform, Normal, TruncatedNormal)):
        return array.law.draw(rng, array.shape)
    if len(array.shape) == 1:  # a bias
        return np.zeros(array.shape)
    return variance_scaling(math.prod(array.shape[1:])).draw(rng, array.shape)


def _step(shape: tuple[int, ...]) -> float:
    """Return how far to move: no further than keeps what many inputs add up to near 1."""
    return 0.3 / max(1.0, math.sqrt(math.prod(shape[1:]) / 8))


def held(array: NDArray[Any], dtype: str) -> Numbers:
    """Return the nearest numbers that a dtype holds; for float64, too, those of float32."""
    single = np.asarray(array, np.float32)
    if dtype == "bfloat16":
        bits = single.view(np.uint32)
        even = bits + 0x7FFF + ((bits >> 16) & 1)
        single = (even & np.uint32(0xFFFF0000)).view(np.float32)
    return single.astype("float16" if dtype == "float16" else "float32").astype(np.float64)
