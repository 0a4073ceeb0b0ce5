"""Somebody's PyTorch module as functions of its arrays; see `attn_core.parity.foreign`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.func import functional_call
from torch.nn.parameter import is_lazy

from attn_core.parity.foreign.layer import Call, ForeignError, Ran
from attn_core.spec import Block
from attn_torch.layer import Layer
from attn_torch.parametrized import plain

WRAPPERS = (nn.DataParallel, nn.parallel.DistributedDataParallel)

Numbers = NDArray[Any]


class Module:
    """A module, run with other tensors in place of its own; its mode and its attributes are put back."""

    runtime, separator, inputs_first, dtype = "torch", ".", False, ""

    def __init__(self, module: nn.Module) -> None:
        self.title = f"the PyTorch module {type(module).__name__}"
        if isinstance(module, WRAPPERS):
            raise ForeignError(f"{self.title} runs copies of a module, which keep their tensors: give its .module.")
        if any(isinstance(each, torch.jit.ScriptModule) for each in module.modules()):
            raise ForeignError(
                f"{self.title} is or has a ScriptModule, whose tensors are fixed: give what it is made of."
            )
        self.module = plain(module)
        if any(is_lazy(tensor) for tensor in self._tensors().values()):
            raise ForeignError(f"{self.title} has lazy parameters without a shape: call it on an image first.")

    def state(self) -> dict[str, Numbers]:
        """Return the tensors of its `state_dict` that hold real numbers."""
        given = {name: tensor for name, tensor in self.module.state_dict().items() if isinstance(tensor, torch.Tensor)}
        return {name: _numpy(tensor) for name, tensor in given.items() if tensor.is_floating_point()}

    def namings(self) -> list[dict[str, str]]:
        """Return no other names."""
        return []

    def own(self) -> tuple[Block, dict[str, str]] | None:
        """Return the block of a layer of ours."""
        if not isinstance(self.module, Layer):
            return None
        return self.module.block, {name: name for name in self.module.block.arrays()}

    def run(
        self,
        state: Mapping[str, Numbers],
        x: Numbers,
        cotangent: Numbers | None = None,
        *,
        dtype: str = "float32",
        train: bool = False,
        wanted: Sequence[str] = (),
        seed: int = 0,
    ) -> Ran:
        """Run it; see `attn_core.parity.foreign.layer.Foreign`."""
        tensors = self._given(state, dtype)
        image = self._tensor(x, dtype).requires_grad_()
        for name in wanted:
            tensors[name].requires_grad_()
        with self._kept(train, seed):
            output = functional_call(self.module, tensors, (image,))
        if not isinstance(output, torch.Tensor):
            raise ForeignError(f"{self.title} returned {type(output).__name__}: a layer returns one tensor.")
        found: list[torch.Tensor] = []
        if cotangent is not None and output.shape == cotangent.shape:
            inputs = [image, *(tensors[name] for name in wanted)]
            found = _gradients(output, inputs, self._tensor(cotangent, str(output.dtype).removeprefix("torch.")))
        after = {name: _wide(tensors[name]) for name, _ in self.module.named_buffers()}
        gradients = dict(zip(wanted, map(_wide, found[1:]), strict=False))
        return Ran(_wide(output), _wide(found[0]) if found else None, gradients, after)

    def calls(
        self, state: Mapping[str, Numbers], x: Numbers, *, dtype: str = "float32", train: bool = False
    ) -> list[Call]:
        """Run it with a hook on each sub-module."""
        calls: list[Call] = []

        def hook(name: str) -> Any:
            def note(module: nn.Module, given: Any, output: Any) -> None:
                if isinstance(output, torch.Tensor):
                    calls.append(
                        Call(name, tuple(_wide(a) for a in given if isinstance(a, torch.Tensor)), _wide(output))
                    )

            return note

        handles = [m.register_forward_hook(hook(name)) for name, m in self.module.named_modules() if name]
        try:
            with self._kept(train, 0), torch.no_grad():
                functional_call(self.module, self._given(state, dtype), (self._tensor(x, dtype),))
        finally:
            for handle in handles:
                handle.remove()
        return calls

    def _tensors(self) -> dict[str, torch.Tensor]:
        return dict(self.module.named_parameters()) | dict(self.module.named_buffers())

    def _given(self, state: Mapping[str, Numbers], dtype: str) -> dict[str, torch.Tensor]:
        """Return copies of all tensors, those of `state` in place of its own."""
        kind = getattr(torch, dtype)
        own = {name: tensor.detach().clone() for name, tensor in self._tensors().items()}
        own |= {name: torch.tensor(state[name], device=own[name].device) for name in own if name in state}
        return {name: tensor.to(kind) if tensor.is_floating_point() else tensor for name, tensor in own.items()}

    def _tensor(self, x: Numbers, dtype: str) -> torch.Tensor:
        device = next(iter(self._tensors().values()), torch.empty(0)).device
        return torch.tensor(x, dtype=getattr(torch, dtype), device=device)

    @contextmanager
    def _kept(self, train: bool, seed: int) -> Iterator[None]:
        """Set the mode and the seed, and put every attribute back as it was."""
        saved = [(module, dict(vars(module))) for module in self.module.modules()]
        devices = {tensor.device for tensor in self._tensors().values() if tensor.is_cuda}
        try:
            with torch.random.fork_rng(list(devices)), torch.enable_grad():
                torch.manual_seed(seed)
                self.module.train(train)
                yield
        finally:
            for module, attributes in saved:
                vars(module).clear()
                vars(module).update(attributes)


def beginning(seed: int) -> dict[str, Any]:
    """Let fresh layers be those of the seed; return the arguments that make them so."""
    torch.manual_seed(seed)
    return {}


def adopt(thing: Any, shape: tuple[int, ...]) -> Module:
    """Return the adapter of a module."""
    return Module(thing)


def _gradients(output: torch.Tensor, inputs: list[torch.Tensor], cotangent: torch.Tensor) -> list[torch.Tensor]:
    if not output.requires_grad:  # computed without gradients
        return [torch.zeros_like(tensor) for tensor in inputs]
    return list(torch.autograd.grad(output, inputs, cotangent, allow_unused=True, materialize_grads=True))


def _wide(tensor: torch.Tensor) -> NDArray[np.float64]:
    return tensor.detach().cpu().double().numpy().copy()


def _numpy(tensor: torch.Tensor) -> Numbers:
    known = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
    return known.numpy(force=True).copy()
