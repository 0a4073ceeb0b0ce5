"""The functions that count places along the axes of an array."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attn_core.porting.network.steps.steps import Step
from attn_core.porting.write.forward import Code
from attn_core.porting.write.spelling import call

GRID_TORCH = '''def grid(x, *axes, start=0, less=None):
    """Count the places of x along axes; divided by their number less some, they are shares."""
    each = []
    for axis in axes:
        n = x.shape[axis]
        places = torch.arange(n, dtype=x.dtype, device=x.device) + start
        places = places if less is None else places / (n - less)
        each.append(places.view([n if other == axis else 1 for other in range(x.ndim)]))
    return torch.cat(torch.broadcast_tensors(*each), -1) if len(each) > 1 else each[0]


'''

GRID_JAX = '''def grid(x, *axes, start=0, less=None):
    """Count the places of x along axes; divided by their number less some, they are shares."""
    each = []
    for axis in axes:
        n = x.shape[axis]
        places = jnp.arange(n, dtype=x.dtype) + start
        places = places if less is None else places / (n - less)
        each.append(places.reshape([n if other == axis else 1 for other in range(x.ndim)]))
    return jnp.concatenate(jnp.broadcast_arrays(*each), -1) if len(each) > 1 else each[0]


'''

GRID_KERAS = '''def grid(x, *axes, start=0, less=None):
    """Count the places of x along axes; divided by their number less some, they are shares."""
    ops, each = keras.ops, []
    for axis in axes:
        n = ops.shape(x)[axis]
        places = ops.cast(ops.arange(n), x.dtype) + start
        places = places if less is None else places / ops.cast(n - less, x.dtype)
        sizes = [-1 if other == axis else 1 for other in range(len(x.shape))]
        each.append(ops.reshape(places, sizes))
    if len(each) == 1:
        return each[0]
    return ops.concatenate([part + 0 * sum(each) for part in each], -1)


'''


SIZES_TORCH = '''def sizes(x, *axes):
    """Return how many places x has along axes, as numbers."""
    return x.new_tensor([x.shape[axis] for axis in axes])


'''

SIZES_JAX = '''def sizes(x, *axes):
    """Return how many places x has along axes, as numbers."""
    return jnp.array([x.shape[axis] for axis in axes], x.dtype)


'''

SIZES_KERAS = '''def sizes(x, *axes):
    """Return how many places x has along axes, as numbers."""
    return keras.ops.cast(keras.ops.stack([keras.ops.shape(x)[axis] for axis in axes]), x.dtype)


'''

TORCH = {"grid": GRID_TORCH, "sizes": SIZES_TORCH}
JAX = {"grid": GRID_JAX, "sizes": SIZES_JAX}
KERAS = {"grid": GRID_KERAS, "sizes": SIZES_KERAS}


def helpers(texts: Mapping[str, str], body: str) -> str:
    """Return the functions that a source calls."""
    return "".join(text for name, text in texts.items() if re.search(rf"\b{name}\(", body))


def counted(step: Step, x: Code, places: list[int]) -> str:
    """Return the call; `places` are the axes as the framework has them."""
    fields = step.fields
    if step.kind == "sizes":
        return call("sizes", x.text, *places)
    options = {"start": fields["start"]} if fields["start"] else {}
    if fields["less"] is not None:
        options["less"] = fields["less"]
    return call("grid", x.text, *places, **options)
