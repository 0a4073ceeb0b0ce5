"""Whether a layer's fast form is taken for an image: the one place that decides.

Only where nobody could tell, except by the time it takes. So all parts must be the layers that were built, with
nothing around them that watches or changes what goes through, and nothing may be tracing or transforming the call. All
else takes the plain form.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.module import _has_any_global_hook

from attn_torch.layer import NATIVE, Layer
from attn_torch.parts import BATCH_NORMS, CONVOLUTIONS, Affine

# Below, the operations of a layer take less time than what Python adds in a function of its own.
LEAST = 2**18

# Leaves of a block, as they are built; quantised, parametrised and adapted ones are of other classes.
LEAVES = {nn.Linear, nn.LayerNorm, nn.GroupNorm, Affine, *CONVOLUTIONS, *BATCH_NORMS}
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def taken(layer: Layer, x: Tensor, dtypes: tuple[torch.dtype, ...]) -> bool:
    """Say whether a fast form that is made for these dtypes may compute this layer of this image."""
    return (
        type(x) is Tensor  # neither a stand-in of a tracer nor a subclass
        and not torch._C._get_tracing_state()  # where numbers are tensors
        and x.numel() >= LEAST
        and x.dtype in dtypes
        and x.device.type == "cpu"
        and x.is_contiguous()
        and not _watched(x)
        and not _told(layer)
        and all(_as_built(part, x) for part in layer._modules.values())
    )


def _watched(x: Tensor) -> bool:
    """Say whether something sees the operations of this thread, changes their dtypes, or differentiates otherwise."""
    return bool(
        torch._C._len_torch_dispatch_stack()
        or torch._C._len_torch_function_stack()
        or torch._C._are_functorch_transforms_active()
        or torch.is_autocast_enabled(x.device.type)
        or forward_ad._current_level >= 0
        or _has_any_global_hook()  # type: ignore[no-untyped-call]
    )


def batched(pull: Tensor) -> bool:
    """Say whether a gradient stands for several, as in vectorised Jacobians."""
    functorch = torch._C._functorch
    return bool(functorch.is_functorch_wrapped_tensor(pull) or functorch.is_legacy_batchedtensor(pull))


def _told(layer: Layer) -> bool:
    """Say whether somebody listens to the layer's gates (`attn_core.interpreters.listening`)."""
    return "forward" in vars(layer.block)


def _as_built(part: nn.Module | None, x: Tensor) -> bool:
    """Say whether a part, with the parts inside of it, computes what its class says, in the image's dtype."""
    own = vars(part)
    if any(own[hooks] for hooks in HOOKS) or "forward" in own or "_compiled_call_impl" in own:
        return False
    if not all(_alike(tensor, nn.Parameter, x) for tensor in own["_parameters"].values()):
        return False
    if isinstance(part, Layer):
        native = NATIVE.get(type(part.block)) is type(part) and not _told(part)
        return native and all(_as_built(inner, x) for inner in own["_modules"].values())
    return type(part) in LEAVES and (not isinstance(part, _BatchNorm) or _moves_as_usual(part, x))


def _moves_as_usual(norm: _BatchNorm, x: Tensor) -> bool:
    running = norm.running_mean, norm.running_var
    return norm.momentum is not None and all(each is not None and _alike(each, Tensor, x) for each in running)


def _alike(tensor: Tensor | None, kind: type[Tensor], x: Tensor) -> bool:
    return tensor is None or (type(tensor) is kind and tensor.dtype == x.dtype and tensor.device == x.device)
