"""The weights, images and cotangents that a layer is run on."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from attn_core.interpreters.images import sample_image
from attn_core.parity.draws import Draw, held
from attn_core.parity.foreign.settings import Settings
from attn_core.weights import Weights


def drawn(own: Weights, fixed: Collection[str], out: tuple[int, ...], settings: Settings) -> list[Draw]:
    """Return as many draws as are asked for, given a layer's own weights and the shape of its output.

    The first has the own weights; in others every number is moved, but for those of `fixed` arrays, which the layer
    does not have.
    """
    # With its own weights alone, a layer whose biases are 0 would not show that it leaves them out.
    return [_draw(own, fixed, out, settings, i) for i in range(settings.draws)]


def _draw(own: Weights, fixed: Collection[str], out: tuple[int, ...], settings: Settings, i: int) -> Draw:
    rng = np.random.default_rng([settings.seed, i])
    weights: Weights = {}
    for name, array in own.items():
        moved = array
        if i and name not in fixed:
            moved = array + rng.normal(0, 0.3, array.shape)
        if name.endswith("running_var"):
            moved = abs(moved)  # no variance is negative
        weights[name] = held(moved, settings.dtype)
    image = sample_image(settings.shape, int(rng.integers(2**32)))
    cotangent = rng.standard_normal(out)
    return Draw(weights, (held(image, settings.dtype),), held(cotangent, settings.dtype))
