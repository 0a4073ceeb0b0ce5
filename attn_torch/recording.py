"""The gates of all layers of a network, in one pass through it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from attn_core.interpreters.listening import listening
from attn_core.interpreters.one_pass import Pass, has_gates
from attn_core.interpreters.shared import Shared
from attn_torch.layer import Layer

Recorded = dict[str, list[dict[str, Tensor]]]

UNCOMPILED = Shared(partial(torch.compiler.set_stance, "force_eager"))  # what is compiled runs as it is written
COMPILING = "record_gates cannot record inside torch.compile or torch.export: call it around them."


def record_gates(network: nn.Module) -> AbstractContextManager[Recorded]:
    """Record what every layer of this package inside a network multiplies images with, while the network runs.

    ``with record_gates(network) as gates: network(x)`` fills ``gates["stage1.block1.attention"][0]["channel"]``: by the
    layer's name in ``network.named_modules()``, then one entry for each call of it, then the gate's name as in
    `Layer.gates`. A gate stands under the innermost layer that computes it: those of `CBAM` under its two halves. A
    layer that did not run is not in it.

    Nothing is computed twice, and nothing else changes: outputs, hooks and running statistics are those of a plain
    call, except that layers of large images, which may have a faster form (docs/fast.md), round otherwise here. The
    tensors are part of the graph of the pass; under ``torch.no_grad()`` there is none. Only calls in the thread that
    records are noted. A network of ``torch.compile`` runs uncompiled meanwhile; a *compiled function* cannot record,
    and says so.
    **Raises** `TypeError` for what is no module, `ValueError` if no layer inside it has gates.
    """
    if not isinstance(network, nn.Module):
        raise TypeError(f"record_gates takes a network, a torch.nn.Module, got {type(network).__name__}.")
    _refuse_compiling()
    return _recording(network)


@contextmanager
def _recording(network: nn.Module) -> Iterator[Recorded]:
    found: Recorded = {}
    layers = {name: module for name, module in network.named_modules() if isinstance(module, Layer)}
    notes = [(layer, _noting(found, name)) for name, layer in layers.items() if has_gates(layer.block)]
    if not notes:
        raise ValueError(f"{type(network).__name__} has no layer of attn_torch with gates: there is nothing to record.")
    with ExitStack() as stack:
        if "torch._dynamo" in sys.modules:  # without it in memory, nothing is compiled
            try:
                stack.enter_context(UNCOMPILED.wanted())
            except RuntimeError as error:  # in a function that Dynamo has left at this line
                raise RuntimeError(COMPILING) from error
        stack.enter_context(listening(notes))
        yield found


def _noting(found: Recorded, name: str) -> Callable[[Pass], None]:
    def note(run: Pass) -> None:
        _refuse_compiling()
        if run.own:
            found.setdefault(name, []).append(run.own)

    return note


def _refuse_compiling() -> None:
    if torch.compiler.is_compiling():
        raise RuntimeError(COMPILING)
