"""The network that is changed: which of its layers can be named, and what may not be changed any more."""

from __future__ import annotations

import torch
from torch import nn

from attn_core.models.inserting.images import titled
from attn_core.spec import SpecError
from attn_torch.inserting.attached import attached

CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict)
WRAPPERS = (nn.parallel.DistributedDataParallel, nn.DataParallel)


def layers(model: nn.Module) -> dict[str, nn.Module]:
    """Return the layers that were there, by their names; what was inserted is none of them."""
    new = {id(module) for _, layer, hook in attached(model) for module in getattr(layer, hook.child).modules()}
    return {name: module for name, module in model.named_modules() if name and id(module) not in new}


def require_changeable(model: nn.Module) -> None:
    """Raise unless hooks that are set now will be run."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"The network must be a torch.nn.Module, got {type(model).__name__}.")
    for name, module in model.named_modules():
        where = titled(name, module)
        if hasattr(module, "_orig_mod") or getattr(module, "_compiled_call_impl", None) is not None:
            raise SpecError(f"{where} is compiled, and would not see the change: change it first, then compile.")
        if isinstance(module, torch.jit.ScriptModule):
            raise SpecError(f"{where} is a script, which runs no hooks: change the module that it was made of.")
        if isinstance(module, WRAPPERS):
            raise SpecError(f"{where} has counted its parameters: change its .module first, then wrap it.")


def single(name: str, model: nn.Module, side: str) -> str:
    """Return the name of the layer at which an insertion at this one takes place.

    Children of a container are run, or are somebody's list. So after a plain `Sequential` is after its last layer, and
    before it is before its first. **Raises** `SpecError` for an empty one, and for other containers.
    """
    module = model.get_submodule(name)
    while isinstance(module, CONTAINERS):
        plain = isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward
        if not plain or not len(module):
            what = "is empty" if plain else "is a container"
            raise SpecError(f"{name} ({type(module).__name__}) {what}: insert at a layer of its own.")
        names = [child for child, _ in module.named_children()]
        name = f"{name}.{names[-1] if side == 'after' else names[0]}"
        module = model.get_submodule(name)
    return name
