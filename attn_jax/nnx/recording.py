"""The gates of all modules of a network, in one pass through it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flax import nnx
from jax import Array

from attn_core.interpreters.one_pass import has_gates
from attn_jax.nnx.kept import KEPT, Kept
from attn_jax.nnx.layer import Layer

Recorded = dict[str, list[dict[str, Array]]]


@contextmanager
def record_gates(network: nnx.Module) -> Iterator[Recorded]:
    """Record what every layer of this package inside a network multiplies images with, while the network runs.

    After ``with record_gates(network) as gates: y = network(x)``, there is
    ``gates["stage1/block1/attention"][0]["channel"]``: by the module's path in the graph, then one entry for each call
    of it, then the gate's name as in `Layer.gates`. A gate stands under the innermost module that computes it: those of
    `CBAM` under its two halves. A module that did not run is not in it. The dict is filled when the context ends.

    Meanwhile each module has a variable more, of the type `Kept`, an `nnx.Intermediate`. So ``nnx.jit`` and
    ``nnx.grad`` carry gates out (and compile once more), and running statistics move as ever. Copies of the
    network, as those of ``nnx.split`` and ``nnx.merge``, take what they record with them.
    **Raises** `TypeError` for what is no module, `ValueError` if no module inside it has gates, `RuntimeError` if none
    of those that have was run.
    """
    if not isinstance(network, nnx.Module):
        raise TypeError(f"record_gates takes a network, an nnx.Module, got {type(network).__name__}.")
    found: Recorded = {}
    modules = {path: module for path, module in nnx.iter_modules(network) if isinstance(module, Layer)}
    layers = {"/".join(map(str, path)): module for path, module in modules.items() if has_gates(module.block)}
    if not layers:
        title = type(network).__name__
        raise ValueError(f"{title} has no layer of attn_jax.nnx with gates: there is nothing to record.")
    outer = {name: _begin(layer) for name, layer in layers.items()}
    try:
        yield found
    finally:
        for name, layer in layers.items():
            if calls := _end(layer, outer[name]):
                found[name] = calls
    if not found:
        rule = "run the network itself; a copy, as nnx.merge makes one, keeps its own gates"
        raise RuntimeError(f"No layer with gates of this {type(network).__name__} was run: {rule}.")


def _begin(layer: Layer) -> Kept | None:
    """Let a layer keep its gates; return what it kept them in before."""
    outer: Kept | None = getattr(layer, KEPT, None)
    setattr(layer, KEPT, Kept(()))
    return outer


def _end(layer: Layer, outer: Kept | None) -> list[dict[str, Array]]:
    """Return the gates that a layer has kept; a context around this one has them, too."""
    calls = getattr(layer, KEPT).get_value()
    delattr(layer, KEPT)
    if outer is not None:
        outer.set_value((*outer.get_value(), *calls))
        setattr(layer, KEPT, outer)
    return list(calls)
