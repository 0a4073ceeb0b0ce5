"""How the recipe fills each tensor of a module: the table of `golden/torch/README.md`."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from recording.subject import RecordError

Fill = dict[str, Any]

NORMS = (_BatchNorm, nn.GroupNorm, nn.LayerNorm)


def normal(mean: float, std: float) -> Fill:
    """Return the fill of normal numbers."""
    return {"kind": "normal", "mean": mean, "std": std}


def state_entries(module: nn.Module) -> list[dict[str, Any]]:
    """Return name, shape, role and fill of each tensor in the state_dict, in its order: the recipe counts them."""
    norms = {name for name, part in module.named_modules() if isinstance(part, NORMS)}
    parameters = dict(module.named_parameters(remove_duplicate=False))
    entries = []
    for name, tensor in module.state_dict().items():
        role = "parameter" if name in parameters else "buffer"
        fill = _fill(name, tensor, name.rpartition(".")[0] in norms)
        entries.append({"name": name, "shape": list(tensor.shape), "role": role, "fill": fill})
    return entries


def _fill(name: str, tensor: torch.Tensor, of_norm: bool) -> Fill:
    last = name.rpartition(".")[2]
    if not tensor.is_floating_point():
        return _constant(name, tensor)
    if last == "running_mean" or last.endswith("bias"):
        return normal(0.0, 0.2)
    if last == "running_var":
        return {"kind": "uniform", "low": 0.5, "high": 1.5}
    if tensor.ndim <= 1 or (of_norm and last == "weight"):
        return normal(1.0, 0.2)
    inputs = max(1, math.prod(tensor.shape[1:]))
    return normal(0.0, math.sqrt(2.0 / inputs))


def _constant(name: str, tensor: torch.Tensor) -> Fill:
    """Whole numbers are counts or indices: only a constant can be made again."""
    values = tensor.unique().tolist()
    if len(values) != 1:
        raise RecordError(
            f"{name} holds {len(values)} different whole numbers, which the recipe cannot make. "
            "Record a subclass that registers it with persistent=False."
        )
    return {"kind": "const", "value": values[0], "dtype": str(tensor.dtype).removeprefix("torch.")}
