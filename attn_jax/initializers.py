"""The laws of initialisation in JAX."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import jax
import jax.numpy as jnp

from attn_core.spec import Array, Part
from attn_core.spec.initializers import Constant, Directions, Initializer, Normal, TruncatedNormal, Uniform, Values
from attn_jax.names import flax_name, turn

ORDERED = (Values, Directions)  # laws that know the axes of the canonical array


def laws(part: Part) -> dict[str, Any]:
    """Return the initializers of a part's trainable arrays as Flax's arguments `kernel_init`, `bias_init`, ..."""
    arrays = part.arrays().items()
    return {f"{flax_name(part, leaf)}_init": _in_flax(array) for leaf, array in arrays if array.trainable}


def _in_flax(array: Array) -> jax.nn.initializers.Initializer:
    draw = law(array.law)
    if isinstance(array.law, ORDERED):
        return lambda key, shape, dtype=jnp.float32, out_sharding=None: turn(draw(key, array.shape, dtype))
    return draw


@singledispatch
def law(law: Initializer) -> jax.nn.initializers.Initializer:
    """Return the JAX initializer for this law."""
    raise NotImplementedError(f"attn_jax has no {type(law).__name__}")


@law.register
def _constant(law: Constant) -> jax.nn.initializers.Initializer:
    return jax.nn.initializers.constant(law.value)


@law.register
def _truncated_normal(law: TruncatedNormal) -> jax.nn.initializers.Initializer:
    return jax.nn.initializers.truncated_normal(law.std, lower=-2.0, upper=2.0)


@law.register
def _normal(law: Normal) -> jax.nn.initializers.Initializer:
    return jax.nn.initializers.normal(law.std)


@law.register
def _uniform(law: Uniform) -> jax.nn.initializers.Initializer:
    def draw(key: Any, shape: Any, dtype: Any = jnp.float32, out_sharding: Any = None) -> jax.Array:
        return jax.random.uniform(key, shape, dtype, -law.bound, law.bound)

    return draw


@law.register
def _values(law: Values) -> jax.nn.initializers.Initializer:
    return lambda key, shape, dtype=jnp.float32, out_sharding=None: jnp.array(law.values, dtype).reshape(shape)


@law.register
def _directions(law: Directions) -> jax.nn.initializers.Initializer:
    def draw(key: Any, shape: Any, dtype: Any = jnp.float32, out_sharding: Any = None) -> jax.Array:
        values = jax.random.normal(key, shape, jnp.promote_types(dtype, jnp.float32))
        lengths: jax.Array = jnp.linalg.norm(values, axis=-1, keepdims=True)
        return (values / lengths).astype(dtype)

    return draw
