"""Modules whose weights are made of other tensors: weight norm, spectral norm, pruning, and whatever parametrises."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import nn
from torch.nn.utils import parametrize, prune, remove_spectral_norm, remove_weight_norm
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm


def plain(module: nn.Module) -> nn.Module:
    """Return the module if its weights are tensors of its own; else a copy that has what they are made into."""
    if not any(_is_made(each) for each in module.modules()):
        return module
    # What hooks have made is no leaf of a graph, and no other tensor can be copied.
    made = [value for each in module.modules() for value in vars(each).values() if _is_inner(value)]
    found = deepcopy(module, {id(value): value.detach().clone() for value in made}).eval()
    for each in list(found.modules()):
        _settle(each)
    return found


def _is_made(module: nn.Module) -> bool:
    hooks = module._forward_pre_hooks.values()
    return parametrize.is_parametrized(module) or any(isinstance(hook, HOOKS) for hook in hooks)


def _is_inner(value: object) -> bool:
    return isinstance(value, torch.Tensor) and not value.is_leaf


def _settle(module: nn.Module) -> None:
    """Put the weight itself in the place of what it is made of."""
    if parametrize.is_parametrized(module):
        for name in list(module.parametrizations):  # type: ignore[arg-type]
            parametrize.remove_parametrizations(module, name, leave_parametrized=True)
    for hook in list(module._forward_pre_hooks.values()):
        if isinstance(hook, WeightNorm):
            remove_weight_norm(module, hook.name)
        elif isinstance(hook, SpectralNorm):
            remove_spectral_norm(module, hook.name)
        elif isinstance(hook, prune.BasePruningMethod):
            prune.remove(module, hook._tensor_name)  # type: ignore[no-untyped-call]


HOOKS = (WeightNorm, SpectralNorm, prune.BasePruningMethod)
