"""Where layers of Flax are timed, compiled as they are used; see `attn_core.parity.bench.running.Stand`."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from attn_core.parity.bench.asked import Trial
from attn_core.parity.bench.clock import clock
from attn_core.parity.bench.contest import COMPILED, COPY, Entrant, Memory
from attn_core.parity.bench.machine import processor
from attn_core.parity.draws import Draw
from attn_core.parity.foreign.importing import load
from attn_core.parity.foreign.layer import ForeignError
from attn_jax.bench.foreign import pure
from attn_jax.bench.plain import plain
from attn_jax.names import PARAMS, STATISTICS
from attn_jax.runtime import Purify
from attn_jax.weights import to_flax

MANY = 2  # threads, whose time only the clock on the wall tells


@dataclass(frozen=True)
class Function:
    """A layer as a function of (weights, fixed, *inputs): gradients are those of weights and inputs."""

    run: Callable[..., Any]
    train: Callable[..., Any]
    weights: Any
    fixed: Any


class Stand:
    """A device of JAX. Products of float32 are not rounded to fewer bits there."""

    ways = (COMPILED,)

    def __init__(self, device: Any, purify: Purify, threads: int) -> None:
        self.device, self.purify = device, purify
        # On another device, a run's own time passes elsewhere than on the processor.
        self.seconds = clock(threads if device.platform == "cpu" else MANY)
        self.processor = processor() if device.platform == "cpu" else device.device_kind

    def ours(self, trial: Trial, drawn: Draw) -> Function:
        """Return the native module as a function."""
        with self._settings(trial):
            variables = to_flax(trial.block, drawn.weights, trial.dtype)
            run, train = (self.purify(trial.block, trial.dtype, mode)[0] for mode in (False, True))
            fixed = variables.get(STATISTICS, {})
            return Function(_output_of(run), _output_of(train), variables.get(PARAMS, {}), fixed)

    def plain(self, trial: Trial, drawn: Draw) -> Function | None:
        """Return the function that is written out, with the same weights."""
        function = plain(trial.block)
        if function is None or len(trial.shapes[0]) != 4:
            return None
        with self._settings(trial):
            weights = {name: self._array(array, trial) for name, array in drawn.weights.items()}

        def run(weights: Any, fixed: Any, x: Any) -> Any:
            return function(weights, x)

        return Function(run, run, weights, {})

    def named(self, package: str, trial: Trial) -> None:
        """Return nothing: these packages are of PyTorch."""

    def adopted(self, path: str, arguments: str, trial: Trial) -> Function:
        """Return somebody's module of Linen or NNX as a function."""
        layer = load(path, arguments)
        with self._settings(trial):
            found = pure(layer, self._image(np.zeros(trial.shapes[0]), trial))
        if found is None:
            raise ForeignError(f"an object of {type(layer).__name__} is no module of Flax: see --runtime.")
        run, weights, fixed = found
        return Function(run, run, weights, fixed)

    def output(self, layer: Function, drawn: Draw, trial: Trial) -> NDArray[np.float64]:
        """Run a layer once outside of training."""
        with self._settings(trial):
            found = jax.jit(layer.run)(layer.weights, layer.fixed, *self._inputs(drawn, trial))
            return np.moveaxis(np.asarray(found).astype(np.float64), -1, 1)

    def entrant(self, name: str, layer: Function, way: str, trial: Trial, drawn: Draw) -> Entrant:
        """Compile a function: forward as in inference, forward and backward as in training."""
        with self._settings(trial):
            inputs = self._inputs(drawn, trial)
            if trial.backward:
                pull = self._image(drawn.cotangent, trial)
                given = (pull, layer.weights, layer.fixed, *inputs)
                program = jax.jit(partial(_both, layer.train)).lower(*given).compile()
                kept = _kept(layer, inputs)
            else:
                given = (layer.weights, layer.fixed, *inputs)
                program = jax.jit(layer.run).lower(*given).compile()
                kept = None
        run = _waited(program, given)
        run()
        memory = Memory(kept, _peak(program))
        return Entrant(name, way, lambda calls: self.seconds(run, calls), memory)

    def copy(self, trial: Trial, drawn: Draw) -> Entrant:
        """Copy the image."""
        with self._settings(trial):
            image, *_ = self._inputs(drawn, trial)
            run = _waited(jax.jit(jnp.copy).lower(image).compile(), (image,))
        return Entrant(COPY, COMPILED, lambda calls: self.seconds(run, calls))

    def _settings(self, trial: Trial) -> Any:
        return _Settings(self.device, trial.dtype)

    def _inputs(self, drawn: Draw, trial: Trial) -> list[Any]:
        images = trial.block.images
        others = [self._array(array, trial) for array in drawn.inputs[images:]]
        return [*(self._image(array, trial) for array in drawn.inputs[:images]), *others]

    def _image(self, array: NDArray[Any], trial: Trial) -> Any:
        return self._array(np.ascontiguousarray(np.moveaxis(array, 1, -1)), trial)

    def _array(self, array: NDArray[Any], trial: Trial) -> Any:
        return jax.device_put(jnp.asarray(array, trial.dtype), self.device)


class _Settings:
    """The device, the widest type and the products of whatever is run within."""

    def __init__(self, device: Any, dtype: str) -> None:
        self.all = [
            jax.default_device(device),
            jax.enable_x64(dtype == "float64"),
            jax.default_matmul_precision("highest"),
        ]

    def __enter__(self) -> None:
        for each in self.all:
            each.__enter__()

    def __exit__(self, *error: Any) -> None:
        for each in reversed(self.all):
            each.__exit__(*error)


def stand(purify: Purify, device: str, threads: int) -> Stand:
    """Return a device, or raise `ValueError` with what there is."""
    os.environ.update(NPROC=str(threads))  # read by XLA when its first array is made
    kind, _, index = device.partition(":")
    try:
        found = jax.devices(kind)
        return Stand(found[int(index or 0)], purify, threads)
    except (RuntimeError, ValueError, IndexError):
        there = ", ".join(sorted({each.platform for each in jax.devices()} | {"cpu"}))
        raise ValueError(f"JAX has no device {device!r} here; there is {there}.") from None


def _output_of(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given: function(*given)[0]


def _both(train: Callable[..., Any], pull: Any, weights: Any, fixed: Any, *inputs: Any) -> Any:
    output, back = jax.vjp(lambda weights, *inputs: train(weights, fixed, *inputs), weights, *inputs)
    return output, back(pull.astype(output.dtype))


def _kept(layer: Function, inputs: list[Any]) -> int:
    """Return the bytes that the forward pass hands to the backward pass, weights not counted."""

    def forward(weights: Any, *inputs: Any) -> Any:
        return jax.vjp(lambda weights, *inputs: layer.train(weights, layer.fixed, *inputs), weights, *inputs)[1]

    held = jax.tree.leaves(jax.eval_shape(forward, layer.weights, *inputs))
    weights = [leaf.shape for leaf in jax.tree.leaves(layer.weights)]
    return sum(leaf.size * leaf.dtype.itemsize for leaf in held if leaf.shape not in weights)


def _peak(program: Any) -> int | None:
    """Return what the compiler sets aside for results and in between, where it tells."""
    found = program.memory_analysis()
    return None if found is None else int(found.temp_size_in_bytes + found.output_size_in_bytes)


def _waited(program: Any, given: tuple[Any, ...]) -> Callable[[], Any]:
    wait: Any = jax.block_until_ready
    return lambda: wait(program(*given))
