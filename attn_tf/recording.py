"""The gates of all layers of a network, in one pass through it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import keras

from attn_core.interpreters.listening import listening
from attn_core.interpreters.one_pass import Pass, has_gates
from attn_core.interpreters.shared import Shared
from attn_tf.layer import Layer

Recorded = dict[str, list[dict[str, Any]]]

TRANSFORMED = (
    "record_gates cannot hand out what a function that JAX transforms computes, as that of `fit`: call the network "
    "itself, or record inside of the function."
)


@contextmanager
def record_gates(network: keras.layers.Layer) -> Iterator[Recorded]:
    """Record what every layer of this package inside a network multiplies images with, while the network runs.

    ``with record_gates(network) as gates: network(x)`` fills ``gates["stage1/block1/attention"][0]["channel"]``: by the
    layer's `path` in Keras, then one entry for each call of it, then the gate's name as in `Layer.gates`. A gate stands
    under the innermost layer that computes it: those of `CBAM` under its two halves. A layer that did not run is not in
    it.

    Nothing is computed twice, and nothing else changes: outputs and moving statistics are those of a plain call, and
    gradients flow through what is recorded. Only calls in the thread that records are noted. Compiled functions, such
    as that of `predict`, run uncompiled meanwhile. On JAX, those of a step of `fit` cannot be handed out: at its end,
    the context raises `RuntimeError`.
    **Raises** `TypeError` for what is no layer or model, `ValueError` if it is not built, if no layer inside it has
    gates, or if two that have share a path.
    """
    if not isinstance(network, keras.layers.Layer):
        raise TypeError(f"record_gates takes a layer or model of Keras, got {type(network).__name__}.")
    inside = [layer for layer in network._flatten_layers() if isinstance(layer, Layer)]
    if waiting := [layer.name for layer in inside if not layer.built]:
        raise ValueError(f"{network.name} is not built, {waiting[0]} has no parts yet: call it on an image first.")
    layers = [layer for layer in inside if has_gates(layer.block)]
    if not layers:
        raise ValueError(f"{network.name} has no layer of attn_tf with gates: there is nothing to record.")
    for path, count in Counter(layer.path for layer in layers).items():
        if count > 1:
            raise ValueError(f"{count} layers of {network.name} have the path {path}: give each a name of its own.")
    found: Recorded = {}
    lost: list[Pass] = []
    outside = _place()

    def noting(path: str) -> Callable[[Pass], None]:
        def note(run: Pass) -> None:
            if getattr(run.output, "is_meta", False):  # in Torch, where Keras looks for shapes
                return
            if _place() != outside:
                lost.append(run)
            elif run.own:
                found.setdefault(path, []).append(run.own)

        return note

    with _uncompiled(), listening([(layer, noting(layer.path)) for layer in layers]):
        yield found
    if lost:  # said afterwards: whoever trains a model on JAX must not be interrupted
        raise RuntimeError(TRANSFORMED)


def _place() -> Any:
    """Return what tells a function that JAX transforms from the code around it; other backends hand out anything."""
    if keras.backend.backend() != "jax":
        return None
    import jax.extend

    return jax.extend.core.get_opaque_trace_state()  # type: ignore[no-untyped-call]


def _uncompiled() -> AbstractContextManager[object]:
    """Run what the backend has compiled as it is written."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.disable_jit()  # in this thread alone
    if backend == "tensorflow" or "torch._dynamo" in sys.modules:  # without Dynamo in memory, nothing is compiled
        return UNCOMPILED.wanted()
    return nullcontext()


@contextmanager
def _eager_tensorflow() -> Iterator[None]:
    import tensorflow as tf

    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


def _eager() -> AbstractContextManager[object]:
    if keras.backend.backend() == "tensorflow":
        return _eager_tensorflow()
    import torch

    stance: AbstractContextManager[object] = torch.compiler.set_stance("force_eager")
    return stance


UNCOMPILED = Shared(_eager)
