"""Somebody's NNX module; see `attn_core.parity.foreign`."""

from __future__ import annotations

from typing import Any

import jax
from flax import nnx

from attn_core.parity.foreign.layer import Call
from attn_core.spec import Block
from attn_jax import foreign
from attn_jax.foreign import Values, canonical_names, modes, note
from attn_jax.nnx.layer import Layer


class Module(foreign.Module):
    """A module, taken apart and put together again for each run: the one given never runs."""

    runtime = "nnx"

    def __init__(self, module: nnx.Module) -> None:
        self.module = module
        self.title = f"the NNX module {type(module).__name__}"
        self.graph, state = nnx.split(module)
        self.flat = {path: variable.get_value() for path, variable in nnx.to_flat_state(state)}
        self.paths = {"/".join(map(str, path)): path for path, value in self.flat.items() if foreign.real(value)}
        self.values = {name: self.flat[path] for name, path in self.paths.items()}

    def own(self) -> tuple[Block, dict[str, str]] | None:
        """Return the block of a layer of ours."""
        return (self.module.block, canonical_names(list(self.values))) if isinstance(self.module, Layer) else None

    def apply(self, values: Values, x: jax.Array, train: bool, seed: int) -> tuple[Any, Values]:
        """Return the output, and the arrays after it."""
        module = self._merged(values, train, seed)
        output = module(x, **modes(type(module).__call__, train))
        after = {path: variable.get_value() for path, variable in nnx.to_flat_state(nnx.state(module))}
        return output, {name: after[path] for name, path in self.paths.items()}

    def noted(self, values: Values, x: jax.Array, train: bool, calls: list[Call]) -> None:
        """Run it and note the calls of its sub-modules."""
        module = self._merged(values, train, 0)
        for path, each in nnx.iter_modules(module):
            if path and callable(each):
                each.__class__ = _noting(type(each), path, calls)
        module(x, **modes(type(module).__call__, train))

    def _merged(self, values: Values, train: bool, seed: int) -> Any:
        state = jax.tree.map(lambda leaf: leaf, nnx.split(self.module)[1])  # variables of this trace, which may move
        flat = dict(nnx.to_flat_state(state))
        for name, path in self.paths.items():
            flat[path] = flat[path].replace(values[name])
        for path, variable in flat.items():
            if isinstance(variable, nnx.RngCount):
                flat[path] = variable.replace(variable.get_value() + seed)
        module: Any = nnx.merge(self.graph, nnx.from_flat_state(flat.items()))
        module.set_attributes(use_running_average=not train, deterministic=not train, raise_if_not_found=False)
        return module


def beginning(seed: int) -> dict[str, Any]:
    """Let fresh layers be those of the seed; return the arguments that make them so."""
    return {"rngs": nnx.Rngs(seed)}


def adopt(thing: Any, shape: tuple[int, ...]) -> Module:
    """Return the adapter of a module."""
    return Module(thing)


def _noting(kind: Any, path: tuple[Any, ...], calls: list[Call]) -> Any:
    """Return a class that does the same and notes its calls."""

    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807
        output = kind.__call__(self, *args, **kwargs)
        note(calls, path, args, output)
        return output

    return type(kind.__name__, (kind,), {"__call__": __call__})
