"""Between canonical weights and Flax's variables. Both interfaces use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import traverse_util
from flax.core import meta
from numpy.typing import ArrayLike, NDArray

from attn_core.spec import Block
from attn_core.weights import canonical
from attn_jax.names import CANONICAL_NAMES, COLLECTIONS, PARAMS, collection, flax_name, turn, turn_back

Variables = dict[str, Any]  # {collection: {part: {leaf: array}}}, with {part: {part: ...}} for a nested block
Path = tuple[str, ...]

traverse: Any = traverse_util  # has no types


def to_flax(block: Block, weights: Mapping[str, ArrayLike], dtype: Any) -> Variables:
    """Return a block's canonical weights as Flax's; `WeightsError` if they are not its own.

    Running statistics stay in float32 where weights are in half precision, as in Flax's own layers.
    """
    arrays, wide = canonical.check(block, weights), jnp.promote_types(dtype, jnp.float32)
    found = {
        path: jnp.asarray(turn(arrays[name]), dtype) if path[0] == PARAMS else jnp.asarray(arrays[name], wide)
        for name, path in _paths(block)
    }
    variables: Variables = traverse.unflatten_dict(found)
    return variables


def from_flax(variables: Mapping[str, Any]) -> canonical.Weights:
    """Return Flax's weights as canonical ones, without partitioning metadata; bfloat16 as float32: the same numbers."""
    plain = meta.unbox(variables)
    found = {kind: traverse.flatten_dict(plain.get(kind, {})) for kind in COLLECTIONS}
    return {
        ".".join((*path[:-1], CANONICAL_NAMES.get(path[-1], path[-1]))): _canonical(kind, array)
        for kind, arrays in found.items()
        for path, array in arrays.items()
    }


def _paths(block: Block, above: Path = ()) -> Iterator[tuple[str, Path]]:
    """Return where each array of a block is among Flax's variables."""
    for name, part in block.parts().items():
        if isinstance(part, Block):
            yield from _paths(part, (*above, name))
            continue
        for leaf, array in part.arrays().items():
            yield ".".join((*above, name, leaf)), (collection(array), *above, name, flax_name(part, leaf))


def _canonical(kind: str, array: Any) -> NDArray[Any]:
    numbers = np.asarray(array.astype(jnp.float32) if array.dtype == jnp.bfloat16 else array)
    return np.ascontiguousarray(turn_back(numbers)) if kind == PARAMS else numbers
