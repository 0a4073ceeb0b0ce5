"""Somebody's Linen module; see `attn_core.parity.foreign`."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from flax import linen as nn
from flax import traverse_util

from attn_core.parity.foreign.layer import Call, ForeignError
from attn_core.spec import Block
from attn_jax import foreign
from attn_jax.foreign import Values, canonical_names, modes, note
from attn_jax.linen.layer import Layer
from attn_jax.names import PARAMS

traverse: Any = traverse_util  # has no types


class Module(foreign.Module):
    """A module and its variables; names of arrays are without the collection."""

    runtime = "linen"

    def __init__(self, module: nn.Module, variables: Any, shape: tuple[int, ...]) -> None:
        self.module, self.shape = module, shape
        self.title = f"the Linen module {type(module).__name__}"
        flat = traverse.flatten_dict(nn.unbox(dict(variables)))
        self.paths = {"/".join(path[1:]): path for path in flat if foreign.real(flat[path])}
        self.values = {name: flat[path] for name, path in self.paths.items()}
        self.others = {path: value for path, value in flat.items() if not foreign.real(value)}

    def own(self) -> tuple[Block, dict[str, str]] | None:
        """Return the block of a layer of ours."""
        if not isinstance(self.module, Layer):
            return None
        return self.module.configure(self.shape[1], len(self.shape) - 2), canonical_names(list(self.values))

    def apply(self, values: Values, x: jax.Array, train: bool, seed: int) -> tuple[Any, Values]:
        """Return the output, and the arrays after it."""
        flat = self.others | {path: values[name] for name, path in self.paths.items()}
        variables = traverse.unflatten_dict(flat)
        moving = [collection for collection in variables if collection != PARAMS] if train else []
        options: dict[str, Any] = {"mutable": moving, "rngs": {"dropout": jax.random.key(seed)}}
        output, moved = self.module.apply(variables, x, **options, **_modes(self.module, train))
        after = {"/".join(path[1:]): value for path, value in traverse.flatten_dict(dict(moved)).items()}
        return output, {name: value for name, value in after.items() if name in values}

    def noted(self, values: Values, x: jax.Array, train: bool, calls: list[Call]) -> None:
        """Run it and note the calls of its sub-modules."""

        def look(call: Any, args: Any, kwargs: Any, context: nn.module.InterceptorContext) -> Any:
            output = call(*args, **kwargs)
            if context.method_name == "__call__":
                note(calls, context.module.path, args, output)
            return output

        with nn.intercept_methods(look):
            self.apply(values, x, train, 0)


def beginning(seed: int) -> dict[str, Any]:
    """Let fresh layers be those of the seed; return the arguments that make them so."""
    return {}


def adopt(thing: Any, shape: tuple[int, ...]) -> Module:
    """Return the adapter of a bound module, a module with its variables, or a module that gets fresh ones."""
    if isinstance(thing, tuple):
        if len(thing) != 2:
            raise ForeignError(f"a Linen module is given as (module, variables), got a tuple of {len(thing)}.")
        return Module(thing[0], thing[1], shape)
    if thing.scope is not None:
        module, variables = thing.unbind()
        return Module(module, variables, shape)
    image = foreign.native(np.zeros(shape), "float32")
    keys = {"params": jax.random.key(0), "dropout": jax.random.key(1)}
    return Module(thing, thing.init(keys, image, **_modes(thing, False)), shape)


def _modes(module: Any, train: bool) -> dict[str, Any]:
    return dict(modes(module.__call__, train))
