"""What a block computes beside what was recorded of other people's code."""

from __future__ import annotations

import math

import numpy as np
from cases import Recording, summarised

LARGEST = 10_000_000  # numbers of an array that is complex in the reference
FLOAT32_STORED = 1e-6  # some summaries of large arrays were stored in float32


def beyond(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray], bound: float) -> dict[str, float]:
    """Return the errors, relative to the largest number of each array, that are not within the bound."""
    parts, errors = summarised(found, wanted), {}
    for name, array in wanted.items():
        assert parts[name].shape == array.shape, name
        scale = np.abs(array).max()
        if name.endswith("#digest"):  # the sum, the sum of squares, and a sum of random multiples; sums may cancel
            most = math.sqrt(found[name.removesuffix("#digest")].size * array[1])
            scale = np.array([most, array[1], most])
        errors[name] = float((np.abs(parts[name] - array) / scale).max())
    stored = {name: max(bound, FLOAT32_STORED) if "#mean" in name else bound for name in errors}
    return {name: error for name, error in errors.items() if not error <= stored[name]}


def steps(recording: Recording, gradients: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, float, float]]:
    """Return a random direction for each array, the recorded slope along it and the gradient's sum of squares.

    A digest holds the slope along a direction that the recipe knows.
    """
    rng, found = np.random.default_rng(0), {}
    shapes = {name: array.shape for name, array in recording.block.arrays().items()}
    shapes |= {name: image.shape for name, image in zip(recording.block.inputs, recording.images, strict=False)}
    for key, gradient in gradients.items():
        name, _, part = key.removeprefix("grad:").partition("#")
        if not part:
            direction = rng.standard_normal(gradient.shape)
            found[name] = direction, float((gradient * direction).sum()), float((gradient**2).sum())
        elif part == "digest" and math.prod(shapes[name]) <= LARGEST:
            found[name] = np.random.default_rng(12345).standard_normal(shapes[name]), gradient[2], gradient[1]
    return found
