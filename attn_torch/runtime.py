"""PyTorch as a runtime of `attn_core.parity`."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from attn_core.interpreters import trace
from attn_core.interpreters.trace import Interpreter, Step
from attn_core.parity import Outcome
from attn_core.spec import Block
from attn_torch import ops
from attn_torch.binding import bind


def run(
    block: Block,
    weights: Mapping[str, ArrayLike],
    x: NDArray[Any] | tuple[NDArray[Any], ...],
    cotangent: NDArray[Any] | None = None,
    dtype: str = "float32",
    train: bool = False,
) -> Outcome:
    """Run the layer; see `attn_core.parity.Runtime`."""
    kind = getattr(torch, dtype)
    layer = bind(block, weights, dtype=kind).requires_grad_(True).eval()
    given = zip(block.inputs, x if isinstance(x, tuple) else (x,), strict=True)
    inputs = {name: torch.tensor(array, dtype=kind, requires_grad=True) for name, array in given}
    gates = layer.gates(*inputs.values())
    output = layer.train(train)(*inputs.values())  # once: in training, each call moves the statistics
    running = [name for name, array in block.arrays().items() if train and not array.trainable]
    statistics = {name: attrgetter(name)(layer) for name in running}
    gradients: dict[str, torch.Tensor] = {}
    if cotangent is not None:
        wanted = inputs | {name: layer.get_parameter(name) for name, array in block.arrays().items() if array.trainable}
        options: dict[str, Any] = {"allow_unused": True, "materialize_grads": True}
        found = torch.autograd.grad(output, list(wanted.values()), torch.tensor(cotangent, dtype=kind), **options)
        gradients = dict(zip(wanted, found, strict=True))
    return Outcome(_numpy(output), *map(_all, (gates, gradients, statistics)))


def steps(
    block: Block,
    weights: Mapping[str, ArrayLike],
    x: NDArray[Any] | tuple[NDArray[Any], ...],
    dtype: str = "float32",
) -> list[Step]:
    """Run the block outside of training, step by step; see `attn_core.parity.Runtime`."""
    kind = getattr(torch, dtype)
    layer = bind(block, weights, dtype=kind).eval()
    inputs = [torch.tensor(array, dtype=kind) for array in (x if isinstance(x, tuple) else (x,))]
    with torch.no_grad():
        found = trace.steps(block, layer, Interpreter(ops, getattr, lambda part, own: own), inputs)
    return [Step(step.name, step.kind, _numpy(step.output)) for step in found]


def _all(tensors: Mapping[str, torch.Tensor]) -> dict[str, NDArray[np.float64]]:
    return {name: _numpy(tensor) for name, tensor in tensors.items()}


def _numpy(tensor: torch.Tensor) -> NDArray[np.float64]:
    return tensor.detach().double().cpu().numpy().copy()
