"""Whether a layer shares gradients among equal maxima, which the definition gives to the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from attn_core.interpreters.trace import trace
from attn_core.parity.draws import Draw, held
from attn_core.parity.foreign.difference import Comparison
from attn_core.parity.foreign.running import RaisedError

_MAXIMA = ("global_max", "channel_max")


def remark_on_ties(comparison: Comparison, draws: Sequence[Draw]) -> str:
    """Say of a layer that agrees on noise what it does with equal maxima, if that is something else; or nothing."""
    draw = draws[0]
    steps = trace(comparison.block, draw.weights, draw.image)
    if not any(step.name.rpartition(".")[2].startswith(_MAXIMA) for step in steps):
        return ""
    try:
        beyond = comparison.on(tied(draw, comparison.dtype)).beyond
    except RaisedError:  # which it did not on noise: a layer may check what it is given
        return ""
    if not beyond or not all(name.startswith("grad:") for name in beyond):
        return ""
    return (
        f"Where maxima are equal, as after a relu, it differs in {', '.join(beyond)}: it shares the gradient among "
        "them, as torch.amax, jnp.max and tf.reduce_max do; the definition gives it to the first, as max pools do."
    )


def tied(draw: Draw, dtype: str) -> Draw:
    """Return a draw of which the image is what a relu leaves: a channel is dead, and so are pixels in all channels."""
    image = np.maximum(draw.image, 0)
    image[:, 0] = 0
    image[..., 0] = 0
    return replace(draw, inputs=(held(image, dtype),))
