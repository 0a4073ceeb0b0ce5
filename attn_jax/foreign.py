"""What Linen and NNX share as adapters of somebody's module; see `attn_core.parity.foreign`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from attn_core.parity.foreign.layer import Call, ForeignError, Ran
from attn_jax.names import CANONICAL_NAMES

Numbers = NDArray[Any]
Values = dict[str, jax.Array]
Path = tuple[Any, ...]

TRAINING = ("train", "training", "is_training")  # what their calls say of the mode, by these names
EVALUATING = ("deterministic", "use_running_average", "eval", "inference")


class Module:
    """A module as a pure function of its arrays, by the paths of their names."""

    separator, inputs_first, dtype = "/", True, ""
    runtime: str
    title: str
    values: Values

    def apply(self, values: Values, x: jax.Array, train: bool, seed: int) -> tuple[Any, Values]:
        """Return the output, and the arrays after it."""
        raise NotImplementedError

    def noted(self, values: Values, x: jax.Array, train: bool, calls: list[Call]) -> None:
        """Run it and note the calls of its sub-modules."""
        raise NotImplementedError

    def state(self) -> dict[str, Numbers]:
        """Return its arrays of real numbers."""
        return {name: _numpy(value) for name, value in self.values.items()}

    def namings(self) -> list[dict[str, str]]:
        """Return no other names."""
        return []

    def run(
        self,
        state: Mapping[str, Numbers],
        x: Numbers,
        cotangent: Numbers | None = None,
        *,
        dtype: str = "float32",
        train: bool = False,
        wanted: Sequence[str] = (),
        seed: int = 0,
    ) -> Ran:
        """Run it; see `attn_core.parity.foreign.layer.Foreign`."""
        with precise(dtype):
            values = self._given(state, dtype)

            def function(image: jax.Array, moved: Values) -> tuple[jax.Array, Values]:
                output, after = self.apply(values | moved, image, train, seed)
                if not isinstance(output, jax.Array):
                    raise ForeignError(f"{self.title} returned {type(output).__name__}: a layer returns one array.")
                return output, after

            inputs = (native(x, dtype), {name: values[name] for name in wanted})
            output, pull, after = jax.vjp(function, *inputs, has_aux=True)
            moved = {name: wide(value) for name, value in after.items()}
            if cotangent is None or canonical(output).shape != cotangent.shape:
                return Ran(canonical(output), None, {}, moved)
            of_input, of_values = pull(native(cotangent, output.dtype))
            gradients = {name: wide(value) for name, value in of_values.items()}
            return Ran(canonical(output), canonical(of_input), gradients, moved)

    def calls(
        self, state: Mapping[str, Numbers], x: Numbers, *, dtype: str = "float32", train: bool = False
    ) -> list[Call]:
        """Run it and return the calls of its sub-modules."""
        calls: list[Call] = []
        with precise(dtype):
            self.noted(self._given(state, dtype), native(x, dtype), train, calls)
        return calls

    def _given(self, state: Mapping[str, Numbers], dtype: str) -> Values:
        return {name: jnp.asarray(state.get(name, value), dtype) for name, value in self.values.items()}


def note(calls: list[Call], path: Path, given: Sequence[Any], output: Any) -> None:
    """Note a call of a sub-module, if it returns an array."""
    if path and isinstance(output, jax.Array):
        inputs = tuple(canonical(a) for a in given if isinstance(a, jax.Array))
        calls.append(Call("/".join(map(str, path)), inputs, canonical(output)))


def canonical_names(names: list[str]) -> dict[str, str]:
    """Return the canonical names of the arrays of a layer of ours."""
    split = {name: name.split("/") for name in names}
    return {name: ".".join((*path[:-1], CANONICAL_NAMES.get(path[-1], path[-1]))) for name, path in split.items()}


def modes(function: Callable[..., Any], train: bool) -> dict[str, bool]:
    """Return the arguments by which a call is told the mode."""
    names = inspect.signature(function).parameters
    return {name: train for name in TRAINING if name in names} | {
        name: not train for name in EVALUATING if name in names
    }


@contextmanager
def precise(dtype: str) -> Iterator[None]:
    """Allow float64 where it is asked for, and multiply in all digits."""
    with jax.enable_x64(dtype == "float64"), jax.default_matmul_precision("highest"):
        yield


def real(value: Any) -> bool:
    """Say whether a value is an array of real numbers."""
    return hasattr(value, "dtype") and jnp.issubdtype(value.dtype, jnp.floating)


def native(x: Numbers, dtype: Any) -> jax.Array:
    """Return an image with its channels last; a vector stays."""
    return jnp.asarray(np.moveaxis(x, 1, -1), dtype)


def canonical(x: Any) -> NDArray[np.float64]:
    """Return an image with its channels first; a vector stays."""
    array = wide(x)
    return np.moveaxis(array, -1, 1) if array.ndim > 2 else array


def wide(x: Any) -> NDArray[np.float64]:
    """Return an array in float64."""
    return _numpy(x).astype(np.float64)


def _numpy(x: Any) -> Numbers:
    return np.array(x.astype(jnp.float32) if x.dtype == jnp.bfloat16 else x)
