"""Attention inserted into an NNX network that is there, pretrained or not, and taken out again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import jax.numpy as jnp
from flax import nnx

from attn_core.interpreters.cost import cost
from attn_core.interpreters.starting import starting
from attn_core.models.attention import attention
from attn_core.models.inserting.images import one_image, seen_images, titled
from attn_core.models.inserting.inserted import Inserted, require_start
from attn_core.models.inserting.places import Place, chosen, where
from attn_core.models.inserting.report import Report, Row
from attn_core.spec import Block, SpecError
from attn_jax.nnx.binding import assign, weights
from attn_jax.nnx.inserting.attached import attach, attached, detach, detached
from attn_jax.nnx.inserting.passes import Calls, calls, named
from attn_jax.nnx.layer import Layer, build
from attn_jax.weights import to_flax

Choice = str | Block | Layer | Callable[[int], Any]


def insert(
    model: nnx.Module,
    at: Place | None = None,
    block: Choice | None = None,
    *,
    after: Place | None = None,
    before: Place | None = None,
    start: str | float = "identity",
    input: Any = None,
    name: str = "attention",
    rngs: nnx.Rngs | None = None,
) -> Report:
    """Insert a block after, or before, modules of a network, in place; the paths of all variables that were there stay.

    See `attn_torch.insert`, whose arguments mean the same. Places are paths with points, as ``stage1.0.norm``. What is
    inserted becomes the attribute `name` of the module that it follows, whose class becomes a subclass that runs it.
    Axes are (batch, pixels ..., channels), as always in Flax; `rngs` draws fresh weights, ``nnx.Rngs(0)`` by default.

    To freeze what was there, hand ``wrt=new_parameters(model)`` to the optimiser, and ``nnx.DiffState(0, ...)`` with it
    to `nnx.grad`. **Raises** `SpecError`, before anything is changed.
    """
    if not isinstance(model, nnx.Module):
        raise TypeError(f"The network must be an nnx.Module, got {type(model).__name__}.")
    require_start(start)
    if block is None:
        raise SpecError('insert needs a block: a name as "cbam", or block=.')
    what, side = where(at, after, before)
    known = _old(model)
    names = chosen(known, what.replace("/", ".") if isinstance(what, str) else what)
    if isinstance(block, Layer) and len(names) > 1:
        raise SpecError(f"One layer at {len(names)} places would share its weights: give a function of the channels.")
    found = calls(model, names, input)
    shapes = {each: _image(each, known[each], side, found) for each in names}
    rngs = nnx.Rngs(0) if rngs is None else rngs
    new = {each: _made(each, known[each], side, block, shapes[each], start, rngs) for each in names}
    rows, is_over = [], not _in_training(model)
    for each, layer in new.items():
        if is_over:
            nnx.Module.eval(layer)  # type: ignore[no-untyped-call]
        child = _free(known[each], name)
        attach(known[each], child, side, layer)
        count = len(found[each]) if found else None
        rows.append(_row(f"{each}.{child}", each, side, layer, start, shapes[each], count))
    return Report(tuple(rows), model)


def remove(model: nnx.Module) -> list[str]:
    """Take all out that was inserted; return the places. The network is what it was, its weights as they are now."""
    found = list(attached(model))
    for _, layer, name, _ in found:
        detach(layer, name)
    return [".".join(map(str, path)) for path, *_ in found]


def without(model: nnx.Module) -> AbstractContextManager[nnx.Module]:
    """Return a context in which all is out that was inserted: there, old checkpoints are the network's own."""
    return _without(model)


@contextmanager
def _without(model: nnx.Module) -> Iterator[nnx.Module]:
    with detached(model):
        yield model


def new_parameters(model: nnx.Module) -> Callable[[tuple[Any, ...], Any], bool]:
    """Return the filter of the parameters that were inserted, as for ``nnx.Optimizer(model, tx, wrt=...)``."""
    starts = {(*path, name) for path, _, name, _ in attached(model)}

    def is_new(path: tuple[Any, ...], value: Any) -> bool:
        return _is_param(value) and any(tuple(path[: len(start)]) == start for start in starts)

    return is_new


