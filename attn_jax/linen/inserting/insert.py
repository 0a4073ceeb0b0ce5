"""Attention inserted into a Linen network that is there, pretrained or not, and taken out again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from attn_core.interpreters.cost import cost
from attn_core.interpreters.starting import starting
from attn_core.models.attention import attention
from attn_core.models.inserting.images import one_image, seen_images, titled
from attn_core.models.inserting.inserted import Inserted, require_start
from attn_core.models.inserting.places import Place, chosen, where
from attn_core.models.inserting.report import Report, Row
from attn_core.spec import Block, SpecError
from attn_jax.linen.inserting.network import WithAttention
from attn_jax.linen.layer import build
from attn_jax.weights import from_flax, to_flax, traverse

Choice = str | Block | Callable[[int], Block]
Variables = Mapping[str, Any]
Shape = tuple[int, ...]


def insert(
    model: nn.Module,
    at: Place | None = None,
    block: Choice | None = None,
    *,
    variables: Variables,
    input: Any,
    after: Place | None = None,
    before: Place | None = None,
    start: str | float = "identity",
    arguments: Mapping[str, Any] | None = None,
    name: str = "attention",
    key: jax.Array | None = None,
) -> Report:
    """Return a report with a network around the given one, its `model`, and its `variables`, the old ones among them.

    See `attn_torch.insert`, whose arguments mean the same. Places are paths, as ``stage1/norm``; ``*`` is any
    characters. `input` is an image, or its shape, and `arguments` what the network is called with beside it: with them
    it is run on shapes to find its layers. New variables are called ``stage1_norm_attention``, beside the old ones,
    whose paths stay; `key` draws them. ``report.model.init`` draws all weights from the papers' laws: the identity is
    in ``report.variables``. **Raises** `SpecError`.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"The network must be a flax.linen.Module, got {type(model).__name__}.")
    require_start(start)
    if block is None:
        raise SpecError('insert needs a block: a name as "cbam", or block=.')
    what, side = where(at, after, before)
    known, calls = _pass(model, variables, input, arguments or {})
    places: list[Any] = []
    rows, new = [], dict(variables)
    for place in chosen(known, what):
        shape = _image(place, known[place], side, calls[place])
        made = _block(place, side, block, shape, start)
        child = f"{place.replace('/', '_')}_{name if side == 'after' else f'before_{name}'}"
        key, drawn = jax.random.split(jax.random.key(0) if key is None else key)
        fresh = _fresh(made, drawn)
        for collection, values in fresh.items():
            new[collection] = {**new.get(collection, {}), child: values}
        places.append((place, side, child, made))
        rows.append(_row(place, side, child, made, start, shape, len(calls[place]), fresh))
    return Report(tuple(rows), WithAttention(model, tuple(places)), new)


def remove(model: WithAttention, variables: Variables) -> tuple[nn.Module, Variables]:
    """Return the network that was there, and its variables as they are now."""
    children = {child for _, _, child, _ in model.places}
    kept = {kind: {name: tree[name] for name in tree if name not in children} for kind, tree in variables.items()}
    return model.network, {kind: tree for kind, tree in kept.items() if tree}


def new_parameters(model: WithAttention, params: Mapping[str, Any]) -> Any:
    """Return a tree like these parameters with True for those that were inserted: a mask, as for `optax.masked`."""
    children = {child for _, _, child, _ in model.places}
    return {name: jax.tree.map(lambda _, new=name in children: new, tree) for name, tree in params.items()}


def _pass(
    model: nn.Module, variables: Variables, given: Any, arguments: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, list[tuple[Shape | None, Shape | None]]]]:
    known: dict[str, Any] = {}
    calls: dict[str, list[tuple[Shape | None, Shape | None]]] = {}

    def note(call: Any, values: Any, named: Any, context: Any) -> Any:
        output = call(*values, **named)
        path = "/".join(context.module.path)
        if context.method_name == "__call__" and path:
            known.setdefault(path, context.module)
            calls.setdefault(path, []).append((_shape(values[0] if values else None), _shape(output)))
        return output

    x = given if hasattr(given, "shape") else jnp.empty(tuple(given))
    with nn.intercept_methods(note):
        jax.eval_shape(lambda variables, x: model.apply(variables, x, **arguments), variables, x)
    return known, calls


def _shape(x: Any) -> Shape | None:
    return tuple(x.shape) if isinstance(x, jax.Array) else None


def _image(place: str, layer: Any, side: str, calls: list[tuple[Shape | None, Shape | None]]) -> Shape:
    shapes = seen_images(titled(place, layer), side, [call[side == "after"] for call in calls])
    return one_image(titled(place, layer), [(shape[0], shape[-1], *shape[1:-1]) for shape in shapes])


def _block(place: str, side: str, choice: Choice, shape: Shape, start: str | float) -> Block:
    found = choice if isinstance(choice, Block) else attention(choice, shape[1], len(shape) - 2)
    assert found is not None  # `insert` has asked
    try:
        return starting(found, shape, start)
    except ValueError as error:
        raise SpecError(f"{side} {place}: {error}") from error


def _fresh(block: Block, key: jax.Array) -> dict[str, Any]:
    """Return fresh variables of a block; those that start at 0 for the sake of the identity are."""
    found: dict[str, Any] = dict(build(block).init(key, block, method="create"))
    zeros = block.zeros() if isinstance(block, Inserted) else []
    if not zeros:
        return found
    arrays = from_flax(found)
    return to_flax(block, arrays | {name: 0 * arrays[name] for name in zeros}, jnp.float32)


def _row(
    place: str, side: str, child: str, block: Block, start: str | float, shape: Shape, count: int, fresh: Variables
) -> Row:
    paths = [path for tree in fresh.values() for path in traverse.flatten_dict(tree)]
    counted = count * cost(block, (1, *shape[1:])).multiply_adds
    note = f"called {count} times in a pass, with the same weights" if count > 1 else ""
    keys = tuple("/".join((child, *path)) for path in paths)
    return Row(place, side, block, start, (1, *shape[1:]), block.parameters(), counted, keys, note)
