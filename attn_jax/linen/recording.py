"""The gates of all modules of a network, in one pass through it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any

from flax import linen as nn
from jax import Array

from attn_jax.weights import traverse

GATES = "gates"  # the collection, and what stands in it in a module's own scope
RECORDING = ContextVar("RECORDING", default=False)

Recorded = dict[str, list[dict[str, Array]]]


def record_gates(network: nn.Module) -> Callable[..., tuple[Any, Recorded]]:
    """Return a function as `network.apply` that also returns what each layer of this package multiplies images with.

    After ``y, gates = record_gates(network)(variables, x)``, there is
    ``gates["stage1/block1/attention"][0]["channel"]``: by the path of the module's scope, then one entry for each call
    of it, then the gate's name as in `Layer.gates`. A gate stands under the innermost module that computes it: those of
    `CBAM` under its two halves. With ``mutable=``, y is the pair that `apply` returns.

    It is a pure function, which ``jax.jit``, ``jax.grad`` (with ``has_aux``) and ``jax.vmap`` take. Gates travel in the
    collection "gates", so ``apply(..., mutable=["gates"])`` has them too; `nn.scan` and `nn.vmap` need a rule for it
    in ``variable_axes``.
    **Raises** `TypeError` for what is no module, `ValueError` for a bound one, and if no layer that was run has gates.
    """
    if not isinstance(network, nn.Module):
        raise TypeError(f"record_gates takes a network, a flax.linen.Module, got {type(network).__name__}.")
    if network.scope is not None:
        raise ValueError("record_gates takes no bound module: module, variables = bound.unbind() gives what it takes.")
    return partial(_apply, network)


def _apply(
    network: nn.Module, variables: Any, *inputs: Any, mutable: Any = False, **options: Any
) -> tuple[Any, Recorded]:
    token = RECORDING.set(True)
    try:
        found, changed = network.apply(variables, *inputs, mutable=_with_gates(mutable), **options)
    finally:
        RECORDING.reset(token)
    state = dict(changed)
    kept = traverse.flatten_dict(state.pop(GATES, {}))
    if not kept:
        title = type(network).__name__
        raise ValueError(f"No layer of attn_jax.linen with gates ran in this {title}: there is nothing to record.")
    gates = {"/".join(path[:-1]): list(calls) for path, calls in kept.items()}
    return (found if mutable is False else (found, state)), gates


def _with_gates(mutable: Any) -> Any:
    """Return which collections may change, with that of the gates."""
    if mutable is True:
        return True
    return [GATES, *([mutable] if isinstance(mutable, str) else mutable or [])]


def keeping(module: nn.Module) -> Callable[[dict[str, Array]], object] | None:
    """Return what keeps the gates of a call, or None where nobody records."""
    if module.is_initializing():
        return None
    if module.is_mutable_collection(GATES):
        return partial(module.sow, GATES, GATES)
    if RECORDING.get():
        path = "/".join(module.path)
        raise RuntimeError(f"{path} cannot hand out its gates: give nn.scan or nn.vmap a rule for {GATES!r}.")
    return None