def _in_training(model: nnx.Module) -> bool:
    """Say whether a network trains: no module of it has been told that it does not, as new ones have not."""
    switches = ("use_running_average", "deterministic")
    return not any(getattr(layer, switch, None) for layer in named(model).values() for switch in switches)


def _is_param(value: Any) -> bool:
    kind = getattr(value, "type", type(value))
    return isinstance(kind, type) and issubclass(kind, nnx.Param)


def _old(model: nnx.Module) -> dict[str, Any]:
    new = {id(inner) for _, layer, name, _ in attached(model) for _, inner in nnx.iter_modules(getattr(layer, name))}
    return {name: module for name, module in named(model).items() if id(module) not in new}


def _image(name: str, layer: Any, side: str, found: Calls | None) -> tuple[int | None, ...]:
    """Return the canonical shape of the image at a place."""
    if found is not None:
        shapes = seen_images(titled(name, layer), side, [call[side] for call in found[name]])
        return one_image(titled(name, layer), [(shape[0], shape[-1], *shape[1:-1]) for shape in shapes])
    fields = ("out_features", "num_features") if side == "after" else ("in_features", "num_features")
    channels = next((getattr(layer, field) for field in fields if hasattr(layer, field)), None)
    kernel = getattr(layer, "kernel_size", None)
    if channels is None or kernel is None:
        rule = "give input=, the shape of an image that the network takes, as (1, 224, 224, 3)"
        raise SpecError(f"{titled(name, layer)} does not tell its channels and axes: {rule}.")
    return (1, channels, *(None,) * (len(kernel) if isinstance(kernel, tuple) else 1))


def _made(
    name: str, near: Any, side: str, choice: Choice, shape: tuple[int | None, ...], start: str | float, rngs: nnx.Rngs
) -> Layer:
    given = _given(choice, shape[1] or 1, len(shape) - 2)
    try:
        block = starting(given.block if isinstance(given, Layer) else given, shape, start)
    except ValueError as error:
        raise SpecError(f"{side} {name}: {error}") from error
    dtypes = {"dtype": getattr(near, "dtype", None), "param_dtype": getattr(near, "param_dtype", jnp.float32)}
    if isinstance(given, Layer) and not isinstance(block, Inserted):
        return given
    made: Any = build(block, rngs=rngs, **dtypes)
    if isinstance(given, Layer):
        made.inner = given
    if isinstance(block, Inserted) and block.zeros():
        arrays = weights(made)
        arrays |= {each: 0 * arrays[each] for each in block.zeros()}
        assign(made, to_flax(block, arrays, dtypes["param_dtype"]))
    layer: Layer = made
    return layer


def _given(choice: Choice, channels: int, rank: int) -> Block | Layer:
    if isinstance(choice, Block | Layer):
        return choice
    if isinstance(choice, str) or (isinstance(choice, type) and issubclass(choice, Block)):
        found = attention(choice, channels, rank)
        if found is not None:
            return found
    if not callable(choice):
        rule = 'a name as "cbam", a block, a layer, or a function of the channels'
        raise SpecError(f"A block is {rule}; got {choice!r}.")
    result = choice(channels)
    if not isinstance(result, Block | Layer):
        rule = "return a block of attn_core or a layer of attn_jax.nnx"
        raise SpecError(f"{choice!r} made {type(result).__name__} for {channels} channels: {rule}.")
    return result


def _free(layer: Any, name: str) -> str:
    names = (name, *(f"{name}{i}" for i in range(2, 100)))
    return next(each for each in names if not hasattr(layer, each))


def _row(
    path: str, place: str, side: str, layer: Layer, start: str | float, shape: tuple[int | None, ...], count: int | None
) -> Row:
    paths = (".".join(map(str, each)) for each, _ in nnx.to_flat_state(nnx.state(layer, (nnx.Param, nnx.BatchStat))))
    counted = None
    if count is not None:
        counted = count * cost(layer.block, tuple(size or 1 for size in (1, *shape[1:]))).multiply_adds
    keys = tuple(f"{path}.{each}" for each in paths)
    note = f"called {count} times in a pass, with the same weights" if count and count > 1 else ""
    return Row(place, side, layer.block, start, (1, *shape[1:]), layer.block.parameters(), counted, keys, note)
