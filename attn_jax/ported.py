"""Running a ported network in Flax, to compare it with the graph it comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from attn_core.porting.network.steps.axes import is_image
from attn_core.porting.ported import Found, Pulls

Apply = Callable[[Any, jax.Array], jax.Array | dict[str, jax.Array]]
Joined = Callable[[Any, jax.Array], jax.Array]


def run(apply: Apply, weights: Any, images: list[NDArray[np.float64]], cotangents: Pulls, rank: int) -> list[Found]:
    """Run a network, given as a function of its weights and an image, in float32 and in float64.

    `rank` is the number of axes of the network's images.
    """

    def joined(weights: Any, x: jax.Array) -> jax.Array:
        """Return the result; of several, (images, numbers) in canonical order."""
        output = apply(weights, x)
        if isinstance(output, dict):
            heads = [jnp.moveaxis(each, -1, 1) if is_image(each.ndim, rank) else each for each in output.values()]
            return jnp.concatenate([each.reshape(len(each), -1) for each in heads], 1)
        return output

    with jax.default_matmul_precision("highest"):
        outputs = [
            _numpy(jax.jit(joined)(weights, jnp.asarray(_native(image, rank), jnp.float32)), rank) for image in images
        ]
        with jax.enable_x64(True):
            wide = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf), jnp.float64), weights)
            return [_exact(joined, wide, rank, *each) for each in zip(images, cotangents, outputs, strict=True)]


def _exact(
    apply: Joined,
    weights: Any,
    rank: int,
    image: NDArray[np.float64],
    cotangent: NDArray[np.float64] | None,
    single: NDArray[np.float64],
) -> Found:
    pull = None if cotangent is None else jnp.asarray(_native(cotangent, rank))

    @jax.jit
    def both(weights: Any, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        output, back = jax.vjp(lambda image: apply(weights, image), x)
        return output, back(jnp.ones_like(output) if pull is None else pull)[0]

    output, gradient = both(weights, jnp.asarray(_native(image, rank)))
    return Found(single, _numpy(output, rank), _numpy(gradient, rank))


def _native(array: NDArray[np.float64], rank: int) -> NDArray[np.float64]:
    return np.moveaxis(array, 1, -1) if is_image(array.ndim, rank) else array


def _numpy(tensor: jax.Array, rank: int) -> NDArray[np.float64]:
    array = np.asarray(tensor, np.float64)
    return np.moveaxis(array, -1, 1) if is_image(array.ndim, rank) else array
